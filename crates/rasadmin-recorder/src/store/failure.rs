//! Why nothing can be recorded, for people.

use rasadmin_journal::Error;
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

/// Why nothing can be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which kind.
    pub kind: FailureKind,
    /// What happened.
    pub message: String,
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The folder or a file is not there, or something else stands in its place.
    Missing,
    /// Another process held the lock beyond the deadline.
    Locked,
    /// It may not be written.
    ReadOnly,
    /// The disk is full.
    Full,
    /// Somebody moved, deleted or restored it while it was in use.
    Replaced,
    /// The disk did not take what was written.
    Sync,
    /// A newer program has written there.
    Newer,
    /// Anything else.
    Other,
}

impl FailureKind {
    /// As messages name it.
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
    /// What an error means, with the journal of this folder.
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
                // What the system says to a file in the folder's place differs.
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
