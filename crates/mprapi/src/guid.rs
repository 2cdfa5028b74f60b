//! GUIDs as text.

use std::fmt::Write;

/// Where each byte of the text is in memory: the first three parts are little-endian there.
const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

/// The usual form of a GUID, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` in lower case, from its bytes in memory. None if it is
/// all zero.
pub fn text(bytes: [u8; 16]) -> Option<String> {
    if bytes == [0; 16] {
        return None;
    }
    let mut text = String::with_capacity(36);
    for (place, index) in ORDER.into_iter().enumerate() {
        let dash = if matches!(place, 4 | 6 | 8 | 10) { "-" } else { "" };
        let _ = write!(text, "{dash}{:02x}", bytes[index]); // To a String: cannot fail.
    }
    Some(text)
}

/// The bytes in memory of a GUID in its usual form, in either case. None if the text is not one, or is all zero.
pub fn bytes(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.split('-').collect();
    let in_order = u128::from_str_radix(&digits, 16).ok()?.to_be_bytes();
    let mut bytes = [0; 16];
    for (byte, index) in in_order.into_iter().zip(ORDER) {
        bytes[index] = byte;
    }
    self::text(bytes)?.eq_ignore_ascii_case(text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_guid_is_written_as_windows_writes_it() {
        let bytes = [0x33, 0x22, 0x11, 0, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff];
        assert_eq!(super::text(bytes).as_deref(), Some("00112233-4455-6677-8899-aabbccddeeff"));
        assert_eq!(super::text([0; 16]), None);
        assert_eq!(super::bytes("00112233-4455-6677-8899-aabbccddeeff"), Some(bytes));
        assert_eq!(super::bytes("00112233-4455-6677-8899-AABBCCDDEEFF"), Some(bytes));
        let not = [
            "",
            "+0112233-4455-6677-8899-aabbccddeeff",
            "00112233-4455-6677-8899-aabbccddeef",
            "00112233-4455-6677-8899-aabbccddeefg",
        ];
        for text in
            not.into_iter().chain(["00112233+4455-6677-8899-aabbccddeeff", "001122334455-6677-8899-aabbccddeeffaa"])
        {
            assert_eq!(super::bytes(text), None, "{text}");
        }
    }
}
