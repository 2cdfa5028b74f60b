//! The commands that read and look after the ledger, on the ledger of the office day.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::explain::explain_recorded;
use rasadmin_ledger::report::{Filter, Reader};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::OnceLock;
use support::{Ran, office_day, product, rasadmin_with, root, words};

/// The office day with its configuration, run once.
fn day() -> &'static Path {
    static DAY: OnceLock<tempfile::TempDir> = OnceLock::new();
    DAY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let config = root().join("examples/office-day.toml");
        let mut run = words([&"host", &"run", &"--json", &"--config", &config, &"--dll", &product(), &office_day()]);
        run.extend(words([&"--keep", &folder.path()]));
        support::rasadmin(run).ends(0);
        folder
    })
    .path()
}

/// A copy that a test may change.
fn own() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(day().join("rasadmin.toml"), folder.path().join("rasadmin.toml")).unwrap();
    copy(&day().join("journal"), &folder.path().join("journal"));
    folder
}

/// Copies a folder's files, but not what a ledger has left there: its own is another.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.path().extension().is_none_or(|extension| extension != "cursor") {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

fn at(folder: &Path, arguments: &[&str]) -> Ran {
    let config = folder.join("rasadmin.toml");
    rasadmin_with(arguments, &[("RASADMIN_CONFIG", config.to_str().unwrap())])
}

fn json_of(arguments: &[&str]) -> Value {
    at(day(), arguments).ends(0).json()
}

/// For every decision of the day, the explanation from the recorded facts is the recorded decision.
#[test]
fn every_decision_of_the_day_is_explained_as_it_was() {
    let reader = Reader::open(&day().join("rasadmin.db")).unwrap();
    let sessions = reader.sessions(&Filter::default(), false).unwrap();
    let mut told = std::collections::BTreeSet::new();
    for session in &sessions {
        let decisions = reader.decisions_of(session.id).unwrap();
        assert!(decisions.len() >= 3, "address, connection, link of session {}", session.id);
        told.extend(decisions.iter().map(|decision| decision.id));
    }
    let all = reader.decisions(&Filter::default(), false, None).unwrap();
    assert_eq!((all.len(), all.iter().filter(|d| d.is_denied()).count(), told.len()), (838, 25, 776));
    let config = reader.config(&all[0].config).unwrap().unwrap().compile().unwrap();
    for decision in &all {
        let again = explain_recorded(
            &config,
            decision.stage,
            decision.facts.clone(),
            &decision.groups,
            decision.counted.clone(),
        );
        assert_eq!((again.allow, &decision.refusal), (!decision.is_denied(), &None), "{decision:#?}\n{again:#?}");
        assert_eq!((again.rule, again.reason), (decision.rule.as_deref(), decision.reason.as_deref()));
    }
    // The command says the same.
    for session in sessions.iter().step_by(40) {
        let explained = json_of(&["explain", "--session", &session.id.to_string(), "--json"]);
        for stage in explained.as_array().unwrap() {
            assert_eq!((&stage["agrees"], &stage["rule"]), (&json!(true), &stage["recorded"]["rule"]));
        }
    }
    let denied = all.iter().filter(|d| d.is_denied()).step_by(5);
    for decision in denied {
        let explained = json_of(&["explain", "--decision", &decision.id.to_string(), "--json"]);
        assert_eq!((&explained[0]["allow"], &explained[0]["agrees"]), (&json!(false), &json!(true)));
    }
}

#[test]
fn an_explanation_is_readable() {
    let text = at(day(), &["explain", "--decision", "818"]).ends(0).stdout;
    assert!(text.contains("> ten hours a day"), "{text}");
    assert!(text.contains("connect_time: wanted at least 10h per day, found 10h"), "{text}");
    assert!(
        text.contains("no PPTP               would deny, and waits: tunnels: wanted PPTP, not yet known"),
        "{text}"
    );
}

#[test]
fn what_would_happen_is_told_with_the_address_and_changes_nothing() {
    let before = journal_of(day());
    let alice = at(day(), &["explain", "--user", "alice@corp.example", "--tunnel", "sstp", "--json"]).ends(0).json();
    assert_eq!(alice["allowed"], true);
    assert_eq!(
        alice["stages"][0]["address"],
        json!({ "address": "10.20.16.200", "origin": "reservation", "pool": null })
    );
    assert_eq!(alice["stages"].as_array().unwrap().len(), 3);
    let late = ["explain", "--user", r"PARTNER\bob", "--at", "2026-11-28 20:00", "--json"];
    let bob = at(day(), &late).ends(1).json();
    assert_eq!((&bob["allowed"], &bob["stages"][0]["allow"]), (&json!(false), &json!(false)));
    assert_eq!(bob["stages"].as_array().unwrap().len(), 1, "it ends at the first denial");
    let pptp = at(day(), &["explain", "--user", "zoe", "--tunnel", "PPTP"]).ends(1).stdout;
    assert!(pptp.contains("> no PPTP         denies: tunnels: wanted PPTP, found PPTP"), "{pptp}");
    assert!(pptp.starts_with("CORP\\ZOE would be denied on VPN1"), "{pptp}");
    assert!(pptp.contains("not given, so counted as absent: public address, computer, port"), "{pptp}");
    let (folder, candidate) = (
        own(),
        "default.action = \"allow\"\n[[rules]]\nname = \"kiosks\"\naction = \"deny\"\nremote_computers = [\"KIOSK-*\"]\n",
    );
    let path = folder.path().join("candidate.toml");
    std::fs::write(&path, candidate).unwrap();
    let path = path.to_str().unwrap();
    let kiosk = ["explain", "--config", path, "--user", "x", "--computer", "kiosk-7", "--json"];
    assert_eq!(at(day(), &kiosk).ends(1).json()["stages"][1]["rule"], "kiosks");
    let candidate = "default_domain = \"CORP\"\ndefault.action = \"allow\"\n\
                     [groups.corp]\nusers = ['CORP\\*']\npool = \"corp\"\n[pools.corp]\naddresses = [\"10.8.0.0/24\"]\n\
                     [groups.partners]\nusers = ['PARTNER\\*']\npool = \"partners\"\n\
                     [pools.partners]\naddresses = [\"10.9.0.0/24\"]\n";
    std::fs::write(path, candidate).unwrap();
    // The address call has only a bare name; the connection tells whose it is.
    let bob = ["explain", "--config", path, "--user", "bob", "--domain", "PARTNER"];
    let why = "the address was given to CORP\\BOB, who turned out to be another user";
    at(day(), &bob)
        .ends(1)
        .prints(r"PARTNER\BOB would be denied")
        .prints(&format!("but the connection still ends: {why}"));
    let bob = at(day(), &[&bob[..], &["--json"]].concat()).ends(1).json();
    assert_eq!((&bob["allowed"], &bob["stages"][0]["refused"]), (&json!(false), &Value::Null));
    assert_eq!((&bob["stages"][1]["allow"], &bob["stages"][1]["refused"]), (&json!(true), &json!(why)));
    assert_eq!(journal_of(day()), before, "nothing was written");
}

#[test]
fn lists_say_who_was_connected() {
    let alice = json_of(&["sessions", "--user", "alice", "--json"]);
    assert_eq!(alice.as_array().unwrap().len(), 2, "of two domains");
    assert_eq!(alice[1]["framed_ip_address"], "10.20.16.200");
    assert_eq!(alice[1]["acct_start_time"], "2026-11-23T05:52:41Z");
    let table = at(day(), &["sessions", "--user", r"CORP\alice"]).ends(0).stdout;
    assert!(table.contains("2026-11-23 06:52:41  CORP\\ALICE  IKEv2   10.20.16.200"), "{table}");
    assert!(table.contains("times: Europe/Berlin"), "{table}");
    assert_eq!(at(day(), &["sessions", "--live"]).ends(0).stdout, "nobody is connected\n");
    let some = at(day(), &["sessions", "--limit", "3"]).ends(0).stdout;
    assert!(some.contains("the latest 3; --limit 0 shows all"), "{some}");
    assert_eq!(json_of(&["sessions", "--since", "2026-11-23 21:00", "--json"]).as_array().unwrap().len(), 6);
    assert_eq!(json_of(&["sessions", "--server", "vpn1", "--limit", "0", "--json"]).as_array().unwrap().len(), 231);
    assert_eq!(json_of(&["sessions", "--server", "VPN9", "--json"]), json!([]));
}

#[test]
fn lists_say_who_had_an_address_and_what_was_decided() {
    let had = json_of(&["who-had", "10.20.16.9", "--at", "2026-11-23 12:00", "--json"]);
    assert_eq!((had.as_array().unwrap().len(), &had[0]["name"]), (1, &json!("LIVIA")));
    let nobody = at(day(), &["who-had", "10.20.16.9", "--at", "2026-11-23 23:00"]).ends(1).stdout;
    assert_eq!(nobody, "nobody had 10.20.16.9 at 2026-11-23 23:00:00, as far as the ledger knows\n");
    let ipv6 = json_of(&["who-had", "::a11c:e", "--json"]);
    assert_eq!(ipv6[0]["name"], "ALICE");
    let denied = json_of(&["decisions", "--rejected", "--rule", "No PPTP", "--json"]);
    assert_eq!(denied.as_array().unwrap().len(), 10);
    assert!(denied.as_array().unwrap().iter().all(|d| d["facts"]["tunnel"]["known"] == "PPTP"));
    let users = json_of(&["users", "--json"]);
    assert_eq!(users.as_array().unwrap().len(), 198);
    let pools = json_of(&["addresses", "--json"]);
    let staff = pools["pools"].as_array().unwrap().iter().find(|pool| pool["name"] == "staff").unwrap();
    assert_eq!(staff, &json!({ "name": "staff", "family": 4, "size": 253, "held": 0 }));
    let wrong = at(day(), &["addresses", "--pool", "staf"]).ends(2).stderr;
    assert!(wrong.contains("there is no pool `staf`; the configuration has:"), "{wrong}");
}

#[test]
fn reports_add_up() {
    let sums = |by: &str| -> (u64, u64, u64) {
        let rows = json_of(&["report", "--by", by, "--month", "2026-11", "--json"]);
        let sum = |field: &str| rows.as_array().unwrap().iter().map(|row| row[field].as_u64().unwrap()).sum();
        (sum("connected_seconds"), sum("acct_input_octets"), sum("denied"))
    };
    let users = sums("user");
    assert_eq!(users.2, 25);
    for by in ["tunnel", "day", "rule"] {
        assert_eq!(sums(by), users, "{by}");
    }
    let usage = json_of(&["usage", "--since", "2026-11-01", "--until", "2026-12-01", "--json"]);
    let used: u64 = usage.as_array().unwrap().iter().map(|row| row["connected_seconds"].as_u64().unwrap()).sum();
    let ledger = rusqlite::Connection::open(day().join("rasadmin.db")).unwrap();
    let left =
        "SELECT sum(max(0, acct_session_time - (replaced - acct_start_time) / 1000)) FROM sessions WHERE billed = 1";
    let left: u64 = ledger.query_row(left, [], |row| row.get(0)).unwrap();
    assert_eq!(
        used + left,
        users.0,
        "what quotas count is what is reported, until a client came back in another session"
    );
    let csv = at(day(), &["report", "--by", "user", "--month", "2026-11", "--format", "csv"]).ends(0).stdout;
    assert_eq!(csv.lines().count(), 199);
    assert!(csv.starts_with("user,sessions,users,connected_seconds,"), "{csv}");
    for (arguments, what) in [
        (["report", "--by", "user", "--month", "2026-13"], "`2026-13` is not a valid month: write `2026-11`"),
        (["sessions", "--json", "--user", "alice", "--since=soon"], "`soon` is not a valid time"),
    ] {
        let told = at(day(), &arguments).ends(2).stderr;
        assert!(told.contains(what), "{told}");
    }
}

/// Everything in a folder's journal, as it is shown.
fn journal_of(folder: &Path) -> String {
    at(folder, &["journal", "show", "--json"]).ends(0).stdout
}

#[test]
fn nothing_is_changed_without_a_yes() {
    let folder = own();
    at(folder.path(), &["ledger", "update"]).ends(0);
    let before = journal_of(folder.path());
    for arguments in [&["purge", "--before", "today"][..], &["anonymise", "--before", "today"]] {
        let told = at(folder.path(), arguments).ends(2).stderr;
        assert!(told.contains("nothing was changed: there is no terminal to ask on; add --yes"), "{told}");
    }
    assert_eq!(journal_of(folder.path()), before);
    assert_eq!(at(folder.path(), &["sessions", "--limit", "0", "--json"]).json().as_array().unwrap().len(), 231);
    let purged = at(folder.path(), &["purge", "--before", "now", "--yes", "--json"]).ends(0).json();
    // And the ten connections whose first link was rejected.
    assert_eq!((&purged["sessions"], &purged["decisions"]), (&json!(241), &json!(838)));
    assert_eq!(at(folder.path(), &["sessions"]).ends(0).stdout, "no sessions found\n");
    let future = at(folder.path(), &["purge", "--before", "2126-01-01", "--yes"]).ends(2).stderr;
    assert!(future.contains("that is not in the past"), "{future}");
}

/// Many records are announced, but not among the results; and brought in once.
#[test]
fn what_is_brought_in_is_said_beside_the_results() {
    let folder = own();
    let first = at(folder.path(), &["sessions", "--json"]).ends(0).complains("bringing 1,650 records into the ledger");
    // A table ends after 100 rows, and what a program gets is complete.
    assert_eq!(first.json().as_array().unwrap().len(), 231);
    let again = at(folder.path(), &["sessions"]).ends(0).prints("the latest 100; --limit 0 shows all");
    assert_eq!(again.stderr, "");
    let cut = at(folder.path(), &["sessions", "--json", "--limit", "100"]).ends(0);
    assert_eq!(cut.stderr, "warning: these are the latest 100; --limit 0 shows all\n");
    // A candidate elsewhere is asked about what is in force here.
    let candidate = tempfile::tempdir().unwrap();
    let path = candidate.path().join("candidate.toml");
    std::fs::copy(folder.path().join("rasadmin.toml"), &path).unwrap();
    let journal = folder.path().join("journal");
    let (path, journal) = (path.to_str().unwrap(), journal.to_str().unwrap());
    let philip =
        ["explain", "--user", "philip@corp.example", "--tunnel", "SSTP", "--at", "2026-11-23 23:00", "--config", path];
    at(folder.path(), &[&philip[..], &["--journal", journal]].concat()).ends(1).prints("> ten hours a day");
    at(folder.path(), &philip).ends(0).prints("VPN1 has no journal: nobody is connected");
}

#[test]
fn anonymise_takes_one_user_out() {
    let folder = own();
    let arguments = ["anonymise", "--before", "now", "--user", "alice", "--yes", "--json"];
    let changed = at(folder.path(), &arguments).ends(0).json();
    assert_eq!(changed["sessions"], 1, "a bare name is the default domain's");
    let left = at(folder.path(), &["sessions", "--user", "alice", "--json"]).ends(0).json();
    assert_eq!(left[0]["domain"], "PARTNER");
    assert_eq!(left.as_array().unwrap().len(), 1);
}

#[test]
fn a_backup_is_a_ledger() {
    let folder = own();
    let to = folder.path().join("copy.db");
    let to = to.to_str().unwrap();
    let told = at(folder.path(), &["ledger", "backup", to]).ends(0).stdout;
    assert!(told.contains("copied to") && told.contains("checked"), "{told}");
    at(folder.path(), &["ledger", "backup", to]).ends(2);
    let checked = at(folder.path(), &["ledger", "check", "--ledger", to]).ends(0).stdout;
    assert!(checked.contains("no fault found: 231 sessions (0 live, 0 imported), 838 decisions"), "{checked}");
    // A ledger is read without any configuration, too.
    let bare = rasadmin_with(["sessions", "--ledger", to, "--json", "--limit", "0"], &[("RASADMIN_CONFIG", "")]);
    assert_eq!(bare.ends(0).json().as_array().unwrap().len(), 231);
}

#[test]
fn what_is_not_there_is_said_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("rasadmin.toml");
    std::fs::write(&config, "default.action = \"allow\"\n").unwrap();
    let none = at(folder.path(), &["sessions"]).ends(2).stderr;
    assert!(none.contains("the ledger does not exist yet: start Remote Access with the DLL"), "{none}");
    std::fs::write(folder.path().join("rasadmin.db"), "no ledger").unwrap();
    let text = at(folder.path(), &["sessions"]).ends(2).stderr;
    assert!(text.contains("damaged, or not a ledger"), "{text}");
    let missing = rasadmin_with(["sessions"], &[("RASADMIN_CONFIG", "/nowhere/rasadmin.toml")]).ends(2).stderr;
    assert!(missing.contains("RASADMIN_CONFIG names it") && missing.contains("--config"), "{missing}");
    let released = at(day(), &["release", "10.1.1.1", "--yes"]).ends(1).stdout;
    assert_eq!(released, "no live lease holds 10.1.1.1: there is nothing to release\n");
    let closed = at(day(), &["close", "1", "--yes"]).ends(1).stdout;
    assert!(closed.contains("session 1 of CORP\\RTR-HARBOUR has ended already"), "{closed}");
    let unknown = at(day(), &["close", "99999", "--yes"]).ends(2).stderr;
    assert!(unknown.contains("there is no session `99999`: see `rasadmin sessions --live`"), "{unknown}");
}

/// The last good configuration serves where the file is broken, as in the DLL.
#[test]
fn a_broken_configuration_is_told_and_the_last_good_one_taken() {
    let folder = own();
    let config = folder.path().join("rasadmin.toml");
    std::fs::write(&config, "default.action = \"alow\"\n").unwrap();
    let ran = at(folder.path(), &["users", "--json"]).ends(0);
    assert!(ran.stderr.contains("the configuration is broken; the last good one is used instead"), "{}", ran.stderr);
    assert_eq!(ran.json().as_array().unwrap().len(), 198);
    let check = at(folder.path(), &["config", "check"]).ends(1).stdout;
    assert!(
        check.contains("rasadmin.toml:1:18: `alow` is not a valid value") && check.contains("1 mistake;"),
        "{check}"
    );
}

#[test]
fn config_says_what_is_in_force_and_makes_a_new_one() {
    let shown = json_of(&["config", "show", "--json"]);
    assert_eq!((&shown["time_zone"], &shown["rules"][2]), (&json!("Europe/Berlin"), &json!("no PPTP")));
    assert_eq!(shown["rules"].as_array().unwrap().len(), 7);
    let valid = at(day(), &["config", "check"]).ends(0).stdout;
    assert!(valid.contains("it is valid: 7 rules, 4 pools"), "{valid}");
    // It limits sessions, and clients can claim any name.
    assert!(valid.contains("warning: limits.reconnect = \"same-computer\" trusts"), "{valid}");
    let notes = at(day(), &["config", "check", "--json"]).ends(0).json()["notes"].as_array().unwrap().len();
    assert_eq!(notes, 1);
    let schema = at(day(), &["config", "schema"]).ends(0).stdout;
    assert_eq!(
        schema,
        std::fs::read_to_string(root().join("docs/rasadmin.schema.json")).unwrap().replace("\r\n", "\n")
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/rasadmin.toml");
    let path = path.to_str().unwrap();
    let flags =
        ["config", "new", "--no-questions", "--one-session", "--no-pptp", "--only-domain", "CORP", "--output", path];
    let made = at(day(), &flags).ends(0).stdout;
    assert!(made.contains("written and checked"), "{made}");
    at(day(), &["config", "check", path]).ends(0);
    let again = at(day(), &flags).ends(2).stderr;
    assert!(again.contains("it exists already, and is not overwritten"), "{again}");
    let denied = at(day(), &["explain", "--config", path, "--user", r"PARTNER\x", "--json"]).ends(1).json();
    assert_eq!(denied["stages"][0]["rule"], Value::Null, "the default denies");
    let wrong = at(day(), &["config", "new", "--pool", "10.0.0.0/99", "-o", "-"]).ends(2).stderr;
    assert!(wrong.contains("has no usable prefix length"), "{wrong}");
}

/// Whoever reads the output may have had enough of it: `| head`.
#[test]
fn a_reader_who_goes_away_is_no_fault() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rasadmin"));
    command.args(["decisions", "--limit", "0", "--json"]).env("RASADMIN_CONFIG", day().join("rasadmin.toml"));
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    assert_eq!((ended.status.code(), told.trim()), (Some(0), ""), "no panic reaches a user");
}

/// An export replaces a file of its name, but never one that rasadmin needs, and nothing that is not a file.
#[test]
fn an_export_destroys_nothing_that_is_needed() {
    let folder = own();
    at(folder.path(), &["sessions"]).ends(0);
    std::fs::create_dir(folder.path().join("a-folder")).unwrap();
    let segment = std::fs::read_dir(folder.path().join("journal")).unwrap().map(|entry| entry.unwrap().path());
    let segment = segment.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "segment"));
    let needed = [folder.path().join("rasadmin.db"), folder.path().join("rasadmin.toml"), segment.unwrap()];
    for path in &needed {
        let before = std::fs::read(path).unwrap();
        let refused = at(folder.path(), &["export", "--format", "csv", "--output", path.to_str().unwrap()]).ends(2);
        refused.complains("rasadmin needs this file");
        // The command itself notes in the ledger when it was brought up to date.
        let after = std::fs::read(path).unwrap();
        assert!(after == before || after.starts_with(b"SQLite format 3"), "{}", path.display());
    }
    let not_a_file = folder.path().join("a-folder");
    let refused = at(folder.path(), &["export", "--format", "csv", "--output", not_a_file.to_str().unwrap()]).ends(2);
    refused.complains("it exists and is not a regular file");
    let file = folder.path().join("sessions.csv");
    for _ in 0..2 {
        at(folder.path(), &["export", "--format", "csv", "--output", file.to_str().unwrap()]).ends(0);
    }
    assert_eq!(
        std::fs::read_to_string(&file).unwrap().lines().count(),
        242,
        "a line for each session, and the heading"
    );
}

/// A ledger gets the records of its own journal only, and a ledger that was named gets none.
#[test]
fn a_ledger_gets_no_records_of_another_journal() {
    let (here, there) = (own(), own());
    at(here.path(), &["sessions"]).ends(0);
    let ledger = || std::fs::read(here.path().join("rasadmin.db")).unwrap();
    let before = ledger();
    let journal = there.path().join("journal");
    let journal = journal.to_str().unwrap();
    let refused = at(here.path(), &["sessions", "--journal", journal]).ends(2);
    refused.complains("this ledger is made from another journal").complains("name the ledger of that journal");
    let copy = here.path().join("copy.db");
    std::fs::write(&copy, &before).unwrap();
    at(here.path(), &["sessions", "--journal", journal, "--ledger", copy.to_str().unwrap()]).ends(0);
    let missing = here.path().join("missing.db");
    let refused = at(here.path(), &["sessions", "--journal", journal, "--ledger", missing.to_str().unwrap()]).ends(2);
    refused.complains("the ledger does not exist yet");
    assert!(!missing.exists() && ledger() == before && std::fs::read(&copy).unwrap() == before);
    let cursors = std::fs::read_dir(journal).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(cursors.filter(|path| path.extension().is_some_and(|extension| extension == "cursor")).count(), 0);
}

/// A name that was typed wrong must not look as if that user's data were gone.
#[test]
fn forgetting_an_unknown_user_is_a_no() {
    let folder = own();
    let typo = ["purge", "--before", "now", "--user", r"CORP\alcie", "--yes"];
    at(folder.path(), &typo).ends(1).prints("The ledger has nothing of CORP\\ALCIE");
}
