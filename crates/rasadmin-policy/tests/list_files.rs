//! Lists in files of their own: networks, computers and reservations are read, watched and kept as members are.
#![allow(clippy::unwrap_used)]

use rasadmin_policy::addresses::Family;
use rasadmin_policy::config::{Change, Config, ConfigErrors, StartProblem, parse, start};
use rasadmin_policy::rules::{GroupSet, RuleCounts};
use rasadmin_policy::{Fact, Facts, InterfaceType, Name, Quarantine, Stage, Tunnel};
use std::path::Path;
use std::time::{Duration, Instant};

const NETWORKS: &str = "default.action = \"allow\"\n[[rules]]\nname = \"r\"\naction = \"deny\"\n\
                        source_networks_file = \"list\"\n";
const COMPUTERS: &str = "default.action = \"allow\"\n[[rules]]\nname = \"r\"\naction = \"deny\"\n\
                         remote_computers = [\"LAPTOP-1\"]\ncomputers_file = \"list\"\n";
const RESERVATIONS: &str = "default.action = \"allow\"\ndefault_domain = \"CORP\"\n\
                            addresses.reservations_file = \"list\"\n";

fn compiled(text: &str, list: &str) -> Result<Config, ConfigErrors> {
    parse("f", text, Path::new("/f"), &mut |name| {
        assert_eq!(name, "list");
        Ok(list.to_owned())
    })
}

fn facts(source: &str, computer: &str) -> Facts {
    Facts {
        time: "2026-03-25T09:30:00Z".parse().unwrap(),
        server: "VPN1".into(),
        user: Fact::Absent,
        port: Fact::Known("VPN2-7".into()),
        tunnel: Fact::Known(Tunnel::Sstp),
        source: Fact::Known(source.parse().unwrap()),
        computer: Fact::Known(computer.into()),
        quarantine: Fact::Known(Quarantine::Normal),
        interface: Fact::Known(InterfaceType::Client),
    }
}

fn denies(config: &Config, source: &str, computer: &str) -> bool {
    let (facts, none) = (facts(source, computer), GroupSet::default());
    !config.rules.decide(Stage::Link, &facts, &none, &RuleCounts::default()).allow
}

fn address(config: &Config, user: &str, server: &str, family: Family) -> Option<u64> {
    let user = config.domains.identity(&user.into(), &Name::default()).unwrap();
    config.addresses.reservation(&user, &server.into(), family)
}

fn whats(errors: &ConfigErrors) -> Vec<&str> {
    errors.mistakes().iter().map(|mistake| mistake.what.as_str()).collect()
}

#[test]
fn networks_are_read_with_the_comments_of_published_lists() {
    let list = "\u{feff}# blocked\r\n198.51.100.0/24 ; SBL1\r\n; more\r\n\r\n2001:db8:bad::/48\r\n203.0.113.7";
    let config = compiled(NETWORKS, list).unwrap();
    for (source, yes) in [
        ("198.51.100.9", true),
        ("203.0.113.7", true),
        ("203.0.113.8", false),
        ("2001:db8:bad::1", true),
        ("2001:db8:900d::1", false),
        ("::ffff:198.51.100.9", true),
    ] {
        assert_eq!(denies(&config, source, "PC"), yes, "{source}");
    }
    let explained =
        config.rules.explain(Stage::Link, &facts("192.0.2.1", "PC"), &GroupSet::default(), &RuleCounts::default());
    let condition = &explained[0].conditions[0];
    assert_eq!((condition.field, condition.asked), ("source_networks", "list (3 networks)"));
    // With a list in the configuration too, either may match. An empty file matches nothing.
    let both = NETWORKS.replace("source_networks_file", "source_networks = [\"192.0.2.0/24\"]\nsource_networks_file");
    let config = compiled(&both, list).unwrap();
    assert!(denies(&config, "192.0.2.1", "PC") && denies(&config, "203.0.113.7", "PC"));
    assert!(!denies(&compiled(NETWORKS, "").unwrap(), "192.0.2.1", "PC"));
}

#[test]
fn computers_are_read() {
    let config = compiled(COMPUTERS, "kiosk-*\n# one more\nPC7\n").unwrap();
    for (computer, yes) in [("KIOSK-12", true), ("pc7", true), ("PC8", false), ("laptop-1", true)] {
        assert_eq!(denies(&config, "192.0.2.1", computer), yes, "{computer}");
    }
    let explained =
        config.rules.explain(Stage::Link, &facts("192.0.2.1", "PC"), &GroupSet::default(), &RuleCounts::default());
    assert_eq!(explained[0].conditions[0].asked, "LAPTOP-1, list (2 computers)");
}

#[test]
fn reservations_are_read_as_spreadsheets_write_them() {
    let both = format!("{RESERVATIONS}[[reservations]]\nuser = \"dave\"\naddress = \"10.1.0.4\"\n");
    for list in [
        "alice,10.1.0.1\nCORP\\bob,10.1.0.2,::b0b,VPN1\n",
        "user,address,identifier,server\r\n\"alice\",\"10.1.0.1\"\r\nbob,10.1.0.2,::b0b,VPN1\r\n",
        "\u{feff}User;Address;Server;Identifier\nalice;10.1.0.1;;\nbob;10.1.0.2;VPN1;::b0b # his\n",
        "address;user;server;identifier\n10.1.0.1;alice\n10.1.0.2;bob;VPN1;::b0b\n",
        "# reserved\nalice\t10.1.0.1\n\nbob\t10.1.0.2\t::b0b\tVPN1",
    ] {
        let config = compiled(&both, list).unwrap();
        let ipv4 = |user, server| address(&config, user, server, Family::Ipv4).map(|n| n - 0x0a01_0000);
        assert_eq!((ipv4("alice", "VPN1"), ipv4("alice", "VPN2")), (Some(1), Some(1)), "{list}");
        assert_eq!((ipv4("bob", "VPN1"), ipv4("bob", "VPN2")), (Some(2), None), "{list}");
        assert_eq!((ipv4("dave", "VPN1"), address(&config, "bob", "VPN1", Family::Ipv6)), (Some(4), Some(0xb0b)));
        assert_eq!(config.addresses.reserved.len(), 4);
    }
}

#[test]
fn every_fault_is_at_its_line() {
    let bad = "10.0.0.0/8\n10.0.0.7/8\n\noffice\n";
    let errors = compiled(NETWORKS, bad).unwrap_err();
    assert_eq!(
        whats(&errors),
        [
            "list:2: `10.0.0.7/8` is an address within a network, not a network",
            "list:4: `office` is not a valid network"
        ]
    );
    assert_eq!(&NETWORKS[errors.mistakes()[0].span.clone()], "\"list\"");
    assert_eq!(
        whats(&compiled(COMPUTERS, "PC*7\n").unwrap_err()),
        ["list:1: `PC*7`: a `*` is allowed only at the end"]
    );
    let both = format!("{RESERVATIONS}[[reservations]]\nuser = \"dave\"\naddress = \"10.1.0.4\"\n");
    for (list, what) in [
        ("alice,ten", "list:1: `ten` is not a valid IPv4 address"),
        ("alice", "list:1: `alice` gets no address"),
        ("\nCORP\\*,10.1.0.1", "list:2: `CORP\\*` is a pattern: one user is expected here"),
        ("alice,10.1.0.1\nbob,10.1.0.1", "list:2: 10.1.0.1 is reserved twice"),
        ("alice,10.1.0.4", "list:1: 10.1.0.4 is reserved twice"),
        ("alice,10.1.0.1\nALICE,10.1.0.2", "list:2: `ALICE` already has a reservation"),
        ("alice,127.0.0.1", "list:1: no client can have such an address: 127.0.0.0/8 is every computer itself"),
        ("user,name\nalice,10.1.0.1", "list:1: there is no column `name`; the other lines are not read"),
        ("alice,10.1.0.1,::1,VPN1,x", "list:1: the line has 5 columns"),
    ] {
        let errors = compiled(&both, list).unwrap_err();
        assert_eq!(errors.mistakes()[0].what, what, "{list}");
        assert!(!errors.mistakes()[0].help.is_empty(), "{list}");
    }
}

#[test]
fn of_any_number_of_bad_lines_twenty_are_listed() {
    for text in [NETWORKS, COMPUTERS, RESERVATIONS] {
        let errors = compiled(text, &"*bad*\n".repeat(50_000)).unwrap_err();
        assert_eq!((errors.mistakes().len(), errors.more()), (20, 49_980), "{text}");
    }
}

#[test]
fn a_list_that_would_cost_too_much_to_sort_is_refused() {
    let networks = |n: u32| (0..n).map(|n| format!("{}\n", std::net::Ipv4Addr::from_bits(n * 7))).collect::<String>();
    compiled(NETWORKS, &networks(100_000)).unwrap();
    assert_eq!(
        whats(&compiled(NETWORKS, &networks(100_001)).unwrap_err()),
        ["list:100001: there are more than 100000 lines"]
    );
}

#[test]
fn a_network_drive_is_refused() {
    for (text, kind) in
        [(NETWORKS, "file of networks"), (COMPUTERS, "file of computers"), (RESERVATIONS, "file of reservations")]
    {
        let text = text.replace("\"list\"", "'\\\\nas\\list'");
        let errors = parse("f", &text, Path::new("/f"), &mut |name| panic!("{name} is read")).unwrap_err();
        assert!(errors.mistakes()[0].what.starts_with(&format!("a {kind} cannot be on a network drive")), "{errors}");
    }
}

/// A configuration, what its list is first and then, a faulty one, and which of both is in force.
type Case<'a> = (&'a str, &'a str, &'a str, &'a str, &'a dyn Fn(&Config) -> (bool, bool));

/// As long as the file changes for the better, it is picked up; a fault leaves the last good list in force, also at the
/// next start.
#[test]
fn a_list_is_watched_and_its_last_good_copy_kept() {
    let denied = |config: &Config| (denies(config, "198.51.100.1", "PC"), denies(config, "203.0.113.1", "KIOSK"));
    let reserved = |config: &Config| {
        (address(config, "a", "S", Family::Ipv4).is_some(), address(config, "b", "S", Family::Ipv4).is_some())
    };
    let cases: [Case<'_>; 3] = [
        (NETWORKS, "198.51.100.0/24\n", "203.0.113.0/24\n", "none\n", &denied),
        (COMPUTERS, "PC\n", "KIOSK\n", "a*b\n", &denied),
        (RESERVATIONS, "a,10.1.0.1\n", "b,10.1.0.1\n", "c\n", &reserved),
    ];
    for (text, first, second, bad, look) in cases {
        let folder = tempfile::tempdir().unwrap();
        let (path, list) = (folder.path().join("rasadmin.toml"), folder.path().join("list"));
        std::fs::write(&path, text).unwrap();
        std::fs::write(&list, first).unwrap();
        let started = start(&path).unwrap();
        assert_eq!(look(&started.config), (true, false), "{text}");
        let mut files = started.config.bundle.files();
        files.sort();
        assert_eq!(files, [list.clone(), path.clone()]);
        let (mut watch, mut now) = (started.watch, Instant::now());
        let mut check = || {
            now += Duration::from_secs(3);
            watch.check(now)
        };
        assert!(check().is_none());
        std::fs::write(&list, second).unwrap();
        let Some(Change::Valid(config)) = check() else { panic!("{text}") };
        assert_eq!(look(&config), (false, true), "{text}");
        std::fs::write(&list, bad).unwrap();
        let Some(Change::Broken(errors)) = check() else { panic!("{text}") };
        assert!(errors.mistakes()[0].what.starts_with("list:1: "), "{errors}");
        let again = start(&path).unwrap();
        assert!(matches!(again.problem, Some(StartProblem::Broken(_))));
        assert_eq!(look(&again.config), (false, true), "{text}");
        std::fs::remove_file(&list).unwrap();
        assert!(start(&path).is_ok_and(|again| look(&again.config) == (false, true)), "{text}");
    }
}

/// However long a list is, a check does only a part of the work.
#[test]
fn a_long_list_is_compiled_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let (path, list) = (folder.path().join("rasadmin.toml"), folder.path().join("list"));
    std::fs::write(&path, NETWORKS).unwrap();
    std::fs::write(&list, "").unwrap();
    let mut watch = start(&path).unwrap().watch;
    let networks: String = (0..20_000_u32).map(|n| format!("{}/32\n", std::net::Ipv4Addr::from_bits(n << 8))).collect();
    std::fs::write(&list, &networks).unwrap();
    let (mut now, mut checks) = (Instant::now(), 0);
    let config = loop {
        now += Duration::from_secs(1);
        checks += 1;
        match watch.check_within(now, 10_000) {
            Some(Change::Valid(config)) => break config,
            Some(Change::Broken(errors)) => panic!("{errors}"),
            None => {}
        }
    };
    assert!(checks > networks.len() / 10_000, "{checks}");
    assert!(denies(&config, "0.0.7.0", "PC") && !denies(&config, "0.0.7.1", "PC"));
}

/// A reservation takes longer than its few octets say: a check compiles fewer of them.
#[test]
fn a_check_compiles_few_reservations() {
    let folder = tempfile::tempdir().unwrap();
    let (path, list) = (folder.path().join("rasadmin.toml"), folder.path().join("list"));
    std::fs::write(&path, format!("{RESERVATIONS}pools.p.addresses = [\"10.0.0.0/8\"]\n")).unwrap();
    std::fs::write(&list, "").unwrap();
    let mut watch = start(&path).unwrap().watch;
    let line = |n: u32| format!("u{n},{}\n", std::net::Ipv4Addr::from_bits(0x0a00_0100 + n));
    std::fs::write(&list, (0..5_000).map(line).collect::<String>()).unwrap();
    let (mut now, mut checks) = (Instant::now(), 0);
    let config = loop {
        now += Duration::from_secs(1);
        checks += 1;
        match watch.check_within(now, 64 * 1024) {
            Some(Change::Valid(config)) => break config,
            Some(Change::Broken(errors)) => panic!("{errors}"),
            None => {}
        }
    };
    assert!(checks > 5, "{checks}");
    assert_eq!(config.addresses.pools[0].size(), (1 << 24) - 2 - 5_000);
}
