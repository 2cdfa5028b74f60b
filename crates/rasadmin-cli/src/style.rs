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

/// Text in which only the codes of [`Tone`] may control a terminal; everything else that could is escaped.
pub fn printable_but_colours(text: &str) -> Cow<'_, str> {
    if !text.contains(ESCAPE) {
        return printable_lines(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(ESCAPE) {
        let (before, code) = rest.split_at(at);
        out += &printable_lines(before);
        let own = OWN.iter().find(|own| code.starts_with(**own));
        let (code, after) = code.split_at(own.map_or(1, |own| own.len()));
        out += &if own.is_some() { Cow::Borrowed(code) } else { printable_lines(code) };
        rest = after;
    }
    out += &printable_lines(rest);
    Cow::Owned(out)
}

const ESCAPE: char = '\u{1b}';

/// Normal, bold, dimmed, red, green, yellow.
const OWN: [&str; 6] = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m"];

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
        for tone in [Tone::Good, Tone::Notable, Tone::Bad, Tone::Quiet] {
            let painted = format!("{}: a\n", tone.paint("attention", true));
            assert_eq!(printable_but_colours(&painted), painted, "{tone:?}");
        }
        for (text, shown) in [
            ("\u{1b}[2Ja\u{202e}".to_owned(), "\\u{1b}[2Ja\\u{202e}".to_owned()),
            ("a\u{1b}[8mb".to_owned(), "a\\u{1b}[8mb".to_owned()),
            ("a\u{1b}[1;8mb".to_owned(), "a\\u{1b}[1;8mb".to_owned()),
            ("\u{1b}[1;".to_owned(), "\\u{1b}[1;".to_owned()),
            ("\u{1b}]0;title\u{7}".to_owned(), "\\u{1b}]0;title\\u{7}".to_owned()),
            ("\u{1b}[1é".to_owned(), "\\u{1b}[1é".to_owned()),
        ] {
            assert_eq!(printable_but_colours(&text), shown, "{text:?}");
        }
    }
}
