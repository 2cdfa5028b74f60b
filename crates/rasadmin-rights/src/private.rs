//! A folder that belongs to SYSTEM and the administrators alone, with its files: what is wrong with it, how to make it,
//! and how to mend it. On Unix it belongs to root, or to the user who runs this.
//!
//! The user who runs this is always trusted: the DLL runs as SYSTEM, and users need no protection from themselves.

use crate::system;
use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::path::Path;

/// The file that marks a folder as a rehearsal's: journal and configuration in it belong to whoever rehearses.
pub const SCRATCH: &str = "rasadmin-scratch";

/// What is wrong with an owner or with rights. Each says who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It belongs to somebody who is no administrator: what it says may be his.
    Foreign(String),
    /// It belongs to an administrator, by himself: he can write it after he has ceased to be one.
    Member(String),
    /// He can write it, or give himself the right to.
    Writable(String),
    /// He can read it, and so lock it.
    Readable(String),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign(who) | Self::Member(who) => write!(f, "it belongs to {who}"),
            Self::Writable(who) => write!(f, "it can be written by {who}"),
            Self::Readable(who) => write!(f, "it can be read by {who}"),
        }
    }
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file. A link in its place is not followed.
    File,
    /// A folder. A link in its place is.
    Folder,
}

/// All that is wrong with a file or folder.
///
/// # Errors
/// If its owner or its rights cannot be read.
pub fn look(path: &Path, kind: Kind) -> io::Result<Vec<Wrong>> {
    system::look(path, kind)
}

/// The owner of a file, if that is not an administrator; [`Wrong::Foreign`] says why that matters. An owner that cannot
/// be read is not trusted either; a file that is not there has none.
pub fn foreign(path: &Path) -> Option<String> {
    match system::foreign(path) {
        Ok(owner) => owner,
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => Some(format!("an unknown owner, because the owner cannot be read ({e})")),
    }
}

/// Why a file is not trusted: another user has written it, or can. In a rehearsal's folder only the owner matters.
pub fn unbelievable(path: &Path) -> Option<String> {
    let text = |owner| Wrong::Foreign(owner).to_string();
    if path.parent().is_some_and(is_scratch) {
        return foreign(path).map(text);
    }
    match look(path, Kind::File) {
        Ok(all) => {
            let counts = |wrong: &&Wrong| matches!(wrong, Wrong::Foreign(_) | Wrong::Writable(_));
            all.iter().find(counts).map(Wrong::to_string)
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => Some(format!("its rights cannot be read: {e}")),
    }
}

/// Gives it to SYSTEM and the administrators alone. On Unix it gets no rights for group and others, and root as its
/// owner if its owner was not trusted.
///
/// # Errors
/// If that is not allowed, or if a file has a second name, under which another program may need it as it is.
pub fn mend(path: &Path, kind: Kind) -> io::Result<()> {
    system::mend(path, kind)
}

/// Makes a folder, and those above it that are missing, for SYSTEM and the administrators only; on Unix for the user
/// who runs this. On Windows, a user who is not an administrator would be locked out, and so makes an ordinary one.
///
/// # Errors
/// If one cannot be made.
pub fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if !system::may_be_private() {
        return std::fs::create_dir_all(path);
    }
    match crate::create_folder(path) {
        Err(error) if !path.is_dir() => Err(error),
        // Made, by this process or by another at the same moment.
        _ => Ok(()),
    }
}

/// A file that is made with these options is only for the user who runs this. On Windows its folder's rights decide
/// that.
pub fn only_ours(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Is this a rehearsal's folder, or within one? A mark that a stranger has put there does not count.
pub fn is_scratch(folder: &Path) -> bool {
    let marked = |folder: &Path| {
        let mark = folder.join(SCRATCH);
        mark.is_file() && foreign(&mark).is_none()
    };
    marked(folder) || folder.parent().is_some_and(marked)
}
