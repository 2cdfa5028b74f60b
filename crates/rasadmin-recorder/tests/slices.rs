//! A checkpoint is written in slices, one per call, and has the state at its beginning.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::State;
use rasadmin_engine::state::Checkpoint;
use rasadmin_journal::checkpoint;
use std::path::Path;
use support::Scene;

const CONFIG: &str = r#"
    default_domain = "CORP"
    default.action = "allow"
    journal.durability = "process"
    addresses.pool = "staff"
    [pools.staff]
    addresses = ["10.8.0.0/16"]
"#;

const USERS: u64 = 1_200;

/// Enough users that a checkpoint takes several slices, and that a start reads so much that it begins one.
fn started() -> Scene {
    let mut scene = Scene::new(CONFIG);
    for n in 0..USERS {
        scene.begin(n, &format!("user{n}"), &format!("VPN2-{n}")).unwrap();
    }
    // The process goes; another one of the instance is there already.
    scene.recorder = scene.beside();
    assert_eq!(scene.present().live_count() as u64, USERS);
    scene
}

fn names(folder: &Path, extension: &str) -> usize {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    names.filter(|path| path.extension().is_some_and(|of| of == extension)).count()
}

#[test]
fn calls_change_the_state_while_its_checkpoint_is_written() {
    let scene = started();
    let folder = scene.path();
    let mut calls = 0;
    while checkpoint::list(&folder).unwrap().is_empty() {
        assert!(calls < 100, "it is never finished");
        assert_eq!(names(&folder, "part"), 1, "it is being written");
        // From both ends: of what is written already, and of what is not.
        let n = if calls % 2 == 0 { calls } else { USERS - calls };
        scene.recorder.hangup(&support::connection(n, &format!("user{n}")), scene.now());
        calls += 1;
    }
    assert!(calls > 3, "{calls} calls");
    assert_eq!(names(&folder, "part"), 0);
    let read = checkpoint::read(&checkpoint::list(&folder).unwrap()[0]).unwrap();
    let written = rasadmin_recorder::decode_state(&read.state).unwrap();
    let mut then = State::new();
    scene.records()[..read.position.number as usize].iter().for_each(|record| then.apply(record));
    assert_eq!((written.number(), written.live_count() as u64), (read.position.number, USERS));
    assert_eq!(Checkpoint::of(&written), Checkpoint::of(&then));
    assert_eq!(scene.journal(), scene.memory(), "it and the records after it");
}

#[test]
fn one_that_was_not_finished_leaves_nothing_and_the_end_writes_it_whole() {
    let mut scene = started();
    scene.recorder.hangup(&support::connection(1, "user1"), scene.now());
    assert_eq!((names(&scene.path(), "part"), checkpoint::list(&scene.path()).unwrap().len()), (1, 0));
    let number = scene.records().len() as u64;
    scene.recorder.stop(scene.now());
    let written = checkpoint::list(&scene.path()).unwrap();
    assert_eq!((names(&scene.path(), "part"), written.len()), (0, 1));
    assert_eq!(checkpoint::read(&written[0]).unwrap().position.number, number);
    scene.recorder = scene.beside();
    assert_eq!(scene.journal(), scene.memory());
}

#[test]
fn one_is_begun_when_there_are_many_records() {
    let scene = Scene::new(CONFIG);
    let mut calls = 0;
    while checkpoint::list(&scene.path()).unwrap().is_empty() {
        for _ in 0..100 {
            scene.release("nobody", "VPN2-1", "10.8.0.1");
        }
        calls += 100;
        assert!(calls < 20_000, "a start would read them all");
    }
    assert!(calls > 10_000, "after {calls} calls");
    assert_eq!(scene.journal(), scene.memory());
}
