//! What can go wrong, by what the caller can do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why the journal could not do what it was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Another process or thread held the lock until the deadline. Nothing was done; try again later.
    Locked,
    /// The disk is full. Nothing was recorded; try again later.
    Full(Failed),
    /// The system refused. What was to be appended may yet turn out to be there: it then comes in a later
    /// [`catch_up`](crate::Guard::catch_up).
    Io(Failed),
    /// The segment could not be synced: what it holds may be gone after a power cut. The records are written again in
    /// the next segment by the next [`append`](crate::Guard::append) or by [`rewrite`](crate::Guard::rewrite).
    Sync(Failed),
    /// A path names another file than the one that is open, or none: somebody moved, deleted or restored it. This
    /// journal does nothing any more; open it again.
    Replaced(PathBuf),
    /// The newest segment has a version that this crate does not know: nothing may be appended to it.
    NewerVersion {
        /// The segment.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// The journal does not continue what was read from it. This journal does nothing any more; open it again, and
    /// build the state from a checkpoint.
    Diverged {
        /// The record that is missing or another one than before.
        number: u64,
    },
    /// A record is longer than a segment has room for, or empty. Nothing was recorded.
    Size {
        /// How long it is, in bytes.
        length: usize,
        /// How long it may be.
        most: u64,
    },
    /// The caller asked to append before it knew what others had appended: see
    /// [`catch_up`](crate::Guard::catch_up). Nothing was recorded.
    Behind,
}

/// A failure of the system.
#[derive(Debug)]
pub struct Failed {
    /// What was tried, as in "cannot write".
    pub what: &'static str,
    /// With which file.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl Error {
    /// The system refused.
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
            Self::Locked => f.write_str("another process holds the journal's lock for too long"),
            Self::Full(failed) => write!(f, "the disk is full: {failed}"),
            Self::Io(failed) | Self::Sync(failed) => failed.fmt(f),
            Self::Replaced(path) => write!(f, "{} was moved, deleted or replaced while it was in use", path.display()),
            Self::NewerVersion { path, version } => {
                write!(f, "{} has format version {version}; this program knows {}", path.display(), crate::VERSION)
            }
            Self::Diverged { number } => write!(f, "record {number} is missing from the journal, or was replaced"),
            Self::Size { length: 0, .. } => f.write_str("a record must not be empty"),
            Self::Size { length, most } => write!(f, "a record of {length} bytes is too long: {most} are possible"),
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

/// Says what was tried with which file when the system refuses.
pub(crate) trait Context<T> {
    fn when(self, what: &'static str, path: &Path) -> Result<T, Error>;
}

impl<T> Context<T> for io::Result<T> {
    fn when(self, what: &'static str, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::new(what, path, source))
    }
}
