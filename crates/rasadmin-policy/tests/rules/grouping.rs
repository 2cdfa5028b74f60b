//! Groups: members, members files, pools.

use crate::world::*;
use rasadmin_policy::Name;
use rasadmin_policy::config::file::File;
use rasadmin_policy::rules::{GroupId, Groups};
use std::collections::HashMap;

const TEXT: &str = "\
[default]
action = 'deny'
[groups.staff]
users = ['alice', 'PARTNER\\*']
pool = 'office'
[groups.all]
users = ['*']
[groups.admins]
members_file = 'admins.txt'
pool = 'offise'
ipv6_pool = 'office6'
";

fn compiled(lines: &[(u32, &str)]) -> (Groups, Vec<rasadmin_policy::config::Mistake>) {
    let file: File = toml::from_str(TEXT).unwrap();
    let lines = lines.iter().map(|&(line, text)| (line, text.to_owned())).collect();
    Groups::compile(&file.groups, &HashMap::from([("admins".to_owned(), lines)]), &domains())
}

#[test]
fn a_user_is_in_every_group_that_names_him() {
    let (groups, mistakes) = compiled(&[(1, "alice@corp.example"), (3, "host/pc7"), (9, "alice")]);
    assert_eq!(mistakes, []);
    // Numbered as in the file, not by the alphabet.
    assert_eq!(groups.names().collect::<Vec<_>>(), ["staff", "all", "admins"]);
    let names = |user: &str| {
        let set = groups.of(&domains().identity(&user.into(), &Name::default()).unwrap());
        assert!(set.iter().all(|group| set.contains(group)) && !set.contains(GroupId(7)));
        set.iter().map(|group| groups.name(group).to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("CORP\\Alice"), "staff all admins");
    assert_eq!(names("PARTNER\\alice"), "staff all");
    assert_eq!(names("bob"), "all");
    assert_eq!(names("PC7$"), "all admins");
    assert_eq!((groups.id("admins"), groups.id("ADMINS"), groups.id("")), (Some(GroupId(2)), None, None));
    assert_eq!((groups.name(GroupId(9)), groups.pools(GroupId(9))), ("", (None, None)));
    assert_eq!(Groups::default().id("staff"), None);
}

#[test]
fn a_fault_in_a_members_file_names_its_line() {
    let (groups, mistakes) = compiled(&[(1, "alice"), (12, "CORP\\"), (13, "bob")]);
    assert_eq!(mistakes.len(), 1);
    assert_eq!(&TEXT[mistakes[0].span.clone()], "'admins.txt'");
    assert_eq!(mistakes[0].what, "admins.txt:12: `CORP\\` lacks a name");
    // The others are in nevertheless.
    assert!(!groups.of(&domains().identity(&"bob".into(), &Name::default()).unwrap()).is_empty());
}

#[test]
fn pools_are_found_by_name() {
    let (mut groups, _) = compiled(&[]);
    assert_eq!(groups.pools(GroupId(0)), (None, None));
    let mistakes = groups.resolve_pools(&pool);
    assert_eq!(groups.pools(GroupId(0)), (pool("office"), None));
    assert_eq!(groups.pools(GroupId(2)), (None, pool("office6")));
    assert_eq!(mistakes.len(), 1);
    assert_eq!((&TEXT[mistakes[0].span.clone()], &*mistakes[0].what), ("'offise'", "there is no pool `offise`"));
}
