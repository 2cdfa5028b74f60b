//! Owner and access list: SYSTEM, the administrators, and the user who runs this, are trusted.

use crate::private::{Kind, Wrong};
use crate::sddl::{self, Grant};
use crate::{Object, accounts, descriptor};
use std::io;
use std::os::windows::fs::MetadataExt;
use std::path::Path;
use std::sync::OnceLock;

/// How an account relates to the administrators.
enum Standing {
    /// SYSTEM, the administrators together, or the user who runs this.
    Trusted,
    /// One of them.
    Member,
    Stranger,
}

/// The user who runs this.
fn own() -> Option<&'static str> {
    static OWN: OnceLock<Option<String>> = OnceLock::new();
    OWN.get_or_init(|| accounts::own().ok()).as_deref()
}

fn standing(sid: &str) -> Standing {
    if sddl::TRUSTED.contains(&sid) || own() == Some(sid) {
        return Standing::Trusted;
    }
    match accounts::members() {
        Ok(members) if members.iter().any(|member| member == sid) => Standing::Member,
        _ => Standing::Stranger,
    }
}

pub(super) fn foreign(path: &Path) -> io::Result<Option<String>> {
    let owner = descriptor::owner(path)?;
    Ok(match standing(&owner) {
        Standing::Stranger => Some(sddl::name(&owner)),
        _ => None,
    })
}

pub(super) fn look(path: &Path, kind: Kind) -> io::Result<Vec<Wrong>> {
    let owner = descriptor::owner(path)?;
    let mut wrong = Vec::new();
    match standing(&owner) {
        Standing::Trusted => {}
        Standing::Member => wrong.push(Wrong::Member(sddl::name(&owner))),
        Standing::Stranger => wrong.push(Wrong::Foreign(sddl::name(&owner))),
    }
    let text = descriptor::read(path)?;
    let unknown = || io::Error::other(format!("its rights are in a form that this program does not know: {text}"));
    let object = if kind == Kind::File { Object::File } else { Object::Folder };
    let own = own().map(sddl::name);
    let others =
        |powers: Vec<Grant>| powers.into_iter().filter(|power| !power.owns && Some(&power.who) != own.as_ref());
    let writers = others(sddl::powers(&text, object).ok_or_else(unknown)?);
    wrong.extend(writers.map(|power| Wrong::Writable(power.who)));
    let readers = others(sddl::readers(&text).ok_or_else(unknown)?);
    wrong.extend(readers.map(|power| Wrong::Readable(power.who)));
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
    let owned = matches!(standing(&descriptor::owner(path)?), Standing::Trusted);
    let sddl = if kind == Kind::File { sddl::ADMINISTRATORS_FILE } else { sddl::ADMINISTRATORS_ONLY };
    descriptor::set(path, sddl, !owned)
}

/// Only an administrator is not locked out.
pub(super) fn may_be_private() -> bool {
    accounts::is_administrator()
}
