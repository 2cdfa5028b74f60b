//! Private folders: they and their files belong to SYSTEM and the administrators alone. On Unix they belong to root, or
//! to the current user. This module creates them, finds what is wrong with them, and mends them.
//!
//! The current user is always trusted: the DLL runs as SYSTEM, and users need no protection from themselves.

use crate::system;
use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::path::Path;

/// The file that marks a folder as a scratch folder. Its journal and configuration belong to the user who runs the
/// test.
pub const SCRATCH: &str = "rasadmin-scratch";

/// What is wrong with the owner or the rights of a file or folder. Each variant has the account's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PermissionFault {
    /// Its owner is not an administrator and may have written it.
    Foreign(String),
    /// It belongs to one administrator personally, who could still write it after losing that role.
    Member(String),
    /// The account can write it, or give itself the right to.
    Writable(String),
    /// The account can read it, and so lock it.
    Readable(String),
}

impl fmt::Display for PermissionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign(who) | Self::Member(who) => write!(f, "it belongs to {who}"),
            Self::Writable(who) => write!(f, "it can be written by {who}"),
            Self::Readable(who) => write!(f, "it can be read by {who}"),
        }
    }
}

/// The kind of object to inspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file. Links are not followed.
    File,
    /// A folder. Links are followed.
    Folder,
}

/// Finds everything that is wrong with the owner and the rights of a file or folder.
///
/// # Errors
/// If its owner or its rights cannot be read.
pub fn inspect(path: &Path, kind: Kind) -> io::Result<Vec<PermissionFault>> {
    system::inspect(path, kind)
}

/// Returns the owner of a file if it is not an administrator; see [`PermissionFault::Foreign`]. An owner that cannot be
/// read is not trusted either. A missing file has no owner.
pub fn foreign(path: &Path) -> Option<String> {
    match system::foreign(path) {
        Ok(owner) => owner,
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => Some(format!("an unknown owner, because the owner cannot be read ({e})")),
    }
}

/// Says why a file is not trusted: another user may have written it, or can write it. In a scratch folder only the
/// owner matters. None if the file is trusted.
pub fn why_untrusted(path: &Path) -> Option<String> {
    let text = |owner| PermissionFault::Foreign(owner).to_string();
    if path.parent().is_some_and(is_scratch) {
        return foreign(path).map(text);
    }
    // Its own rights say nothing: on Unix, everybody has all of them.
    if cfg!(unix) && std::fs::symlink_metadata(path).is_ok_and(|of| of.is_symlink()) {
        return Some("it is a link: name the file behind it".to_owned());
    }
    match inspect(path, Kind::File) {
        Ok(all) => {
            let counts =
                |wrong: &&PermissionFault| matches!(wrong, PermissionFault::Foreign(_) | PermissionFault::Writable(_));
            all.iter().find(counts).map(PermissionFault::to_string)
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => Some(format!("its rights cannot be read: {e}")),
    }
}

/// Gives a file or folder to SYSTEM and the administrators alone. On Unix it removes the rights of group and others,
/// and the current user becomes the owner if the owner was not trusted.
///
/// # Errors
/// If that is not allowed, or if a file has a second name (a hard link), under which another program may need it
/// unchanged.
pub fn mend(path: &Path, kind: Kind) -> io::Result<()> {
    system::mend(path, kind)
}

/// Creates a private folder and its missing parents. On Windows, a user who is not an administrator gets an ordinary
/// folder, because a private one would lock that user out.
///
/// # Errors
/// If a folder cannot be created.
pub fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if !system::may_be_private() {
        return std::fs::create_dir_all(path);
    }
    match crate::create_folder(path) {
        Err(error) if !path.is_dir() => Err(error),
        // This process created it, or another one did at the same moment.
        _ => Ok(()),
    }
}

/// Makes files created with these options private to the current user. On Windows the folder's rights do that.
pub fn only_ours(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Is this a scratch folder, or directly within one? A marker file of an untrusted owner does not count.
pub fn is_scratch(folder: &Path) -> bool {
    let marked = |folder: &Path| {
        let marker = folder.join(SCRATCH);
        marker.is_file() && foreign(&marker).is_none()
    };
    marked(folder) || folder.parent().is_some_and(marked)
}
