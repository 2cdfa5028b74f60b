//! What is wrong with a configuration, for people: where, the line itself, and what would be right.

use super::Mistake;
use std::collections::HashSet;
use std::fmt::{self, Write};

/// Everything that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    file: String,
    text: String,
    mistakes: Vec<Mistake>,
    /// How many more there are that are not told.
    more: usize,
}

/// So many are told at most: whoever mends them sees the next ones.
const TOLD: usize = 20;

impl ConfigErrors {
    /// The mistakes of a file that was read: sorted by place, each once, the first twenty. Those of one place keep
    /// their order, which is the order of lines in a members file.
    pub fn new(file: &str, text: &str, mut mistakes: Vec<Mistake>) -> Self {
        let mut known = HashSet::new();
        mistakes.retain(|mistake| known.insert((mistake.span.start, mistake.what.clone())));
        mistakes.sort_by_key(|mistake| mistake.span.start);
        let more = mistakes.len().saturating_sub(TOLD);
        mistakes.truncate(TOLD);
        Self { file: file.to_owned(), text: text.to_owned(), mistakes, more }
    }

    /// With more that nobody worded.
    pub(super) fn and_more(mut self, more: usize) -> Self {
        self.more += more;
        self
    }

    /// Of a file that could not be read.
    pub fn unreadable(file: &str, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(file, "", vec![Mistake::at(0..0, what, help)])
    }

    /// How many more there are than [`ConfigErrors::mistakes`] tells.
    pub fn more(&self) -> usize {
        self.more
    }

    /// Each of them, at most twenty.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// Where one of them is: line and column, both from 1.
    pub fn place(&self, mistake: &Mistake) -> (usize, usize) {
        let place = Place::of(&self.text, mistake.span.clone());
        (place.line, place.column)
    }

    fn write(&self, f: &mut dyn Write, mistake: &Mistake) -> fmt::Result {
        let Mistake { span, what, help } = mistake;
        if self.text.is_empty() {
            write!(f, "{}: ", self.file)?;
            printable(f, what)?;
        } else {
            let place = Place::of(&self.text, span.clone());
            write!(f, "{}:{}:{}: ", self.file, place.line, place.column)?;
            printable(f, what)?;
            let margin = place.line.to_string().len();
            write!(f, "\n  {} | ", place.line)?;
            printable(f, place.shown)?;
            write!(f, "\n  {:margin$} | {:indent$}{}", "", "", "^".repeat(place.width), indent = place.indent)?;
        }
        if !help.is_empty() {
            f.write_str("\n  help: ")?;
            printable(f, help)?;
        }
        Ok(())
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.mistakes.iter().enumerate() {
            if index > 0 {
                f.write_char('\n')?;
            }
            self.write(f, mistake)?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for ConfigErrors {}

/// A place in the file; columns count characters from 1.
struct Place<'a> {
    line: usize,
    column: usize,
    /// The part of the line that is shown: a line can be megabytes long.
    shown: &'a str,
    indent: usize,
    width: usize,
}

/// How many characters of a line are shown before and after the place.
const SHOWN: usize = 60;

impl<'a> Place<'a> {
    fn of(text: &'a str, span: std::ops::Range<usize>) -> Self {
        let boundary = |mut at: usize| {
            at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (start, end) = (boundary(span.start), boundary(span.end));
        let begins = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let ends = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let before = text[begins..start].char_indices().rev().nth(SHOWN - 1).map_or(begins, |(at, _)| begins + at);
        let after = text[start..ends].char_indices().nth(SHOWN).map_or(ends, |(at, _)| start + at);
        let last = end.clamp(start, after);
        let wide = |text: &str| {
            let mut shown = String::new();
            let _ = printable(&mut shown, text); // To a String: cannot fail.
            shown.chars().count()
        };
        Self {
            line: text[..start].matches('\n').count() + 1,
            column: text[begins..start].chars().count() + 1,
            shown: text[before..after].trim_end_matches('\r'),
            indent: wide(&text[before..start]),
            width: wide(&text[start..last]).max(1),
        }
    }
}

/// Hostile text reaches no terminal as it is.
fn printable(f: &mut dyn Write, text: &str) -> fmt::Result {
    for c in text.chars() {
        rasadmin_text::write_char(f, if c == '\t' { ' ' } else { c })?;
    }
    Ok(())
}
