//! Whoever can write a members file cannot stop the VPN with it. A day is played to the product through the C ABI, and
//! somebody replaces the file while it runs.
#![allow(clippy::unwrap_used)]

mod support;

use std::fmt::Write;
use support::{product, rasadmin, words};

const CONFIG: &str = r#"
default_domain = "CORP"
default.action = "deny"
server = { name = "VPN1", addresses = ["10.20.0.1"] }
groups.staff.members_file = "members-1.txt"
journal.durability = "process"
[[rules]]
name = "staff"
action = "allow"
groups = ["staff"]
"#;

/// A file is refused beyond this many octets.
const LARGEST: usize = 16 * 1024 * 1024;

/// Alice is on the list from the beginning, and Carol is not: whatever is wrong with the file, both are answered as
/// before. A large file is read in portions, one a call, so Alice comes often.
fn day(processes: &str) -> String {
    let settings = "server VPN1\nserver-address 10.20.0.1\npool 10.20.0.2-10.20.0.99\nday 2026-11-23T00:00:00Z\n";
    let mut text = format!("processes {processes}\n{settings}");
    for (hour, replacements) in [
        ("08", &[][..]),
        ("09", &["members-1.txt with=bad.txt"]),
        ("10", &["members-1.txt with=too-large.txt"]),
        ("11", &["rasadmin.toml with=network.toml"]),
        ("12", &["rasadmin.toml with=rasadmin.toml", "members-1.txt with=alice.txt"]),
    ] {
        for replacement in replacements {
            writeln!(text, "{hour}:00:00 replace {replacement}").unwrap();
        }
        for minute in 10..if hour == "09" { 20 } else { 12 } {
            let (alice, until) = (format!("alice-{hour}-{minute}"), format!("{hour}:{minute}:50"));
            writeln!(
                text,
                "{hour}:{minute}:00 connect {alice} user=CORP\\alice tunnel=sstp from=203.0.113.1 until={until}"
            )
            .unwrap();
            writeln!(text, "expect {alice} accepted").unwrap();
        }
        writeln!(text, "{hour}:40:00 connect carol-{hour} user=CORP\\carol tunnel=sstp from=203.0.113.2").unwrap();
        writeln!(text, "expect carol-{hour} denied").unwrap();
    }
    // Of the same size. (Whether a change in the same second is noticed depends on how fast the computer is here; the
    // policy's own tests look at that.)
    text + "13:00:00 replace members-1.txt with=carol.txt\n\
            13:10:00 connect carol user=CORP\\carol tunnel=sstp from=203.0.113.2\n\
            13:11:00 connect alice user=CORP\\alice tunnel=sstp from=203.0.113.1\n\
            expect carol accepted\nexpect alice denied\n"
}

#[test]
fn a_members_file_cannot_stop_the_vpn() {
    for (processes, number) in [("one", 1), ("two", 2)] {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for (name, text) in [
            ("day.scenario", day(processes)),
            ("rasadmin.toml", CONFIG.to_owned()),
            ("network.toml", CONFIG.replace("\"members-1.txt\"", r"'\\nas\share\staff.txt'")),
            ("members-1.txt", "CORP\\alice\n".to_owned()),
            ("alice.txt", "CORP\\alice\n".to_owned()),
            ("carol.txt", "CORP\\carol\n".to_owned()),
            ("too-large.txt", "#".repeat(LARGEST + 1)),
            ("bad.txt", format!("{}{}@\n{}", "@\n".repeat(18), "y".repeat(300_000), "CORP\\\n".repeat(50_000))),
        ] {
            std::fs::write(path(name), text).unwrap();
        }
        let (config, kept, day) = (path("rasadmin.toml"), path("kept"), path("day.scenario"));
        rasadmin(words([&"host", &"run", &"--config", &config, &"--keep", &kept, &"--dll", &product(), &day])).ends(0);

        // Each process says each thing once, and briefly.
        let log = std::fs::read_to_string(kept.join("rasadmin.log")).unwrap();
        let longest = log.lines().map(str::len).max().unwrap();
        assert!(longest < 15_000, "a line of {longest} octets");
        let broken: Vec<&str> = log.lines().filter(|line| line.contains("has changed and is broken")).collect();
        for (what, mistakes) in [
            ("and 49999 more", 20),
            ("the members file `members-1.txt`: it is larger than 16 MiB", 1),
            ("a members file cannot be on a network drive", 1),
        ] {
            let told: Vec<_> = broken.iter().filter(|line| line.contains(what)).collect();
            assert_eq!(told.len(), number, "{what}: {broken:#?}");
            assert!(told.iter().all(|line| line.matches("rasadmin.toml:5:29: ").count() == mistakes), "{told:#?}");
        }
        assert_eq!(broken.len(), 3 * number, "{broken:#?}");
    }
}
