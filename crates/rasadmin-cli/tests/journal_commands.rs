//! The journal's commands, and what an administrator changes while the DLL goes on recording.
#![allow(clippy::unwrap_used)]

#[path = "support/server.rs"]
mod server;
mod support;

use rasadmin_engine::addresses::Family;
use rasadmin_engine::{Identity, Name};
use rasadmin_journal::{Journal, Options};
use rasadmin_policy::config;
use rasadmin_recorder::Recorder;
use server::{Server, calls, now};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};
use support::rasadmin_with;

#[test]
fn an_address_that_is_released_by_hand_is_given_again() {
    let server = Server::new();
    assert!(server.asks("alice", "VPN2-1") && !server.asks("bob", "VPN2-2"));
    let release = ["release", "10.8.0.1", "--reason", "RRAS was restarted", "--yes"];
    server.run(&release).ends(0).prints("10.8.0.1 is free: it was held by CORP\\ALICE");
    assert!(server.asks("bob", "VPN2-2"), "the DLL heeds it at its next call");
    let journal = server.run(&["journal", "show"]).ends(0).stdout;
    assert!(journal.lines().any(|line| line.contains("release by hand") && line.ends_with(": RRAS was restarted")));
    let had = server.run(&["who-had", "10.8.0.1", "--json"]).ends(0).json();
    assert_eq!((had.as_array().unwrap().len(), &had[1]["ended_by"]), (2, &"administrator".into()), "{had:#}");
    server.run(&["journal", "check"]).ends(0).prints("no fault found");
}

#[test]
fn a_session_that_is_closed_by_hand_no_longer_counts() {
    let server = Server::new();
    server.connects("alice", 1, "VPN2-1");
    assert!(!server.asks("bob", "VPN2-2"));
    // Nothing is asked before it is clear that it can be done.
    for arguments in [&["release", "10.8.0.1", "--yes"][..], &["release", "10.8.0.1"]] {
        let refused = server.run(arguments).ends(2);
        refused.complains("belongs to the live session 1 of CORP\\ALICE: disconnect it in RRAS first");
    }
    for reason in ["", "two\nlines", &"x".repeat(201)] {
        server.run(&["close", "1", "--reason", reason, "--yes"]).ends(2).complains("the reason ");
    }
    let close = ["close", "1", "--reason", "a ghost", "--yes"];
    server.run(&close).ends(0).prints("session 1 of CORP\\ALICE is closed");
    let journal = server.run(&["journal", "show"]).ends(0).stdout;
    assert!(journal.lines().any(|line| line.contains("close by hand") && line.ends_with(": a ghost")), "{journal}");
    assert!(server.asks("bob", "VPN2-2"), "the DLL heeds it at its next call");
    assert_eq!(server.recorder.look(|state| state.live_count()), 0);
    server.run(&["close", "1", "--yes"]).ends(1).prints("has ended already");
    let sessions = server.run(&["sessions", "--json"]).ends(0).json();
    assert_eq!(sessions[0]["acct_terminate_cause"], "Admin-Reset");
}

#[test]
fn what_is_purged_is_forgotten_by_ledger_dll_and_journal() {
    let server = Server::new();
    let alice = Identity { domain: "CORP".into(), name: "ALICE".into() };
    server.connects("alice", 1, "VPN2-1");
    server.hangs_up("alice", 1);
    server.run(&["release", "10.8.0.1", "--yes"]).ends(0);
    assert_eq!(server.journal_has(b"alice").len(), 1);
    let last = || server.recorder.look(|state| state.last_addresses(&alice, Family::Ipv4).count());
    server.connects("bob", 2, "VPN2-2");
    // Whatever was used before this moment.
    std::thread::sleep(Duration::from_millis(20));
    let purged = server.run(&["purge", "--before", "now", "--yes", "--json"]).ends(0).json();
    assert_eq!(purged["sessions"], 1, "{purged:#}");
    assert_eq!(server.run(&["sessions", "--json"]).ends(0).json().as_array().unwrap().len(), 1, "bob is live");
    server.hangs_up("bob", 2);
    assert_eq!(last(), 0);
    assert_eq!(server.journal_has(b"alice").len(), 1, "names stay in the journal for a while");
    std::thread::sleep(Duration::from_millis(20));
    let told = server.run(&["purge", "--before", "now", "--now", "--yes"]).ends(0);
    told.prints("deleted: 1 session, ").prints("deleted from the journal: 1 file");
    assert_eq!(server.journal_has(b"alice"), [""; 0].map(PathBuf::from), "with --now they go at once");
    // The DLL has noticed nothing.
    assert!(!server.asks("carol", "VPN2-3"), "bob's address is still held");
    server.run(&["release", "10.8.0.1", "--yes"]).ends(0);
    assert!(server.asks("carol", "VPN2-3"));
    server.run(&["journal", "check"]).ends(0).prints("no fault found");
    server.run(&["ledger", "check"]).ends(0).prints("no fault found");
}

/// A long list is not recorded with its configuration; the decision tells which groups the user had.
#[test]
fn a_decision_by_a_long_list_is_explained_without_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let list: String = (0..50_000).map(|n| format!("CORP\\somebody-with-number-{n}\n")).collect();
    assert!(list.len() > 1 << 20);
    write("staff.txt", &(list + "CORP\\alice\n"));
    let rules = "default_domain = \"CORP\"\ndefault.action = \"deny\"\ngroups.staff.members_file = \"staff.txt\"\n\
                 [[rules]]\nname = \"staff\"\naction = \"allow\"\ngroups = [\"staff\"]\n";
    write("rasadmin.toml", rules);
    let path = folder.path().join("rasadmin.toml");
    let recorder = Recorder::start(Arc::new(config::load(&path).unwrap()), &Name::new("VPN1"), now());
    for user in ["alice", "bob"] {
        let _ = recorder.assign(&calls::address(user, "VPN2-1", calls::offer("10.8.0.1")), now());
    }
    let run = |arguments: &[&str]| rasadmin_with(arguments, &[("RASADMIN_CONFIG", path.to_str().unwrap())]);
    run(&["explain", "--decision", "1"]).ends(0).prints("> staff  allows: groups: wanted staff");
    run(&["explain", "--decision", "2"]).ends(0).prints("denied by the default");
}

#[test]
fn records_are_shown_as_lines() {
    let server = Server::new();
    server.connects("alice", 1, "VPN2-1");
    server.asks("bob", "VPN2-2");
    server.hangs_up("alice", 1);
    let shown = server.run(&["journal", "show"]).ends(0);
    let shown = shown.prints("RRAS started").prints("allow by the default; 10.8.0.1; lease begins (staff)");
    let shown = shown.prints("deny: the pool `staff` is exhausted").prints("session ends (hangup) after");
    assert_eq!(shown.stdout.lines().filter(|line| line.contains("CORP\\ALICE")).count(), 4, "{}", shown.stdout);
    let alice = server.run(&["journal", "show", "--user", "alice", "--json"]).ends(0).stdout;
    let numbers: Vec<_> = alice.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()).collect();
    assert_eq!(numbers.len(), 4);
    assert!(numbers.iter().all(|line| line["number"].is_u64() && line["record"]["effects"].is_array()));
    let last = server.run(&["journal", "show", "--last", "1"]).ends(0).stdout;
    assert!(last.contains("hangup") && !last.contains("RRAS started"), "{last}");
    server.run(&["journal", "show", "--user", "zoe"]).ends(0).prints("the journal has no record of zoe");
    // A journal is shown without any configuration, too.
    let folder = server.path("journal");
    let bare = ["journal", "show", "--journal", folder.to_str().unwrap(), "--json"];
    assert_eq!(rasadmin_with(bare, &[("RASADMIN_CONFIG", "")]).ends(0).stdout.lines().count(), 7);
}

#[test]
fn what_is_recorded_is_followed() {
    let server = Server::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rasadmin"));
    command.args(["journal", "show", "--follow", "--last", "0"]).env("RASADMIN_CONFIG", server.path("rasadmin.toml"));
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // It begins at some time: until it has shown something, there is something new. It has a minute.
    let enough = Arc::new(AtomicBool::new(false));
    let recorder = std::thread::spawn({
        let enough = enough.clone();
        move || {
            for n in (0..1_200).take_while(|_| !enough.load(Ordering::Relaxed)) {
                // Each time somebody else: what is refused again is only counted.
                server.asks(&format!("alice{n}"), "VPN2-1");
                std::thread::sleep(Duration::from_millis(50));
            }
            child.kill().unwrap();
            child.wait().unwrap();
            server
        }
    });
    let first: Vec<_> = lines.take(3).map(Result::unwrap).collect();
    enough.store(true, Ordering::Relaxed);
    assert_eq!(first.len(), 3, "{first:#?}");
    assert!(first[0].contains("record") && first[1].contains("CORP\\ALICE"), "{first:#?}");
    drop(recorder.join().unwrap());
}

#[test]
fn an_update_deletes_what_every_ledger_has_had_for_a_week() {
    let server = Server::new();
    for n in 0..4 {
        server.asks(&format!("alice{n}"), &format!("VPN2-{n}"));
        server.run(&["journal", "seal"]).ends(0).prints("the checkpoint is");
    }
    let segments = || -> Vec<PathBuf> {
        let all = std::fs::read_dir(server.path("journal")).unwrap().map(|entry| entry.unwrap().path());
        let mut all: Vec<_> = all.filter(|path| path.extension().is_some_and(|of| of == "segment")).collect();
        all.sort();
        all
    };
    let before = segments();
    let old = SystemTime::now() - Duration::from_secs(8 * 24 * 60 * 60);
    let age = |path: &Path| std::fs::File::options().write(true).open(path).unwrap().set_modified(old).unwrap();
    before[..2].iter().for_each(|path| age(path));
    let update = server.run(&["ledger", "update", "--json"]).ends(0).json();
    assert_eq!(update["deleted"].as_array().unwrap().len(), 2, "{update:#}");
    assert_eq!(segments(), before[2..]);
    server.run(&["journal", "check"]).ends(0).prints("no fault found");
    server.run(&["ledger", "check"]).ends(0).prints("no fault found");
    server.run(&["ledger", "update"]).ends(0).prints("0 records brought in");
}

/// What only a newer DLL knows is passed over and told; and no checkpoint is written without it.
#[test]
fn what_a_newer_version_has_recorded_is_told() {
    let server = Server::new();
    server.asks("alice", "VPN2-1");
    let shown = server.run(&["journal", "show", "--json", "--last", "1"]).ends(0).json();
    let mut record = shown["record"].clone();
    record["id"] = "00000000-0000-4000-8000-000000000007".into();
    record["effects"] = serde_json::json!([{ "telepathy": { "with": "alice" } }]);
    let deadline = || std::time::Instant::now() + Duration::from_secs(5);
    let journal = Journal::open(&server.path("journal"), Options::default(), deadline()).unwrap();
    let mut guard = journal.lock(deadline()).unwrap();
    guard.catch_up(|_| ()).unwrap();
    guard.append(&[record.to_string().as_bytes()]).unwrap();
    drop(guard);
    let check = server.run(&["journal", "check"]).ends(1).prints("record 4 has parts from a newer version");
    check.prints("use the command that came with the DLL that wrote it");
    server.run(&["journal", "show"]).ends(0).prints("1 part from a newer version");
    server.run(&["sessions"]).ends(0).complains("a newer rasadmin.dll has written 1 part of records");
    server.run(&["explain", "--user", "bob"]).ends(1).complains("a newer rasadmin.dll has recorded 1 part of records");
    server.run(&["journal", "seal"]).ends(2).complains("no checkpoint was written");
}

/// Restored from a backup, the ledger has less than the journal's beginning: what came between is brought in again.
#[test]
fn a_ledger_that_is_restored_is_brought_up_to_date_again() {
    let server = Server::new();
    server.connects("alice", 1, "VPN2-1");
    let (ledger, copy) = (server.path("rasadmin.db"), server.path("copy.db"));
    server.run(&["ledger", "backup", copy.to_str().unwrap()]).ends(0).prints("copied to");
    server.hangs_up("alice", 1);
    let sessions = || server.run(&["sessions", "--json"]).ends(0).json();
    let after = sessions();
    assert_eq!(after[0]["closed_by"], "hangup");
    std::fs::copy(&copy, &ledger).unwrap();
    assert_eq!(sessions(), after);
    std::fs::remove_file(&ledger).unwrap();
    assert_eq!(sessions(), after, "it is made anew");
    // A copy that is named is read as it is.
    let copied = server.run(&["sessions", "--json", "--ledger", copy.to_str().unwrap()]).ends(0).json();
    assert!(copied[0]["closed_by"].is_null());
}

/// Who may not write the ledger reads what is there, and hears how old it is.
#[cfg(unix)]
#[test]
fn a_ledger_that_may_not_be_written_is_read_with_its_age() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    let server = Server::new();
    server.connects("alice", 1, "VPN2-1");
    server.run(&["ledger", "update"]).ends(0);
    server.hangs_up("alice", 1);
    let mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    for entry in std::fs::read_dir(server.path("journal")).unwrap() {
        mode(&entry.unwrap().path(), 0o444);
    }
    mode(&server.path("rasadmin.db"), 0o444);
    mode(&server.path("journal"), 0o555);
    mode(server.folder.path(), 0o555);
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rasadmin"));
        command.args(arguments).env("RASADMIN_CONFIG", server.path("rasadmin.toml"));
        // Nothing is forbidden to the system's administrator.
        if std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
            command.uid(65_534);
        }
        let output = command.output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap(), output.status.code())
    };
    let (stdout, stderr, code) = run(&["sessions", "--json"]);
    let sessions: serde_json::Value = serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("{e}: {stderr}"));
    assert_eq!((code, sessions[0]["closed_by"].is_null()), (Some(0), true), "as it was then: {sessions:#}");
    assert!(stderr.contains("warning: the ledger is as of 20"), "{stderr}");
    assert!(stderr.contains("run it as SYSTEM or as an administrator (root)"), "{stderr}");
    let (stdout, stderr, code) = run(&["explain", "--user", "bob", "--tunnel", "SSTP"]);
    assert_eq!((code, stderr.as_str()), (Some(1), ""), "the present is read from the journal: {stdout}");
    mode(server.folder.path(), 0o755);
    mode(&server.path("journal"), 0o755);
}
