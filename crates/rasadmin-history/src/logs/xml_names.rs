//! Escapes names for XML, which cannot carry most control characters or unpaired surrogates.

use rasadmin_policy::Name;
use std::fmt::Write;

/// Escapes a name. Returns it, and whether anything was escaped (then [`unescape`] restores the name).
pub fn escape(name: &Name) -> (String, bool) {
    let mut text = String::with_capacity(name.as_str().len());
    for c in name.as_str().chars() {
        if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') {
            let _ = write!(text, "\\u{{{:x}}}", u32::from(c)); // To a String: cannot fail.
        } else {
            text.push(c);
        }
    }
    let escaped = text.contains("\\u{");
    (text, escaped)
}

/// Restores a name that [`escape`] has escaped. Anything that is not an escape is taken literally.
pub fn unescape(text: &str) -> Name {
    let mut units = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\\u{") {
        let code = &rest[at + 3..];
        let unit = code.find('}').and_then(|end| Some((u16::from_str_radix(&code[..end], 16).ok()?, end)));
        match unit {
            Some((unit, end)) => {
                units.extend(rest[..at].encode_utf16());
                units.push(unit);
                rest = &code[end + 1..];
            }
            None => {
                units.extend(rest[..at + 3].encode_utf16());
                rest = code;
            }
        }
    }
    units.extend(rest.encode_utf16());
    Name::from_utf16(&units)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_name_comes_back(units: Vec<u16>) {
            let name = Name::from_utf16(&units);
            let (text, escaped) = escape(&name);
            prop_assert_eq!(&name, &if escaped { unescape(&text) } else { Name::new(&text) });
            prop_assert!(!text.chars().any(char::is_control));
        }

        #[test]
        fn and_those_that_look_like_escapes(text in r"(\\|u|\{|d800|\}|5c|\x00|a){0,8}") {
            let name = Name::new(&text);
            let (text, escaped) = escape(&name);
            prop_assert_eq!(&name, &if escaped { unescape(&text) } else { Name::new(&text) });
        }
    }
}
