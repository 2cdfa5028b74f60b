//! What is wrong with a line, or with a whole file.

use rasadmin_policy::Name;
use std::fmt;
use std::path::{Path, PathBuf};

/// A line that could not be used: it is counted, shown and passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong, fit for a terminal.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.what)
    }
}

/// A file that could not be read.
#[derive(Debug)]
pub struct Unreadable {
    /// The file.
    pub file: PathBuf,
    /// Why, and what to do.
    pub what: String,
}

impl Unreadable {
    /// From an error of the system.
    pub fn io(file: &Path, e: &std::io::Error) -> Self {
        Self { file: file.to_owned(), what: format!("it cannot be read: {e}") }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.what)
    }
}

impl std::error::Error for Unreadable {}

impl From<Unreadable> for String {
    fn from(unreadable: Unreadable) -> Self {
        unreadable.to_string()
    }
}

/// Characters of a hostile text that are shown.
const SHOWN: usize = 40;

/// A text from a log as a message shows it: short, and without what would break a terminal.
pub fn shown(text: &str) -> String {
    let head: String = text.chars().take(SHOWN).collect();
    let more = if head.len() < text.len() { "…" } else { "" };
    format!("`{}{more}`", Name::from_stored(head))
}
