//! Owner and mode: root, and the user who runs this, are trusted.

use super::private::{Kind, Wrong};
use super::{Object, UnsafePermission};
use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::OnceLock;

/// The user who runs this.
fn own() -> u32 {
    static OWN: OnceLock<u32> = OnceLock::new();
    *OWN.get_or_init(|| std::fs::metadata("/proc/self").map_or(0, |own| own.uid()))
}

/// The owner, if he is not trusted.
fn stranger(of: &Metadata) -> Option<String> {
    (of.uid() != 0 && of.uid() != own()).then(|| format!("the user with the number {}", of.uid()))
}

pub(super) fn of(path: &Path, object: Object) -> io::Result<Vec<UnsafePermission>> {
    // Of a link itself: what it leads to is looked at too.
    let metadata = std::fs::symlink_metadata(path)?;
    if metadata.is_symlink() {
        return Ok(Vec::new());
    }
    let mut dangers = Vec::new();
    let mut add = |who: String, owns: bool| dangers.push(UnsafePermission { path: path.to_owned(), who, owns });
    if let Some(owner) = stranger(&metadata) {
        add(owner, true);
    }
    // In a sticky folder nobody renames what belongs to another.
    const STICKY: u32 = 0o1000;
    if object == Object::Above && metadata.mode() & STICKY != 0 {
        return Ok(dangers);
    }
    if metadata.mode() & 0o020 != 0 && metadata.gid() != 0 {
        add(group(&metadata), false);
    }
    if metadata.mode() & 0o002 != 0 {
        add("everyone".into(), false);
    }
    Ok(dangers)
}

fn group(of: &Metadata) -> String {
    format!("the group with the number {}", of.gid())
}

/// Of a link to a folder, the folder; of a link in a file's place, the link.
fn metadata(path: &Path, kind: Kind) -> io::Result<Metadata> {
    match kind {
        Kind::File => std::fs::symlink_metadata(path),
        Kind::Folder => std::fs::metadata(path),
    }
}

pub(super) fn foreign(path: &Path) -> io::Result<Option<String>> {
    metadata(path, Kind::File).map(|of| stranger(&of))
}

pub(super) fn look(path: &Path, kind: Kind) -> io::Result<Vec<Wrong>> {
    let of = metadata(path, kind)?;
    let mut wrong: Vec<_> = stranger(&of).map(Wrong::Foreign).into_iter().collect();
    let who = |everyone: bool| if everyone { "everyone".into() } else { group(&of) };
    let (write, rest) = (of.mode() & 0o022, of.mode() & 0o055);
    if write != 0 {
        wrong.push(Wrong::Writable(who(write & 0o002 != 0)));
    }
    if rest != 0 {
        wrong.push(Wrong::Readable(who(rest & 0o005 != 0)));
    }
    Ok(wrong)
}

/// By a handle: nobody can put another file in its place meanwhile.
pub(super) fn mend(path: &Path, kind: Kind) -> io::Result<()> {
    let link = if kind == Kind::File { libc::O_NOFOLLOW } else { libc::O_DIRECTORY };
    let file = File::options().read(true).custom_flags(link | libc::O_NONBLOCK).open(path)?;
    let of = file.metadata()?;
    if kind == Kind::File && of.nlink() > 1 {
        return Err(io::Error::other("it has a second name (a hard link), whose rights would change too"));
    }
    if stranger(&of).is_some() {
        std::os::unix::fs::fchown(&file, Some(own()), None)?;
    }
    file.set_permissions(Permissions::from_mode(if kind == Kind::File { 0o600 } else { 0o700 }))
}

/// A user who makes a folder has it alone.
pub(super) fn may_be_private() -> bool {
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::{Object, create_folder, dangers};
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_new_folder_is_ours_alone_and_a_writable_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path().join("a/b");
        assert_eq!(create_folder(&new).unwrap(), [folder.path().join("a"), new.clone()]);
        assert_eq!(fs::metadata(&new).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(create_folder(&new).unwrap(), Vec::<std::path::PathBuf>::new());
        assert_eq!(dangers(&new, Object::Folder).unwrap(), []);
        // The folder above: who can write there can put another folder in its place.
        fs::set_permissions(folder.path().join("a"), Permissions::from_mode(0o777)).unwrap();
        let found = dangers(&new.join("file"), Object::File).unwrap();
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().ends_with("/a: it can be written by everyone"), "{}", found[0]);
        // Unless it is sticky, as /tmp is.
        fs::set_permissions(folder.path().join("a"), Permissions::from_mode(0o1777)).unwrap();
        assert_eq!(dangers(&new, Object::Folder).unwrap(), []);
        assert_eq!(dangers(&folder.path().join("a"), Object::Folder).unwrap().len(), 1);
    }

    #[test]
    fn a_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (open, link) = (folder.path().join("open"), folder.path().join("link"));
        create_folder(&open).unwrap();
        fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
        std::os::unix::fs::symlink(&open, &link).unwrap();
        assert_eq!(dangers(&link, Object::Folder).unwrap().len(), 1);
    }
}
