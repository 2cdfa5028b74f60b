//! Names as RRAS passes them: UTF-16 with whatever a client put there.

mod folding;

use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, SmolStrBuilder, StrExt};
use std::fmt::{self, Write};

/// A name, lossless as text. An unpaired surrogate D800 is written as `\u{d800}`, and the backslash of a literal `\u{`
/// as `\u{5c}`, so two different names never become one. Any other name is written as it is.
///
/// A state holds a million names, and nearly all are short: up to 23 bytes are stored in the name itself.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[cfg_attr(any(test, feature = "schema"), schemars(inline, description = "A name as RRAS passed it, without loss."))]
#[serde(transparent)]
pub struct Name(#[cfg_attr(any(test, feature = "schema"), schemars(with = "String"))] SmolStr);

impl Name {
    /// Makes a name from UTF-16, including unpaired surrogates.
    pub fn from_utf16(units: &[u16]) -> Self {
        let mut text = SmolStrBuilder::new();
        for unit in char::decode_utf16(units.iter().copied()) {
            match unit {
                Ok(c) => text.push(c),
                Err(lone) => {
                    let _ = write!(text, "\\u{{{:x}}}", lone.unpaired_surrogate()); // To memory: cannot fail.
                }
            }
        }
        let text = text.finish();
        if text.contains("\\u{") { Self(escape(units)) } else { Self(text) }
    }

    /// Makes a name from text as people write it in the configuration or on a command line.
    pub fn new(text: &str) -> Self {
        // Text has no unpaired surrogates.
        if text.contains("\\u{") {
            Self::from_utf16(&text.encode_utf16().collect::<Vec<_>>())
        } else {
            Self(text.into())
        }
    }

    /// Makes a name from text that [`Name::as_str`] returned, as the ledger stores it.
    pub fn from_stored(text: String) -> Self {
        Self(text.into())
    }

    /// The name as lossless text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Is it empty? Some clients never have a name: empty does not mean "not yet known".
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The UTF-16 that it was made from.
    pub fn to_utf16(&self) -> Vec<u16> {
        let mut units = Vec::with_capacity(self.0.len());
        let mut rest = self.as_str();
        while let Some((before, after)) = rest.split_once("\\u{") {
            units.extend(before.encode_utf16());
            let escaped =
                after.split_once('}').and_then(|(digits, after)| Some((u16::from_str_radix(digits, 16).ok()?, after)));
            // Text that no name produced is taken literally.
            let (unit, after) = escaped.unwrap_or((b'\\'.into(), &rest[before.len() + 1..]));
            units.push(unit);
            rest = after;
        }
        units.extend(rest.encode_utf16());
        units
    }

    /// Folds the name as Windows compares most names (ports, computers, local accounts): by the upper case alone, one
    /// UTF-16 unit for one.
    pub fn folded(&self) -> Self {
        self.clone().into_folded()
    }

    /// The same, without a copy.
    pub(crate) fn into_folded(self) -> Self {
        if self.is_plain() {
            return Self::plain(&self.0);
        }
        let upper = |unit| folding::upper_unit(unit);
        Self::from_utf16(&self.to_utf16().into_iter().map(upper).collect::<Vec<_>>())
    }

    /// Folds the name as Active Directory compares the names of users: without case, diacritics, width and kana.
    pub fn into_directory_folded(self) -> Self {
        if self.is_plain() {
            return Self::plain(&self.0);
        }
        if !self.0.contains("\\u{") {
            // Without escapes it is text.
            return Self::new(&folding::directory_text(&self.0));
        }
        Self::from_utf16(&folding::directory(&self.to_utf16()))
    }

    /// Folds ASCII text that has none of our escapes.
    pub(crate) fn plain(text: &str) -> Self {
        Self(text.to_ascii_uppercase_smolstr())
    }

    /// Is it ASCII, without any of our escapes?
    pub(crate) fn is_plain(&self) -> bool {
        self.0.is_ascii() && !self.0.contains("\\u{")
    }
}

/// Escapes a name that has an unpaired surrogate or a literal `\u{`. This is the slow way.
fn escape(units: &[u16]) -> SmolStr {
    let mut text = SmolStrBuilder::new();
    let mut chars = char::decode_utf16(units.iter().copied()).peekable();
    while let Some(unit) = chars.next() {
        match unit {
            Ok('\\') if matches!(chars.peek(), Some(Ok('u'))) => text.push_str("\\u{5c}"),
            Ok(c) => text.push(c),
            Err(lone) => {
                let _ = write!(text, "\\u{{{:x}}}", lone.unpaired_surrogate()); // To memory: cannot fail.
            }
        }
    }
    text.finish()
}

/// For people: characters that would break a line or a terminal are escaped.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| rasadmin_text::write_char(f, c))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.to_string().replace('"', "\"\""))
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_ordinary_name_is_written_as_it_is() {
        for name in ["alice", r"CORP\alice", "Jürgen Ünal", "日本", r"a\b", "'; DROP TABLE sessions; --", ""] {
            assert_eq!(Name::new(name).as_str(), name);
        }
    }

    #[test]
    fn a_hostile_name_is_lossless_and_shown_safely() {
        let lone = Name::from_utf16(&[0x61, 0xd800, 0x62]);
        assert_eq!(lone.as_str(), r"a\u{d800}b");
        assert_ne!(lone, Name::new(r"a\u{d800}b"));
        assert_eq!(Name::new("a\r\n\u{202e}b\0").to_string(), r"a\r\n\u{202e}b\u{0}");
    }

    #[test]
    fn case_folds_one_for_one() {
        assert_eq!(Name::new("Jürgen").folded(), Name::new("JÜRGEN").folded());
        // Its upper case is two characters: Windows leaves it alone.
        assert_ne!(Name::new("straße").folded(), Name::new("STRASSE").folded());
        assert_eq!(Name::from_utf16(&[0x61, 0xdc00]).folded(), Name::from_utf16(&[0x41, 0xdc00]));
        assert_eq!(Name::new(r"PARTNER\u{bob").folded(), Name::new(r"PARTNER\U{BOB"));
    }

    proptest! {
        #[test]
        fn two_names_never_become_one(a: Vec<u16>, b: Vec<u16>) {
            prop_assert_eq!(a == b, Name::from_utf16(&a) == Name::from_utf16(&b));
        }

        #[test]
        fn the_units_come_back(units: Vec<u16>) {
            prop_assert_eq!(Name::from_utf16(&units).to_utf16(), units);
        }

        #[test]
        fn those_of_our_escapes_too(text in r"(\\|u|\{|d800|\}|5c){0,8}") {
            prop_assert_eq!(Name::new(&text).to_utf16(), text.encode_utf16().collect::<Vec<_>>());
        }

        #[test]
        fn nor_do_those_that_look_like_our_escapes(a in r"(\\|u|\{|d800|\}|5c){0,8}", b in r"(\\|u|\{|d800|\}|5c){0,8}") {
            prop_assert_eq!(a == b, Name::new(&a) == Name::new(&b));
            prop_assert_eq!(Name::new(&a).folded().folded(), Name::new(&a).folded());
        }
    }
}
