//! The entries that one account has in an access list.

use super::{mask, pairs, parentheses, split};
use std::collections::BTreeSet;

/// Whether the access list inherits nothing.
#[cfg(windows)]
pub(crate) fn is_protected(sddl: &str) -> bool {
    let list = split(sddl).and_then(|(_, list)| list);
    list.is_some_and(|list| list.find('(').map_or(list, |at| &list[..at]).contains('P'))
}

/// The text with this entry for an account instead of the entries that it has; None takes them away. Entries that come
/// from a folder above stay. Returns None if the text cannot be parsed, or has no list.
pub fn with_entry(sddl: &str, who: &str, entry: Option<&str>) -> Option<String> {
    let (owner, list) = split(sddl)?;
    let list = list.filter(|list| !list.contains("NO_ACCESS_CONTROL"))?;
    let start = list.find('(').unwrap_or(list.len());
    let (flags, entries) = list.split_at(start);
    let is_inherited =
        |entry: &&str| entry.split(';').nth(1).and_then(pairs).is_some_and(|mut of| of.any(|f| f == "ID"));
    let is_own = |entry: &&str| entry.split(';').nth(5) == Some(who);
    let (inherited, own): (Vec<_>, Vec<_>) = parentheses(entries)?.into_iter().partition(is_inherited);
    // In the order that Windows wants: own entries before inherited ones. Those that deny come before those that allow.
    let kept = own.into_iter().filter(|entry| !is_own(entry)).chain(entry);
    let all: String = kept.chain(inherited).map(|entry| format!("({entry})")).collect();
    Some(format!("O:{owner}D:{flags}{all}"))
}

/// Whether the account of this entry has the same rights already, and no others of its own.
pub fn has_entry(sddl: &str, entry: &str) -> bool {
    /// Its type, flags, rights and account.
    fn meaning(entry: &str) -> Option<(&str, BTreeSet<&str>, u32, &str)> {
        let fields: Vec<&str> = entry.split(';').collect();
        let [kind, flags, rights, _, _, who] = fields[..] else { return None };
        Some((kind, pairs(flags)?.collect(), mask(rights)?, who))
    }
    let Some(wanted) = meaning(entry) else { return false };
    let entries = || parentheses(split(sddl)?.1.and_then(|list| list.find('(').map(|at| &list[at..]))?);
    let own = entries().unwrap_or_default().into_iter().filter_map(meaning);
    let mut own = own.filter(|(_, flags, _, who)| *who == wanted.3 && !flags.contains("ID"));
    own.next().as_ref() == Some(&wanted) && own.next().is_none()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{ADMINISTRATORS_ONLY, grants, readers};
    use super::*;
    use crate::Object;

    fn who(sddl: &str, object: Object) -> Vec<String> {
        grants(sddl, object).unwrap().into_iter().map(|grant| grant.who).collect()
    }

    #[test]
    fn an_entry_of_one_account_comes_and_goes_and_the_others_stay() {
        let read = "A;;FR;;;S-1-5-80-1";
        let with = |sddl: &str, entry| with_entry(sddl, "S-1-5-80-1", entry).unwrap();
        let (before, after) = ("O:BAD:P(A;;FA;;;SY)", "O:BAD:P(A;;FA;;;SY)(A;;FR;;;S-1-5-80-1)");
        assert_eq!(with(before, Some(read)), after);
        assert_eq!(with(after, Some(read)), after, "not twice");
        assert_eq!(with("O:BAD:P(A;;FA;;;S-1-5-80-1)(A;;FA;;;SY)", Some(read)), after, "nothing more than this");
        assert_eq!(with(after, None), before);
        let inherits = "O:BAG:DUD:AI(D;;FA;;;BG)(A;;FA;;;SY)(A;OICIID;FA;;;BA)(A;ID;FR;;;S-1-5-80-1)";
        let own = "O:BAD:AI(D;;FA;;;BG)(A;;FA;;;SY)(A;;FR;;;S-1-5-80-1)(A;OICIID;FA;;;BA)(A;ID;FR;;;S-1-5-80-1)";
        assert_eq!(with(inherits, Some(read)), own);
        assert_eq!(with(own, None), inherits.replace("G:DU", ""));
        assert_eq!(with("O:BAD:", Some(read)), "O:BAD:(A;;FR;;;S-1-5-80-1)");
        for everyone in ["O:BAG:SY", "O:BAD:NO_ACCESS_CONTROL", "O:BAD:(A"] {
            assert_eq!(with_entry(everyone, "S-1-5-80-1", Some(read)), None, "{everyone}");
            assert!(!has_entry(everyone, read));
        }
        assert!(has_entry(after, read) && has_entry(own, read) && !has_entry(before, read));
        // As Windows may write it; and what comes from above, or is more.
        assert!(has_entry("O:BAD:(A;;0x120089;;;S-1-5-80-1)", read));
        assert!(has_entry("O:BAD:(A;NPIOOI;FR;;;S-1-5-80-1)", "A;OINPIO;FR;;;S-1-5-80-1"));
        for other in ["(A;ID;FR;;;S-1-5-80-1)", "(A;;FR;;;S-1-5-80-1)(A;;FW;;;S-1-5-80-1)", "(A;;FA;;;S-1-5-80-1)"] {
            assert!(!has_entry(&format!("O:BAD:{other}"), read), "{other}");
        }
    }

    #[test]
    fn the_account_of_the_dashboard_may_read_and_nothing_else() {
        use crate::dashboard::{ACCOUNT, Access, OWN_FOLDER, SID};
        let entry = |access: Access| with_entry(ADMINISTRATORS_ONLY, SID, Some(access.entry())).unwrap();
        for access in [Access::File, Access::Program, Access::FilesIn] {
            assert!(access.entry().ends_with(&format!(";{SID}")), "{access:?}");
            for object in [Object::File, Object::Folder, Object::Above] {
                assert_eq!(who(&entry(access), object), Vec::<String>::new(), "{access:?}");
            }
        }
        let readers = |sddl: &str| readers(sddl).unwrap().into_iter().map(|grant| grant.who).collect::<Vec<_>>();
        assert_eq!(readers(&entry(Access::File)), [ACCOUNT]);
        assert_eq!(readers(&entry(Access::FilesIn)), Vec::<String>::new(), "the folder itself is not listed");
        // It writes its own folder, but gives nobody rights, and does not take the folder away.
        assert_eq!(who(OWN_FOLDER, Object::Folder), [ACCOUNT]);
        assert_eq!(who(OWN_FOLDER, Object::Above), Vec::<String>::new());
    }
}
