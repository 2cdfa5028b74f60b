//! Colours. They never carry a meaning alone: a word says the same.

use anstyle::{AnsiColor, Style};
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
}
