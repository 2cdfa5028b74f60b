//! What counts as a session, in every command that counts or lists them.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use std::path::Path;
use std::sync::OnceLock;
use support::{Ran, product, rasadmin, words};

const CONFIG: &str = r#"
    time_zone = "UTC"
    default_domain = "CORP"
    default.action = "allow"
    [[rules]]
    name = "no PPTP"
    action = "deny"
    tunnels = ["PPTP"]
"#;

/// Bob had one session. Then bob's first link was rejected, as was that of carol, who never had a session. Dave's IKEv2
/// connection had no link, and erin's link never came.
const DAY: &str = "\
server-address 10.20.0.1
pool 10.20.0.2-10.20.0.254
day 2026-11-23T00:00:00Z
08:00:00 connect bob user=bob tunnel=sstp from=203.0.113.5 until=09:00:00
10:00:00 connect bob-old user=bob tunnel=pptp from=203.0.113.5
10:05:00 connect carol user=carol tunnel=pptp from=203.0.113.6
10:10:00 connect dave user=dave tunnel=ikev2 from=203.0.113.7 no-link until=12:10:00
10:20:00 connect erin user=erin tunnel=sstp from=203.0.113.8 no-link until=10:50:00 lose=link,connection
10:40:00 connect frank user=frank tunnel=sstp from=203.0.113.9 until=11:30:00
";

fn day() -> &'static Path {
    static DAY_RUN: OnceLock<tempfile::TempDir> = OnceLock::new();
    DAY_RUN
        .get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            let (config, day) = (folder.path().join("c.toml"), folder.path().join("day.scenario"));
            std::fs::write(&config, CONFIG).unwrap();
            std::fs::write(&day, DAY).unwrap();
            let keep = folder.path().join("kept");
            let run = words([&"host", &"run", &"--config", &config, &"--keep", &keep, &"--dll", &product(), &day]);
            rasadmin(run).ends(0);
            folder
        })
        .path()
}

fn run(arguments: &[&str]) -> Ran {
    let config = day().join("kept/rasadmin.toml");
    let config = ["--config", config.to_str().unwrap()];
    rasadmin([arguments, &config].concat())
}

fn json_of(arguments: &[&str]) -> Value {
    run(&[arguments, &["--json"]].concat()).ends(0).json()
}

/// A field of every row, after the user's name.
fn by_user(rows: &Value, user: &str, field: &str) -> Vec<(String, Value)> {
    let name = |row: &Value| row[user].as_str().unwrap().trim_start_matches("CORP\\").to_owned();
    rows.as_array().unwrap().iter().map(|row| (name(row), row[field].clone())).collect()
}

#[test]
fn a_connection_without_its_first_link_is_no_session_anywhere() {
    let counts = [("BOB", 1), ("CAROL", 0), ("DAVE", 1), ("ERIN", 0), ("FRANK", 1)];
    let counts = counts.map(|(name, sessions)| (name.to_owned(), json!(sessions)));
    assert_eq!(by_user(&json_of(&["users"]), "name", "sessions"), counts);
    for (name, sessions) in &counts {
        let user = json_of(&["user", name]);
        assert_eq!(&user["known"]["sessions"], sessions, "{name}");
        assert_eq!(user["past"].as_array().unwrap().len() as u64, sessions.as_u64().unwrap(), "{name}");
    }
    // Whoever had no session has a row in a report only if denied.
    let counts: Vec<_> = counts.into_iter().filter(|(name, _)| name != "ERIN").collect();
    let report = json_of(&["report", "--by", "user", "--month", "2026-11"]);
    assert_eq!(by_user(&report, "key", "sessions"), counts);
    assert_eq!(by_user(&report, "key", "denied").iter().filter(|row| row.1 == 1).count(), 2);
    let listed = by_user(&json_of(&["sessions"]), "name", "closed_by");
    let hangup = |name: &str| (name.to_owned(), json!("hangup"));
    assert_eq!(listed, ["FRANK", "DAVE", "BOB"].map(hangup));
    let usage = json_of(&["usage", "--since", "2026-11-01", "--until", "2026-12-01"]);
    assert_eq!(by_user(&usage, "name", "sessions"), ["BOB", "DAVE", "FRANK"].map(|name| (name.to_owned(), json!(1))));
    assert_eq!(json_of(&["ledger", "check"])["counts"]["sessions"], 3);
}

#[test]
fn a_user_whose_first_link_was_rejected_was_never_connected() {
    run(&["user", "carol"]).ends(0).prints("connected    never\n");
    run(&["user", "bob"]).ends(0).prints("connected    not now; 1 session, the last until 2026-11-23 09:00:00");
    run(&["user", "erin"]).ends(0).prints("connected    never\n");
    // The attempt itself is still explained.
    let denied = json_of(&["decisions", "--rejected", "--user", "carol"]);
    let session = denied[0]["session"].to_string();
    run(&["explain", "--session", &session]).ends(0).prints("denied by the rule `no PPTP`");
}

#[test]
fn exports_and_replays_have_the_same_sessions() {
    for format in ["radacct", "nps-dts"] {
        let exported = run(&["export", "--format", format]).ends(0);
        assert!(exported.stdout.contains("dave"), "an IKEv2 connection may have no link:\n{}", exported.stdout);
        exported.complains("3 sessions exported; 3 connections without a session left out, as in RADIUS");
    }
    let config = day().join("c.toml");
    let kept = day().join("kept/rasadmin.toml");
    let replay = ["replay", "--config", config.to_str().unwrap(), "--since", "2026-11-01", "--json"];
    let replayed = support::rasadmin_with(replay, &[("RASADMIN_CONFIG", kept.to_str().unwrap())]).ends(0).json();
    assert_eq!((&replayed["report"]["accepted_then"], &replayed["report"]["refused_then"]), (&json!(3), &json!(2)));
}
