//! Notices for the log: problems that were found in the folder, and what was done about them.

use std::fmt;
use std::path::PathBuf;

/// A problem that an administrator should know about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// A file or folder had the name of one of the journal's files and could not be used. It was renamed.
    MovedAside {
        /// Its old name.
        from: PathBuf,
        /// Its new name.
        to: PathBuf,
        /// Why it could not be used.
        why: String,
    },
    /// A file or folder has the name of one of the journal's files, cannot be used, and could not be renamed.
    InTheWay {
        /// Its path.
        path: PathBuf,
        /// Why it cannot be used or renamed.
        why: String,
    },
    /// Other users could read or write the folder or its files. They no longer can.
    RightsMended {
        /// The first folder or file that was mended.
        first: PathBuf,
        /// What was wrong with it.
        what: String,
        /// The number of further ones.
        others: usize,
    },
    /// A folder or file has wrong rights or a wrong owner that could not be mended.
    NotMended {
        /// Its path.
        path: PathBuf,
        /// What is wrong, and why it could not be mended.
        why: String,
    },
    /// A checkpoint was skipped in favour of an older one. It was not changed.
    Unusable {
        /// The checkpoint.
        path: PathBuf,
        /// Why it was skipped.
        why: String,
    },
    /// Records could not be read although later ones can. They are skipped.
    Quarantined {
        /// The segment.
        path: PathBuf,
        /// Their offset in the file, in bytes.
        at: u64,
        /// Their length, in bytes.
        length: u64,
        /// The number of the first missing record.
        first: u64,
        /// The number of the last missing record.
        last: u64,
        /// The file with the saved bytes, if they could be saved.
        saved: Option<PathBuf>,
    },
    /// A crash left an incomplete record after the last one. It was erased.
    Torn {
        /// The segment.
        path: PathBuf,
        /// Its offset in the file, in bytes.
        at: u64,
    },
    /// A power cut left complete records after the last one that do not continue it. They were erased.
    Stale {
        /// The segment.
        path: PathBuf,
        /// Their offset in the file, in bytes.
        at: u64,
        /// The file with the saved bytes, if they could be saved.
        saved: Option<PathBuf>,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let saved = |saved: &Option<PathBuf>| match saved {
            Some(path) => format!("the bytes are in {}", path.display()),
            None => "the bytes could not be saved".to_owned(),
        };
        match self {
            Self::MovedAside { from, to, why } => {
                write!(f, "{} was moved aside, because {why}; it is {} now", from.display(), to.display())
            }
            Self::Unusable { path, why } => write!(f, "{} was skipped: {why}", path.display()),
            Self::RightsMended { first, what, others: 0 } => {
                write!(f, "the rights of {} were mended: {what}", first.display())
            }
            Self::RightsMended { first, what, others } => {
                write!(f, "the rights of {} and {others} more were mended: {what}", first.display())
            }
            Self::NotMended { path, why } => write!(f, "the rights of {} cannot be mended: {why}", path.display()),
            Self::InTheWay { path, why } => write!(f, "{} cannot be used: {why}", path.display()),
            Self::Quarantined { path, at, length, first, last, saved: bytes } => write!(
                f,
                "{}: records {first} to {last} cannot be read ({length} bytes at {at}) and are left out; {}",
                path.display(),
                saved(bytes)
            ),
            Self::Torn { path, at } => write!(f, "{}: an unfinished record at {at} was cleared", path.display()),
            Self::Stale { path, at, saved: bytes } => write!(
                f,
                "{}: records from {at} on do not continue the journal and were cleared; {}",
                path.display(),
                saved(bytes)
            ),
        }
    }
}
