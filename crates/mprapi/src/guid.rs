//! GUIDs as text.

use std::fmt::Write;

/// The usual form of a GUID, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` in lower case, from its bytes in memory. None if it is
/// all zero.
pub fn text(bytes: [u8; 16]) -> Option<String> {
    if bytes == [0; 16] {
        return None;
    }
    // The first three parts are little-endian in memory.
    const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let mut text = String::with_capacity(36);
    for (place, index) in ORDER.into_iter().enumerate() {
        let dash = if matches!(place, 4 | 6 | 8 | 10) { "-" } else { "" };
        let _ = write!(text, "{dash}{:02x}", bytes[index]); // To a String: cannot fail.
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_guid_is_written_as_windows_writes_it() {
        let bytes = [0x33, 0x22, 0x11, 0, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff];
        assert_eq!(super::text(bytes).as_deref(), Some("00112233-4455-6677-8899-aabbccddeeff"));
        assert_eq!(super::text([0; 16]), None);
    }
}
