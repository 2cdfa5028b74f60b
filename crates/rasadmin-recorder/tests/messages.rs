//! Every message that the engine tells, each provoked for real.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::Quarantine;
use rasadmin_engine::Tunnel::{Pptp, Sstp};
use rasadmin_engine::config;
use rasadmin_ledger::Verdict;
use rasadmin_ledger::spool::Spool;
use rasadmin_messages::Id;
use std::collections::BTreeSet;
use std::path::Path;
use support::told::{exactly, told};
use support::{Scene, With, connection, link, number};

const CONFIG: &str = r#"
    default_domain = "CORP"
    default = { action = "allow" }
    ledger.deadline_ms = 100
    addresses.pool = "tiny"
    [pools.tiny]
    addresses = ["10.8.0.1-10.8.0.2"]
    [[rules]]
    name = "no PPTP"
    action = "deny"
    tunnels = ["PPTP"]
    reason = "PPTP is not safe"
    [[rules]]
    name = "not from there"
    action = "deny"
    source_networks = ["192.0.2.0/24"]
    [[rules]]
    name = "quarantined"
    action = "deny"
    quarantine = ["quarantine"]
    [[rules]]
    name = "mallory"
    action = "deny"
    users = ["mallory"]
    when_ledger_unavailable = "deny"
"#;

/// Which are told by the engine: a new message must be put here, and provoked below. The others are the DLL's and the
/// system log's (crates/rasadmin-dll/tests/system_log.rs, crates/rasadmin-system).
fn is_the_engines(id: Id) -> bool {
    match id {
        Id::Started | Id::Stopped | Id::StoppedAmongCalls | Id::LogNotOpened | Id::Bug | Id::LeftOut => false,
        Id::ConfigNotFound | Id::ConfigNeverGood => false,
        Id::ConfigInForce | Id::ConfigBroken | Id::ConfigBrokenAtStart | Id::ConfigNotKept => true,
        Id::ConnectionRefused | Id::LinkRefused | Id::AddressRefused => true,
        Id::ReauthenticationRefused | Id::EndpointChangeRefused | Id::PoolExhausted => true,
        Id::LedgerAway | Id::LedgerBack | Id::SpoolReplayed | Id::EventLost | Id::EarlierServiceClosed => true,
        Id::Anomaly | Id::NoSpool | Id::SpoolRecordNotUnderstood | Id::SpoolNotDeleted => true,
    }
}

#[test]
fn every_message_of_the_engine_has_a_test_here() {
    let source = include_str!("messages.rs");
    let provoked = |id: &Id| source.matches(&format!("Id::{id:?}")).count() > 1;
    let engines: BTreeSet<_> = Id::ALL.iter().copied().filter(|id| is_the_engines(*id)).collect();
    let tested: BTreeSet<_> = engines.iter().copied().filter(provoked).collect();
    assert_eq!(tested, engines);
}

#[test]
fn refusals() {
    told();
    let scene = Scene::new(CONFIG);
    assert_eq!(scene.begin(1, "alice", "VPN0-1").unwrap(), "10.8.0.1");
    exactly(&[]);
    // Connection, with a name that nobody can forge a line with.
    let event = connection(2, "eve\n400").with(|e| {
        e.source = "192.0.2.7".into();
        e.computer = "PC-7".into();
    });
    assert!(matches!(scene.connect(&event), Verdict::Reject(_)));
    let text = exactly(&[Id::ConnectionRefused]);
    let expected =
        r"connection refused: user CORP\EVE\n400, from 192.0.2.7, computer PC-7; rule: not from there; reason: -";
    assert_eq!(text[0], expected);
    // Link.
    assert_eq!(scene.connect(&connection(3, "bob")), Verdict::Accept);
    assert!(matches!(scene.link(3, "VPN4-3", Pptp), Verdict::Reject(_)));
    let text = exactly(&[Id::LinkRefused]);
    let expected = r"link refused: user CORP\BOB, port VPN4-3, tunnel PPTP; rule: no PPTP; reason: PPTP is not safe";
    assert_eq!(text[0], expected);
    // Address.
    assert!(scene.address("mallory", "VPN0-9", "172.16.0.9").is_err());
    let text = exactly(&[Id::AddressRefused]);
    assert_eq!(text[0], r"IPv4 address refused: user CORP\MALLORY, port VPN0-9; rule: mallory; reason: -");
    // Reauthentication, endpoint change.
    let event = connection(1, "alice").with(|e| e.quarantine = Some(Quarantine::Quarantine));
    assert!(matches!(scene.engine.reauthenticate(&event, scene.now()), Verdict::Reject(_)));
    let text = exactly(&[Id::ReauthenticationRefused]);
    let expected = r"reauthentication refused: user CORP\ALICE, from 203.0.113.9; rule: quarantined; reason: -";
    assert_eq!(text[0], expected);
    let event = connection(1, "alice").with(|e| e.source = "192.0.2.9".into());
    assert!(matches!(scene.engine.endpoint_change(&event, scene.now()), Verdict::Reject(_)));
    let text = exactly(&[Id::EndpointChangeRefused]);
    let expected = r"endpoint change refused: user CORP\ALICE, now from 192.0.2.9; rule: not from there; reason: -";
    assert_eq!(text[0], expected);
    // The pool.
    assert_eq!(scene.begin(4, "dora", "VPN0-4").unwrap(), "10.8.0.2");
    assert!(scene.address("emil", "VPN0-5", "172.16.0.9").is_err());
    let text = exactly(&[Id::PoolExhausted]);
    assert_eq!(text[0], r"pool tiny is exhausted: user CORP\EMIL, port VPN0-5; no address is given");
}

#[test]
fn a_pool_that_keeps_the_offer_is_told_of_too() {
    told();
    let scene = Scene::new(&CONFIG.replace("10.8.0.2\"]", "10.8.0.1\"]\nwhen_exhausted = \"keep-offer\""));
    assert_eq!(scene.begin(1, "alice", "VPN0-1").unwrap(), "10.8.0.1");
    assert!(scene.address("bob", "VPN0-2", "").is_err());
    let text = exactly(&[Id::PoolExhausted]);
    assert!(text[0].ends_with("port VPN0-2; no address is given, and RRAS offers no address"), "{text:?}");
    assert_eq!(scene.address("bob", "VPN0-2", "172.16.0.10").unwrap(), "172.16.0.10");
    let text = exactly(&[Id::PoolExhausted]);
    assert_eq!(text[0], r"pool tiny is exhausted: user CORP\BOB, port VPN0-2; RRAS's offer is kept");
}

#[test]
fn a_ledger_that_goes_and_comes_back() {
    told();
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("rasadmin.db");
    std::fs::create_dir(&ledger).unwrap();
    let scene = Scene::within(folder, CONFIG);
    let text = exactly(&[Id::LedgerAway]);
    assert!(text[0].starts_with("the ledger is away (missing): "), "{text:?}");
    // The rule's policy decides, and says so.
    let event = connection(7, "mallory").with(|e| e.addresses = vec![number("172.16.0.9")]);
    assert!(matches!(scene.connect(&event), Verdict::Reject(_)));
    let text = exactly(&[Id::ConnectionRefused]);
    assert!(text[0].ends_with("rule: mallory; reason: the ledger is away"), "{text:?}");
    assert!(scene.address("carol", "VPN1-2", "").is_err());
    let text = exactly(&[Id::AddressRefused]);
    assert!(text[0].ends_with("rule: (default); reason: the ledger is away, and RRAS offers no address"), "{text:?}");
    // It is tried again, and told once.
    scene.wait(11);
    assert_eq!(scene.connect(&connection(8, "carol")), Verdict::Accept);
    exactly(&[]);
    std::fs::remove_dir(&ledger).unwrap();
    scene.wait(11);
    assert_eq!(scene.connect(&connection(8, "carol")), Verdict::Accept);
    let text = exactly(&[Id::SpoolReplayed, Id::LedgerBack]);
    assert_eq!(text[0], "events that waited in the spool were recorded: 3");
    // It is away while somebody holds it.
    let holder = rusqlite::Connection::open(&ledger).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(scene.connect(&connection(9, "dora")), Verdict::Accept);
    assert!(exactly(&[Id::LedgerAway])[0].starts_with("the ledger is away (locked): "));
    drop(holder);
    scene.wait(11);
    assert_eq!(scene.connect(&connection(10, "emil")), Verdict::Accept);
    exactly(&[Id::SpoolReplayed, Id::LedgerBack]);
}

#[test]
fn odd_events_and_what_an_earlier_service_left() {
    told();
    let scene = Scene::new(CONFIG);
    scene.engine.hangup(&connection(99, "nobody"), scene.now());
    let text = exactly(&[Id::Anomaly]);
    assert!(text[0].starts_with("hangup of an unknown connection: nobody handle 0x63; it was recorded"), "{text:?}");
    scene.begin(1, "alice", "VPN0-1").unwrap();
    scene.engine.link_hangup(&link(1, "VPN0-1", Sstp), scene.now());
    exactly(&[]);
    // It dies; the next one begins.
    let Scene { folder, engine, .. } = scene;
    drop(engine);
    drop(Scene::within(folder, CONFIG));
    let text = exactly(&[Id::EarlierServiceClosed]);
    assert_eq!(text[0], "an earlier service left open what was closed now: sessions 1, leases 1");
}

#[test]
fn without_a_spool_events_are_lost() {
    told();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let scene = Scene::within(folder, &format!("ledger.path = \"file/rasadmin.db\"\n{CONFIG}"));
    exactly(&[Id::LedgerAway, Id::NoSpool]);
    assert_eq!(scene.connect(&connection(1, "alice")), Verdict::Accept);
    let text = exactly(&[Id::EventLost]);
    assert!(text[0].contains("lost so far: 1; the event: Waited"), "{text:?}");
}

fn left_by_another(ledger: &Path, text: &str) {
    assert!(Spool::create(ledger, Some(rasadmin_engine::Id(7))).unwrap().append(text, true).unwrap());
}

#[test]
fn a_record_that_is_not_understood_is_told_whole() {
    told();
    let folder = tempfile::tempdir().unwrap();
    left_by_another(&folder.path().join("rasadmin.db"), "{\"of\": \"a newer version\"}");
    drop(Scene::within(folder, CONFIG));
    let text = exactly(&[Id::SpoolRecordNotUnderstood]);
    assert!(text[0].ends_with(r#"left out: {"of": "a newer version"}"#), "{text:?}");
}

/// It is mounted over itself, so that Linux does not let go of it.
#[cfg(target_os = "linux")]
#[test]
fn a_spool_that_cannot_be_deleted() {
    support::disk::on_a_small_disk("a_spool_that_cannot_be_deleted", |disk| {
        let folder = tempfile::tempdir_in(disk).unwrap();
        left_by_another(&folder.path().join("rasadmin.db"), "x");
        let spool = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        support::disk::mount(&["--bind", spool.to_str().unwrap()], &spool);
        told();
        let scene = Scene::within(folder, CONFIG);
        exactly(&[Id::SpoolRecordNotUnderstood, Id::SpoolNotDeleted]);
        std::mem::forget(scene); // Its folder goes with the disk.
    });
}

/// Another program reads it, and does not share it for deleting.
#[cfg(windows)]
#[test]
fn a_spool_that_cannot_be_deleted() {
    use std::os::windows::fs::OpenOptionsExt;
    const FILE_SHARE_READ_WRITE: u32 = 3;
    let folder = tempfile::tempdir().unwrap();
    left_by_another(&folder.path().join("rasadmin.db"), "x");
    let spool = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let reader = std::fs::OpenOptions::new().read(true).share_mode(FILE_SHARE_READ_WRITE).open(spool).unwrap();
    told();
    let scene = Scene::within(folder, CONFIG);
    exactly(&[Id::SpoolRecordNotUnderstood, Id::SpoolNotDeleted]);
    drop(reader);
    drop(scene);
}

#[test]
fn the_configuration_changes_breaks_and_cannot_be_kept() {
    told();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rasadmin.toml");
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    write("default.action = \"allow\"\n");
    let mut watch = config::start(&path).unwrap().watch;
    let mut now = std::time::Instant::now();
    let mut look = || {
        now += std::time::Duration::from_secs(1);
        if let Some(change) = watch.check(now) {
            change.tell(&path);
        }
    };
    write("default.action = \"deny\"\n");
    look();
    assert!(exactly(&[Id::ConfigInForce])[0].contains("rasadmin.toml has changed, and is in force ("));
    write("default.action = \"dney\"\n");
    look();
    let text = exactly(&[Id::ConfigBroken]);
    assert!(
        text[0].contains("the one before stays in force: ") && text[0].contains("rasadmin.toml:1:18: "),
        "{text:?}"
    );
    config::start(&path).unwrap().trouble.unwrap().tell();
    assert!(exactly(&[Id::ConfigBrokenAtStart])[0].contains("rasadmin.toml:1:18: "));
    // In the place of the copy stands a directory.
    let copy = folder.path().join("rasadmin.db.last-good.json");
    std::fs::remove_file(&copy).unwrap();
    std::fs::create_dir(&copy).unwrap();
    write("default.action = \"allow\" # mended\n");
    look();
    exactly(&[Id::ConfigNotKept, Id::ConfigInForce]);
    config::start(&path).unwrap().trouble.unwrap().tell();
    assert!(exactly(&[Id::ConfigNotKept])[0].contains("rasadmin.db.last-good.json: "));
}
