//! Faults in a line or a file.

use rasadmin_policy::Name;
use std::fmt;
use std::path::{Path, PathBuf};

/// A line that could not be used. It is counted, shown and skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong, safe to print on a terminal.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.what)
    }
}

/// Why a file could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreadableKind {
    /// The file itself.
    File,
    /// Its times are local, and no time zone is known. This is about the command, not about the one file.
    TimeZoneMissing,
}

/// A file that could not be read.
#[derive(Debug)]
pub struct Unreadable {
    /// Why.
    pub kind: UnreadableKind,
    /// The file.
    pub file: PathBuf,
    /// How many of its records were read before.
    pub records: u64,
    /// The reason, and what to do.
    pub what: String,
}

impl Unreadable {
    /// From an error of the system.
    pub fn io(file: &Path, e: &std::io::Error) -> Self {
        Self::file(file, format!("it cannot be read: {e}"))
    }

    /// If the file itself cannot be read.
    pub fn file(file: &Path, what: String) -> Self {
        Self { kind: UnreadableKind::File, file: file.to_owned(), records: 0, what }
    }

    /// If a line needs a time zone, and none is known.
    pub(super) fn time_zone_missing(file: &Path, line: u64) -> Self {
        let what = format!(
            "line {line} has only its server's local time, without Event-Timestamp: name the server's time zone, with \
             --time-zone (like Europe/Berlin), or as time_zone in the configuration"
        );
        Self { kind: UnreadableKind::TimeZoneMissing, file: file.to_owned(), records: 0, what }
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

/// How many characters of a hostile text are shown.
const SHOWN: usize = 40;

/// Quotes a text from a log for a message: shortened, and safe to print on a terminal.
pub fn shown(text: &str) -> String {
    let head: String = text.chars().take(SHOWN).collect();
    let more = if head.len() < text.len() { "…" } else { "" };
    format!("`{}{more}`", Name::from_stored(head))
}

/// Says that zeros are where the server had written something: after a power cut, a file may have its size and not its
/// contents. `cut` is the text before them that has no end.
pub fn torn(cut: Option<&str>, at: u64, size: u64) -> String {
    let cut = cut.map(|text| format!("{} is cut off: ", shown(text))).unwrap_or_default();
    format!("{cut}{size} zeros begin at byte {at}: what was written there is lost, and what follows is read")
}
