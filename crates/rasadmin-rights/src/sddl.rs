//! Security descriptors as text (SDDL), as Windows writes them: who owns an object, and who may write it.
//!
//! Parsing the text needs no pointers, and can be tested on every platform.

mod entry;

use super::Object;
#[cfg(windows)]
pub(crate) use entry::is_protected;
pub use entry::{has_entry, with_entry};

/// A folder that the administrators own. SYSTEM and the administrators have full control of it and everything in it. It
/// inherits nothing.
pub const ADMINISTRATORS_ONLY: &str = "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";

/// The same for a file.
pub const ADMINISTRATORS_FILE: &str = "O:BAD:P(A;;FA;;;SY)(A;;FA;;;BA)";

/// Accounts that are administrators anyway: SYSTEM, Administrators, the built-in Administrator, Domain and Enterprise
/// Admins, TrustedInstaller; and Wine's only user, whose number Windows never assigns.
pub(crate) const TRUSTED: [&str; 10] = [
    "SY",
    "BA",
    "LA",
    "DA",
    "EA",
    "S-1-5-18",
    "S-1-5-32-544",
    "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
    "S-1-5-21-0-0-0-1000",
    // The owner, which is checked separately.
    "OW",
];

/// Placeholders for the account that creates something in the folder: they grant nothing on the folder itself.
const CREATORS: [&str; 4] = ["CO", "CG", "S-1-3-0", "S-1-3-1"];

/// Rights of an account that is not an administrator's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The account: a well-known name, or a SID.
    pub who: String,
    /// True if the account is the owner, who may always take every right.
    pub owns: bool,
}

// Rights on files and folders, as winnt.h has them.
const READ_DATA_OR_LIST: u32 = 0x1;
const WRITE_DATA_OR_ADD_FILE: u32 = 0x2;
const APPEND_OR_ADD_FOLDER: u32 = 0x4;
const DELETE_CHILD: u32 = 0x40;
const DELETE: u32 = 0x1_0000;
const WRITE_DAC: u32 = 0x4_0000;
const WRITE_OWNER: u32 = 0x8_0000;
const GENERIC_ALL: u32 = 0x1000_0000;
const GENERIC_WRITE: u32 = 0x4000_0000;
const GENERIC_READ: u32 = 0x8000_0000;

/// The rights that only administrators should have.
const fn dangerous(object: Object) -> u32 {
    let replace = DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_ALL;
    match object {
        Object::File => replace | WRITE_DATA_OR_ADD_FILE | APPEND_OR_ADD_FOLDER | GENERIC_WRITE,
        Object::Folder => replace | DELETE_CHILD | WRITE_DATA_OR_ADD_FILE | APPEND_OR_ADD_FOLDER | GENERIC_WRITE,
        Object::Above => replace | DELETE_CHILD,
    }
}

/// Returns the accounts that can write the object and are not administrators; None if the text cannot be parsed. Deny
/// entries are ignored: an account that is granted a right counts, even if another entry denies it.
pub fn grants(sddl: &str, object: Object) -> Option<Vec<Grant>> {
    granted(sddl, dangerous(object))
}

/// Returns the accounts that can read or own the object and are not administrators; otherwise like [`grants`].
pub fn readers(sddl: &str) -> Option<Vec<Grant>> {
    granted(sddl, READ_DATA_OR_LIST | GENERIC_READ | GENERIC_ALL)
}

fn granted(sddl: &str, rights_meant: u32) -> Option<Vec<Grant>> {
    let mut grants = Vec::new();
    let mut add = |who: &str, owns: bool| {
        let grant = Grant { who: name(who), owns };
        if !TRUSTED.contains(&who) && !grants.contains(&grant) {
            grants.push(grant);
        }
    };
    let (owner, list) = split(sddl)?;
    add(owner, true);
    let Some(list) = list else {
        add("WD", false); // No list at all: everyone may do everything.
        return Some(grants);
    };
    let entries = list.find('(').map_or("", |at| &list[at..]);
    if list[..list.len() - entries.len()].contains("NO_ACCESS_CONTROL") {
        add("WD", false);
    }
    for entry in parentheses(entries)? {
        // Type; flags; rights; object; inherited object; who; a condition perhaps.
        let mut fields = entry.splitn(7, ';');
        let (kind, flags, rights) = (fields.next()?, fields.next()?, fields.next()?);
        let who = fields.nth(2)?;
        let allows = matches!(kind, "A" | "XA" | "OA" | "ZA");
        let denies = matches!(kind, "D" | "XD" | "OD");
        if !allows && !denies {
            return None;
        }
        let for_children_only = pairs(flags)?.any(|flag| flag == "IO");
        if allows && !for_children_only && !CREATORS.contains(&who) && mask(rights)? & rights_meant != 0 {
            add(who, false);
        }
    }
    Some(grants)
}

/// The owner, and the access list if there is one.
fn split(sddl: &str) -> Option<(&str, Option<&str>)> {
    let rest = sddl.strip_prefix("O:")?;
    // The next part begins with a letter and a colon; neither a SID nor an alias has a colon.
    let end = rest.find(':').map_or(rest.len(), |at| at.saturating_sub(1));
    let (owner, mut rest) = (rest.get(..end)?, rest.get(end..)?);
    if let Some(group) = rest.strip_prefix("G:") {
        let end = group.find(':').map_or(group.len(), |at| at.saturating_sub(1));
        rest = group.get(end..)?;
    }
    match rest.strip_prefix("D:") {
        Some(list) => Some((owner, Some(list.split("S:").next().unwrap_or(list)))),
        None if rest.is_empty() || rest.starts_with("S:") => Some((owner, None)),
        None => None,
    }
}

/// The text within each outermost pair of parentheses.
fn parentheses(text: &str) -> Option<Vec<&str>> {
    let (mut all, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => {
                if depth == 0 {
                    start = at + 1;
                }
                depth += 1;
            }
            ')' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    all.push(&text[start..at]);
                }
            }
            _ if depth == 0 => return None,
            _ => {}
        }
    }
    (depth == 0).then_some(all)
}

/// Flags and rights are words of two letters.
fn pairs(text: &str) -> Option<impl Iterator<Item = &str>> {
    (text.is_ascii() && text.len().is_multiple_of(2)).then(|| (0..text.len()).step_by(2).map(|at| &text[at..at + 2]))
}

/// Rights as a number.
fn mask(rights: &str) -> Option<u32> {
    if let Some(hex) = rights.strip_prefix("0x") {
        return u32::from_str_radix(hex, 16).ok();
    }
    if rights.starts_with(|c: char| c.is_ascii_digit()) {
        return rights.parse().ok();
    }
    pairs(rights)?.try_fold(0, |mask, right| {
        Some(
            mask | match right {
                "CC" => 0x1,
                "DC" => 0x2,
                "LC" => 0x4,
                "SW" => 0x8,
                "RP" => 0x10,
                "WP" => 0x20,
                "DT" => 0x40,
                "LO" => 0x80,
                "CR" => 0x100,
                "SD" => DELETE,
                "RC" => 0x2_0000,
                "WD" => WRITE_DAC,
                "WO" => WRITE_OWNER,
                "GA" => GENERIC_ALL,
                "GX" => 0x2000_0000,
                "GW" => GENERIC_WRITE,
                "GR" => GENERIC_READ,
                "FA" => 0x1f_01ff,
                "FR" => 0x12_0089,
                "FW" => 0x12_0116,
                "FX" => 0x12_00a0,
                _ => return None,
            },
        )
    })
}

/// The names that stand for many; a SID stays.
pub(crate) fn name(who: &str) -> String {
    match who {
        "WD" | "S-1-1-0" => "Everyone",
        "AU" | "S-1-5-11" => "Authenticated Users",
        "BU" | "S-1-5-32-545" => "Users",
        "PU" | "S-1-5-32-547" => "Grant Users",
        "BG" | "S-1-5-32-546" => "Guests",
        "IU" | "S-1-5-4" => "anyone who is logged on (INTERACTIVE)",
        "AN" | "S-1-5-7" => "Anonymous",
        "LS" | "S-1-5-19" => "LOCAL SERVICE",
        "NS" | "S-1-5-20" => "NETWORK SERVICE",
        "DU" => "Domain Users",
        crate::dashboard::SID => crate::dashboard::ACCOUNT,
        other => return format!("the account {other}"),
    }
    .into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn who(sddl: &str, object: Object) -> Vec<(String, bool)> {
        grants(sddl, object).unwrap().into_iter().map(|grant| (grant.who, grant.owns)).collect()
    }

    fn writer(name: &str) -> (String, bool) {
        (name.into(), false)
    }

    /// As Windows Server has them.
    const PROGRAM_DATA: &str = "O:SYG:SYD:PAI(A;OICIIO;GA;;;CO)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)\
                                (A;CI;DCLCRPCR;;;BU)(A;OICI;0x1200a9;;;BU)";
    const PROGRAM_FILES: &str = "O:S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464G:S-1-5-80-956008885-\
                                 3418522649-1831038044-1853292631-2271478464D:PAI(A;;FA;;;S-1-5-80-956008885-3418522649-\
                                 1831038044-1853292631-2271478464)(A;CIIO;GA;;;S-1-5-80-956008885-3418522649-1831038044-\
                                 1853292631-2271478464)(A;;0x1301bf;;;SY)(A;OICIIO;GA;;;SY)(A;;0x1301bf;;;BA)\
                                 (A;OICIIO;GA;;;BA)(A;;0x1200a9;;;BU)(A;OICIIO;GXGR;;;BU)(A;OICIIO;GA;;;CO)\
                                 (A;;0x1200a9;;;AC)(A;OICIIO;GXGR;;;AC)";
    const DRIVE: &str = "O:S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464G:SYD:PAI(A;OICI;FA;;;SY)\
                         (A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)(A;OICIIO;SDGXGWGR;;;AU)(A;;LC;;;AU)";
    const MADE_ON_THE_DRIVE: &str = "O:BAG:DUD:AI(A;OICIID;FA;;;BA)(A;OICIID;FA;;;SY)(A;OICIID;0x1200a9;;;BU)\
                                     (A;ID;0x1301bf;;;AU)(A;OICIIOID;SDGXGWGR;;;AU)";

    #[test]
    fn the_folders_of_windows_are_what_they_are_known_for() {
        assert_eq!(who(ADMINISTRATORS_ONLY, Object::Folder), []);
        assert_eq!(who(PROGRAM_FILES, Object::Folder), []);
        assert_eq!(who(PROGRAM_DATA, Object::Folder), [writer("Users")]);
        assert_eq!(who(PROGRAM_DATA, Object::Above), []);
        assert_eq!(who(DRIVE, Object::Above), []);
        assert_eq!(who(MADE_ON_THE_DRIVE, Object::Folder), [writer("Authenticated Users")]);
        assert_eq!(who(MADE_ON_THE_DRIVE, Object::Above), [writer("Authenticated Users")]);
    }

    #[test]
    fn an_owner_has_every_right() {
        let sddl = "O:S-1-5-21-1-2-3-1104G:DUD:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)";
        assert_eq!(who(sddl, Object::File), [("the account S-1-5-21-1-2-3-1104".into(), true)]);
    }

    #[test]
    fn without_a_list_everyone_may_do_everything() {
        assert_eq!(who("O:BAG:SY", Object::File), [writer("Everyone")]);
        assert_eq!(who("O:BAD:NO_ACCESS_CONTROL", Object::File), [writer("Everyone")]);
        assert_eq!(who("O:BAD:", Object::File), [], "an empty list grants nothing");
    }

    #[test]
    fn each_right_counts_for_what_it_does() {
        let folder = |rights: &str, object| who(&format!("O:BAD:(A;;{rights};;;WD)"), object).len();
        for rights in ["DC", "LC", "GW", "0x6", "FW"] {
            assert_eq!((folder(rights, Object::Folder), folder(rights, Object::Above)), (1, 0), "{rights}");
        }
        for rights in ["SD", "WD", "WO", "GA", "FA", "DT"] {
            assert_eq!((folder(rights, Object::Folder), folder(rights, Object::Above)), (1, 1), "{rights}");
        }
        for rights in ["FR", "FX", "GR", "GX", "0x1200a9", "RPCR"] {
            assert_eq!(folder(rights, Object::Folder), 0, "{rights}");
        }
        assert_eq!(who("O:BAD:(D;;FA;;;WD)(A;OICIIO;FA;;;WD)", Object::Folder), []);
        let condition = r#"O:BAD:(XA;;FA;;;WD;(@User.Title == "a;b" && (Member_of {SID(BA)})))(A;;FA;;;AU)"#;
        assert_eq!(who(condition, Object::File), [writer("Everyone"), writer("Authenticated Users")]);
        assert_eq!(who("O:BAD:(A;;FA;;;BA)S:(ML;;NW;;;LW)", Object::File), []);
    }

    #[test]
    fn readers_are_distinguished() {
        let readers = |sddl: &str| readers(sddl).unwrap().into_iter().map(|grant| grant.who).collect::<Vec<_>>();
        assert_eq!(readers(ADMINISTRATORS_ONLY), Vec::<String>::new());
        assert_eq!(readers(PROGRAM_DATA), ["Users"]);
        assert_eq!(readers("O:BAD:(A;;GR;;;WD)(A;;FW;;;AU)(A;;RPCR;;;BU)"), ["Everyone"]);
    }

    #[test]
    fn what_is_not_understood_is_no_answer() {
        let bad =
            ["", "D:(A;;FA;;;WD)", "O:BAX:", "O:BAD:(A;;QQ;;;WD)", "O:BAD:(A;;FA", "O:BAD:(Q;;FA;;;WD)", "O:BAD:(A)"];
        for sddl in bad {
            assert_eq!(grants(sddl, Object::File), None, "{sddl}");
        }
    }
}
