//! Groups: members, members files, pools.

use crate::world::*;
use rasadmin_policy::Name;
use rasadmin_policy::config::{Config, ConfigErrors, parse};
use rasadmin_policy::rules::{GroupId, Groups};
use std::path::Path;

const TEXT: &str = "\
default_domain = 'CORP'
domains.CORP = ['corp.example']
[default]
action = 'deny'
[groups.staff]
users = ['alice', 'PARTNER\\*']
pool = 'office'
[groups.all]
users = ['*']
[groups.admins]
members_file = 'admins.txt'
ipv6_pool = 'office6'
[pools.office]
addresses = ['10.1.0.0/24']
[pools.office6]
identifiers = ['::1-::9']
";

fn compiled(admins: &str) -> Result<Config, ConfigErrors> {
    parse("rasadmin.toml", TEXT, Path::new("/f"), &mut |_| Ok(admins.to_owned()))
}

#[test]
fn a_user_is_in_every_group_that_names_him() {
    let groups = compiled("\u{feff}alice@corp.example # at home\r\n\n# PCs\n host/pc7\nalice").unwrap().groups;
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
    let errors = compiled("alice\n\nCORP\\\nbob\n").unwrap_err();
    let [mistake] = errors.mistakes() else { panic!("{errors}") };
    assert_eq!(&TEXT[mistake.span.clone()], "'admins.txt'");
    assert_eq!(mistake.what, "admins.txt:3: `CORP\\` lacks a name");
}

#[test]
fn pools_are_found_by_name() {
    let config = compiled("").unwrap();
    let name = |group, at: usize| {
        let pools = <[_; 2]>::from(config.groups.pools(GroupId(group)));
        pools[at].map(|pool| config.addresses.pools[pool.0 as usize].name.as_str())
    };
    assert_eq!((name(0, 0), name(0, 1)), (Some("office"), None));
    assert_eq!((name(2, 0), name(2, 1)), (None, Some("office6")));
}
