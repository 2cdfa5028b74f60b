//! Past sessions, so many that no page can show them at once, in the ledger of a day that was played.
//!
//! Session `i` began `i` times 100 seconds before the day, and each value of it follows from `i`: a test knows what a search
//! must find.

use std::path::Path;

/// The columns that differ; the others are those of a session of the day that has ended.
const SESSION: [(&str, &str); 13] = [
    ("acct_session_id", "key"),
    ("domain", "'CORP'"),
    ("name", "name"),
    ("user_name", "'CORP\\' || lower(name)"),
    ("remote_computer", "printf('PC-%04d', i % 2500)"),
    ("calling_station_id", "printf('192.0.2.%d', i % 250)"),
    ("tunnel_type", "tunnel"),
    ("framed_ip_address", "address"),
    ("acct_start_time", "start"),
    ("began", "start"),
    ("established", "start"),
    ("acct_stop_time", "stop"),
    ("acct_session_time", "(stop - start) / 1000"),
];

const LEASE: [(&str, &str); 9] = [
    ("lease", "key"),
    ("number", "169086976 + i % 200 + 1"),
    ("address", "address"),
    ("domain", "'CORP'"),
    ("name", "name"),
    ("user_name", "'CORP\\' || lower(name)"),
    ("began", "start"),
    ("accepted", "start"),
    ("ended", "stop"),
];

const DECISION: [(&str, &str); 6] = [
    ("record", "key"),
    ("time", "start"),
    ("domain", "'CORP'"),
    ("name", "name"),
    ("user_name", "'CORP\\' || lower(name)"),
    ("rule", "rule"),
];

/// One in ten sessions is of CORP\BUSY, and each of 450 others has a hundred. One in a hundred was let in as a device.
const MANY_SESSIONS: &str = "CREATE TEMP TABLE many AS
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
    SELECT i, printf('%032x', i) AS key, 1795388400000 - i * 100000 AS start,
        1795388400000 - i * 100000 + 1800000 + i % 1000 * 1000 AS stop,
        CASE WHEN i % 10 = 0 THEN 'BUSY' ELSE printf('USER%03d', i % 500) END AS name,
        CASE i % 3 WHEN 0 THEN 'SSTP' WHEN 1 THEN 'IKEv2' ELSE 'L2TP' END AS tunnel,
        CASE WHEN i % 100 = 1 THEN 'device tunnels' ELSE 'staff' END AS rule,
        printf('10.20.16.%d', i % 200 + 1) AS address FROM n;";

/// Adds them to the ledger, each with its lease and the decision that let it in; and 10,000 denials.
pub fn add(ledger: &Path) {
    let mut ledger = rusqlite::Connection::open(ledger).unwrap();
    let all = ledger.transaction().unwrap();
    all.execute_batch(MANY_SESSIONS).unwrap();
    let ended = "acct_stop_time IS NOT NULL AND closed_by = 'hangup' AND tunnel_type <> 'PPTP'";
    copy(&all, "sessions", ended, &SESSION, "true");
    let session = ("session", "(SELECT id FROM sessions WHERE acct_session_id = key)");
    let with = |columns: &[(&'static str, &'static str)]| [columns, &[session]].concat();
    copy(&all, "leases", "family = 4 AND ended_by = 'release'", &with(&LEASE), "true");
    copy(&all, "decisions", "outcome = 'allow' AND stage = 'connection'", &with(&DECISION), "true");
    let mut denied = [&DECISION[..], &[("session", "NULL")]].concat();
    denied[0].1 = "'denied ' || key";
    denied[5].1 = "'no PPTP'";
    copy(&all, "decisions", "rule = 'no PPTP'", &denied, "i % 5 = 1");
    all.execute("DROP TABLE many", []).unwrap();
    all.commit().unwrap();
}

/// Copies the first row that is as `model` says, for each of them that `which` says, with other values in some columns.
fn copy(ledger: &rusqlite::Connection, table: &str, model: &str, other: &[(&str, &str)], which: &str) {
    let kept: Vec<String> = ledger
        .prepare(&format!("SELECT name FROM pragma_table_info('{table}') WHERE name <> 'id'"))
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .filter(|name: &String| other.iter().all(|(column, _)| column != name))
        .collect();
    let kept = kept.join(", ");
    let columns: Vec<_> = other.iter().map(|(column, _)| *column).collect();
    let values: Vec<_> = other.iter().map(|(_, value)| *value).collect();
    let (columns, values) = (columns.join(", "), values.join(", "));
    let statement = format!(
        "INSERT INTO {table} ({columns}, {kept}) SELECT {values}, {kept}
         FROM many, (SELECT {kept} FROM {table} WHERE {model} ORDER BY id LIMIT 1) WHERE {which} ORDER BY i DESC"
    );
    assert_ne!(ledger.execute(&statement, []).unwrap(), 0, "{table}");
}
