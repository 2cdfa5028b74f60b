//! The ledger's file: documented, migrated, guarded; and what every implementation of the ledger must do.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::identity::Identity;
use rasadmin_engine::ledger::sqlite::{Create, Sqlite};
use rasadmin_engine::ledger::{
    Away, AwayKind, ClosedBy, Closing, EndedBy, Ledger, NewLease, NewLink, NewSession, Origin, Transaction, Usage, Used,
};
use rasadmin_engine::{Name, Tunnel};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

fn open(path: &Path) -> Result<Sqlite, Away> {
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
    rusqlite::Connection::open(&path).unwrap().execute("UPDATE about SET value = ?1", [other]).unwrap();
    let away = open(&path).unwrap_err();
    assert_eq!(away.kind, AwayKind::Foreign);
    assert!(away.message.contains(&format!("belongs to {other} processes")), "{away}");
}

/// A ledger as version 1 left it, with a session in it, is brought up to date when it is opened.
#[test]
fn an_older_ledger_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.db");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../src/ledger/schema-1.sql")).unwrap();
    let platform = if cfg!(windows) { "windows" } else { "unix" };
    old.execute("INSERT INTO about VALUES ('platform', ?1)", [platform]).unwrap();
    old.execute_batch(
        "INSERT INTO sessions (acct_session_id, instance, nas_identifier, user_name, handle, remote_computer,
             calling_station_id, interface_type, quarantine, acct_start_time, links_changed)
         VALUES ('k', 1, 'VPN1', 'alice', 5, '', '', 'client', 'normal', 1000, 1000);
         PRAGMA user_version = 1",
    )
    .unwrap();
    drop(old);
    let mut ledger = open(&path).unwrap();
    let found = in_one(&mut ledger, |t| t.live_by_handle(&server(), 5)).unwrap();
    assert_eq!(found.key, "k");
    drop(ledger);
    let new = rusqlite::Connection::open(&path).unwrap();
    let ask = |sql: &str| new.query_row(sql, [], |row| row.get::<_, i64>(0));
    assert_eq!(ask("PRAGMA user_version"), Ok(2));
    assert_eq!(ask("SELECT count(*) FROM sessions WHERE imported IS NULL"), Ok(1));
    // An imported session that were live would count in limits.
    assert!(new.execute("UPDATE sessions SET imported = 'odbc'", []).is_err());
    assert!(new.execute("UPDATE sessions SET imported = 'odbc', acct_stop_time = 2000", []).is_ok());
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
fn one_that_vanished_is_not_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.db");
    let away = Sqlite::open(&path, Create::No, true, soon()).unwrap_err();
    assert_eq!(away.kind, AwayKind::Missing);
    assert!(!path.exists());
}

#[test]
fn octets_are_exact_below_the_wrap() {
    let usage = |packets| Usage { input_packets: packets, ..Usage::default() };
    assert!(usage(2_684_354).is_exact());
    assert!(!usage(2_684_355).is_exact());
}

// What every implementation must do: written for the trait, run for each.

fn alice() -> Identity {
    Identity { domain: "CORP".into(), name: "ALICE".into() }
}

fn server() -> Name {
    "VPN1".into()
}

fn in_one<T>(ledger: &mut dyn Ledger, mut work: impl FnMut(&mut dyn Transaction) -> Result<T, Away>) -> T {
    let mut answer = None;
    ledger
        .transact(soon(), false, &mut |t| {
            answer = Some(work(t)?);
            Ok(())
        })
        .unwrap();
    answer.unwrap()
}

fn ipv4(number: u64) -> Address {
    Address { family: Family::Ipv4, number }
}

fn lease(t: &mut dyn Transaction, address: Address, port: &str, began: i64) -> Result<i64, Away> {
    let (server, user, port) = (server(), alice(), Name::new(port));
    t.begin_lease(&NewLease {
        instance: 1,
        server: &server,
        address,
        prefix: None,
        user: Some(&user),
        user_name: &port,
        port: &port,
        origin: Origin::Pool,
        pool: Some("p"),
        tag: Some(7),
        began,
        decision: None,
    })
}

fn session(t: &mut dyn Transaction, key: &str, handle: u64, start: i64) -> Result<i64, Away> {
    let (server, user, name) = (server(), alice(), Name::new("alice"));
    t.begin_session(&NewSession {
        key,
        instance: 1,
        server: &server,
        user: Some(&user),
        user_name: &name,
        handle,
        guid: Some(key),
        computer: &name,
        source: "203.0.113.9",
        interface: "client",
        quarantine: "normal",
        tunnel: None,
        port: None,
        start,
    })
}

fn what_fails_leaves_nothing(ledger: &mut dyn Ledger) {
    let failed = ledger.transact(soon(), true, &mut |t| {
        session(t, "gone", 1, 5)?;
        Err(Away { kind: AwayKind::Other, message: "on purpose".into() })
    });
    assert_eq!(failed.unwrap_err().message, "on purpose");
    assert_eq!(in_one(ledger, |t| t.live_by_handle(&server(), 1)), None);
}

fn sessions_are_found_while_they_live(ledger: &mut dyn Ledger) {
    let port = Name::new("VPN0-1");
    let id = in_one(ledger, |t| session(t, "one", u64::MAX, 1000));
    let found = |l: &mut dyn Ledger| {
        let by_handle = in_one(l, |t| t.live_by_handle(&server(), u64::MAX)).map(|s| s.id);
        let by_guid = in_one(l, |t| t.live_by_guid(&server(), "one")).map(|s| s.id);
        let by_port = in_one(l, |t| t.live_by_port(&server(), &port)).map(|s| s.id);
        let of_user = in_one(l, |t| t.live_of(&alice())).len();
        [by_handle.is_some(), by_guid.is_some(), by_port.is_some(), of_user == 1]
    };
    assert_eq!(found(ledger), [true, true, false, true]);
    in_one(ledger, |t| t.establish(id, 2000, &port, Some(Tunnel::Sstp)));
    assert_eq!(found(ledger), [true; 4]);
    let live = in_one(ledger, |t| t.live_by_id(id)).unwrap();
    assert_eq!((live.tunnel, live.established, live.user), (Some(Tunnel::Sstp), Some(2000), Some(alice())));
    assert_eq!(in_one(ledger, |t| t.live_by_handle(&"OTHER".into(), u64::MAX)), None);
    assert_eq!(in_one(ledger, |t| t.live_users()), [(alice(), 1)]);
    let closing = Closing { stop: 9000, by: ClosedBy::Hangup, usage: Usage { seconds: 8, ..Usage::default() } };
    in_one(ledger, |t| t.close_session(id, &closing));
    assert_eq!(found(ledger), [false; 4]);
}

fn links_belong_to_ports(ledger: &mut dyn Ledger) {
    let port = Name::new("VPN0-2");
    let id = in_one(ledger, |t| session(t, "two", 2, 1000));
    let (server, device) = (server(), Name::new("WAN Miniport (SSTP)"));
    let new = NewLink { session: Some(id), server: &server, port: &port, device: &device, tunnel: None, start: 1000 };
    in_one(ledger, |t| t.begin_link(&new));
    assert_eq!(in_one(ledger, |t| t.live_by_port(&server, &port)).map(|s| s.id), Some(id));
    let end = |l: &mut dyn Ledger| in_one(l, |t| t.end_link(&server, &port, 2000, &Usage::default()));
    assert_eq!(end(ledger), Some(Some(id)));
    assert_eq!(end(ledger), None, "it has ended");
}

fn an_address_has_one_live_lease(ledger: &mut dyn Ledger) {
    let address = ipv4(0x0a08_0001);
    assert_eq!(in_one(ledger, |t| t.address_used(&server(), address)), Used::Never);
    in_one(ledger, |t| lease(t, address, "VPN0-1", 100));
    assert_eq!(in_one(ledger, |t| t.address_used(&server(), address)), Used::Held);
    let twice = ledger.transact(soon(), false, &mut |t| lease(t, address, "VPN0-2", 200).map(drop));
    assert!(twice.is_err(), "the store itself refuses a double");
    let held = in_one(ledger, |t| t.live_lease_at(&server(), address)).unwrap();
    in_one(ledger, |t| t.end_lease(&held, &server(), 300, EndedBy::PortStartedAgain, Some(7)));
    assert_eq!(in_one(ledger, |t| t.address_used(&server(), address)), Used::Free);
    // It was given to another port since; the first port's release, which comes late, is the first lease's.
    in_one(ledger, |t| lease(t, address, "VPN0-1", 400));
    let due = in_one(ledger, |t| t.lease_to_release(&server(), &"VPN0-1".into(), address)).unwrap();
    assert_eq!((due.id, due.live), (held.id, false));
    in_one(ledger, |t| t.released_late(due.id));
    let due = in_one(ledger, |t| t.lease_to_release(&server(), &"VPN0-1".into(), address)).unwrap();
    assert!(due.live);
    in_one(ledger, |t| t.end_lease(&due, &server(), 500, EndedBy::Release, Some(7)));
    assert_eq!(in_one(ledger, |t| t.lease_to_release(&server(), &"VPN0-1".into(), address)), None);
}

fn free_addresses_come_in_the_order_of_their_release(ledger: &mut dyn Ledger) {
    for (number, released) in [(1, 30), (2, 10), (u64::MAX, 20)] {
        let address = Address { family: Family::Ipv6, number };
        in_one(ledger, |t| lease(t, address, "VPN6-1", 1));
        let held = in_one(ledger, |t| t.live_lease_at(&server(), address)).unwrap();
        in_one(ledger, |t| t.end_lease(&held, &server(), released, EndedBy::Release, Some(8)));
    }
    assert_eq!(in_one(ledger, |t| t.least_recent(8)), Some(2));
    assert_eq!(in_one(ledger, |t| t.previous(&server(), Family::Ipv6, &alice())), [1, u64::MAX, 2]);
    in_one(ledger, |t| t.untag(&server(), Address { family: Family::Ipv6, number: 2 }));
    assert_eq!(in_one(ledger, |t| t.least_recent(8)), Some(u64::MAX));
    // A range over the middle of the numbers, where SQLite's order turns.
    assert_eq!(in_one(ledger, |t| t.retag(&server(), Family::Ipv6, (2, u64::MAX), 9)), 2);
    assert_eq!(in_one(ledger, |t| t.least_recent(9)), Some(2));
}

fn a_pool_has_a_row_for_each_shape(ledger: &mut dyn Ledger) {
    let row =
        |l: &mut dyn Ledger, shape: &str| in_one(l, |t| t.pool(&server(), "p", Family::Ipv6, shape, u64::MAX - 1));
    let (first, cursor) = row(ledger, "a");
    assert_eq!(cursor, Some(u64::MAX - 1));
    in_one(ledger, |t| t.set_cursor(first, Some(u64::MAX)));
    assert_eq!(row(ledger, "a"), (first, Some(u64::MAX)));
    in_one(ledger, |t| t.set_cursor(first, None));
    assert_eq!(row(ledger, "a"), (first, None));
    assert_ne!(row(ledger, "b").0, first);
}

fn use_is_summed_by_days(ledger: &mut dyn Ledger) {
    let usage = Usage { input_octets: 10, output_octets: 20, ..Usage::default() };
    in_one(ledger, |t| t.add_usage(&alice(), "2026-11-22", 5, None));
    in_one(ledger, |t| t.add_usage(&alice(), "2026-11-23", 7, Some(&usage)));
    in_one(ledger, |t| t.add_usage(&alice(), "2026-11-23", 1, Some(&usage)));
    assert_eq!(in_one(ledger, |t| t.used(&alice(), "2026-11-23", "2026-11-23")), (8, 60));
    assert_eq!(in_one(ledger, |t| t.used(&alice(), "2026-11-01", "2026-11-30")), (13, 60));
    assert_eq!(in_one(ledger, |t| t.used(&alice(), "2026-12-01", "2026-12-31")), (0, 0));
}

fn a_spool_is_replayed_once(ledger: &mut dyn Ledger) {
    let mut replay = |sequence| in_one(ledger, |t| t.replaying("s", sequence));
    assert_eq!([replay(1), replay(2), replay(1), replay(2), replay(3)], [true, true, false, false, true]);
}

/// The tests of the trait, for a store that is empty.
const EVERY_STORE: [fn(&mut dyn Ledger); 8] = [
    what_fails_leaves_nothing,
    sessions_are_found_while_they_live,
    links_belong_to_ports,
    an_address_has_one_live_lease,
    free_addresses_come_in_the_order_of_their_release,
    a_pool_has_a_row_for_each_shape,
    use_is_summed_by_days,
    a_spool_is_replayed_once,
];

#[test]
fn memory_does_what_every_store_must() {
    for test in EVERY_STORE {
        test(&mut rasadmin_engine::ledger::memory::Memory::default());
    }
}

#[test]
fn sqlite_does_what_every_store_must() {
    for test in EVERY_STORE {
        let folder = tempfile::tempdir().unwrap();
        test(&mut open(&folder.path().join("l.db")).unwrap());
    }
}
