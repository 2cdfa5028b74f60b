//! The ledger's file: every column is documented, and unusable files are refused.
#![allow(clippy::unwrap_used)]

use rasadmin_ledger::report::Reader;
use rasadmin_ledger::sqlite::{Create, Sqlite};
use rasadmin_ledger::{Error, ErrorKind};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

fn open(path: &Path) -> Result<Sqlite, Error> {
    Sqlite::open(path, Create::Yes, true, soon())
}

#[test]
fn every_column_is_documented() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.db");
    drop(open(&path).unwrap());
    let ledger = rusqlite::Connection::open(&path).unwrap();
    let sql = "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'";
    let mut statement = ledger.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
    let columns: BTreeSet<_> = rows.unwrap().map(Result::unwrap).collect();
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ledger.md")).unwrap();
    let mut documented = BTreeSet::new();
    for section in page.split("\n### ").skip(1) {
        let table = section.lines().next().unwrap().trim();
        for line in section.lines().filter(|line| line.starts_with("| `")) {
            let names = line.split('|').nth(1).unwrap().split('`').skip(1).step_by(2);
            documented.extend(names.map(|name| (table.to_owned(), name.to_owned())));
        }
    }
    assert_eq!(columns, documented, "docs/ledger.md and schema.sql differ");
}

#[test]
fn a_ledger_of_the_other_platform_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.db");
    drop(open(&path).unwrap());
    let other = if cfg!(windows) { "unix" } else { "windows" };
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute("UPDATE about SET value = ?1 WHERE key = 'platform'", [other])
        .unwrap();
    let error = open(&path).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Foreign);
    assert!(error.message.contains(&format!("belongs to {other} processes")), "{error}");
}

#[test]
fn a_ledger_of_an_older_version_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.db");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch("CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT); PRAGMA user_version = 4").unwrap();
    drop(old);
    for error in [open(&path).unwrap_err(), Reader::open(&path).unwrap_err()] {
        assert_eq!(error.kind, ErrorKind::Foreign);
        assert!(error.message.contains("its version is 4") && error.message.contains("move it away"), "{error}");
    }
}

#[test]
fn a_ledger_of_an_earlier_version_is_upgraded_and_keeps_its_rows() {
    const SINCE_8: &str = "DROP TABLE session_octets;";
    const SINCE_7: &str = "DROP INDEX decisions_rule; DROP INDEX decisions_denied_user;";
    const SINCE_6: &str = "ALTER TABLE sessions DROP COLUMN adopted; DROP INDEX sessions_disconnect;
         ALTER TABLE sessions DROP COLUMN disconnect; ALTER TABLE sessions DROP COLUMN disconnect_time;
         ALTER TABLE sessions DROP COLUMN disconnect_why; ALTER TABLE sessions DROP COLUMN disconnect_rule;
         ALTER TABLE sessions DROP COLUMN disconnect_reason; ALTER TABLE sessions DROP COLUMN disconnect_by;";
    let folder = tempfile::tempdir().unwrap();
    let schema = |path: &Path| -> Vec<String> {
        let ledger = rusqlite::Connection::open(path).unwrap();
        let mut statement = ledger
            .prepare(
                "SELECT m.name || ' ' || coalesce(c.name, '') AS one
                 FROM sqlite_schema m LEFT JOIN pragma_table_xinfo(m.name) c ORDER BY one",
            )
            .unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let since =
        [(6, format!("{SINCE_6}{SINCE_7}{SINCE_8}")), (7, format!("{SINCE_7}{SINCE_8}")), (8, SINCE_8.to_owned())];
    for (version, since) in since {
        let path = folder.path().join(format!("{version}.db"));
        drop(open(&path).unwrap());
        let newest = schema(&path);
        let old = rusqlite::Connection::open(&path).unwrap();
        old.execute_batch(&format!(
            "{since} PRAGMA user_version = {version};
             INSERT INTO sessions (acct_session_id, instance, nas_identifier, user_name, handle, remote_computer,
                 calling_station_id, interface_type, quarantine, acct_start_time, acct_stop_time, imported)
             VALUES ('k', 0, 'VPN1', 'alice', 0, '', '', '', '', 1000, 2000, 'odbc')"
        ))
        .unwrap();
        drop(old);
        let error = Reader::open(&path).unwrap_err();
        assert!(error.message.contains("`rasadmin ledger update` upgrades it to 9"), "{error}");
        drop(open(&path).unwrap());
        let sessions = Reader::open(&path).unwrap().sessions(&Default::default(), false).unwrap();
        assert_eq!(sessions.iter().map(|s| (s.user_name.as_str(), s.adopted)).collect::<Vec<_>>(), [("alice", false)]);
        assert_eq!(schema(&path), newest, "from {version}");
    }
}

#[test]
fn an_imported_session_cannot_live() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.db");
    drop(open(&path).unwrap());
    let ledger = rusqlite::Connection::open(&path).unwrap();
    let insert = |stop: &str| {
        let sql = format!(
            "INSERT INTO sessions (acct_session_id, instance, nas_identifier, user_name, handle, remote_computer,
                 calling_station_id, interface_type, quarantine, acct_start_time, acct_stop_time, imported)
             VALUES ('k', 0, 'VPN1', 'alice', 0, '', '', '', '', 1000, {stop}, 'odbc')"
        );
        ledger.execute(&sql, [])
    };
    assert!(insert("NULL").unwrap_err().to_string().contains("CHECK"));
    insert("2000").unwrap();
}

#[test]
fn several_that_open_a_new_one_at_once_make_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.db");
    std::thread::scope(|scope| {
        let opened: Vec<_> = (0..8).map(|_| scope.spawn(|| open(&path).map(drop))).collect();
        opened.into_iter().for_each(|thread| thread.join().unwrap().unwrap());
    });
}

#[test]
fn a_ledger_that_vanished_is_not_created_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.db");
    let error = Sqlite::open(&path, Create::No, true, soon()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Missing);
    assert!(!path.exists());
}
