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

/// How many characters of the beginning and of the end of a long message are shown.
const BEGINNING: usize = 400;
const END: usize = 200;

/// The message, or its beginning and its end if it is long: it may name several texts of a file.
pub(crate) fn fitting(message: String) -> String {
    let (begin, end) = (message.char_indices().nth(BEGINNING), message.char_indices().nth_back(END - 1));
    match (begin, end) {
        (Some((begin, _)), Some((end, _))) if begin < end => format!("{}…{}", &message[..begin], &message[end..]),
        _ => message,
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

    #[test]
    fn a_long_message_keeps_its_beginning_and_its_end() {
        let most = "ä".repeat(BEGINNING) + &"ö".repeat(END);
        assert_eq!(fitting(most.clone()), most);
        let long = "ä".repeat(BEGINNING) + "x" + &"ö".repeat(END);
        assert_eq!(fitting(long), most.replace("äö", "ä…ö"));
        assert_eq!(fitting(String::new()), "");
    }
}
