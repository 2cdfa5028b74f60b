//! What dead processes left in their spools is told in the order in which it happened.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::Tunnel;
use rasadmin_engine::effect::Usage;
use rasadmin_engine::event::ConnectionEvent;
use rasadmin_ledger::{Engine, Verdict};
use support::{Scene, With, address, connection, ipv4, link, number, release};

/// The deadline is short, so that the ledger is found away soon.
const OPEN: &str = r#"
    default_domain = "CORP"
    default.action = "allow"
    [ledger]
    deadline_ms = 100
"#;

/// Another process holds the ledger's lock, and to everybody else it is away.
fn hold(scene: &Scene) -> rusqlite::Connection {
    let other = rusqlite::Connection::open(scene.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

/// The processes are killed: their locks go with them, and nothing is said.
fn kill(scene: &mut Scene, with: Engine) {
    drop(std::mem::replace(&mut scene.engine, with));
}

fn of(handle: u64, address: &str) -> ConnectionEvent {
    connection(handle, "alice").with(|e| {
        e.addresses = vec![number(address)];
        e.usage = Usage { seconds: 60, ..Usage::default() };
    })
}

/// A service was killed; the next one, from its first to its last call, had no ledger; the third finds the spool. What
/// the first left open ended with the first, and not when the second happened to use its handle again.
#[test]
fn what_an_earlier_service_left_open_ended_with_it() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN0-1").unwrap();
    scene.wait(2);
    // A sign of life.
    scene.address("bob", "VPN0-2", "172.16.0.10").unwrap();
    assert_eq!(scene.connect(&connection(2, "bob")), Verdict::Accept);
    assert_eq!(scene.link(2, "VPN0-2", Tunnel::Sstp), Verdict::Accept);
    scene.wait(10 * 3600);
    let held = hold(&scene);
    // There is no engine in between: the second is no process of the first's instance.
    let parting = Scene::new(OPEN);
    kill(&mut scene, parting.engine);
    scene.engine = scene.beside();
    let given = ipv4(scene.engine.assign(&address("alice", "VPN0-1", "172.16.0.7"), scene.now())).unwrap();
    assert_eq!(scene.connect(&of(1, &given)), Verdict::Accept);
    assert_eq!(scene.link(1, "VPN0-1", Tunnel::Sstp), Verdict::Accept);
    scene.wait(60);
    scene.engine.link_hangup(&link(1, "VPN0-1", Tunnel::Sstp), scene.now());
    scene.engine.hangup(&of(1, &given), scene.now());
    drop(held);
    let parting = Scene::new(OPEN);
    kill(&mut scene, parting.engine);
    scene.engine = scene.beside();
    let sql = "SELECT user_name, closed_by, acct_session_time FROM sessions ORDER BY id";
    assert_eq!(scene.ask(sql), "alice service ended 2; bob service ended 0; alice hangup 60");
    assert_eq!(scene.ask("SELECT count(*) FROM anomalies"), "0");
    assert_eq!(scene.ask("SELECT count(*), count(DISTINCT instance) FROM sessions"), "3 2");
    assert_eq!(scene.ask("SELECT count(*) FROM instances"), "3");
}

/// The address is given in one process, the connection accepted in another, and each has a spool of its own.
#[test]
fn the_spools_of_two_processes_are_one_story() {
    // Their files' names are random: the order must not be.
    for _ in 0..4 {
        let mut scene = Scene::new(OPEN);
        let addresses = scene.beside();
        let held = hold(&scene);
        let given = ipv4(addresses.assign(&address("alice", "VPN0-1", "172.16.0.7"), scene.now())).unwrap();
        assert_eq!(scene.connect(&of(1, &given)), Verdict::Accept);
        assert_eq!(scene.link(1, "VPN0-1", Tunnel::Sstp), Verdict::Accept);
        scene.wait(60);
        scene.engine.link_hangup(&link(1, "VPN0-1", Tunnel::Sstp), scene.now());
        scene.engine.hangup(&of(1, &given), scene.now());
        addresses.release(&release("alice", "VPN0-1", &given), scene.now());
        drop(held);
        drop(addresses);
        let parting = Scene::new(OPEN);
        kill(&mut scene, parting.engine);
        scene.engine = scene.beside();
        let sql = "SELECT framed_ip_address, closed_by, acct_session_time FROM sessions";
        assert_eq!(scene.ask(sql), "172.16.0.7 hangup 60");
        assert_eq!(scene.ask("SELECT ended_by, session IS NOT NULL FROM leases"), "release 1");
        assert_eq!(scene.ask("SELECT count(*) FROM anomalies"), "0");
    }
}

/// A process is killed after it has recorded what was left, and before it has deleted the spool.
#[test]
fn a_spool_that_is_still_there_is_not_told_again() {
    let mut scene = Scene::new(OPEN);
    let held = hold(&scene);
    assert_eq!(scene.connect(&of(1, "172.16.0.7")), Verdict::Accept);
    scene.engine.hangup(&of(1, "172.16.0.7"), scene.now());
    let parting = Scene::new(OPEN);
    kill(&mut scene, parting.engine);
    drop(held);
    let files = std::fs::read_dir(scene.folder.path()).unwrap().flatten().map(|file| file.path());
    let spools = files.filter(|file| file.to_string_lossy().contains(".spool-"));
    let kept: Vec<_> = spools.map(|spool| (std::fs::read(&spool).unwrap(), spool)).collect();
    assert_eq!(kept.len(), 1);
    scene.engine = scene.beside();
    let rows =
        "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM decisions), (SELECT count(*) FROM anomalies)";
    assert_eq!(scene.ask(rows), "1 1 0");
    let parting = Scene::new(OPEN);
    kill(&mut scene, parting.engine);
    for (bytes, spool) in &kept {
        assert!(!spool.exists());
        std::fs::write(spool, bytes).unwrap();
    }
    scene.engine = scene.beside();
    assert_eq!(scene.ask(rows), "1 1 0");
    assert!(kept.iter().all(|(_, spool)| !spool.exists()), "and it is deleted");
}
