//! `rasadmin import`: what becomes of sessions that a log shows only in part.
#![allow(clippy::unwrap_used)]

mod support;

use std::fmt::Write;
use support::{Ran, rasadmin_in};

/// 2024-06-18 13:45:48 UTC.
const T: i64 = 1_718_718_348;

/// An accounting record of RRAS, with fields by their places from 0.
fn record(status: &str, second: i64, more: &[(usize, &str)]) -> String {
    let mut all = vec![String::new(); 66];
    all[..5].clone_from_slice(&["\"VPN1\"", "\"RAS\"", "06/18/2024", "14:45:48", "4"].map(str::to_owned));
    all[11] = "\"VPN1\"".to_owned();
    all[17] = (T + second).to_string();
    all[31] = status.to_owned();
    for &(at, text) in more {
        all[at] = text.to_owned();
    }
    all.join(",") + "\r\n"
}

/// A record of a session of its own.
fn of(session: i64, status: &str, second: i64, more: &[(usize, &str)]) -> String {
    let class = format!("\"311 1 192.0.2.1 06/15/2024 17:41:37 {session}\"");
    let (id, user) = (session.to_string(), format!("\"CORP\\user{session}\""));
    let own = [(5, user.as_str()), (10, "\"10.8.0.5\""), (26, &class), (35, &id)];
    record(status, second, &[&own[..], more].concat())
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        rasadmin_in(self.0.path(), [arguments, &["--ledger", "a.db"]].concat())
    }

    fn import(&self, log: &str) -> serde_json::Value {
        std::fs::write(self.0.path().join("IN.log"), log).unwrap();
        self.run(&["import", "--create", "--json", "IN.log"]).ends(0).json()
    }
}

#[test]
fn a_session_is_held_until_the_server_restarts() {
    let folder = Folder::new();
    // The server dies, and is there again after an hour.
    folder.import(&(of(1, "1", 0, &[]) + &record("7", 3_600, &[])));
    let had = |at: &str| folder.run(&["who-had", "10.8.0.5", "--at", at]);
    had("2024-06-18T14:30:00Z").ends(0).prints("CORP\\USER1  2024-06-18 13:45:48  2024-06-18 14:45:48");
    had("2024-06-18T14:50:00Z").ends(1).prints("nobody had 10.8.0.5");
    folder.run(&["sessions"]).ends(0).prints("~1h");
}

#[test]
fn a_session_that_had_no_room_is_one_row_and_counted_once() {
    let folder = Folder::new();
    let name = (5, format!("\"CORP\\{}\"", "x".repeat(1_900)));
    let mut log = String::new();
    for session in 0..6_000 {
        write!(log, "{}", of(session, "1", session, &[(name.0, &name.1)])).unwrap();
    }
    log += &of(5, "2", 20_000, &[(37, "19994")]);
    let dry = std::fs::write(folder.0.path().join("IN.log"), &log);
    dry.unwrap();
    let dry = folder.run(&["import", "--create", "--dry-run", "--json", "IN.log"]).ends(0).json();
    for answer in [dry, folder.import(&log)] {
        assert_eq!(
            (&answer["sessions"], &answer["new"], &answer["completed"], &answer["without_end"]),
            (&6_000.into(), &6_000.into(), &0.into(), &5_999.into())
        );
    }
    let again = folder.run(&["import", "--dry-run", "--json", "IN.log"]).ends(0).json();
    assert_eq!((&again["new"], &again["already_there"]), (&0.into(), &6_000.into()));
    let all = folder.run(&["export", "--format", "jsonl"]).ends(0).stdout;
    let of_it = all.lines().filter(|line| line.contains("2024-06-18T13:45:53")).collect::<Vec<_>>();
    assert!(of_it.len() == 1 && of_it[0].contains("\"acct_session_time\":19994"), "{of_it:?}");
    std::fs::write(folder.0.path().join("c.toml"), "default.action = \"allow\"\n").unwrap();
    rasadmin_in(folder.0.path(), ["replay", "--config", "c.toml", "--log", "IN.log"])
        .ends(0)
        .prints("of 6000 sessions that were accepted");
}

#[test]
fn a_session_that_gets_no_end_is_not_said_to_have_one() {
    let folder = Folder::new();
    let start = of(1, "1", 0, &[]);
    folder.import(&start);
    std::fs::write(folder.0.path().join("IN.log"), start + &of(1, "3", 600, &[])).unwrap();
    folder.run(&["import", "IN.log"]).ends(0).prints("1  already there: completed or corrected\n");
    folder.run(&["sessions"]).ends(0).prints("end unknown");
}

#[test]
fn a_restart_in_a_later_log_ends_what_has_no_end() {
    let folder = Folder::new();
    folder.import(&(of(1, "1", 0, &[]) + &of(2, "1", 7_200, &[])));
    let restart = folder.import(&record("7", 3_600, &[]));
    assert_eq!((&restart["ended_by_restarts"], &restart["sessions"]), (&1.into(), &0.into()));
    let had = |at: &str| folder.run(&["who-had", "10.8.0.5", "--at", at]);
    had("2024-06-18T14:30:00Z").ends(0).prints("CORP\\USER1  2024-06-18 13:45:48  2024-06-18 14:45:48");
    had("2024-06-18T14:50:00Z").ends(1).prints("nobody had 10.8.0.5");
    had("2024-06-18T16:00:00Z").ends(0).prints("CORP\\USER2").prints("end unknown");
    assert_eq!(folder.import(&record("7", 3_600, &[]))["ended_by_restarts"], 0);
}

#[test]
fn a_local_time_that_comes_twice_or_never_is_reported() {
    let folder = Folder::new();
    // 2024-10-27 01:30 comes twice in London; 2024-03-31 01:30 does not exist.
    let at = |date| [(2, date), (3, "01:30:00"), (17, "")];
    let log = of(1, "1", 0, &at("10/27/2024")) + &of(2, "1", 0, &at("03/31/2024")) + &of(3, "1", 0, &[]);
    std::fs::write(folder.0.path().join("IN.log"), log).unwrap();
    let ran = folder.run(&["import", "--create", "--json", "--time-zone", "Europe/London", "IN.log"]).ends(0);
    let ran = ran
        .complains("1 record with a local time that comes twice, because the clocks went back")
        .complains("1 record with a local time that does not exist in this time zone: check --time-zone");
    let answer = ran.json();
    assert_eq!((&answer["ambiguous_times"], &answer["nonexistent_times"]), (&1.into(), &1.into()));
    let all = folder.run(&["export", "--format", "jsonl"]).ends(0).stdout;
    for start in ["2024-10-27T00:30:00.000Z", "2024-03-31T01:30:00.000Z"] {
        assert!(all.contains(start), "{all}");
    }
}

#[test]
fn what_reports_leave_out_is_reported() {
    let folder = Folder::new();
    folder.import(&of(1, "1", 0, &[]));
    // rasadmin recorded on this server from a minute later on.
    let (from, to) = ((T + 60) * 1_000, (T + 600) * 1_000);
    let instance =
        format!("INSERT INTO instances (server, token, started, last_activity) VALUES ('vpn1', 't', {from}, {to})");
    rusqlite::Connection::open(folder.0.path().join("a.db")).unwrap().execute_batch(&instance).unwrap();
    let log = of(1, "1", 0, &[]) + &of(2, "1", 59, &[]) + &of(3, "1", 60, &[]) + &of(4, "1", 600, &[]);
    std::fs::write(folder.0.path().join("IN.log"), &log).unwrap();
    let dry = folder.run(&["import", "--dry-run", "--json", "IN.log"]).ends(0).json();
    let ran = folder.run(&["import", "IN.log"]).ends(0);
    ran.prints("3  new\n").prints("2  of the new ones left out of reports: rasadmin itself recorded on their server");
    assert_eq!((&dry["new"], &dry["hidden"]), (&3.into(), &2.into()));
    let shown = folder.run(&["sessions", "--json"]).ends(0).json();
    assert_eq!(shown.as_array().unwrap().len(), 2);
    let again = folder.import(&log);
    assert_eq!((&again["new"], &again["hidden"]), (&0.into(), &0.into()));
}
