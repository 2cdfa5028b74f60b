//! The rows that records make.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::effect::Usage;
use rasadmin_engine::{Context, Effect, Event, Process, Quarantine, Tunnel, decide};
use rasadmin_ledger::report::Reader;
use rasadmin_recorder::Verdict;
use std::collections::BTreeSet;
use support::{Scene, With, append, connection, dump, link, soon};

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

/// A day with everything that can happen to a session, and one session that is still connected.
fn a_day() -> Scene {
    let scene = Scene::new(OPEN);
    let given = scene.begin(1, "alice", "VPN0-1").unwrap();
    assert_eq!(scene.link(1, "VPN0-9", Tunnel::Sstp), Verdict::Accept);
    scene.wait(100);
    scene.recorder.link_hangup(&link(1, "VPN0-9", Tunnel::Sstp), scene.now());
    let moved = connection(1, "alice").with(|e| e.source = "198.51.100.7".into());
    assert_eq!(scene.recorder.endpoint_change(&moved, scene.now()), Verdict::Accept);
    scene.end(1, "alice", "VPN0-1", &given);
    assert!(scene.begin(2, "mallory", "VPN0-2").is_err());
    scene.recorder.hangup(&connection(77, "nobody"), scene.now());
    // The links end, and the user is back after a minute and a half: closed, and live again.
    let given = scene.begin(3, "carol", "VPN0-3").unwrap();
    scene.recorder.link_hangup(&link(3, "VPN0-3", Tunnel::Sstp), scene.now());
    scene.wait(90);
    scene.begin(4, "dora", "VPN0-4").unwrap();
    assert_eq!(scene.link(3, "VPN0-3", Tunnel::Sstp), Verdict::Accept);
    scene.end(3, "carol", "VPN0-3", &given);
    scene
}

#[test]
fn every_kind_of_effect_is_brought_in_and_again_changes_nothing() {
    let scene = a_day();
    // And what happens on other days.
    let dora = connection(4, "dora").with(|e| e.quarantine = Some(Quarantine::Probation));
    assert_eq!(scene.recorder.reauthenticate(&dora, scene.now()), Verdict::Accept);
    scene.release("dora", "VPN0-4", "10.8.0.3");
    scene.look(4, Usage { input_octets: 7, input_packets: 1, ..Usage::default() });
    scene.record(Event::Lost { events: 3 });
    let (before, all) = (dump(&scene.ledger()), scene.records());
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
            "counted",
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
            "session-ended",
            "session-established",
            "session-revived",
            "source-changed",
            "used"
        ],
        "what the day has"
    );
    assert!(before.iter().all(|rows| !rows.is_empty()), "{before:#?}");
    rusqlite::Connection::open(&scene.config.ledger).unwrap().execute("DELETE FROM journals", []).unwrap();
    assert_eq!(scene.ingest().records, all.len() as u64);
    assert_eq!(dump(&scene.ledger()), before);
}

#[test]
fn a_record_of_an_instance_that_has_ended_is_kept_and_changes_nothing() {
    let mut scene = a_day();
    let ended = scene.present().instance().unwrap();
    scene.restart();
    let rows = scene.ask("SELECT * FROM sessions");
    let server = "VPN1".into();
    let context = Context::new(&scene.config, &server, ended, Process(1));
    let other = support::journal(&scene.config);
    let mut guard = other.lock(soon()).unwrap();
    guard.catch_up(|_| {}).unwrap();
    let record = decide(&scene.present(), &context, &Event::Connection(connection(5, "emil")), &scene.now());
    assert!(record.effects.iter().any(|effect| matches!(effect, Effect::SessionBegan(_))));
    append(&mut guard, &record);
    drop(guard);
    assert_eq!(scene.ask("SELECT * FROM sessions"), rows);
    assert_eq!(scene.ask("SELECT session FROM decisions WHERE name = 'EMIL'"), "-");
    assert_eq!(Reader::open(&scene.ledger()).unwrap().faults().unwrap(), Vec::<String>::new());
}

#[test]
fn a_reader_does_not_wait_for_writers() {
    let scene = a_day();
    let path = scene.ledger();
    let holder = rusqlite::Connection::open(&path).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let reader = Reader::open(&path).unwrap();
    assert_eq!(reader.counts().unwrap().live_sessions, 1);
    assert_eq!(reader.servers().unwrap(), ["VPN1".into()]);
}
