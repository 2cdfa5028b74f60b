//! Faults of a configuration that are met together, later, or by another spelling.
#![allow(clippy::unwrap_used)]

use rasadmin_policy::config::{Change, parse, start};
use std::path::Path;
use std::time::{Duration, Instant};

const ALLOW: &str = "default.action = \"allow\"\n";

fn errors(text: &str) -> Vec<String> {
    let parsed = parse("f", text, Path::new("/f"), &mut |_| Err("none".into()));
    parsed.map(|_| Vec::new()).unwrap_or_else(|e| e.mistakes().iter().map(|m| m.what.clone()).collect())
}

#[test]
fn a_file_that_is_gone_still_finds_the_last_good_one_of_a_journal_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rasadmin.toml");
    std::fs::write(&path, format!("{ALLOW}journal.folder = \"far/j\"\n")).unwrap();
    let good = start(&path).unwrap().config.hash.clone();
    for damage in [None, Some(&b"\xff\xfed\0"[..]), Some(b"journal.folder = \"new/j\"\ndefault.action = \"alow\"\n")] {
        let _ = std::fs::remove_file(&path);
        if let Some(bytes) = damage {
            std::fs::write(&path, bytes).unwrap();
        }
        assert_eq!(start(&path).unwrap().config.hash, good, "{damage:?}");
    }
}

#[test]
fn another_configurations_last_good_one_does_not_serve() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one.toml"), folder.path().join("other.toml"));
    std::fs::write(&one, ALLOW).unwrap();
    start(&one).unwrap();
    std::fs::write(&other, "default.action = \"dney\"\n").unwrap();
    assert_eq!(start(&other).unwrap_err().mistakes()[0].what, "`dney` is not a valid value");
}

#[test]
fn a_members_file_that_comes_later_mends_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rasadmin.toml");
    std::fs::write(&path, ALLOW).unwrap();
    let mut watch = start(&path).unwrap().watch;
    let now = Instant::now();
    std::fs::write(&path, format!("{ALLOW}groups.g.members_file = \"g.txt\"\n")).unwrap();
    assert!(matches!(watch.check(now), Some(Change::Broken(_))));
    std::fs::write(folder.path().join("g.txt"), "CORP\\alice\n").unwrap();
    assert!(matches!(watch.check(now + Duration::from_secs(2)), Some(Change::Valid(_))));
}

#[test]
fn a_wrong_key_does_not_hide_a_wrong_value() {
    let text = format!("{ALLOW}journal.deadline_ms = 5\nfrobnicate = 1\naddresses.pool = \"p\"\n");
    let deadline = "`deadline_ms` is 5, outside the range 100 to 10000";
    assert_eq!(errors(&text), [deadline, "unknown key `frobnicate`", "there is no pool `p`"]);
}

#[test]
fn what_only_follows_from_a_wrong_key_is_not_listed() {
    let rule = |name: &str, text: &str| format!("[[rules]]\nname = \"{name}\"\naction = \"deny\"\n{text}\n");
    // Without its condition the first would make the second unreachable; the second's own mistake is listed.
    let text = format!("{ALLOW}{}{}", rule("a", "tunels = [\"PPTP\"]"), rule("b", "groups = [\"g\"]"));
    assert_eq!(errors(&text), ["unknown key `tunels`", "there is no group `g`"]);
    // A zone, a group or a pool that could not be read is one that is meant.
    for (wrong, expected) in
        [("time_zone = 5\n", "integer `5` is not valid here"), ("tme_zone = \"UTC\"\n", "unknown key `tme_zone`")]
    {
        let text = format!("{wrong}{ALLOW}{}", rule("a", "hours = [{ from = \"08:00\" }]"));
        assert_eq!(errors(&text), [expected]);
    }
    let text = format!("{ALLOW}groups.g = 5\n{}", rule("a", "groups = [\"g\"]"));
    assert_eq!(errors(&text), ["integer `5` is not valid here"]);
    let text = format!("{ALLOW}addresses.pool = \"p\"\npools.p.adresses = [\"10.1.0.0/24\"]\n");
    assert_eq!(errors(&text), ["unknown key `adresses`"]);
}

#[test]
fn a_network_drive_is_reported_however_it_is_named() {
    for path in [r"\\nas\s\l.db", "//nas/s/l.db", r"\/nas/s/l.db", r"/\nas\s\l.db"] {
        for (what, key) in [("ledger", "ledger.path"), ("journal", "journal.folder")] {
            let expected = format!("the {what} cannot be on a network drive: file locks do not work there");
            assert_eq!(errors(&format!("{ALLOW}{key} = '{path}'\n")), [expected], "{path}");
        }
    }
    for path in [r"\\?\C:\l.db", "l.db", "/var/l.db"] {
        assert_eq!(errors(&format!("{ALLOW}ledger.path = '{path}'\njournal.folder = '{path}'\n")), [""; 0], "{path}");
    }
    let parsed = parse("f", ALLOW, Path::new(r"\\nas\share"), &mut |_| Err("none".into()));
    let expected =
        |what| format!("the {what} would be on a network drive, beside this file: file locks do not work there");
    let mistakes: Vec<_> = parsed.unwrap_err().mistakes().iter().map(|mistake| mistake.what.clone()).collect();
    assert_eq!(mistakes, [expected("ledger"), expected("journal")]);
}

#[test]
fn one_range_with_two_of_the_servers_addresses_says_the_same_each_time() {
    let text = format!(
        "{ALLOW}server.addresses = [\"10.1.0.1\", \"10.1.0.2\", \"10.1.0.3\"]\npools.p.addresses = [\"10.1.0.0/24\"]\n"
    );
    let first = errors(&text);
    for _ in 0..50 {
        assert_eq!(errors(&text), first);
    }
}

/// Every start and reload follows each chain to its end. With cubic effort this test would not end.
#[test]
fn a_long_chain_of_pools_is_followed_once() {
    const POOLS: u32 = 30_000;
    let pool = |n: u32| {
        let at = std::net::Ipv4Addr::from_bits(0x0a00_0000 + 2 * n + 1);
        format!("[pools.p{n}]\naddresses = [\"{at}\"]\nnext = \"p{}\"\n", (n + 1) % POOLS)
    };
    let text = format!("{ALLOW}{}", (0..POOLS).map(pool).collect::<String>());
    let parsed = parse("f", &text, Path::new("/f"), &mut |_| Err("none".into()));
    let errors = parsed.unwrap_err();
    assert_eq!((errors.mistakes().len(), errors.more()), (20, POOLS as usize - 20));
    let what = |n| format!("`next` leads back to the pool `p{n}`");
    assert_eq!(
        errors.mistakes().iter().map(|m| m.what.clone()).collect::<Vec<_>>(),
        (0..20).map(what).collect::<Vec<_>>()
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(400))]
    #[test]
    fn the_mutated_example_never_panics(changes in proptest::collection::vec((0_usize..9000, 0_u8..3, proptest::prelude::any::<char>()), 1..12)) {
        let mut text: Vec<char> = include_str!("../../../examples/rasadmin.toml").chars().collect();
        for (at, how, c) in changes {
            let at = at % text.len();
            match how { 0 => text[at] = c, 1 => text.insert(at, c), _ => { text.remove(at); } }
        }
        let text: String = text.into_iter().collect();
        if let Err(e) = parse("f", &text, Path::new("/f"), &mut |_| Ok(String::new())) {
            proptest::prop_assert!(!e.to_string().is_empty());
        }
    }
}
