//! The ledger away: each kind of absence for real, crossed with each callback.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::Tunnel::Sstp;
use rasadmin_ledger::AwayKind;
use rasadmin_ledger::Verdict;
use std::path::Path;
#[cfg(target_os = "linux")]
use support::disk::{mount, on_a_small_disk};
use support::{Scene, With, connection, link, number};

const CONFIG: &str = r#"
    default_domain = "CORP"
    default.action = "allow"
    ledger.deadline_ms = 100
    addresses.pool = "staff"
    [pools.staff]
    addresses = ["10.8.0.1-10.8.0.200"]
    [[reservations]]
    user = "alice"
    address = "10.9.0.7"
    [[rules]]
    name = "counted, denied while away"
    action = "deny"
    users = ["denied"]
    user_sessions = { at_least = 100 }
    when_ledger_unavailable = "deny"
    [[rules]]
    name = "counted, skipped while away"
    action = "deny"
    users = ["skipped"]
    user_sessions = { at_least = 0 }
    when_ledger_unavailable = "skip"
    [[rules]]
    name = "only with a record"
    action = "allow"
    users = ["recorded"]
    when_ledger_unavailable = "deny"
"#;

/// The same expectations for every kind of absence.
fn assert_answers(scene: &Scene, kind: AwayKind) {
    let kept = |user: &str, port: &str, offer: &str| scene.address(user, port, offer);
    // Address: RRAS's offer, unless it is none, lies in a pool or is reserved; and only if the rules allow.
    let no_offer = "the ledger is away, and RRAS offers no address";
    let pooled = "the ledger is away, and RRAS's offer lies in a pool";
    let reserved = "the ledger is away, and RRAS's offer is reserved for somebody";
    assert_eq!(kept("carol", "VPN1-1", "172.16.0.9"), Ok("172.16.0.9".to_owned()), "{kind:?}");
    assert_eq!(scene.engine.health().away.map(|away| away.kind), Some(kind));
    assert_eq!(kept("carol", "VPN1-2", ""), Err(no_offer.to_owned()));
    assert_eq!(kept("carol", "VPN1-2", "10.8.0.77"), Err(pooled.to_owned()));
    assert_eq!(kept("carol", "VPN1-2", "10.9.0.7"), Err(reserved.to_owned()));
    assert_eq!(kept("alice", "VPN1-2", "10.9.0.7"), Err(reserved.to_owned()));
    let denied = "rule `counted, denied while away` because the ledger is away";
    assert_eq!(kept("denied", "VPN1-2", "172.16.0.10"), Err(denied.to_owned()));
    // Connections follow each rule's policy.
    let expected = [
        (11, "carol", None),
        (12, "skipped", None),
        (13, "denied", Some(denied)),
        (14, "recorded", Some("rule `only with a record` because the ledger is away")),
    ];
    for (handle, user, denied) in expected {
        let event = connection(handle, user).with(|e| e.addresses = vec![number("172.16.0.9")]);
        let expected = denied.map_or(Verdict::Accept, |why: &str| Verdict::Reject(why.to_owned()));
        assert_eq!(scene.connect(&event), expected, "{kind:?} {user}");
        assert_eq!(scene.engine.reauthenticate(&event, scene.now()), expected, "{kind:?} {user}");
        assert_eq!(scene.engine.endpoint_change(&event, scene.now()), expected, "{kind:?} {user}");
    }
    // A link follows its connection; one of a connection that nobody remembers, the default.
    assert_eq!(scene.link(11, "VPN1-1", Sstp), Verdict::Accept);
    assert_eq!(scene.link(12, "VPN1-2", Sstp), Verdict::Accept);
    assert_eq!(scene.link(99, "VPN1-9", Sstp), Verdict::Accept);
    // What has no answer waits.
    scene.engine.link_hangup(&link(12, "VPN1-2", Sstp), scene.now());
    scene.engine.hangup(&connection(12, "skipped"), scene.now());
    scene.release("alice", "VPN0-7", "10.8.0.1");
    assert_eq!(scene.engine.health().lost, 0);
    assert_eq!(scene.engine.health().waiting, 24);
}

/// Once the cause is gone and ten seconds have passed, everything is there, once and in order.
fn assert_replayed(scene: &Scene) {
    scene.wait(9);
    assert!(scene.address("dora", "VPN2-1", "172.16.0.20").is_ok());
    assert!(scene.engine.health().away.is_some(), "it is tried again only every ten seconds");
    scene.wait(2);
    let fresh = scene.address("emil", "VPN2-2", "").unwrap();
    assert_eq!(scene.engine.health().away, None);
    assert_eq!(scene.engine.health().waiting, 0);
    let carol = scene
        .ask("SELECT name, framed_ip_address, nas_port_id, acct_stop_time IS NULL FROM sessions WHERE handle = 11");
    assert_eq!(carol, "CAROL 172.16.0.9 VPN1-1 1");
    assert_eq!(scene.ask("SELECT closed_by FROM sessions WHERE handle = 12"), "hangup");
    assert_eq!(scene.ask("SELECT count(*) FROM sessions WHERE handle IN (13, 14)"), "0");
    assert_eq!(scene.ask("SELECT count(*) FROM decisions WHERE ledger_away = 1 AND outcome = 'deny'"), "11");
    assert_eq!(scene.ask("SELECT count(DISTINCT address) = count(*) FROM leases WHERE ended IS NULL"), "1");
    assert_eq!(fresh.rsplit_once('.').unwrap().0, "10.8.0");
    // Not a second time.
    let before = scene.ask("SELECT count(*), max(id) FROM decisions");
    drop(scene.beside());
    assert_eq!(scene.ask("SELECT count(*), max(id) FROM decisions"), before);
}

/// A running service with a session, whose ledger goes away and comes back. On Windows an open file cannot be moved.
#[cfg(unix)]
fn while_running(kind: AwayKind, away: impl FnOnce(&Path), back: impl FnOnce(&Path)) {
    let scene = Scene::new(CONFIG);
    assert_eq!(scene.begin(1, "bob", "VPN0-1").unwrap(), "10.8.0.1");
    away(&scene.path());
    assert_answers(&scene, kind);
    back(&scene.path());
    assert_replayed(&scene);
    assert_eq!(scene.ask("SELECT acct_stop_time IS NULL FROM sessions WHERE handle = 1"), "1");
    assert_eq!(scene.ask("SELECT count(*) FROM leases WHERE address = '10.8.0.1' AND ended IS NULL"), "1");
}

/// A service that starts while the ledger cannot be used.
fn at_start(kind: AwayKind, away: impl FnOnce(&Path), back: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("rasadmin.db");
    away(&ledger);
    let scene = Scene::within(folder, CONFIG);
    assert_answers(&scene, kind);
    back(&ledger);
    assert_replayed(&scene);
}

#[test]
fn a_directory_in_its_place() {
    at_start(AwayKind::Missing, |l| std::fs::create_dir(l).unwrap(), |l| std::fs::remove_dir(l).unwrap());
}

#[test]
fn garbage_in_the_file() {
    at_start(
        AwayKind::Corrupt,
        |l| std::fs::write(l, vec![0x5a; 40_000]).unwrap(),
        |l| std::fs::remove_file(l).unwrap(),
    );
}

#[test]
fn another_programs_database() {
    let make = |l: &Path| {
        rusqlite::Connection::open(l).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    };
    at_start(AwayKind::Foreign, make, |l| std::fs::remove_file(l).unwrap());
}

#[test]
fn a_newer_version() {
    let make = |l: &Path| rusqlite::Connection::open(l).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    at_start(AwayKind::Foreign, make, |l| std::fs::remove_file(l).unwrap());
}

#[test]
fn a_foreign_lock() {
    let scene = Scene::new(CONFIG);
    scene.begin(1, "bob", "VPN0-1").unwrap();
    let holder = rusqlite::Connection::open(scene.path()).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_answers(&scene, AwayKind::Locked);
    drop(holder);
    assert_replayed(&scene);
}

#[cfg(unix)]
#[test]
fn it_vanishes_while_the_service_runs_and_is_not_made_anew() {
    let aside = |l: &Path| l.with_extension("aside");
    let away = |l: &Path| std::fs::rename(l, aside(l)).unwrap();
    let back = |l: &Path| {
        assert!(!l.exists(), "a new ledger would give the live leases away");
        std::fs::rename(aside(l), l).unwrap();
    };
    while_running(AwayKind::Missing, away, back);
}

#[cfg(unix)]
#[test]
fn its_folder_vanishes_and_a_directory_takes_its_place() {
    let aside = |l: &Path| l.with_extension("aside");
    let away = |l: &Path| {
        std::fs::rename(l, aside(l)).unwrap();
        std::fs::create_dir(l).unwrap();
    };
    let back = |l: &Path| {
        std::fs::remove_dir(l).unwrap();
        std::fs::rename(aside(l), l).unwrap();
    };
    while_running(AwayKind::Missing, away, back);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    on_a_small_disk("a_full_disk", |disk| {
        let scene = Scene::within(tempfile::tempdir_in(disk).unwrap(), CONFIG);
        assert_eq!(scene.begin(1, "bob", "VPN0-1").unwrap(), "10.8.0.1");
        let filler = disk.join("filler");
        let mut file = std::fs::File::create(&filler).unwrap();
        while std::io::Write::write(&mut file, &[1; 4096]).is_ok_and(|n| n > 0) {}
        drop(file);
        // The log's last page may still have room for some: until it has none.
        for handle in 1000..1200 {
            scene.engine.hangup(&connection(handle, "nobody"), scene.now());
            if scene.engine.health().away.is_some() {
                break;
            }
        }
        let waiting = scene.engine.health().waiting;
        assert_eq!(waiting, 1, "{:?}", scene.engine.health());
        for _ in 0..23 {
            scene.engine.hangup(&connection(2000, "nobody"), scene.now());
        }
        assert_eq!(scene.engine.health().waiting, 24, "a full disk cannot extend a spool: its space is written ahead");
        assert_eq!(scene.address("carol", "VPN1-1", "172.16.0.9"), Ok("172.16.0.9".to_owned()));
        assert_eq!(scene.engine.health().away.map(|away| away.kind), Some(AwayKind::Full));
        std::fs::remove_file(filler).unwrap();
        scene.wait(11);
        let given = scene.address("emil", "VPN2-2", "");
        assert_eq!(given.as_deref(), Ok("10.8.0.2"), "{:?}", scene.engine.health());
        assert_eq!((scene.engine.health().waiting, scene.engine.health().lost), (0, 0));
        assert_eq!(scene.ask("SELECT name FROM leases WHERE address = '172.16.0.9'"), "CAROL");
        assert_eq!(scene.ask("PRAGMA integrity_check"), "ok");
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_ledger() {
    on_a_small_disk("a_read_only_ledger", |disk| {
        let folder = tempfile::tempdir_in(disk).unwrap();
        drop(Scene::within(tempfile::tempdir_in(disk).unwrap(), CONFIG));
        let ledger = folder.path().join("rasadmin.db");
        // The ledger alone is read-only: bound over itself, as its folder is where the spool goes.
        std::fs::write(&ledger, "").unwrap();
        let name = ledger.to_str().unwrap();
        mount(&["--bind", name], &ledger);
        mount(&["-o", "remount,ro,bind"], &ledger);
        let scene = Scene::within(folder, CONFIG);
        assert_answers(&scene, AwayKind::ReadOnly);
        mount(&["-o", "remount,rw,bind"], &ledger);
        assert_replayed(&scene);
    });
}

#[test]
fn beyond_the_spool_events_are_counted_as_lost() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rasadmin.db")).unwrap();
    let scene = Scene::within(folder, CONFIG);
    let long = "x".repeat(250);
    let mut handle = 0;
    while scene.engine.health().lost == 0 {
        handle += 1;
        let event = connection(handle, &long).with(|e| e.computer = long.as_str().into());
        assert_eq!(scene.connect(&event), Verdict::Accept);
        assert!(handle < 20_000);
    }
    assert_eq!(scene.engine.health().waiting, handle - 1);
    assert!(handle > 1000, "{handle}");
    std::fs::remove_dir(scene.folder.path().join("rasadmin.db")).unwrap();
    scene.wait(11);
    scene.engine.hangup(&connection(1, "nobody"), scene.now());
    scene.wait(11);
    scene.engine.hangup(&connection(1, "nobody"), scene.now());
    let told = "SELECT details FROM anomalies WHERE what LIKE 'events were lost%'";
    assert_eq!(scene.ask(told), "1", "told once, when the ledger is back");
}

#[test]
fn what_a_dead_process_had_spooled_is_recorded_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("rasadmin.db");
    std::fs::create_dir(&ledger).unwrap();
    let scene = Scene::within(folder, CONFIG);
    assert_eq!(scene.connect(&connection(5, "carol")), Verdict::Accept);
    assert_eq!(scene.link(5, "VPN1-1", Sstp), Verdict::Accept);
    // It dies: nothing is stopped, the kernel closes the files.
    let Scene { folder, engine, .. } = scene;
    drop(engine);
    std::fs::remove_dir(&ledger).unwrap();
    let scene = Scene::within(folder, CONFIG);
    assert_eq!(scene.ask("SELECT name, closed_by, nas_port_id FROM sessions"), "CAROL service ended VPN1-1");
    let spools = std::fs::read_dir(scene.folder.path()).unwrap().flatten();
    assert_eq!(spools.filter(|e| e.file_name().to_string_lossy().contains(".spool-")).count(), 1, "only its own");
}
