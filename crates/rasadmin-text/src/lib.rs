//! Makes text from outside safe to print, and wraps text to lines.
//!
//! Users choose the names that RRAS passes, clients choose the names of their computers, and file names can contain almost
//! anything. A control character in such a text can clear a terminal, forge a line of a log, or reverse the order of the
//! words around it. The functions of this crate escape these characters as Rust does (`\u{1b}`), and do not change others.

#![forbid(unsafe_code)]

mod wrap;

pub use wrap::{width_of, wrap};

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::path::Path;

/// Whether a character must not reach a terminal, a log or a line of a file unescaped: a control character, a separator of
/// lines or paragraphs, or a character that changes the direction of writing.
pub const fn is_unsafe(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{61c}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}')
}

/// Writes a character, escaped if it is unsafe.
///
/// # Errors
/// Those of the writer.
pub fn write_char(f: &mut dyn Write, c: char) -> fmt::Result {
    if is_unsafe(c) { write!(f, "{}", c.escape_default()) } else { f.write_char(c) }
}

/// The text on one line.
pub fn printable(text: &str) -> Cow<'_, str> {
    escape(text, is_unsafe)
}

/// The text with its line breaks. All other unsafe characters are escaped.
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    escape(text, |c| c != '\n' && is_unsafe(c))
}

/// The path on one line. Parts that are not Unicode become U+FFFD.
pub fn printable_path(path: impl AsRef<Path>) -> String {
    printable(&path.as_ref().to_string_lossy()).into_owned()
}

/// The JSON with unsafe characters in its strings escaped as JSON escapes them, so its meaning does not change. Line breaks
/// between its parts stay.
pub fn printable_json(json: &str) -> Cow<'_, str> {
    let is_unsafe = |c: char| c != '\n' && is_unsafe(c);
    if !json.contains(is_unsafe) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_unsafe(c) {
            let _ = write!(out, "\\u{:04x}", u32::from(c)); // Writing to a String cannot fail.
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn escape(text: &str, unsafe_here: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&unsafe_here) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if unsafe_here(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// A word of a command, quoted for a shell if necessary.
pub fn shell_quoted(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        let cases = [
            ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
            ("a\r\nb", "a\\r\\nb"),
            ("a\u{85}b", "a\\u{85}b"),
            ("a\u{7f}b", "a\\u{7f}b"),
            ("a\u{2028}b\u{2029}", "a\\u{2028}b\\u{2029}"),
        ];
        for (hostile, safe) in cases {
            assert_eq!(printable(hostile), safe);
        }
        // Every character that Unicode lists as Bidi_Control.
        for c in
            "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}".chars()
        {
            assert_eq!(printable(&format!("a{c}b")), format!("a{}b", c.escape_default()));
        }
    }

    #[test]
    fn every_control_character_of_unicode_is_unsafe() {
        assert!(('\0'..=char::MAX).filter(|c| c.is_control()).all(is_unsafe));
    }

    #[test]
    fn safe_text_is_borrowed_unchanged() {
        for safe in ["CORP\\alice", "Łukasz", "علی\u{200c}رضا", "👩\u{200d}💻", "\u{fffd}"] {
            assert!(matches!(printable(safe), Cow::Borrowed(text) if text == safe), "{safe}");
        }
    }

    #[test]
    fn json_keeps_its_meaning() {
        let json = "{\n  \"name\": \"a\u{202e}b\u{7f}\"\n}";
        assert_eq!(printable_json(json), "{\n  \"name\": \"a\\u202eb\\u007f\"\n}");
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(printable_lines("a\nb\r\u{1b}\n"), "a\nb\\r\\u{1b}\n");
    }

    #[test]
    fn a_quoted_word_is_one_word_for_a_shell() {
        let cases = [("a/b.dll", "a/b.dll"), ("--x=1", "--x=1"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("", "''")];
        for (word, quoted) in cases {
            assert_eq!(shell_quoted(word), quoted);
        }
    }
}
