//! `rasadmin import` and `rasadmin export`, with real files, a real SQLite and FreeRADIUS's own tables.
#![allow(clippy::unwrap_used)]

#[cfg(unix)]
#[path = "../../rasadmin-ledger/tests/support/postgresql.rs"]
mod server;
mod support;

use rusqlite::Connection;
use rusqlite::types::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use support::{Ran, rasadmin, root, words};

/// An RRAS log of made-up sessions: with their end, without, of two links, one of another user.
fn log() -> String {
    let record = |status: &str, second: i64, session: i64, more: &[(usize, &str)]| {
        let mut all = vec![String::new(); 66];
        all[..5].clone_from_slice(&["\"VPN1\"", "\"RAS\"", "06/18/2024", "14:45:48", "4"].map(str::to_owned));
        all[5] = format!("\"user{}\"", session % 7);
        all[8] = format!("\"203.0.113.{}\"", session % 200);
        all[10] = format!("\"10.8.0.{}\"", session % 200);
        all[11] = "\"VPN1\"".to_owned();
        all[13] = (session % 10).to_string();
        all[17] = (1_718_718_348 + second).to_string();
        all[19] = "5".to_owned();
        all[26] = format!("\"311 1 192.168.180.2 06/15/2024 17:41:37 {session}\"");
        all[31] = status.to_owned();
        all[35] = format!("\"{session}\"");
        all[44] = ["79617", "1", "3", "13"][usize::try_from(session % 4).unwrap()].to_owned();
        for &(at, text) in more {
            all[at] = text.to_owned();
        }
        all.join(",") + "\r\n"
    };
    let used = [(33, "1000"), (34, "2000"), (37, "50"), (38, "10"), (39, "20"), (40, "1")];
    let mut log = String::new();
    for session in 0..40 {
        log += &record("1", session * 10, session, &[]);
        if session % 5 != 0 {
            log += &record("2", session * 10 + 50, session, &used);
        } else if session % 2 == 0 {
            log += &record("3", session * 10 + 50, session, &used[..3]);
        }
    }
    log
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// A ledger with these logs in it.
    fn ledger(&self, name: &str, log: &Path) -> PathBuf {
        let ledger = self.path(name);
        rasadmin(words([&"import", &"--create", &"--ledger", &ledger, log_of(&log)])).ends(0);
        ledger
    }
}

fn log_of<'a>(path: &'a &Path) -> &'a dyn AsRef<std::ffi::OsStr> {
    path
}

fn import(ledger: &Path, log: &Path) -> serde_json::Value {
    rasadmin(words([&"import", &"--json", &"--ledger", &ledger, &log])).ends(0).json()
}

fn export(ledger: &Path, arguments: &[&str]) -> Ran {
    let mut all = words([&"export", &"--ledger", &ledger]);
    all.extend(arguments.iter().map(Into::into));
    rasadmin(all).ends(0)
}

/// Everything that is in a ledger.
fn dump(ledger: &Path) -> String {
    let connection = Connection::open(ledger).unwrap();
    let mut tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut text = String::new();
    for table in tables {
        let mut rows = connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<Value> = (0..columns).map(|at| row.get(at).unwrap()).collect();
            writeln!(text, "{table}: {values:?}").unwrap();
        }
    }
    text
}

/// Sessions of the ledger itself, as hostile as names can be.
const OWN: &str = r#"
INSERT INTO sessions (acct_session_id, instance, nas_identifier, domain, name, user_name, handle, guid, remote_computer,
    calling_station_id, interface_type, quarantine, tunnel_type, nas_port_id, framed_ip_address, framed_interface_id,
    framed_ipv6_prefix, acct_start_time, established, acct_link_count, acct_stop_time, acct_session_time,
    acct_input_octets, acct_output_octets, acct_input_packets, acct_output_packets, octets_are, acct_terminate_cause,
    closed_by, estimated, billed)
VALUES
('0193597e-6c52-7d3a-8b1c-000000000001', 1, 'VPN1', 'CORP', 'ALICE', 'CORP\alice', 1, NULL, 'PC-1', '203.0.113.1',
    'client', 'normal', 'IKEv2', 'VPN2-1', '10.8.0.9', '::a11c:e', '2001:db8:1::/64', 1700000000123, 1700000000200, 1,
    1700000060456, 60, 1000, 2000, 10, 20, 'exact', NULL, 'hangup', 0, 1),
('0193597e-6c52-7d3a-8b1c-000000000002', 1, 'VPN1', 'CORP', 'O''BRIEN', 'o''brien', 2, NULL, '', '', 'client', 'normal',
    'SSTP', 'VPN2-2', NULL, NULL, NULL, 1700000001000, 1700000001000, 2, 1700000100000, 99, 4294967290, 5,
    9000000, 20, 'lower bound', 'NAS-Reboot', 'instance ended', 1, 1),
('0193597e-6c52-7d3a-8b1c-000000000003', 1, 'VPN1', 'CORP', '=CMD|''-C CALC''!A0', '=cmd|''-C calc''!A0', 3, NULL, 'a<b>&"c"', '',
    'client', 'normal', 'SSTP', 'VPN2-3', NULL, NULL, NULL, 1700000002000, 1700000002000, 1, 1700000200000,
    198, 1, 2, 1, 1, 'exact', NULL, 'hangup', 0, 1),
('0193597e-6c52-7d3a-8b1c-000000000004', 1, 'VPN1', 'X' || char(27) || '[31M' || char(10) || '\u{d800}', 'U{41}', 'x' || char(27) || '[31m' || char(10) || '\u{d800}\u{5c}u{41}',
    4, NULL, '', '', 'client', 'normal', 'PPTP', 'VPN2-4', NULL, NULL, NULL, 1700000003000, 1700000003000, 1,
    1700000300000, 297, 1, 2, 1, 1, 'exact', NULL, 'hangup', 0, 1),
('0193597e-6c52-7d3a-8b1c-000000000005', 1, 'VPN1', 'CORP', 'BOB', 'bob', 5, NULL, '', '', 'client', 'normal', 'L2TP',
    'VPN2-5', NULL, NULL, NULL, 1700000004000, 1700000004000, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL),
('0193597e-6c52-7d3a-8b1c-000000000006', 1, 'VPN1', 'CORP', 'BOB', 'bob', 6, NULL, '', '', 'client', 'normal', NULL,
    NULL, NULL, NULL, NULL, 1700000005000, NULL, 0, 1700000006000, 1, 0, 0, 0, 0, 'exact', NULL,
    'first link rejected', 0, 0);
"#;

fn add_own(ledger: &Path) {
    Connection::open(ledger).unwrap().execute_batch(OWN).unwrap();
}

#[test]
fn importing_again_changes_nothing() {
    let folder = Folder::new();
    let log = folder.file("IN2406.log", &log());
    let ledger = folder.path("a.db");
    let refused = rasadmin(words([&"import", &"--ledger", &ledger, &log])).ends(2);
    refused.complains("this file does not exist").complains("--create");
    let dry =
        rasadmin(words([&"import", &"--create", &"--dry-run", &"--json", &"--ledger", &ledger, &log])).ends(0).json();
    assert_eq!((&dry["new"], ledger.exists()), (&40.into(), false));
    let first = rasadmin(words([&"import", &"--create", &"--json", &"--ledger", &ledger, &log])).ends(0).json();
    assert_eq!(
        (&first["new"], &first["without_end"], &first["malformed"]),
        (&40.into(), &8.into(), &0.into()),
        "{first}"
    );
    let before = dump(&ledger);
    let again = import(&ledger, &log);
    assert_eq!((&again["new"], &again["completed"], &again["already_there"]), (&0.into(), &0.into(), &40.into()));
    assert_eq!(dump(&ledger), before);
    let dry = rasadmin(words([&"import", &"--dry-run", &"--json", &"--ledger", &ledger, &log])).ends(0).json();
    assert_eq!(dry["already_there"], 40);
    let text = rasadmin(words([&"import", &"--ledger", &ledger, &log])).ends(0);
    text.prints("40 sessions:").prints("40  already there: unchanged");
}

#[test]
fn an_end_that_was_missing_completes_the_session() {
    let folder = Folder::new();
    let whole = log();
    // The log as it was in the middle of the day, and at its end.
    let middle = whole.lines().take(20).collect::<Vec<_>>().join("\r\n");
    let (morning, day) = (folder.file("morning.log", &middle), folder.file("day.log", &whole));
    let ledger = folder.ledger("a.db", &morning);
    let dry = rasadmin(words([&"import", &"--dry-run", &"--json", &"--ledger", &ledger, &day])).ends(0).json();
    let completed = import(&ledger, &day);
    assert_eq!((&dry["completed"], &dry["new"]), (&completed["completed"], &completed["new"]));
    let fresh = folder.ledger("b.db", &day);
    let jsonl = |ledger: &Path| export(ledger, &["--format", "jsonl"]).stdout;
    assert_eq!(jsonl(&ledger), jsonl(&fresh));
    // What has its end keeps it, also if an older log comes after.
    let before = dump(&ledger);
    assert_eq!(import(&ledger, &morning)["completed"], 0);
    assert_eq!(dump(&ledger), before);
}

#[test]
fn an_end_that_is_not_in_the_log_is_unknown() {
    let folder = Folder::new();
    let ledger = folder.ledger("a.db", &folder.file("IN2406.log", &log()));
    let run = |more: &[&str]| {
        let mut all = words([&more[0], &"--ledger", &ledger]);
        all.extend(more[1..].iter().map(Into::into));
        rasadmin(all)
    };
    // Session 5 has only a Start, session 10 an Interim-Update too.
    let had = run(&["who-had", "10.8.0.5", "--at", "2024-06-18T15:00:00Z"]);
    had.ends(0)
        .prints("USER5  2024-06-18 13:46:38  end unknown  held")
        .prints("end unknown: the log does not have the end");
    run(&["who-had", "10.8.0.5", "--at", "2024-06-18T13:46:37Z"]).ends(1).prints("nobody had 10.8.0.5");
    run(&["who-had", "10.8.0.10"]).ends(0).prints("2024-06-18 13:47:28  end unknown  last seen 2024-06-18 13:48:18");
    let json = run(&["who-had", "10.8.0.5", "--json"]).json();
    assert_eq!(
        (&json[0]["ended"], &json[0]["ended_by"], &json[0]["last_seen"]),
        (&serde_json::Value::Null, &"end not in the log".into(), &"2024-06-18T13:46:38Z".into())
    );
    let sessions = run(&["sessions", "--user", "user5"]).stdout;
    let of = |begun: &str| sessions.lines().find(|line| line.contains(begun)).unwrap().to_owned();
    assert!(of("13:46:38").contains("end unknown (odbc)"), "{sessions}");
    assert!(!of("13:46:38").contains("0s"), "{sessions}");
    assert!(of("13:47:48").contains("imported (odbc)"), "{sessions}");
    run(&["sessions", "--user", "user3"]).prints(">= 50s");
    run(&["sessions", "--live"]).prints("nobody is connected");
    let csv = export(&ledger, &["--format", "csv", "--user", "user5"]).stdout;
    let line = csv.lines().find(|line| line.contains("2024-06-18T13:46:38")).unwrap();
    assert!(line.contains(",2024-06-18T13:46:38.000Z,,,"), "{line}");
    assert!(line.ends_with(",yes,odbc,2024-06-18T13:46:38.000Z,5"), "{line}");
    let sql = export(&ledger, &["--format", "radacct", "--sql", "sqlite", "--user", "user5"]).stdout;
    assert!(sql.contains("'0.0.0.0', '5', 'Virtual', 1718718398, 1718718398, NULL, NULL,"), "{sql}");
}

#[test]
fn a_log_that_is_still_written_is_imported_up_to_its_last_line() {
    let folder = Folder::new();
    let whole = log();
    let cut = whole.trim_end().rfind(",50,").unwrap() + 2;
    let log = folder.file("IN2406.log", &whole[..cut]);
    let ledger = folder.path("a.db");
    let ran = rasadmin(words([&"import", &"--create", &"--ledger", &ledger, &log])).ends(0);
    ran.complains(
        "IN2406.log:76: the last line has no line end: it may still be written, so it is left for the next import",
    )
    .prints("0 lines invalid");
    folder.file("IN2406.log", &whole);
    let again = import(&ledger, &log);
    assert_eq!(
        (&again["completed"], &again["new"], &again["unfinished"]),
        (&1.into(), &0.into(), &serde_json::json!([]))
    );
    let whole = folder.ledger("b.db", &log);
    assert_eq!(export(&ledger, &["--format", "jsonl"]).stdout, export(&whole, &["--format", "jsonl"]).stdout);
}

/// Two users of an NPS: mallory has no luck, and zoe no permission.
const REJECTS: &str = "\
\"NPS1\",\"IAS\",06/18/2024,14:45:48,1,\"mallory\",,,\"203.0.113.66\",,,\"VPN1\",,,,,\"vpn\",,,5,,,,,,0,\"c 1\"\r
\"NPS1\",\"IAS\",06/18/2024,14:45:48,3,,\"CORP\\mallory\",,,,,,,,,,\"vpn\",,,,,,,,,16,\"c 1\"\r
\"NPS1\",\"IAS\",06/18/2024,14:46:48,1,\"zoe\",,,\"203.0.113.7\",,,\"VPN1\",,,,,\"vpn\",,,5,,,,,,0,\"c 2\"\r
\"NPS1\",\"IAS\",06/18/2024,14:46:48,3,,\"CORP\\zoe\",,,,,,,,,,\"vpn\",,,,,,,,,65,\"c 2\"\r
";

#[test]
fn what_nps_refused_is_shown_and_replayed() {
    let folder = Folder::new();
    let log = folder.file("IN2406.log", &(log() + REJECTS));
    let ledger = folder.path("a.db");
    let dry =
        [&words([&"import", &"--create", &"--dry-run", &"--json", &"--time-zone", &"Europe/London"])[..]].concat();
    let dry = rasadmin([dry, words([&"--ledger", &ledger, &log])].concat()).ends(0).json();
    assert_eq!((&dry["rejects"], &dry["rejects_new"]), (&2.into(), &2.into()));
    let import = |expected: &str| {
        let zone = words([&"import", &"--create", &"--time-zone", &"Europe/London"]);
        rasadmin([zone, words([&"--ledger", &ledger, &log])].concat()).ends(0).prints(expected);
    };
    import("2 attempts that NPS refused:\n          2  new\n          0  already there");
    let before = dump(&ledger);
    import("2 attempts that NPS refused:\n          0  new\n          2  already there");
    assert_eq!(dump(&ledger), before);
    let run = |more: &[&str]| {
        let mut all = words([&more[0], &"--ledger", &ledger]);
        all.extend(more[1..].iter().map(Into::into));
        rasadmin(all)
    };
    let decisions = run(&["decisions", "--rejected"]).ends(0);
    decisions
        .prints("2024-06-18 13:46:48  CORP\\ZOE")
        .prints("(NPS)  the user has no dial-in permission (65, IAS_DIALIN_DISABLED)  203.0.113.7")
        .prints("(NPS)  wrong user name or password (16, IAS_AUTH_FAILURE)            203.0.113.66")
        .prints("(NPS): from an imported log: NPS refused before RRAS asked rasadmin");
    let json = run(&["decisions", "--json", "--user", "mallory"]).ends(0).json();
    assert_eq!((&json[0]["imported"], &json[0]["reason_code"]), (&"odbc".into(), &16.into()));
    let number = json[0]["id"].to_string();
    run(&["explain", "--decision", &number]).ends(2).complains("and rasadmin was not asked");
    run(&["user", "mallory"]).ends(0).prints("connected    never\n").prints("(NPS)  wrong user name or password");
    run(&["users"]).ends(0).prints("CORP\\MALLORY").prints("2024-06-18 13:45:48");
    let report = run(&["report", "--by", "user", "--month", "2024-06", "--json"]).ends(0).json();
    let zoe = report.as_array().unwrap().iter().find(|row| row["key"] == "CORP\\ZOE").unwrap();
    assert_eq!((&zoe["denied"], &zoe["sessions"]), (&1.into(), &0.into()));
    run(&["report", "--by", "rule", "--month", "2024-06"]).ends(0).prints("  (NPS) ");
    run(&["user", "zoe"]).ends(0).prints("CORP\\ZOE").prints("(NPS)  the user has no dial-in permission");
    run(&["ledger", "check"]);
    // The candidate would refuse one of them too; the other stays refused all the same.
    let candidate = folder.file(
        "candidate.toml",
        "default_domain = \"CORP\"\ndefault.action = \"allow\"\n[[rules]]\nname = \"not mallory\"\naction = \"deny\"\n\
         users = [\"mallory\"]\n",
    );
    let replay = words([&"replay", &"--config", &candidate, &"--log", &log, &"--time-zone", &"Europe/London"]);
    let told = "NPS refused 2 attempts more, and still would; the candidate would refuse 1 of them too.";
    rasadmin(replay).ends(0).prints("of 40 sessions that were accepted, 0 would be refused").prints(told);
    rasadmin(words([&"replay", &"--config", &candidate, &"--ledger", &ledger])).ends(0).prints(told);
}

#[test]
fn import_export_import_again_is_no_change() {
    let folder = Folder::new();
    let ledger = folder.ledger("a.db", &folder.file("IN2406.log", &log()));
    add_own(&ledger);
    let before = dump(&ledger);
    let dts = folder.path("IN.log");
    for zone in ["UTC", "Asia/Kolkata", "America/New_York"] {
        export(&ledger, &["--format", "nps-dts", "--time-zone", zone, "--output", dts.to_str().unwrap()]);
        let again = import(&ledger, &dts);
        assert_eq!(
            (&again["malformed"], &again["new"], &again["completed"]),
            (&0.into(), &0.into(), &0.into()),
            "{again}"
        );
        assert_eq!(again["already_there"], 45, "all but the one whose first link was rejected");
        assert_eq!(dump(&ledger), before);
    }
    // A new ledger has of it all that the format can carry.
    let copy = folder.ledger("b.db", &dts);
    let lines = |ledger: &Path| -> Vec<serde_json::Value> {
        let text = export(ledger, &["--format", "jsonl"]).stdout;
        let mut all: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        all.retain(|one| one["closed_by"] != "first link rejected");
        for one in &mut all {
            let seen_once = one["last_seen"].is_null() || one["last_seen"] == one["acct_start_time"];
            let live = one["acct_stop_time"].is_null() && seen_once;
            let one = one.as_object_mut().unwrap();
            // What DTS has no place for.
            let mut not_carried = vec!["imported", "billed", "closed_by", "estimated", "interface_type", "quarantine"];
            if live {
                // It has no Stop, so the copy does not know that it lives.
                not_carried.push("last_seen");
            }
            for name in not_carried {
                one.remove(name);
            }
        }
        all
    };
    let (own, copied) = (lines(&ledger), lines(&copy));
    assert_eq!(own.len(), 45);
    for (own, copied) in own.into_iter().zip(copied) {
        assert_eq!(own, copied);
    }
}

#[test]
fn imported_sessions_are_over_and_the_ledgers_own_are_not_touched() {
    let folder = Folder::new();
    let ledger = folder.ledger("a.db", &folder.file("IN2406.log", &log()));
    add_own(&ledger);
    let connection = Connection::open(&ledger).unwrap();
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(
        count("SELECT count(*) FROM sessions WHERE imported = 'odbc' AND acct_stop_time IS NOT NULL AND billed = 0"),
        40
    );
    assert_eq!(
        count("SELECT count(*) FROM use")
            + count("SELECT count(*) FROM leases")
            + count("SELECT count(*) FROM journals"),
        0
    );
    // A log that claims an end for a session of our own, which lives.
    let claim = "<Event><Timestamp>11/14/2023 22:20:00.000</Timestamp><Computer-Name>VPN1</Computer-Name><Event-Source>RAS\
                 </Event-Source><Event-Timestamp>11/14/2023 22:20:00</Event-Timestamp><Acct-Status-Type>2</Acct-Status-Type>\
                 <Acct-Session-Id>0193597e-6c52-7d3a-8b1c-000000000005</Acct-Session-Id><Packet-Type>4</Packet-Type></Event>";
    let before = dump(&ledger);
    assert_eq!(import(&ledger, &folder.file("claim.log", claim))["already_there"], 1);
    assert_eq!(dump(&ledger), before);
}

#[test]
fn the_configuration_says_who_is_meant_and_where_the_clock_stands() {
    let folder = Folder::new();
    let local =
        "\"VPN1\",\"RAS\",06/18/2024,14:45:48,4,\"alice\",,,,,,\"VPN1\",,,,,,,,5,,,,,,,\"c\",,,,,1,,,,\"7\"\r\n";
    let log = folder.file("IN.log", local);
    let none = folder.file("none.toml", "default.action = \"allow\"\n");
    let ran = rasadmin(words([&"import", &"--create", &"--config", &none, &log])).ends(2);
    assert!(!ran.stderr.contains("malformed") && ran.stdout.is_empty(), "{}", ran.stderr);
    ran.complains("IN.log: line 1 has only its server's local time, without Event-Timestamp")
        .complains("--time-zone (like Europe/Berlin)");
    let config = "time_zone = \"Europe/London\"\ndefault_domain = \"CORP\"\ndefault.action = \"allow\"\n";
    let config = folder.file("rasadmin.toml", config);
    rasadmin(words([&"import", &"--config", &config, &log])).ends(0);
    let json = rasadmin(words([&"export", &"--config", &config, &"--format", &"jsonl", &"--user", &r"corp\ALICE"]))
        .ends(0)
        .json();
    assert_eq!((&json["domain"], &json["name"]), (&"CORP".into(), &"ALICE".into()));
    assert_eq!(json["acct_start_time"], "2024-06-18T13:45:48.000Z");
    rasadmin(words([&"import", &"--config", &config, &"--time-zone", &"Mars", &log]))
        .ends(2)
        .complains("there is no time zone `Mars`");
}

#[test]
fn an_export_has_what_is_asked_for_in_the_order_of_time() {
    let folder = Folder::new();
    let ledger = folder.ledger("a.db", &folder.file("IN2406.log", &log()));
    add_own(&ledger);
    let count = |more: &[&str]| export(&ledger, &[&["--format", "jsonl"], more].concat()).stdout.lines().count();
    assert_eq!((count(&[]), count(&["--own"]), count(&["--imported"])), (46, 6, 40));
    assert_eq!((count(&["--until", "2024-01-01"]), count(&["--since", "2024-01-01"])), (6, 40));
    assert_eq!(count(&["--since", "2024-06-18T13:45:58Z", "--until", "2024-06-18T13:46:08Z"]), 1);
    assert_eq!(count(&["--user", "user3"]), 6);
    let starts: Vec<String> = export(&ledger, &["--format", "jsonl"])
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["acct_start_time"].to_string())
        .collect();
    assert!(starts.is_sorted(), "{starts:?}");
    let ran = rasadmin(words([&"export", &"--ledger", &ledger, &"--format", &"csv", &"--since", &"whenever"])).ends(2);
    ran.complains("--since: `whenever` is not a valid time");
    let none = folder.path("none.db");
    rasadmin(words([&"export", &"--ledger", &none, &"--format", &"csv"]))
        .ends(2)
        .complains("the ledger does not exist yet");
}

#[test]
fn csv_is_no_formula_and_nothing_hostile_reaches_a_terminal() {
    let folder = Folder::new();
    let ledger = folder.ledger("a.db", &folder.file("IN2406.log", &log()));
    add_own(&ledger);
    let csv = export(&ledger, &["--format", "csv"]);
    csv.prints("Acct-Session-Id,NAS-Identifier,User-Name,").prints(",'=cmd|'-C calc'!A0,").prints("\"a<b>&\"\"c\"\"\"");
    for format in ["csv", "jsonl", "nps-dts", "radacct"] {
        let text = export(&ledger, &["--format", format]).stdout;
        let wrong = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(wrong, None, "{format}");
    }
    let dts = export(&ledger, &["--format", "nps-dts"]).stdout;
    assert!(dts.contains("a&lt;b&gt;&amp;") && dts.contains("Rasadmin-Escaped"), "{dts}");
    // In the order of time: the first session's end stands before a later one's start.
    let stamps: Vec<&str> =
        dts.lines().map(|line| line.split("data_type=\"4\">").nth(1).unwrap()).map(|s| &s[..23]).collect();
    let key = |stamp: &&str| (stamp[6..10].to_owned(), stamp[..5].to_owned(), stamp[11..].to_owned());
    assert!(stamps.is_sorted_by_key(key), "{stamps:?}");
}

/// FreeRADIUS's definition of its tables.
fn schema(database: &str) -> String {
    let path = root().join("target/freeradius").join(format!("{database}.sql"));
    let text = std::fs::read_to_string(&path);
    text.unwrap_or_else(|e| panic!("{}: {e}: run `cargo xtask freeradius` (`cargo xtask test` does)", path.display()))
}

#[test]
fn radacct_loads_into_sqlite_and_again_without_doubling() {
    let folder = Folder::new();
    let ledger = folder.ledger("a.db", &folder.file("IN2406.log", &log()));
    add_own(&ledger);
    let sql =
        || export(&ledger, &["--format", "radacct", "--sql", "sqlite", "--nas-ip-address", "vpn1=10.0.0.1"]).stdout;
    let radius = Connection::open_in_memory().unwrap();
    radius.execute_batch(&schema("sqlite")).unwrap();
    radius.execute_batch(&sql()).unwrap();
    radius.execute_batch(&sql()).unwrap();
    let one = |sql: &str| radius.query_row(sql, [], |row| row.get::<_, Value>(0)).unwrap();
    assert_eq!(one("SELECT count(*) FROM radacct"), Value::Integer(45));
    assert_eq!(one("SELECT count(*) FROM radacct WHERE nasipaddress <> '10.0.0.1'"), Value::Integer(0));
    // The live one, and eight whose end is not in the log.
    assert_eq!(one("SELECT count(*) FROM radacct WHERE acctstoptime IS NULL"), Value::Integer(9));
    assert_eq!(one(r"SELECT acctstarttime FROM radacct WHERE username = 'CORP\alice'"), Value::Integer(1_700_000_000));
    assert_eq!(
        one("SELECT framedinterfaceid FROM radacct WHERE realm = 'CORP' AND framedinterfaceid <> ''"),
        Value::Text("0:0:a11c:e".into())
    );
    assert_eq!(
        one("SELECT acctterminatecause FROM radacct WHERE username = 'o''brien'"),
        Value::Text("NAS-Reboot".into())
    );
    // The live one has ended: the next export says so.
    let end = "UPDATE sessions SET acct_stop_time = 1700009999000, acct_session_time = 5 WHERE acct_stop_time IS NULL";
    Connection::open(&ledger).unwrap().execute(end, []).unwrap();
    radius.execute_batch(&sql()).unwrap();
    assert_eq!(one("SELECT acctstoptime FROM radacct WHERE username = 'bob'"), Value::Integer(1_700_009_999));
    assert_eq!(one("SELECT count(*) FROM radacct"), Value::Integer(45));
}

/// No MySQL is at hand in the tests: what it needs otherwise than the two others is at least said.
#[test]
fn radacct_for_mysql_says_what_mysql_needs() {
    let folder = Folder::new();
    let ledger = folder.ledger("a.db", &folder.file("IN2406.log", &log()));
    add_own(&ledger);
    let sql = export(&ledger, &["--format", "radacct", "--sql", "mysql", "--nas-ip-address", "10.0.0.1"]);
    // A backslash means the same whatever the server's setting, and a name that does not fit ends nothing.
    sql.prints("SET sql_mode = '';")
        .prints(r"_utf8mb4 0x434F52505C616C696365, 'CORP', '10.0.0.1'")
        .prints("'o\'\'brien'")
        .prints("FROM_UNIXTIME(1700000000)")
        .prints("ON DUPLICATE KEY UPDATE username = IF(VALUES(acctstoptime) IS NOT NULL OR acctstoptime IS NULL, ");
}

#[cfg(unix)]
mod postgresql {
    use super::server::Server;
    use super::*;

    #[test]
    fn radacct_loads_into_postgresql_and_again_without_doubling() {
        let folder = Folder::new();
        let ledger = folder.ledger("a.db", &folder.file("IN2406.log", &log()));
        add_own(&ledger);
        let sql = || export(&ledger, &["--format", "radacct", "--nas-ip-address", "10.0.0.1"]).stdout;
        let server = Server::start();
        server.psql(&schema("postgresql"));
        server.psql(&sql());
        server.psql(&sql());
        assert_eq!(
            server.psql("SELECT count(*), count(DISTINCT acctuniqueid), min(nasipaddress) FROM radacct;"),
            "45|45|10.0.0.1"
        );
        let alice = "SET TIME ZONE 'UTC'; SELECT username, realm, acctstarttime, acctstoptime, framedipaddress, framedipv6prefix,
                     framedinterfaceid, connectinfo_start, acctinputoctets FROM radacct WHERE realm = 'CORP' ORDER BY 3 LIMIT 1;";
        assert_eq!(
            server.psql(alice),
            r"CORP\alice|CORP|2023-11-14 22:13:20.123+00|2023-11-14 22:14:20.456+00|10.8.0.9|2001:db8:1::/64|0:0:a11c:e|IKEv2|1000"
        );
        assert_eq!(server.psql("SELECT username FROM radacct WHERE username LIKE '=%';"), "=cmd|'-C calc'!A0");
        assert_eq!(server.psql("SELECT count(*), min(username) FROM radacct WHERE acctstoptime IS NULL;"), "9|bob");
        let end =
            "UPDATE sessions SET acct_stop_time = 1700009999000, acct_session_time = 5 WHERE acct_stop_time IS NULL";
        Connection::open(&ledger).unwrap().execute(end, []).unwrap();
        server.psql(&sql());
        assert_eq!(server.psql("SELECT count(*), count(acctstoptime) FROM radacct;"), "45|37");
    }
}
