//! The mistakes in a configuration, formatted for people: the position, the line itself, and how to correct it.

use super::Mistake;
use std::collections::HashSet;
use std::fmt::{self, Write};

/// All mistakes in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    file: String,
    text: String,
    mistakes: Vec<Mistake>,
    /// How many more there are that are not listed.
    more: usize,
}

/// How many mistakes are listed at most. After correcting them, you see the next ones.
const MAX_SHOWN: usize = 20;

impl ConfigErrors {
    /// The mistakes in a file that was read: sorted by position, each listed once, the first twenty. Mistakes at the
    /// same position keep their order, which is the order of lines in a members file.
    pub fn new(file: &str, text: &str, mut mistakes: Vec<Mistake>) -> Self {
        let mut known = HashSet::new();
        mistakes.retain(|mistake| known.insert((mistake.span.start, mistake.what.clone())));
        mistakes.sort_by_key(|mistake| mistake.span.start);
        let more = mistakes.len().saturating_sub(MAX_SHOWN);
        mistakes.truncate(MAX_SHOWN);
        Self { file: file.to_owned(), text: text.to_owned(), mistakes, more }
    }

    /// Adds mistakes that are only counted.
    pub(super) fn and_more(mut self, more: usize) -> Self {
        self.more += more;
        self
    }

    /// The mistake that a file cannot be read.
    pub fn unreadable(file: &str, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(file, "", vec![Mistake::at(0..0, what, help)])
    }

    /// How many more there are than [`ConfigErrors::mistakes`] lists.
    pub fn more(&self) -> usize {
        self.more
    }

    /// The listed mistakes, at most twenty.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// The position of a mistake: line and column, both from 1.
    pub fn position(&self, mistake: &Mistake) -> (usize, usize) {
        let position = Position::of(&self.text, mistake.span.clone());
        (position.line, position.column)
    }

    /// Writes all of them. The label stands before what each one says.
    pub(super) fn write_all(&self, f: &mut dyn Write, label: &str) -> fmt::Result {
        for (index, mistake) in self.mistakes.iter().enumerate() {
            if index > 0 {
                f.write_char('\n')?;
            }
            self.write(f, mistake, label)?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }

    fn write(&self, f: &mut dyn Write, mistake: &Mistake, label: &str) -> fmt::Result {
        let Mistake { span, what, help } = mistake;
        if self.text.is_empty() {
            write!(f, "{}: {label}", self.file)?;
            printable(f, what)?;
        } else {
            let position = Position::of(&self.text, span.clone());
            write!(f, "{}:{}:{}: {label}", self.file, position.line, position.column)?;
            printable(f, what)?;
            let margin = position.line.to_string().len();
            write!(f, "\n  {} | ", position.line)?;
            printable(f, position.shown)?;
            write!(f, "\n  {:margin$} | {:indent$}{}", "", "", "^".repeat(position.width), indent = position.indent)?;
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
        self.write_all(f, "")
    }
}

impl std::error::Error for ConfigErrors {}

/// A position in the file. Columns count characters from 1.
struct Position<'a> {
    line: usize,
    column: usize,
    /// The part of the line that is shown: a line can be megabytes long.
    shown: &'a str,
    indent: usize,
    width: usize,
}

/// How many characters of a line are shown before and after the position.
const SHOWN: usize = 60;

impl<'a> Position<'a> {
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

/// Makes hostile text safe to print on a terminal.
fn printable(f: &mut dyn Write, text: &str) -> fmt::Result {
    for c in text.chars() {
        rasadmin_text::write_char(f, if c == '\t' { ' ' } else { c })?;
    }
    Ok(())
}
