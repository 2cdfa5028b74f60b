//! Shortens text for messages: a line of a file can be megabytes long.

/// How many characters of a text are shown.
const MAX: usize = 80;

/// The text, or its beginning and `…` if it is long.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_long_text_is_cut() {
        let long = "ä".repeat(MAX);
        assert_eq!(shortened(&long), long);
        assert_eq!(shortened(&format!("{long}x")), format!("{long}…"));
        assert_eq!(shortened(""), "");
    }
}
