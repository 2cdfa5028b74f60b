//! What was found that should not be, and what was done about it: for the log.

use std::fmt;
use std::path::PathBuf;

/// Something that an administrator should hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// A file or folder had the name of one of ours and could not be used. It has another name now.
    MovedAside {
        /// What it was called.
        from: PathBuf,
        /// What it is called now.
        to: PathBuf,
        /// Why it could not be used.
        why: String,
    },
    /// A file or folder has the name of one of ours, cannot be used, and could not be moved.
    InTheWay {
        /// What it is called.
        path: PathBuf,
        /// Why it cannot be used, and not be moved.
        why: String,
    },
    /// Others could write or read folder or files of ours. Now they cannot.
    RightsMended {
        /// The folder or file that was mended first.
        first: PathBuf,
        /// What was wrong with it.
        what: String,
        /// How many more were mended.
        others: usize,
    },
    /// A folder or file of ours has wrong rights or a wrong owner, and that could not be mended.
    NotMended {
        /// What it is called.
        path: PathBuf,
        /// What is wrong, and why it stays so.
        why: String,
    },
    /// A checkpoint was passed over for an older one. It is still there.
    Unusable {
        /// The checkpoint.
        path: PathBuf,
        /// Why it was not taken.
        why: String,
    },
    /// Records could not be read although later ones can: they are left out.
    Quarantined {
        /// The segment.
        path: PathBuf,
        /// Where they stand, in bytes from the beginning of the file, and how many bytes they take.
        at: u64,
        /// See `at`.
        length: u64,
        /// The first number that is missing, and the last.
        first: u64,
        /// See `first`.
        last: u64,
        /// Where the bytes were saved, if they could be.
        saved: Option<PathBuf>,
    },
    /// Behind the last record stood a part of one, which a crash had cut off. It was cleared.
    Torn {
        /// The segment.
        path: PathBuf,
        /// Where it stood, in bytes from the beginning of the file.
        at: u64,
    },
    /// Behind the last record stood whole ones that do not continue it: left by a power cut. They were cleared.
    Stale {
        /// The segment.
        path: PathBuf,
        /// Where they stood, in bytes from the beginning of the file.
        at: u64,
        /// Where the bytes were saved, if they could be.
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
            Self::Unusable { path, why } => write!(f, "{} was passed over: {why}", path.display()),
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
