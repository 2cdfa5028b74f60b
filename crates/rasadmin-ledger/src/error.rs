//! Errors of the ledger.

use std::fmt;
use std::path::Path;

/// Why a ledger, or its journal, could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The kind of error.
    pub kind: ErrorKind,
    /// What happened, as text.
    pub message: String,
}

/// The kinds of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The file or its folder is missing, or something else has its name.
    Missing,
    /// Another process held it beyond the deadline.
    Locked,
    /// The file may not be written.
    ReadOnly,
    /// The disk is full.
    Full,
    /// The file is damaged, or not a ledger.
    Corrupt,
    /// The ledger belongs to another platform or has another version.
    Foreign,
    /// This thread was asked to stop: see [`interrupt`](crate::interrupt).
    Interrupted,
    /// Anything else.
    Other,
}

impl ErrorKind {
    /// Its name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Locked => "locked",
            Self::ReadOnly => "read-only",
            Self::Full => "full",
            Self::Corrupt => "corrupt",
            Self::Foreign => "foreign",
            Self::Interrupted => "interrupted",
            Self::Other => "other",
        }
    }
}

impl ErrorKind {
    /// What an administrator can do about it, if that is always the same.
    pub const fn remedy(self) -> Option<&'static str> {
        match self {
            Self::ReadOnly => Some("run it as SYSTEM or as an administrator (root)"),
            Self::Locked => Some("another process is using the ledger: if this lasts, find out which"),
            Self::Full => Some("make room on that disk"),
            _ => None,
        }
    }
}

impl Error {
    /// Makes an error about a file.
    pub(crate) fn new(kind: ErrorKind, path: &Path, what: impl fmt::Display) -> Self {
        Self { kind, message: format!("{}: {what}", path.display()) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<rasadmin_journal::Error> for Error {
    fn from(error: rasadmin_journal::Error) -> Self {
        use rasadmin_journal::Error as Journal;
        use std::io::ErrorKind as Io;
        let kind = match &error {
            Journal::Locked => ErrorKind::Locked,
            Journal::Full(_) => ErrorKind::Full,
            Journal::NewerVersion { .. } => ErrorKind::Foreign,
            Journal::Io(failed) | Journal::Sync(failed) => match failed.source.kind() {
                Io::NotFound | Io::NotADirectory => ErrorKind::Missing,
                Io::PermissionDenied | Io::ReadOnlyFilesystem => ErrorKind::ReadOnly,
                _ => ErrorKind::Other,
            },
            _ => ErrorKind::Other,
        };
        Self { kind, message: error.to_string() }
    }
}
