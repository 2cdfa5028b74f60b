//! Finds the marker in the product's file, so that the file can be recognised without loading it.

use std::path::Path;

/// The text before the version in the product's file. A line feed follows the version.
const MARKER: &str = "rasadmin-product/";

/// Returns the version of the product in a file; None if it is another file.
///
/// # Errors
/// If the file cannot be read.
pub fn version_of(path: &Path) -> std::io::Result<Option<String>> {
    Ok(version_in(&std::fs::read(path)?))
}

/// Returns the version of the product in a file's bytes.
pub fn version_in(bytes: &[u8]) -> Option<String> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".+-".contains(byte);
    let starts = bytes.windows(MARKER.len()).enumerate().filter(|(_, window)| *window == MARKER.as_bytes());
    starts.map(|(at, _)| &bytes[at + MARKER.len()..]).find_map(|rest| {
        let end = rest.iter().take(64).position(|&byte| byte == b'\n')?;
        let version = &rest[..end];
        (end > 0 && version[0].is_ascii_digit() && version.iter().all(plain))
            .then(|| String::from_utf8_lossy(version).into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_mark_is_one() {
        assert_eq!(version_in(b"..rasadmin-product/0.1.0-rc.1\n..").as_deref(), Some("0.1.0-rc.1"));
        assert_eq!(version_in(b"rasadmin-product/rasadmin-product/1.2.3\n").as_deref(), Some("1.2.3"));
        assert_eq!(version_in(b"rasadmin-product/"), None);
        assert_eq!(version_in(b"rasadmin-product/1.2.3"), None);
        assert_eq!(version_in(b"rasadmin-product/1.2 3\n"), None);
        assert_eq!(version_in(b""), None);
    }
}
