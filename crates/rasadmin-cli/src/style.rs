//! Colours. They never carry a meaning alone: a word says the same.

use anstyle::{AnsiColor, Style};
use rasadmin_text::printable_lines;
use std::borrow::Cow;
use std::fmt::Display;

/// What a colour stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Worth a look.
    Notable,
    /// Somebody must act.
    Bad,
    /// Less important than the rest.
    Quiet,
}

impl Tone {
    const fn style(self) -> Style {
        match self {
            Self::Good => AnsiColor::Green.on_default(),
            Self::Notable => AnsiColor::Yellow.on_default().bold(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Quiet => Style::new().dimmed(),
        }
    }

    /// The text in this colour, if `colours`; else as it is.
    pub fn paint(self, text: impl Display, colours: bool) -> String {
        if colours {
            let style = self.style();
            format!("{style}{text}{style:#}")
        } else {
            text.to_string()
        }
    }
}

/// Text in which only colours may control a terminal; everything else that could is escaped.
pub fn printable_but_colours(text: &str) -> Cow<'_, str> {
    if !text.contains(ESCAPE) {
        return printable_lines(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(ESCAPE) {
        let (before, code) = rest.split_at(at);
        // `ESC [ 1;31 m` is a colour; with another letter it moves the cursor, clears the screen and so on.
        let parameters = code[ESCAPE.len()..].bytes().take_while(|b| b.is_ascii_digit() || *b == b';').count();
        let end = ESCAPE.len() + parameters;
        let is_colour = code[end..].starts_with('m');
        let (code, after) = code.split_at(if is_colour { end + 1 } else { end });
        out += &printable_lines(before);
        out += &if is_colour { Cow::Borrowed(code) } else { printable_lines(code) };
        rest = after;
    }
    out += &printable_lines(rest);
    Cow::Owned(out)
}

const ESCAPE: &str = "\u{1b}[";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_coloured_only_if_asked() {
        assert_eq!(Tone::Bad.paint("no", false), "no");
        let painted = Tone::Bad.paint("no", true);
        assert!(
            painted.starts_with('\u{1b}') && painted.ends_with("\u{1b}[0m") && painted.contains("no"),
            "{painted:?}"
        );
    }

    #[test]
    fn only_colours_pass() {
        let red = Tone::Bad.paint("attention", true);
        for (text, shown) in [
            (format!("{red}: a\n"), format!("{red}: a\n")),
            ("\u{1b}[2Ja\u{1b}[31mb\u{202e}".to_owned(), "\\u{1b}[2Ja\u{1b}[31mb\\u{202e}".to_owned()),
            ("\u{1b}[1;".to_owned(), "\\u{1b}[1;".to_owned()),
            ("\u{1b}]0;title\u{7}".to_owned(), "\\u{1b}]0;title\\u{7}".to_owned()),
            ("\u{1b}[1é".to_owned(), "\\u{1b}[1é".to_owned()),
        ] {
            assert_eq!(printable_but_colours(&text), shown, "{text:?}");
        }
    }
}
