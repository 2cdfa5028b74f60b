//! The records in a ledger, and the rows that are made of them.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::effect::Effect;
use rasadmin_engine::event::Seen;
use rasadmin_engine::state::Checkpoint;
use rasadmin_engine::{Event, Here, Id, Journal, Name, Process, Quarantine, Record, State, Tunnel, decide};
use rasadmin_ledger::report::Reader;
use rasadmin_ledger::sqlite::{Create, Records, Sqlite};
use rasadmin_ledger::{AwayKind, Verdict};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};
use support::{Scene, With, connection, link, number};

const OPEN: &str = r#"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    [pools.staff]
    addresses = ["10.8.0.1-10.8.0.6"]
    [[rules]]
    name = "not mallory"
    action = "deny"
    users = ["mallory"]
"#;

/// What is made of the records.
const TABLES: [&str; 9] =
    ["instances", "sessions", "links", "leases", "use", "decisions", "anomalies", "configs", "loads"];

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

fn server() -> Name {
    Name::new("VPN1")
}

/// Another process of the same service looks at the same ledger.
fn records(scene: &Scene) -> (Records, State) {
    let ledger = Sqlite::open(&scene.path(), Create::No, true, soon()).unwrap();
    Records::of(ledger, &server(), &scene.config, soon()).unwrap()
}

fn append(records: &mut Records, state: &mut State, record: &Record) -> Option<Record> {
    records.call(state, soon(), &mut |_| Some(record.clone())).unwrap()
}

/// A day with all that can happen to a session, and one that is still connected.
fn a_day() -> Scene {
    let scene = Scene::new(OPEN);
    let given = scene.begin(1, "alice", "VPN0-1").unwrap();
    assert_eq!(scene.link(1, "VPN0-9", Tunnel::Sstp), Verdict::Accept);
    scene.wait(100);
    scene.engine.link_hangup(&link(1, "VPN0-9", Tunnel::Sstp), scene.now());
    let moved = connection(1, "alice").with(|e| e.source = "198.51.100.7".into());
    assert_eq!(scene.engine.endpoint_change(&moved, scene.now()), Verdict::Accept);
    scene.end(1, "alice", "VPN0-1", &given);
    assert!(scene.begin(2, "mallory", "VPN0-2").is_err());
    scene.engine.hangup(&connection(77, "nobody"), scene.now());
    // Her links go, and she is back after a minute and a half: closed, and alive again.
    let given = scene.begin(3, "carol", "VPN0-3").unwrap();
    scene.engine.link_hangup(&link(3, "VPN0-3", Tunnel::Sstp), scene.now());
    scene.wait(90);
    scene.begin(4, "dora", "VPN0-4").unwrap();
    assert_eq!(scene.link(3, "VPN0-3", Tunnel::Sstp), Verdict::Accept);
    scene.end(3, "carol", "VPN0-3", &given);
    scene
}

fn journal(path: &Path) -> Vec<Record> {
    let ledger = rusqlite::Connection::open(path).unwrap();
    let mut statement = ledger.prepare("SELECT record FROM journal ORDER BY number").unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(|text| serde_json::from_str(&text.unwrap()).unwrap()).collect()
}

fn dump(scene: &Scene) -> Vec<String> {
    TABLES.map(|table| scene.ask(&format!("SELECT * FROM {table} ORDER BY 1, 2"))).to_vec()
}

#[test]
fn the_rows_are_made_of_the_records_alone() {
    let scene = a_day();
    // And what happens on other days.
    let dora = connection(4, "dora").with(|e| e.quarantine = Some(Quarantine::Probation));
    assert_eq!(scene.engine.reauthenticate(&dora, scene.now()), Verdict::Accept);
    scene.release("dora", "VPN0-4", "10.8.0.3");
    let (server, mut other) = (server(), records(&scene));
    let here = Here::new(&scene.config, &server, other.1.instance().unwrap(), Process(1));
    for event in [Event::Look(vec![Seen { connection: dora }]), Event::Lost { events: 3 }] {
        let decide = &mut |state: &State| Some(decide(state, &here, &event, &scene.now()));
        assert!(other.0.call(&mut other.1, soon(), decide).unwrap().is_some());
    }
    let (before, all) = (dump(&scene), journal(&scene.path()));
    let kind = |effect: &Effect| {
        let written = serde_json::to_value(effect).unwrap();
        written.as_object().and_then(|of| of.keys().next().cloned()).unwrap_or_else(|| written.to_string())
    };
    let kinds: BTreeSet<String> = all.iter().flat_map(|record| &record.effects).map(kind).collect();
    assert_eq!(
        kinds.iter().map(String::as_str).collect::<Vec<_>>(),
        [
            "anomaly",
            "config-read",
            "cursor-moved",
            "instance-began",
            "lease-began",
            "lease-ended",
            "lease-held",
            "lease-release-seen",
            "lease-taken",
            "link-began",
            "link-ended",
            "lost",
            "quarantine-changed",
            "session-began",
            "session-confirmed",
            "session-ended",
            "session-established",
            "session-revived",
            "source-changed",
            "used"
        ],
        "what the day has"
    );
    assert!(before.iter().all(|rows| !rows.is_empty()), "{before:#?}");
    // The rows are lost with the records, and these are told again from the first.
    let emptied = TABLES.map(|table| format!("DELETE FROM {table};")).join("");
    let ledger = rusqlite::Connection::open(scene.path()).unwrap();
    ledger.execute_batch(&format!("DELETE FROM journal; {emptied}")).unwrap();
    let (mut records, mut state) = records(&scene);
    assert_eq!(state.number(), 0);
    for record in &all {
        assert!(append(&mut records, &mut state, record).is_some());
    }
    assert_eq!(dump(&scene), before);
}

/// Whether an event of a spool was recorded is noted with its record, or not at all.
#[test]
fn an_event_of_a_spool_is_recorded_once() {
    let scene = Scene::new(OPEN);
    let (mut records, mut state) = records(&scene);
    let server = server();
    let here = Here::new(&scene.config, &server, state.instance().unwrap(), Process(1));
    let mut told = |sequence: u64, fails: bool| {
        let mut once = Some(());
        let appended = records.batch(&mut state, soon(), &mut |batch| {
            if once.take().is_none() {
                let away = rasadmin_ledger::Away { kind: AwayKind::Other, message: String::new() };
                return if fails { Err(away) } else { Ok(None) };
            }
            let hangup = Event::Hangup(connection(7, "nobody"));
            let new = batch.is_new("spool", sequence)?;
            Ok(new.then(|| decide(batch.state(), &here, &hangup, &scene.now())))
        });
        appended.ok()
    };
    assert_eq!(told(1, true), None);
    assert_eq!(told(1, false), Some(1));
    assert_eq!(told(2, false), Some(1));
    assert_eq!((told(2, false), told(1, false)), (Some(0), Some(0)));
    assert_eq!(scene.ask("SELECT count(*) FROM anomalies"), "2");
}

/// It is decided before the lock is held, so that it is known whether to sync; and on what is so once it is held.
#[test]
fn what_others_have_appended_meanwhile_is_decided_on_and_synced() {
    let scene = Scene::new(OPEN);
    let (mut records, mut state) = records(&scene);
    let server = server();
    let here = Here::new(&scene.config, &server, state.instance().unwrap(), Process(1));
    let mut hangup = |handle: u64| {
        let (event, mut seen) = (Event::Hangup(connection(handle, "alice")), Vec::new());
        records.ledger().logged();
        let decide = &mut |state: &State| {
            seen.push(state.live_count());
            Some(decide(state, &here, &event, &scene.now()))
        };
        assert!(records.call(&mut state, soon(), decide).unwrap().is_some());
        let sql: Vec<String> = records.ledger().logged().into_iter().map(|logged| logged.sql).collect();
        let full = sql.iter().rposition(|sql| sql == "PRAGMA synchronous = FULL");
        (seen, full.is_some() && full < sql.iter().rposition(|sql| sql == "COMMIT"))
    };
    assert_eq!(hangup(7), (vec![0], false), "nobody's hangup");
    scene.begin(1, "alice", "VPN0-1").unwrap();
    // It was nobody's as far as this process knew.
    assert_eq!(hangup(1), (vec![0, 1], true));
    assert_eq!(scene.ask("SELECT closed_by FROM sessions"), "hangup");
    assert_eq!(hangup(8), (vec![0], false), "nobody else has appended");
}

#[test]
fn a_process_that_lags_behind_the_records_that_are_left_starts_from_the_checkpoint() {
    let scene = a_day();
    let (mut lagging, mut old) = records(&scene);
    // Another one appends, writes the state down, and trims; and appends more.
    scene.begin(5, "emil", "VPN0-5").unwrap();
    let (mut trimming, newer) = records(&scene);
    trimming.write_checkpoint(&newer, soon()).unwrap();
    trimming.trim(soon()).unwrap();
    assert_eq!(scene.ask("SELECT count(*) FROM journal"), "0");
    let looked = |records: &mut Records, state: &mut State| {
        assert_eq!(records.call(state, soon(), &mut |_| None).unwrap(), None);
    };
    looked(&mut lagging, &mut old);
    assert_eq!(Checkpoint::of(&old), Checkpoint::of(&newer));
    assert!(old.serves(&scene.config), "its indexes serve the configuration");
    scene.begin(6, "fred", "VPN0-6").unwrap();
    looked(&mut lagging, &mut old);
    assert_eq!(old.live_count(), 3);
    let read = Reader::open(&scene.path()).unwrap().state_of(&server()).unwrap();
    assert_eq!(Checkpoint::of(&old), Checkpoint::of(&read));
}

#[test]
fn a_missing_or_damaged_record_is_no_small_matter() {
    for (damage, text) in [
        ("DELETE FROM journal WHERE number = 3", "records of VPN1 are missing"),
        ("UPDATE journal SET record = '{}' WHERE number = 3", "record 3 of VPN1 is damaged"),
    ] {
        let scene = a_day();
        rusqlite::Connection::open(scene.path()).unwrap().execute_batch(damage).unwrap();
        let ledger = Sqlite::open(&scene.path(), Create::No, true, soon()).unwrap();
        let away = Records::of(ledger, &server(), &scene.config, soon()).unwrap_err();
        assert_eq!(away.kind, AwayKind::Corrupt);
        assert!(away.message.contains(text), "{away}");
    }
}

#[test]
fn a_start_that_has_much_to_replay_leaves_less_to_the_next() {
    let scene = Scene::new(OPEN);
    for _ in 0..1_001 {
        scene.engine.hangup(&connection(7, "nobody"), scene.now());
    }
    assert_eq!(scene.ask("SELECT count(*) FROM checkpoints"), "0", "never inside a callback");
    drop(scene.beside());
    let replayed = "SELECT count(*) FROM journal WHERE number > (SELECT max(number) FROM checkpoints)";
    assert_eq!(scene.ask(replayed), "1", "that its configuration was read");
    // What lies before goes little by little, with the calls.
    let before: i64 = scene.ask("SELECT count(*) FROM journal").parse().unwrap();
    let other = scene.beside();
    for _ in 0..30 {
        other.hangup(&connection(7, "nobody"), scene.now());
    }
    let after: i64 = scene.ask("SELECT count(*) FROM journal").parse().unwrap();
    assert!(before > 900 && after < 50, "{before}, then {after}");
}

#[test]
fn a_service_that_runs_for_long_writes_its_state_down_now_and_then() {
    let scene = Scene::new(OPEN);
    scene.engine.hangup(&connection(7, "nobody"), scene.now());
    // As another process would have appended them.
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50001)
                INSERT INTO journal SELECT server, number + i, record FROM n,
                    (SELECT * FROM journal ORDER BY number DESC LIMIT 1)";
    rusqlite::Connection::open(scene.path()).unwrap().execute_batch(many).unwrap();
    assert_eq!(scene.ask("SELECT count(*) FROM checkpoints"), "0");
    scene.engine.hangup(&connection(7, "nobody"), scene.now());
    assert_eq!(scene.ask("SELECT count(*) FROM checkpoints"), "1");
    let before = scene.ask("SELECT count(*) FROM journal");
    scene.engine.hangup(&connection(7, "nobody"), scene.now());
    assert_eq!(scene.ask(&format!("SELECT {before} - count(*) FROM journal")), "63", "64 went, and one came");
}

#[test]
fn two_calls_with_the_same_random_bytes_are_two() {
    let scene = Scene::new(OPEN);
    let now = scene.now();
    scene.engine.hangup(&connection(7, "nobody"), now);
    scene.engine.hangup(&connection(8, "nobody"), now);
    assert_eq!(scene.ask("SELECT count(*) FROM anomalies"), "2");
    assert_eq!(scene.engine.health().waiting, 0);
}

#[test]
fn a_stop_leaves_a_state_and_no_records_and_nothing_is_opened_after_it() {
    let scene = a_day();
    scene.engine.stop(scene.now());
    assert_eq!(scene.ask("SELECT count(*) FROM checkpoints"), "1");
    assert_eq!(scene.ask("SELECT count(*) FROM journal"), "0");
    let files = || std::fs::read_dir(scene.folder.path()).unwrap().count();
    let (before, rows) = (files(), dump(&scene));
    assert!(matches!(scene.connect(&connection(9, "alice")), Verdict::Reject(_)));
    assert!(scene.address("alice", "VPN0-9", "172.16.0.9").is_err());
    scene.engine.hangup(&connection(4, "dora"), scene.now());
    assert_eq!((files(), dump(&scene)), (before, rows));
}

#[test]
fn a_reader_has_the_state_and_neither_waits_nor_writes() {
    let scene = a_day();
    let holder = rusqlite::Connection::open(scene.path()).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let state = Reader::open(&scene.path()).unwrap().state_of(&server()).unwrap();
    assert_eq!(state.live().map(|session| session.user_name.to_string()).collect::<Vec<_>>(), ["dora"]);
    assert_eq!(Reader::open(&scene.path()).unwrap().servers().unwrap(), [server()]);
}

#[test]
fn a_reject_is_not_synced_and_an_accept_is() {
    let scene = Scene::new(OPEN);
    scene.engine.logged();
    let synced = |work: &dyn Fn()| {
        work();
        scene.engine.logged().iter().filter(|logged| logged.sql == "PRAGMA synchronous = FULL").count()
    };
    assert_eq!(synced(&|| drop(scene.address("alice", "VPN0-1", ""))), 0);
    assert_eq!(synced(&|| drop(scene.connect(&connection(2, "mallory")))), 0);
    let event = connection(1, "alice").with(|e| e.addresses = vec![number("10.8.0.1")]);
    assert_eq!(synced(&|| drop(scene.connect(&event))), 1);
    assert_eq!(synced(&|| drop(scene.link(1, "VPN0-1", Tunnel::Sstp))), 0);
    assert_eq!(synced(&|| scene.engine.hangup(&connection(1, "alice"), scene.now())), 1);
    assert_eq!(synced(&|| scene.engine.hangup(&connection(1, "alice"), scene.now())), 0, "it ended before");
}

#[test]
fn a_decision_that_panics_leaves_nothing_half_done() {
    let scene = a_day();
    let (mut records, mut state) = records(&scene);
    let rows = dump(&scene);
    let call = std::panic::AssertUnwindSafe(|| records.call(&mut state, soon(), &mut |_| panic!("on purpose")));
    assert!(std::panic::catch_unwind(call).is_err());
    assert_eq!(dump(&scene), rows);
    scene.begin(5, "emil", "VPN0-5").unwrap();
    let server = server();
    let here = Here::new(&scene.config, &server, state.instance().unwrap(), Process(1));
    let (hangup, now) = (Event::Hangup(connection(5, "emil")), scene.now());
    let decide = &mut |state: &State| Some(decide(state, &here, &hangup, &now));
    assert!(records.call(&mut state, soon(), decide).unwrap().is_some());
}

#[test]
fn a_record_of_an_instance_that_has_ended_is_kept_and_changes_nothing() {
    let mut scene = a_day();
    let (mut records, state) = records(&scene);
    let ended = state.instance().unwrap();
    scene.restart();
    let (server, rows) = (server(), scene.ask("SELECT * FROM sessions"));
    let here = Here::new(&scene.config, &server, ended, Process(1));
    let (accept, now) = (Event::Connection(connection(5, "emil")), scene.now());
    let mut state = state;
    let decide = &mut |state: &State| Some(decide(state, &here, &accept, &now));
    assert!(records.call(&mut state, soon(), decide).unwrap().is_some());
    assert_eq!(scene.ask("SELECT * FROM sessions"), rows);
    assert_eq!(scene.ask("SELECT session FROM decisions WHERE name = 'EMIL'"), "-");
    assert_eq!(Reader::open(&scene.path()).unwrap().faults().unwrap(), Vec::<String>::new());
}

#[test]
fn of_a_batch_all_is_there_or_nothing() {
    let scene = a_day();
    let (mut records, mut state) = records(&scene);
    let (rows, before) = (dump(&scene), Checkpoint::of(&state));
    let config = scene.config.clone();
    let server = server();
    let mut batch = |fails: bool| {
        let here = Here::new(&config, &server, state.instance().unwrap(), Process(1));
        let mut handles = [101, 102].into_iter();
        let done = records.batch(&mut state, soon(), &mut |batch| {
            assert!(!batch.knows(Id(5)).unwrap());
            let Some(handle) = handles.next() else {
                return if fails {
                    Err(rasadmin_ledger::Away { kind: AwayKind::Other, message: String::new() })
                } else {
                    Ok(None)
                };
            };
            let event = Event::Connection(connection(handle, "gina"));
            Ok(Some(decide(batch.state(), &here, &event, &scene.now())))
        });
        (done.ok(), Checkpoint::of(&state))
    };
    assert_eq!(batch(true), (None, before));
    assert_eq!(dump(&scene), rows);
    assert_eq!(batch(false).0, Some(2));
    assert_eq!(scene.ask("SELECT count(*) FROM sessions WHERE name = 'GINA'"), "2");
}
