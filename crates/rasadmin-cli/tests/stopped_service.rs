//! After a service has ended: the monotonic clock of its records is gone, and the commands use the time of day.
#![allow(clippy::unwrap_used)]

#[allow(dead_code, clippy::unwrap_used)]
#[path = "../../rasadmin-engine/tests/support/calls.rs"]
mod calls;
mod support;

use calls::{With, address, connection, link};
use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::event::Offer;
use rasadmin_engine::{Millis, Mono, Name, Now, Stamp, Tunnel};
use rasadmin_policy::config;
use rasadmin_recorder::{Assigned, Recorder, Verdict};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use support::{Ran, rasadmin_with};

const CONFIG: &str = r#"
time_zone = "Europe/Berlin"
default_domain = "CORP"
default.action = "allow"
server.name = "VPN1"
[groups.staff]
users = ['CORP\*']
pool = "staff"
[pools.staff]
addresses = ["10.8.0.0/24"]
[[rules]]
name = "three hours a day"
action = "deny"
connect_time = { per = "day", at_least = "3h" }
"#;

/// Tuesday, 2026-11-24, 07:00 in Berlin.
const TUESDAY: Millis = 1_795_500_000_000;

/// That machine's monotonic clock: it had run for thirty years, and this one has not.
const THEIRS: Mono = Mono(1_000_000_000_000);

fn run(folder: &Path, arguments: &[&str]) -> Ran {
    rasadmin_with(arguments, &[("RASADMIN_CONFIG", folder.join("rasadmin.toml").to_str().unwrap())])
}

fn now(time: Millis) -> Now {
    Now { at: Stamp { time, mono: THEIRS }, random: rasadmin_recorder::random().unwrap() }
}

fn service(text: &str, time: Millis) -> (tempfile::TempDir, Recorder) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rasadmin.toml");
    std::fs::write(&path, text).unwrap();
    let config = Arc::new(config::load(&path).unwrap());
    (folder, Recorder::start(config, &Name::new("VPN1"), now(time)))
}

/// Alice connects, and the service dies.
fn left(time: Millis) -> tempfile::TempDir {
    left_with(CONFIG, time)
}

fn left_with(text: &str, time: Millis) -> tempfile::TempDir {
    let (folder, recorder) = service(text, time);
    let asked = address("alice", "VPN2-1", Offer::Nothing);
    let Assigned::Number(number) = recorder.assign(&asked, now(time)).unwrap() else { panic!("no address") };
    let accepted = connection(1, "alice").with(|e| e.addresses = vec![Address { family: Family::Ipv4, number }]);
    assert_eq!(recorder.accept_connection(&accepted, now(time)), Verdict::Accept);
    assert_eq!(recorder.accept_link(&link(1, "VPN2-1", Tunnel::Sstp), now(time)), Verdict::Accept);
    folder
}

#[test]
fn explain_counts_the_time_since_a_session_began() {
    let folder = left(TUESDAY);
    let ask = |at: &str| {
        let asked = ["explain", "--user", "alice", "--server", "vpn1", "--tunnel", "SSTP", "--at", at, "--json"];
        let told = run(folder.path(), &asked).json();
        (told["allowed"].clone(), told["stages"][0]["rule"].clone())
    };
    assert_eq!(ask("2026-11-24 09:30"), (true.into(), serde_json::Value::Null));
    assert_eq!(ask("2026-11-24 10:30"), (false.into(), "three hours a day".into()));
    // Another server has its own state.
    let at = "2026-11-24 10:30";
    let elsewhere = ["explain", "--user", "alice", "--server", "VPN9", "--tunnel", "SSTP", "--at", at, "--json"];
    assert_eq!(run(folder.path(), &elsewhere).ends(0).json()["allowed"], true);
}

/// People must find the session that makes room: by the number that `sessions` shows.
#[test]
fn the_session_that_would_be_marked_is_named_by_its_number() {
    let newest = "[[rules]]\nname = \"newest\"\naction = \"deny\"\nmax_user_sessions = 1\n\
                  when_exceeded = \"replace-oldest\"\n[limits]\nreconnect = \"strict\"\n";
    let folder = left_with(&format!("{CONFIG}{newest}"), TUESDAY);
    let sessions = run(folder.path(), &["sessions", "--json"]).ends(0).json();
    let (number, key) = (&sessions[0]["id"], &sessions[0]["acct_session_id"]);
    let asked = ["explain", "--user", "alice", "--server", "VPN1", "--tunnel", "SSTP", "--at", "2026-11-24 08:00"];
    let told = run(folder.path(), &asked).ends(0);
    told.prints(&format!("marks session {number} to be disconnected (by the rasadmin service"));
    let told = run(folder.path(), &[&asked[..], &["--json"]].concat()).ends(0).json();
    let stages = told["stages"].as_array().unwrap();
    assert_eq!(stages.last().unwrap()["replaces"], serde_json::json!([key]), "{told:#}");
    assert_eq!(stages[0]["replaces"], serde_json::json!([]), "{told:#}");
    run(folder.path(), &["user", "alice"]).ends(0).prints("reached: a new session marks the oldest one");
}

#[test]
fn a_session_that_is_closed_has_lasted_until_now() {
    let two_hours_ago = i64::try_from(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap() - 7_200_000;
    let folder = left(two_hours_ago);
    run(folder.path(), &["close", "1", "--yes"]).ends(0).prints("session 1 of CORP\\ALICE is closed");
    let sessions = run(folder.path(), &["sessions", "--json"]).ends(0).json();
    let (start, stop) = (&sessions[0]["acct_start_time"], &sessions[0]["acct_stop_time"]);
    let seconds = sessions[0]["acct_session_time"].as_u64().unwrap();
    let time = |text: &serde_json::Value| text.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond();
    assert!(seconds >= 7_200, "{sessions}");
    assert_eq!(seconds, u64::try_from((time(stop) - time(start)) / 1000).unwrap(), "{sessions}");
    assert_eq!(sessions[0]["acct_terminate_cause"], "Admin-Reset");
    let ledger = rusqlite::Connection::open(folder.path().join("rasadmin.db")).unwrap();
    let last = ledger.query_row("SELECT last_activity FROM instances", [], |row| row.get::<_, Millis>(0)).unwrap();
    assert_eq!(last, two_hours_ago, "what a command changes is no sign of the service's life");
    // The address is free.
    run(folder.path(), &["release", "10.8.0.1", "--yes"]).ends(1).prints("no live lease holds 10.8.0.1");
}

#[test]
fn the_address_of_a_live_session_is_released_only_by_force() {
    let folder = left(TUESDAY);
    let release = |more: &[&str]| run(folder.path(), &[&["release", "10.8.0.1", "--yes"], more].concat());
    release(&[])
        .ends(2)
        .complains("10.8.0.1 belongs to the live session 1 of CORP\\ALICE: disconnect it in RRAS first");
    let lease = || run(folder.path(), &["who-had", "10.8.0.1", "--json"]).ends(0).json()[0]["ended"].clone();
    assert!(lease().is_null(), "it was only refused");
    release(&["--force"]).ends(0).prints("10.8.0.1 is free: it was held by CORP\\ALICE");
    assert!(lease().is_string());
    let sessions = run(folder.path(), &["sessions", "--live", "--json"]).ends(0).json();
    assert_eq!(sessions.as_array().map(Vec::len), Some(1), "the session continues: {sessions}");
    release(&["--force"]).ends(1).prints("no live lease holds 10.8.0.1");
}

#[test]
fn what_the_recorder_refused_is_explained_with_what_the_rules_had_allowed() {
    let (folder, recorder) = service(&CONFIG.replace("10.8.0.0/24", "10.8.0.1-10.8.0.1"), TUESDAY);
    assert!(recorder.assign(&address("alice", "VPN2-1", Offer::Nothing), now(TUESDAY)).is_ok());
    assert!(recorder.assign(&address("bob", "VPN2-2", Offer::Nothing), now(TUESDAY)).is_err());
    drop(recorder);
    let denied = run(folder.path(), &["decisions", "--rejected", "--json"]).ends(0).json();
    assert_eq!((&denied[0]["refusal"], &denied[0]["rule"]), (&"exhausted".into(), &serde_json::Value::Null));
    let number = denied[0]["id"].to_string();
    let told = run(folder.path(), &["explain", "--decision", &number]).ends(0).prints("allowed by the default");
    told.prints("but it was still denied: the pool `staff` is exhausted");
    let told = run(folder.path(), &["explain", "--decision", &number, "--json"]).ends(0).json();
    assert_eq!(
        (&told[0]["allow"], &told[0]["overruled"], &told[0]["agrees"]),
        (&true.into(), &true.into(), &true.into())
    );
}
