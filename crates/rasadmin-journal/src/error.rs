//! Errors, grouped by what the caller can do about them.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why an operation on the journal failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Another process or thread held the lock until the deadline. Nothing was done; try again later.
    Locked,
    /// The disk is full. Nothing was recorded; try again later.
    Full(Failed),
    /// The operating system reported an error. Records of a failed append may still have been written: then a later
    /// [`catch_up`](crate::Guard::catch_up) returns them.
    Io(Failed),
    /// The segment could not be synced, so a power cut may lose its records. The next
    /// [`append`](crate::Guard::append), or [`rewrite`](crate::Guard::rewrite), writes them again to the next segment.
    Sync(Failed),
    /// A path no longer names the open file, because the file was moved, deleted or restored. This object is no longer
    /// usable; open the journal again.
    Replaced(PathBuf),
    /// The newest segment has a version that this crate does not know, so nothing may be appended to it.
    NewerVersion {
        /// The segment.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// The journal does not continue what was read from it. This object is no longer usable; open the journal again,
    /// and rebuild the state from a checkpoint.
    Diverged {
        /// The number of the record that is missing or has changed.
        number: u64,
    },
    /// A record is empty, or too long for a segment. Nothing was recorded.
    Size {
        /// Its length, in bytes.
        length: usize,
        /// The greatest possible length, in bytes.
        most: u64,
    },
    /// The caller tried to append before it read what others had appended: see
    /// [`catch_up`](crate::Guard::catch_up). Nothing was recorded.
    Behind,
}

/// A failed system call.
#[derive(Debug)]
pub struct Failed {
    /// What was attempted, as in "cannot write".
    pub what: &'static str,
    /// The file.
    pub path: PathBuf,
    /// The system's error.
    pub source: io::Error,
}

impl Error {
    /// Classifies an error of the system.
    pub(crate) fn new(what: &'static str, path: &Path, source: io::Error) -> Self {
        let full = matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        let failed = Failed { what, path: path.to_owned(), source };
        if full { Self::Full(failed) } else { Self::Io(failed) }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: {}", self.what, self.path.display(), self.source)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked => f.write_str("another process has held the journal's lock for too long"),
            Self::Full(failed) => write!(f, "the disk is full: {failed}"),
            Self::Io(failed) | Self::Sync(failed) => failed.fmt(f),
            Self::Replaced(path) => write!(f, "{} was moved, deleted or replaced while it was in use", path.display()),
            Self::NewerVersion { path, version } => {
                write!(f, "{} has format version {version}; this program knows {}", path.display(), crate::VERSION)
            }
            Self::Diverged { number } => write!(f, "record {number} is missing from the journal, or was replaced"),
            Self::Size { length: 0, .. } => f.write_str("a record must not be empty"),
            Self::Size { length, most } => {
                write!(f, "a record of {length} bytes is too long: the limit is {most} bytes")
            }
            Self::Behind => f.write_str("the journal was not read to its end before appending"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Full(failed) | Self::Io(failed) | Self::Sync(failed) => Some(&failed.source),
            _ => None,
        }
    }
}

/// Adds to a system error what was attempted with which file.
pub(crate) trait Context<T> {
    fn when(self, what: &'static str, path: &Path) -> Result<T, Error>;
}

impl<T> Context<T> for io::Result<T> {
    fn when(self, what: &'static str, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::new(what, path, source))
    }
}
