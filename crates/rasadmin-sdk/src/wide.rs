//! Names as Windows passes them: UTF-16, with any content that a client chose.

use std::fmt;

/// A borrowed UTF-16 name. It is lossless and may have unpaired surrogates.
///
/// `Display` is for people: invalid UTF-16 becomes U+FFFD, and control characters are escaped, so that a hostile name cannot
/// forge a line of a log.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct WideStr<'a>(&'a [u16]);

impl<'a> WideStr<'a> {
    /// A name of exactly these units.
    pub const fn new(units: &'a [u16]) -> Self {
        Self(units)
    }

    /// The name in a fixed array, up to the terminator or the end of the array, whichever comes first.
    pub fn from_array(array: &'a [u16]) -> Self {
        let end = array.iter().position(|&unit| unit == 0).unwrap_or(array.len());
        Self(&array[..end])
    }

    /// The UTF-16 units.
    pub const fn units(self) -> &'a [u16] {
        self.0
    }

    /// Whether the name is empty. Some clients never have a name, so empty does not mean "not yet known".
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The name as text. None if it is not valid UTF-16.
    pub fn to_text(self) -> Option<String> {
        String::from_utf16(self.0).ok()
    }

    /// Whether the name equals the text, ignoring case, as Windows compares user names.
    pub fn eq_ignore_case(self, text: &str) -> bool {
        let lower = |units: &mut dyn Iterator<Item = Result<char, u16>>| {
            units.map(|unit| unit.map(|c| c.to_lowercase().collect::<String>())).collect::<Vec<_>>()
        };
        let own = lower(&mut char::decode_utf16(self.0.iter().copied()).map(|c| c.map_err(|e| e.unpaired_surrogate())));
        own == lower(&mut text.chars().map(Ok))
    }
}

impl fmt::Display for WideStr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in char::decode_utf16(self.0.iter().copied()) {
            rasadmin_text::write_char(f, c.unwrap_or(char::REPLACEMENT_CHARACTER))?;
        }
        Ok(())
    }
}

/// Puts the name in quotes and doubles quotes within it, so that a name cannot forge a field of a log line.
impl fmt::Debug for WideStr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.to_string().replace('"', "\"\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn an_array_ends_at_its_terminator_or_its_end() {
        assert_eq!(WideStr::from_array(&[65, 66, 0, 67]).units(), [65, 66]);
        assert_eq!(WideStr::from_array(&[65, 66]).units(), [65, 66]);
        assert!(WideStr::from_array(&[0, 65]).is_empty());
    }

    #[test]
    fn names_compare_without_case() {
        assert!(WideStr::new(&wide("CORP\\Älice")).eq_ignore_case("corp\\äLICE"));
        assert!(!WideStr::new(&wide("alice")).eq_ignore_case("alic"));
        assert!(!WideStr::new(&[0xD800]).eq_ignore_case("\u{fffd}"), "an unpaired surrogate equals only itself");
    }

    #[test]
    fn hostile_names_are_escaped_for_display_and_kept_whole() {
        let name = wide("a\n2026 INFO\u{202e}x");
        assert_eq!(WideStr::new(&name).to_string(), "a\\n2026 INFO\\u{202e}x");
        assert_eq!(WideStr::new(&name).to_text().as_deref(), Some("a\n2026 INFO\u{202e}x"));
        assert_eq!(format!("{:?}", WideStr::new(&wide("a\" port=\"x"))), "\"a\"\" port=\"\"x\"");
        let unpaired = [0x61, 0xD800, 0x62];
        assert_eq!(WideStr::new(&unpaired).to_string(), "a\u{fffd}b");
        assert_eq!(WideStr::new(&unpaired).to_text(), None);
        assert_eq!(WideStr::new(&unpaired).units(), unpaired);
    }
}
