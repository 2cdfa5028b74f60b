//! Why nothing can be recorded.

use rasadmin_journal::Error;
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

/// Why nothing can be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The kind of failure.
    pub kind: FailureKind,
    /// What happened, as text.
    pub message: String,
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The folder or a file is missing, or something else has its name.
    Missing,
    /// Another process held the lock beyond the deadline.
    Locked,
    /// The journal may not be written.
    ReadOnly,
    /// The disk is full.
    Full,
    /// The journal was moved, deleted or restored while it was in use.
    Replaced,
    /// The disk did not confirm what was written.
    Sync,
    /// A newer program has written there.
    Newer,
    /// Anything else.
    Other,
}

impl FailureKind {
    /// Its name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Locked => "locked",
            Self::ReadOnly => "read-only",
            Self::Full => "full",
            Self::Replaced => "replaced",
            Self::Sync => "sync",
            Self::Newer => "newer",
            Self::Other => "other",
        }
    }
}

impl Failure {
    /// Classifies an error of the journal in this folder.
    pub fn of(error: &Error, folder: &Path) -> Self {
        let kind = match error {
            Error::Locked => FailureKind::Locked,
            Error::Full(_) => FailureKind::Full,
            Error::Sync(_) => FailureKind::Sync,
            Error::Replaced(_) | Error::Diverged { .. } => FailureKind::Replaced,
            Error::NewerVersion { .. } => FailureKind::Newer,
            Error::Io(failed) => match failed.source.kind() {
                ErrorKind::NotFound => FailureKind::Missing,
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => FailureKind::ReadOnly,
                // If a file has the folder's name, systems report different errors.
                _ if !folder.is_dir() => FailureKind::Missing,
                _ => FailureKind::Other,
            },
            _ => FailureKind::Other,
        };
        Self { kind, message: error.to_string() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
