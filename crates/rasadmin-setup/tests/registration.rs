//! The list of admin DLLs: a change never affects other vendors' entries.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use rasadmin_setup::registration::{Change, Fault, List, Position, install, uninstall};

const OURS: &str = r"C:\Program Files\rasadmin\rasadmin.dll";

fn ours(dll: &str) -> bool {
    dll.rsplit('\\').next().is_some_and(|file| file.starts_with("rasadmin"))
}

fn variables(name: &str) -> Option<String> {
    match name {
        "SystemRoot" => Some(r"C:\Windows".into()),
        "TWO" => Some(r"C:\t\one.dll;C:\t\two.dll".into()),
        "SPACED" => Some(r"C:\t\one.dll; C:\t\two.dll".into()),
        _ => None,
    }
}

fn put(text: &str, position: Position) -> Change {
    install(text, OURS, position, &ours, &variables).unwrap()
}

fn after(change: &Change) -> String {
    change.after.as_ref().map_or_else(|| "(removed)".into(), List::text)
}

fn removed(text: &str) -> (String, Vec<String>) {
    let change = uninstall(text, &ours, &variables).unwrap();
    (after(&change), change.wakes)
}

#[test]
fn into_an_empty_list() {
    assert_eq!(after(&put("", Position::Keep)), OURS);
    assert_eq!(removed(OURS), ("(removed)".into(), vec![]));
    assert_eq!(removed(&format!("{OURS};;")).0, "(removed)", "empty entries are nothing to keep");
    assert!(uninstall("", &ours, &variables).unwrap().is_none());
}

#[test]
fn beside_others_their_text_stays() {
    let others = r"%SystemRoot%\a.dll;;C:\b c.dll ;";
    assert_eq!(after(&put(others, Position::Keep)), format!(r"%SystemRoot%\a.dll;;C:\b c.dll ;{OURS};"));
    assert_eq!(after(&put(others, Position::First)), format!("{OURS};{others}"));
    assert_eq!(removed(&format!("{OURS};{others}")).0, others);
    // A variable that names two DLLs is one entry.
    assert_eq!(after(&put("%TWO%;x.dll", Position::Last)), format!("%TWO%;x.dll;{OURS}"));
}

#[test]
fn it_keeps_its_place_unless_another_is_requested() {
    let old = r"a.dll;C:\Program Files\rasadmin\rasadmin-0.0.9.dll;b.dll";
    assert_eq!(after(&put(old, Position::Keep)), format!("a.dll;{OURS};b.dll"));
    assert_eq!(after(&put(old, Position::First)), format!("{OURS};a.dll;b.dll"));
    assert_eq!(after(&put(old, Position::Last)), format!("a.dll;b.dll;{OURS}"));
    let spelled = format!("a.dll;{}", OURS.to_uppercase());
    assert!(
        install(&spelled, OURS, Position::Keep, &|dll| dll.eq_ignore_ascii_case(OURS), &variables).unwrap().is_none()
    );
    assert_eq!(after(&put(&format!("{OURS};a.dll;{OURS}"), Position::Keep)), format!("{OURS};a.dll"), "once is enough");
}

#[test]
fn it_is_put_where_it_loads_and_wakes_nobody() {
    let change = put("a.dll; b.dll;c.dll", Position::Last);
    assert_eq!((after(&change), &change.wakes), (format!("a.dll;{OURS}; b.dll;c.dll"), &vec![]));
    let change = put(" b.dll", Position::Last);
    assert_eq!((after(&change), &change.wakes), (format!("{OURS}; b.dll"), &vec![]));
    // Half of this entry never loads.
    assert_eq!(after(&put("a.dll;%SPACED%", Position::Last)), format!("a.dll;{OURS};%SPACED%"));
    // Ours does not load because of another entry's space, so it moves before that entry.
    let change = put(&format!("a.dll; b.dll;{OURS}"), Position::Keep);
    assert_eq!((after(&change), &change.wakes), (format!("a.dll;{OURS}; b.dll"), &vec![]));
}

#[test]
fn a_change_that_would_wake_others_says_so() {
    // Microsoft's own example looks like this: the space is before ours, and keeps the following entries from loading.
    let list = format!("a.dll; {OURS};c.dll");
    let change = put(&list, Position::Keep);
    assert_eq!((after(&change), &change.wakes[..]), (format!("a.dll;{OURS};c.dll"), &["c.dll".to_owned()][..]));
    assert_eq!(change.before.never_loaded(), [OURS, "c.dll"]);
    assert_eq!(change.before.stopped_by(), Some(format!(" {OURS}").as_str()));
    assert_eq!(removed(&list), ("a.dll;c.dll".into(), vec!["c.dll".into()]));
    assert_eq!(removed(&format!("a.dll; {OURS}; c.dll")), ("a.dll; c.dll".into(), vec![]), "it has a space of its own");
}

#[test]
fn a_path_that_cannot_stand_in_the_list_is_refused() {
    let refused = |path: &str| install("a.dll", path, Position::Keep, &ours, &variables).unwrap_err().to_string();
    assert!(refused(r"C:\a;b\rasadmin.dll").contains("a path with `;` cannot be registered"));
    assert!(refused(r"C:\%x%\rasadmin.dll").contains("a path with `%`"));
    assert!(refused(" rasadmin.dll").contains("begins with a space"));
    let across = |name: &str| (name == "a;b").then(|| "c".to_owned());
    assert_eq!(uninstall("%a;b%", &ours, &across), Err(Fault::AmbiguousEntries));
}

/// Entries of other vendors, also strange and empty ones.
fn others() -> impl Strategy<Value = Vec<String>> {
    let entry = prop_oneof![
        4 => "[a-z ]{0,3}[a-z]{1,6}[ .]{0,2}dll ?",
        1 => Just(String::new()),
        1 => Just(r"%SystemRoot%\System32\vendor.dll".to_owned()),
        1 => Just("%TWO%".to_owned()),
        1 => Just("%SPACED%".to_owned()),
        1 => Just("%unknown%".to_owned()),
    ];
    proptest::collection::vec(entry, 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn others_survive_to_the_last_character(others in others(), first: bool, again: bool) {
        let text = others.join(";");
        let position = if first { Position::First } else { Position::Last };
        let installed = put(&text, position);
        let before: Vec<_> = installed.before.loaded().into_iter().map(str::to_owned).collect();
        let list = installed.after.clone().unwrap();
        let loaded = list.loaded();
        // Ours loads, and so does what loaded before, in the same order, and nothing else.
        prop_assert_eq!(loaded.iter().filter(|dll| **dll == OURS).count(), 1);
        prop_assert_eq!(loaded.iter().filter(|dll| **dll != OURS).copied().collect::<Vec<_>>(), before);
        // If one entry names a DLL that loads and one that never does, there is no place after it.
        if first || !others.contains(&"%SPACED%".to_owned()) {
            prop_assert_eq!(if first { loaded.first() } else { loaded.last() }, Some(&OURS));
        }
        prop_assert!(installed.wakes.is_empty());
        // The other entries are unchanged.
        let mut rest: Vec<_> = list.entries.iter().map(|entry| entry.text.as_str()).collect();
        let at = rest.iter().position(|entry| *entry == OURS).unwrap();
        rest.remove(at);
        prop_assert_eq!(rest.join(";"), text.clone());
        if again {
            prop_assert!(put(&list.text(), Position::Keep).is_none());
        }
        let (back, wakes) = removed(&list.text());
        let named = List::read(&text, &variables).unwrap().named().len();
        prop_assert_eq!(back, if named == 0 { "(removed)".to_owned() } else { text });
        prop_assert!(wakes.is_empty());
    }

    #[test]
    fn wherever_ours_stood_others_survive(others in others(), at in 0_usize..6, space: bool) {
        let mut texts = others.clone();
        let own = if space { format!(" {OURS}") } else { OURS.to_owned() };
        texts.insert(at.min(texts.len()), own);
        let before = List::read(&texts.join(";"), &variables).unwrap();
        for change in [put(&texts.join(";"), Position::Keep), uninstall(&texts.join(";"), &ours, &variables).unwrap()] {
            let list = change.after.unwrap_or_default();
            let kept: Vec<_> = list.entries.iter().filter(|e| !e.text.ends_with(OURS)).map(|e| &e.text).collect();
            if !list.entries.is_empty() {
                prop_assert_eq!(kept, others.iter().collect::<Vec<_>>());
            }
            // What loaded still loads in the same order, and DLLs that start to load are reported.
            let others = |list: &List| {
                list.loaded().into_iter().filter(|dll| !ours(dll)).map(str::to_owned).collect::<Vec<_>>()
            };
            let (was, is) = (others(&before), others(&list));
            prop_assert_eq!(&is[..was.len()], &was[..]);
            prop_assert_eq!(is.len() - was.len(), change.wakes.len());
        }
    }
}
