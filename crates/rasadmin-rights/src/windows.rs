//! Owner and access list: SYSTEM, the administrators and the current user are trusted.

use crate::private::{Kind, PermissionFault};
use crate::sddl::{self, Grant};
use crate::{Object, accounts, descriptor};
use std::io;
use std::os::windows::fs::MetadataExt;
use std::path::Path;
use std::sync::OnceLock;

/// How far an account is trusted.
enum Trust {
    /// SYSTEM, the group of administrators, or the current user.
    Trusted,
    /// A single member of the administrators.
    Member,
    Untrusted,
}

/// The current user's SID.
fn own() -> Option<&'static str> {
    static OWN: OnceLock<Option<String>> = OnceLock::new();
    OWN.get_or_init(|| accounts::own().ok()).as_deref()
}

fn trust(sid: &str) -> Trust {
    if sddl::TRUSTED.contains(&sid) || own() == Some(sid) {
        return Trust::Trusted;
    }
    match accounts::members() {
        Ok(members) if members.iter().any(|member| member == sid) => Trust::Member,
        _ => Trust::Untrusted,
    }
}

/// Can only an administrator, or the current user, be the owner with this SID?
pub(super) fn is_trusted_owner(sid: &str) -> bool {
    !matches!(trust(sid), Trust::Untrusted)
}

pub(super) fn foreign(path: &Path) -> io::Result<Option<String>> {
    let owner = descriptor::owner(path)?;
    Ok(match trust(&owner) {
        Trust::Untrusted => Some(sddl::name(&owner)),
        _ => None,
    })
}

pub(super) fn inspect(path: &Path, kind: Kind) -> io::Result<Vec<PermissionFault>> {
    let owner = descriptor::owner(path)?;
    let mut wrong = Vec::new();
    match trust(&owner) {
        Trust::Trusted => {}
        Trust::Member => wrong.push(PermissionFault::Member(sddl::name(&owner))),
        Trust::Untrusted => wrong.push(PermissionFault::Foreign(sddl::name(&owner))),
    }
    let text = descriptor::read(path)?;
    let unknown = || io::Error::other(format!("its rights are in a form that this program does not know: {text}"));
    let object = if kind == Kind::File { Object::File } else { Object::Folder };
    let own = own().map(sddl::name);
    let others =
        |grants: Vec<Grant>| grants.into_iter().filter(|grant| !grant.owns && Some(&grant.who) != own.as_ref());
    let writers = others(sddl::grants(&text, object).ok_or_else(unknown)?);
    wrong.extend(writers.map(|grant| PermissionFault::Writable(grant.who)));
    let readers = others(sddl::readers(&text).ok_or_else(unknown)?);
    wrong.extend(readers.map(|grant| PermissionFault::Readable(grant.who)));
    Ok(wrong)
}

pub(super) fn mend(path: &Path, kind: Kind) -> io::Result<()> {
    const FILE_ATTRIBUTE_REPARSE_POINT: u32 = 0x400;
    if !may_be_private() {
        return Err(io::Error::other("this process does not run as an administrator"));
    }
    let metadata = std::fs::symlink_metadata(path)?;
    if kind == Kind::File && metadata.file_attributes() & FILE_ATTRIBUTE_REPARSE_POINT != 0 {
        return Err(io::Error::other("it is a link"));
    }
    let owned = matches!(trust(&descriptor::owner(path)?), Trust::Trusted);
    let sddl = if kind == Kind::File { sddl::ADMINISTRATORS_FILE } else { sddl::ADMINISTRATORS_ONLY };
    descriptor::set(path, sddl, !owned)
}

/// Gives an account this entry in the access list, instead of those that it has; None takes them away.
pub(super) fn set_entry(path: &Path, who: &str, entry: Option<&str>) -> io::Result<()> {
    let text = descriptor::read(path)?;
    let unknown = || io::Error::other(format!("its rights are in a form that this program does not know: {text}"));
    descriptor::set(path, &sddl::with_entry(&text, who, entry).ok_or_else(unknown)?, false)
}

/// Whether the access list has this entry.
pub(super) fn has_entry(path: &Path, entry: &str) -> io::Result<bool> {
    Ok(sddl::has_entry(&descriptor::read(path)?, entry))
}

pub(super) use descriptor::create_folder;

/// The current user's account; its SID if Windows cannot name it, because no domain controller answers, for example.
pub(super) fn account_name() -> io::Result<String> {
    accounts::own_name().or_else(|_| accounts::own())
}

/// Only an administrator is not locked out.
pub(super) fn may_be_private() -> bool {
    accounts::is_administrator()
}
