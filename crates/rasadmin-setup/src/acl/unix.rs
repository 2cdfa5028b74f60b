//! Owner and mode: root, and the user who runs this, are trusted.

use super::{Danger, Object};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

pub(super) fn of(path: &Path, object: Object) -> io::Result<Vec<Danger>> {
    // Of a link itself: what it leads to is looked at too.
    let metadata = std::fs::symlink_metadata(path)?;
    if metadata.is_symlink() {
        return Ok(Vec::new());
    }
    let own = std::fs::metadata("/proc/self").map_or(0, |own| own.uid());
    let mut dangers = Vec::new();
    let mut add = |who: String, owns: bool| dangers.push(Danger { path: path.to_owned(), who, owns });
    if metadata.uid() != 0 && metadata.uid() != own {
        add(format!("the user with the number {}", metadata.uid()), true);
    }
    // In a sticky folder nobody renames what belongs to another.
    const STICKY: u32 = 0o1000;
    if object == Object::Above && metadata.mode() & STICKY != 0 {
        return Ok(dangers);
    }
    if metadata.mode() & 0o020 != 0 && metadata.gid() != 0 {
        add(format!("the group with the number {}", metadata.gid()), false);
    }
    if metadata.mode() & 0o002 != 0 {
        add("everyone".into(), false);
    }
    Ok(dangers)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::acl::{Object, create_folder, dangers};
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
