//! What rasadmin exports, imported and loaded again: nothing is lost, and nothing stays behind.
#![allow(clippy::unwrap_used)]

mod support;

use rusqlite::Connection;
use rusqlite::types::Value;
use std::path::{Path, PathBuf};
use support::{Ran, rasadmin, words};

/// An event of VPN1, so many seconds after 2024-06-18 13:45:48 UTC.
fn event(status: u32, session: u32, second: i64, more: &[(&str, u64)]) -> String {
    let more: String = more.iter().map(|(name, value)| format!("<{name} data_type=\"0\">{value}</{name}>")).collect();
    format!(
        "<Event><Computer-Name data_type=\"1\">VPN1</Computer-Name><Event-Source data_type=\"1\">RAS</Event-Source>\
         <User-Name data_type=\"1\">user{session}</User-Name><Event-Timestamp data_type=\"0\">{}</Event-Timestamp>\
         <Acct-Status-Type data_type=\"0\">{status}</Acct-Status-Type><Acct-Multi-Session-Id data_type=\"1\">{session}\
         </Acct-Multi-Session-Id><Class data_type=\"1\">311 1 c {session}</Class>{more}<Packet-Type data_type=\"0\">4\
         </Packet-Type></Event>\r\n",
        1_718_718_348 + second
    )
}

const ID: &str = "Acct-Session-Id";
const SECONDS: &str = "Acct-Session-Time";
const IN: &str = "Acct-Input-Octets";
const OUT: &str = "Acct-Output-Octets";
const HIGH: &str = "Acct-Input-Gigawords";
const PACKETS: &str = "Acct-Input-Packets";
const CAUSE: &str = "Acct-Terminate-Cause";

/// Sessions that differ in what is known of their ends and their octets.
fn log() -> String {
    let own = |session: u32| (ID, u64::from(session));
    let start = |session: u32| event(1, session, i64::from(session), &[own(session)]);
    let used = |session, more: &[(&'static str, u64)]| [&[own(session), (SECONDS, 50)], more].concat();
    [
        // The octets are exact, but only the zero says so. No name is known for the cause.
        start(1) + &event(2, 1, 51, &used(1, &[(IN, 7), (OUT, 8), (HIGH, 0), (CAUSE, 99)])),
        // Lower bounds: without frames and gigawords, nobody knows how often a counter has wrapped. Of the second, it is
        // known to have wrapped once.
        start(2) + &event(2, 2, 52, &used(2, &[(IN, 7), (OUT, 8)])),
        start(3) + &event(3, 3, 20, &[own(3), (SECONDS, 17), (IN, 4_294_000_000), (OUT, 1)]),
        event(2, 3, 53, &used(3, &[(IN, 5), (OUT, 2)])),
        start(4) + &event(2, 4, 54, &used(4, &[(IN, 7), (OUT, 8), (HIGH, 3), (CAUSE, 1)])),
        // No octets, and two links.
        start(5) + &event(2, 5, 55, &used(5, &[])),
        start(6) + &event(1, 6, 10, &[(ID, 66)]),
        event(2, 6, 40, &[own(6), (SECONDS, 34), (IN, 1), (PACKETS, 1)]),
        event(2, 6, 56, &[(ID, 66), (SECONDS, 46), (IN, 2), (PACKETS, 1)]),
        // The server stopped, and nobody saw the end.
        start(7) + &event(3, 7, 30, &[own(7), (SECONDS, 23), (IN, 7), (OUT, 8)]),
        event(8, 0, 100, &[(ID, 0)]),
        // No end at all: never seen again, and seen once more.
        event(1, 8, 200, &[own(8)]),
        event(1, 9, 201, &[own(9)]) + &event(3, 9, 231, &[own(9), (SECONDS, 30), (IN, 7), (OUT, 8)]),
    ]
    .concat()
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

    fn import(&self, ledger: &str, log: &Path) -> serde_json::Value {
        let ledger = self.path(ledger);
        rasadmin(words([&"import", &"--create", &"--json", &"--ledger", &ledger, &log])).ends(0).json()
    }

    fn export(&self, ledger: &str, arguments: &[&str]) -> Ran {
        let ledger = self.path(ledger);
        let mut all = words([&"export", &"--ledger", &ledger]);
        all.extend(arguments.iter().map(Into::into));
        rasadmin(all).ends(0)
    }

    fn jsonl(&self, ledger: &str) -> Vec<String> {
        self.export(ledger, &["--format", "jsonl"]).stdout.lines().map(str::to_owned).collect()
    }
}

#[test]
fn our_own_events_change_nothing_where_they_come_from_and_bring_everything_elsewhere() {
    let folder = Folder::new();
    assert_eq!(folder.import("a.db", &folder.file("log.log", &log()))["new"], 9);
    let before = folder.jsonl("a.db");
    let of = |session: usize, field: &str| {
        let one: serde_json::Value = serde_json::from_str(&before[session - 1]).unwrap();
        one[field].clone()
    };
    let octets = [1, 2, 3, 4, 5, 6, 7].map(|session| of(session, "octets_are"));
    let (exact, least) = ("exact", "lower bound");
    assert_eq!(serde_json::json!(octets), serde_json::json!([exact, least, least, exact, null, exact, least]));
    assert_eq!(of(3, "acct_input_octets"), 4_294_967_301_u64);
    assert_eq!((of(7, "closed_by"), of(7, "estimated")), ("instance ended".into(), true.into()));
    let exported = folder.export("a.db", &["--format", "nps-dts", "--time-zone", "Asia/Kolkata"]).stdout;
    let exported = folder.file("exported.log", &exported);
    let again = folder.import("a.db", &exported);
    assert_eq!(
        (&again["malformed"], &again["new"], &again["completed"], &again["already_there"]),
        (&0.into(), &0.into(), &0.into(), &9.into()),
        "{again}"
    );
    assert_eq!(folder.jsonl("a.db"), before);
    assert_eq!(folder.import("b.db", &exported)["new"], 9);
    for (copied, own) in folder.jsonl("b.db").into_iter().zip(before) {
        assert_eq!(copied, own);
    }
}

/// The columns of FreeRADIUS's table that the export writes.
const RADACCT: &str = "CREATE TABLE radacct (acctsessionid, acctuniqueid UNIQUE, username, realm, nasipaddress, nasportid,
    nasporttype, acctstarttime, acctupdatetime, acctstoptime, acctsessiontime, connectinfo_start, acctinputoctets,
    acctoutputoctets, calledstationid, callingstationid, acctterminatecause, servicetype, framedprotocol, framedipaddress,
    framedipv6prefix, framedinterfaceid)";

#[test]
fn radacct_gets_what_the_ledger_has_corrected() {
    let folder = Folder::new();
    let radius = Connection::open_in_memory().unwrap();
    radius.execute_batch(RADACCT).unwrap();
    let load = |ledger: &str| {
        let sql = folder.export(ledger, &["--format", "radacct", "--sql", "sqlite", "--nas-ip-address", "10.0.0.1"]);
        radius.execute_batch(&sql.stdout).unwrap();
    };
    let end = || {
        let sql = "SELECT acctstoptime, acctsessiontime, acctinputoctets, acctterminatecause, nasportid FROM radacct";
        radius.query_row(sql, [], |row| (0..5).map(|at| row.get(at)).collect::<Result<Vec<Value>, _>>()).unwrap()
    };
    let number = Value::Integer;
    let text = |text: &str| Value::Text(text.to_owned());
    let start = event(1, 1, 0, &[(ID, 1), ("NAS-Port", 7)]);
    let stop = |more: &[(&str, u64)]| start.clone() + &event(2, 1, 60, &[&[(ID, 1)], more].concat());
    folder.import("a.db", &folder.file("1.log", &start));
    load("a.db");
    assert_eq!(end(), [Value::Null, Value::Null, Value::Null, text(""), text("7")]);
    // The same end again, with more in it.
    folder.import("a.db", &folder.file("2.log", &stop(&[(SECONDS, 50)])));
    load("a.db");
    assert_eq!(end(), [number(1_718_718_408), number(50), Value::Null, text(""), text("7")]);
    folder.import("a.db", &folder.file("3.log", &stop(&[(SECONDS, 59), (IN, 7), (OUT, 8), (CAUSE, 1)])));
    load("a.db");
    let whole = [number(1_718_718_408), number(59), number(7), text("User-Request"), text("7")];
    assert_eq!(end(), whole);
    // An end that is known stays, also if another ledger does not have it.
    folder.import("b.db", &folder.file("1.log", &start));
    load("b.db");
    assert_eq!(end(), whole);
}

#[test]
fn every_time_in_a_csv_for_excel_is_local() {
    let folder = Folder::new();
    folder.import("a.db", &folder.file("log.log", &log()));
    let csv = folder.export("a.db", &["--format", "csv", "--excel", "--time-zone", "Europe/Berlin"]).stdout;
    assert!(csv.contains(",yes,dts,2024-06-18 15:49:39,"), "{csv}");
    assert!(!csv.contains("13:4") && !csv.contains('Z'), "{csv}");
}
