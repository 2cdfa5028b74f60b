//! The journal's folder is replaced, deleted or restored while the service runs: live sessions stay recorded. On
//! Windows this cannot be done to open files.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::{Event, State};
use rasadmin_recorder::Verdict;
use std::collections::BTreeSet;
use std::path::Path;
use support::{Scene, connection};

const CONFIG: &str = r#"
    time_zone = "UTC"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    [pools.staff]
    addresses = ["10.8.0.1-10.8.0.200"]
    [[rules]]
    name = "an hour a day"
    action = "deny"
    users = ["carol"]
    connect_time = { per = "day", at_least = "1h" }
    [[rules]]
    name = "one session"
    action = "deny"
    user_sessions = { at_least = 1 }
"#;

/// Who is connected, with which identifiers and addresses.
fn live(state: &State) -> BTreeSet<(rasadmin_engine::Id, Vec<u64>, Option<String>)> {
    let of = |session: &rasadmin_engine::state::Session| {
        let addresses = state.leases_of(session.id).map(|lease| lease.address.number).collect();
        (session.id, addresses, session.port.as_ref().map(ToString::to_string))
    };
    state.live().map(of).collect()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// A morning: carol has used up an hour, alice and bob are connected.
fn morning() -> Scene {
    let scene = Scene::new(CONFIG);
    let given = scene.begin(1, "carol", "VPN2-1").unwrap();
    scene.begin(2, "alice", "VPN2-2").unwrap();
    scene.wait(3700);
    scene.end(1, "carol", "VPN2-1", &given);
    scene.begin(3, "bob", "VPN2-3").unwrap();
    scene
}

/// After the folder was replaced: a call notices, and the next ones go on with the new folder.
fn stays_on_record(scene: &Scene, before: &State) {
    scene.wait(2);
    scene.recorder.hangup(&connection(99, "nobody"), scene.now());
    scene.recorder.hangup(&connection(99, "nobody"), scene.now());
    assert_eq!((scene.health().failure, scene.health().waiting), (None, 0));
    assert_eq!(scene.journal(), scene.memory());
    assert_eq!(live(&scene.present()), live(before));
    assert_eq!(scene.connect(&connection(12, "alice")), Verdict::Reject("rule `one session`".to_owned()));
    assert_eq!(scene.address("carol", "VPN2-8", ""), Err("rule `an hour a day`".to_owned()));
    let other = scene.begin(13, "dora", "VPN2-9").unwrap();
    assert!(before.leases().all(|lease| lease.address != support::number(&other)), "{other}");
    // A second process finds the same instance.
    let beside = scene.beside();
    assert_eq!(beside.look(|state| state.live_count()), 3);
    assert_eq!(scene.present().live_count(), 3);
}

#[test]
fn it_is_moved() {
    let scene = morning();
    let before = scene.present();
    std::fs::rename(scene.path(), scene.folder.path().join("aside")).unwrap();
    stays_on_record(&scene, &before);
    assert!(scene.records().iter().any(|record| matches!(record.event, Event::Carried)));
}

#[test]
fn it_is_restored_from_a_backup() {
    let scene = Scene::new(CONFIG);
    scene.begin(2, "alice", "VPN2-2").unwrap();
    let backup = scene.folder.path().join("backup");
    copy(&scene.path(), &backup);
    let given = scene.begin(1, "carol", "VPN2-1").unwrap();
    scene.wait(3700);
    scene.end(1, "carol", "VPN2-1", &given);
    scene.begin(3, "bob", "VPN2-3").unwrap();
    let before = scene.present();
    std::fs::rename(scene.path(), scene.folder.path().join("aside")).unwrap();
    std::fs::rename(backup, scene.path()).unwrap();
    stays_on_record(&scene, &before);
}

#[test]
fn its_files_are_deleted() {
    let scene = morning();
    let before = scene.present();
    std::fs::remove_dir_all(scene.path()).unwrap();
    stays_on_record(&scene, &before);
}
