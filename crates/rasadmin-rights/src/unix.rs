//! Owner and mode: root and the current user are trusted.

use super::account::Account;
use super::private::{Kind, PermissionFault};
use super::{Object, UnsafePermission};
use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::OnceLock;

/// The current user's number.
fn own() -> u32 {
    static OWN: OnceLock<u32> = OnceLock::new();
    *OWN.get_or_init(|| std::fs::metadata("/proc/self").map_or(0, |own| own.uid()))
}

/// The current user's account, as the system's list has it; a user of another directory is named by their number.
pub(super) fn account_name() -> io::Result<String> {
    Ok(account(own()).name)
}

/// The name that a list of accounts has for a number.
fn named(all: &str, number: u32) -> Option<&str> {
    all.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(number)).then_some(name)
    })
}

/// The account of a user's number.
pub(super) fn account(number: u32) -> Account {
    let all = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = named(&all, number).map_or_else(|| format!("the user with the number {number}"), str::to_owned);
    Account { id: number.to_string(), name, administrator: number == 0 || number == own() }
}

/// The owner, unless it is trusted.
fn untrusted_owner(of: &Metadata) -> Option<String> {
    (of.uid() != 0 && of.uid() != own()).then(|| format!("the user with the number {}", of.uid()))
}

pub(super) fn of(path: &Path, object: Object) -> io::Result<Vec<UnsafePermission>> {
    // The target of a link is inspected too.
    let metadata = std::fs::symlink_metadata(path)?;
    if metadata.is_symlink() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let mut add = |who: String, owns: bool| found.push(UnsafePermission { path: path.to_owned(), who, owns });
    if let Some(owner) = untrusted_owner(&metadata) {
        add(owner, true);
    }
    // In a sticky folder users cannot rename what belongs to others.
    const STICKY: u32 = 0o1000;
    if object == Object::Above && metadata.mode() & STICKY != 0 {
        return Ok(found);
    }
    if metadata.mode() & 0o020 != 0 && metadata.gid() != 0 {
        add(group(&metadata), false);
    }
    if metadata.mode() & 0o002 != 0 {
        add("everyone".into(), false);
    }
    Ok(found)
}

fn group(of: &Metadata) -> String {
    format!("the group with the number {}", of.gid())
}

/// Follows links to folders, but not links to files.
fn metadata(path: &Path, kind: Kind) -> io::Result<Metadata> {
    match kind {
        Kind::File => std::fs::symlink_metadata(path),
        Kind::Folder => std::fs::metadata(path),
    }
}

pub(super) fn foreign(path: &Path) -> io::Result<Option<String>> {
    metadata(path, Kind::File).map(|of| untrusted_owner(&of))
}

pub(super) fn inspect(path: &Path, kind: Kind) -> io::Result<Vec<PermissionFault>> {
    let of = metadata(path, kind)?;
    let mut wrong: Vec<_> = untrusted_owner(&of).map(PermissionFault::Foreign).into_iter().collect();
    let who = |everyone: bool| if everyone { "everyone".into() } else { group(&of) };
    let (write, rest) = (of.mode() & 0o022, of.mode() & 0o055);
    if write != 0 {
        wrong.push(PermissionFault::Writable(who(write & 0o002 != 0)));
    }
    if rest != 0 {
        wrong.push(PermissionFault::Readable(who(rest & 0o005 != 0)));
    }
    Ok(wrong)
}

/// Works on an open handle, so that nobody can replace the file meanwhile.
pub(super) fn mend(path: &Path, kind: Kind) -> io::Result<()> {
    let link = if kind == Kind::File { libc::O_NOFOLLOW } else { libc::O_DIRECTORY };
    let file = File::options().read(true).custom_flags(link | libc::O_NONBLOCK).open(path)?;
    let of = file.metadata()?;
    if kind == Kind::File && of.nlink() > 1 {
        return Err(io::Error::other("it has a second name (a hard link), whose rights would change too"));
    }
    if untrusted_owner(&of).is_some() {
        std::os::unix::fs::fchown(&file, Some(own()), None)?;
    }
    file.set_permissions(Permissions::from_mode(if kind == Kind::File { 0o600 } else { 0o700 }))
}

/// On Unix every user can own a private folder.
fn no_access_lists<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no access lists of Windows"))
}

pub(super) fn set_entry(_: &Path, _: &str, _: Option<&str>) -> io::Result<()> {
    no_access_lists()
}

pub(super) fn has_entry(_: &Path, _: &str) -> io::Result<bool> {
    no_access_lists()
}

pub(super) fn create_folder(_: &Path, _: &str) -> io::Result<()> {
    no_access_lists()
}

pub(super) fn may_be_private() -> bool {
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{account, account_name, named, own};
    use crate::{Object, create_folder, unsafe_permissions};
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_new_folder_is_private_and_a_writable_one_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path().join("a/b");
        assert_eq!(create_folder(&new).unwrap(), [folder.path().join("a"), new.clone()]);
        assert_eq!(fs::metadata(&new).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(create_folder(&new).unwrap(), Vec::<std::path::PathBuf>::new());
        assert_eq!(unsafe_permissions(&new, Object::Folder).unwrap(), []);
        // The folder above: anyone who can write there can replace the folder.
        fs::set_permissions(folder.path().join("a"), Permissions::from_mode(0o777)).unwrap();
        let found = unsafe_permissions(&new.join("file"), Object::File).unwrap();
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().ends_with("/a: it can be written by everyone"), "{}", found[0]);
        // Unless it is sticky, as /tmp is.
        fs::set_permissions(folder.path().join("a"), Permissions::from_mode(0o1777)).unwrap();
        assert_eq!(unsafe_permissions(&new, Object::Folder).unwrap(), []);
        assert_eq!(unsafe_permissions(&folder.path().join("a"), Object::Folder).unwrap().len(), 1);
    }

    #[test]
    fn an_account_is_known_by_its_number() {
        let all = "root:x:0:0:root:/root:/bin/sh\nbroken\nalice:x:1000:1000::/home/alice:/bin/sh\n";
        assert_eq!((named(all, 0), named(all, 1000), named(all, 7)), (Some("root"), Some("alice"), None));
        assert!(!account_name().unwrap().is_empty());
        assert!(account(0).administrator && account(own()).administrator);
        assert!(!account(u32::MAX - 7).administrator, "somebody else");
        assert_eq!(account(own()).name, account_name().unwrap());
    }

    #[test]
    fn a_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (open, link) = (folder.path().join("open"), folder.path().join("link"));
        create_folder(&open).unwrap();
        fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
        std::os::unix::fs::symlink(&open, &link).unwrap();
        assert_eq!(unsafe_permissions(&link, Object::Folder).unwrap().len(), 1);
    }
}
