//! Blocks that commands record, in the journal and in its checkpoints.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::effect::{Block, BlockSubject};
use rasadmin_engine::event::BeginBlock;
use rasadmin_engine::state::Checkpoint;
use rasadmin_engine::{Event, Identity, State};
use rasadmin_journal::{Journal, Options};
use rasadmin_recorder::admin::AdminJournal;
use std::time::{Duration, Instant};
use support::{MONDAY, Scene};

const CONFIG: &str = r#"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    [pools.staff]
    addresses = ["10.8.0.0/16"]
"#;

fn user(name: &str) -> BlockSubject {
    BlockSubject::User(Identity { domain: "CORP".into(), name: name.into() })
}

fn command(scene: &Scene, event: Event) {
    let mut journal = AdminJournal::open(&scene.path(), &scene.config).unwrap().unwrap();
    journal.record(&scene.now(), |_| ((), Some(event))).unwrap().unwrap();
}

fn block(scene: &Scene, name: &str) {
    let asked = BeginBlock { subject: user(name), until: None, reason: Some("left".into()), by: Some("root".into()) };
    command(scene, Event::BeginBlock(asked));
}

fn blocked(state: &State) -> Vec<BlockSubject> {
    state.blocks(MONDAY).map(|block| block.subject.clone()).collect()
}

#[test]
fn a_block_is_heeded_at_the_next_call_and_outlives_restarts() {
    let mut scene = Scene::new(CONFIG);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    block(&scene, "ALICE");
    assert!(scene.begin(2, "alice", "VPN2-2").is_err());
    scene.restart();
    assert!(scene.begin(3, "alice", "VPN2-3").is_err());
    assert_eq!(scene.journal(), scene.memory());
    command(&scene, Event::EndBlock { subject: user("ALICE"), by: None, reason: None });
    assert!(scene.begin(4, "alice", "VPN2-4").is_ok());
}

/// The segments that have the block's record are gone: a checkpoint has the block.
#[test]
fn a_block_is_in_the_checkpoint() {
    let scene = Scene::new(CONFIG);
    block(&scene, "ALICE");
    let present = rasadmin_recorder::present::read(&scene.path()).unwrap().unwrap();
    let path = rasadmin_recorder::present::write_checkpoint(&scene.path(), &present).unwrap();
    let found = rasadmin_journal::checkpoint::read(&path).unwrap();
    let state = rasadmin_recorder::decode_state(&found.state).unwrap();
    assert_eq!(Checkpoint::of(&state), Checkpoint::of(&present.state));
    assert_eq!(blocked(&state), [user("ALICE")]);
}

/// `state-3.bin` has the form of the version before: a session, and blocks of two users.
#[test]
fn a_checkpoint_of_the_version_before_is_read() {
    assert!(rasadmin_recorder::reads_checkpoint(3) && rasadmin_recorder::reads_checkpoint(4));
    assert!(!rasadmin_recorder::reads_checkpoint(2) && !rasadmin_recorder::reads_checkpoint(5));
    let state = rasadmin_recorder::decode_state(include_bytes!("state-3.bin")).unwrap();
    assert_eq!((state.live_count(), state.leases().count(), state.server().as_str()), (1, 1, "VPN1"));
    assert_eq!(blocked(&state), [user("ALICE"), user("BOB")]);
    let Block { since, until, reason, by, .. } = state.block(&user("ALICE"), MONDAY).unwrap().clone();
    assert_eq!((since, until, reason, by), (MONDAY, Some(MONDAY + 86_400_000), Some("quota".into()), None));
    // It is written in the present version, and reads back.
    let bytes = postcard::to_allocvec(&Checkpoint::of(&state)).unwrap();
    let again = rasadmin_recorder::decode_state(&bytes).unwrap();
    assert_eq!((bytes[0], Checkpoint::of(&again)), (4, Checkpoint::of(&state)));
    assert!(rasadmin_recorder::decode_state(&include_bytes!("state-3.bin")[..200]).is_none(), "it is cut");
}

/// The DLL could not write for a moment, and tries again only after ten seconds. It heeds a block nevertheless, and what
/// waited in it is decided again after the block.
#[test]
fn a_block_counts_for_a_process_that_does_not_write() {
    let scene = Scene::new(CONFIG);
    let deadline = Instant::now() + Duration::from_secs(2);
    let holder = Journal::open(&scene.path(), Options::default(), deadline).unwrap();
    let guard = holder.lock(deadline).unwrap();
    scene.begin(1, "alice", "VPN2-1").unwrap();
    drop(guard);
    block(&scene, "BOB");
    assert!(scene.address("bob", "VPN2-2", "").is_err());
    assert!(scene.health().failure.is_some() && scene.health().waiting > 0);
    scene.wait(11);
    scene.begin(3, "carol", "VPN2-3").unwrap();
    assert_eq!((scene.health().failure, scene.health().waiting), (None, 0));
    assert_eq!(scene.journal(), scene.memory());
    assert_eq!(blocked(&scene.present()), [user("BOB")]);
    assert!(scene.present().by_handle(1).is_some());
}

/// The journal's folder is replaced by an older copy: memory has a block that the copy lacks.
#[cfg(unix)]
#[test]
fn a_block_that_a_restored_journal_lacks_is_recorded_again() {
    let scene = Scene::new(CONFIG);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    let (folder, copy) = (scene.path(), scene.folder.path().join("copy"));
    std::fs::create_dir(&copy).unwrap();
    for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    block(&scene, "BOB");
    assert!(scene.address("bob", "VPN2-2", "").is_err());
    std::fs::rename(&folder, scene.folder.path().join("away")).unwrap();
    std::fs::rename(&copy, &folder).unwrap();
    assert_eq!(blocked(&scene.present()), []);
    scene.wait(11);
    scene.begin(3, "carol", "VPN2-3").unwrap();
    assert_eq!(blocked(&scene.present()), [user("BOB")]);
    assert!(scene.address("bob", "VPN2-2", "").is_err());
}
