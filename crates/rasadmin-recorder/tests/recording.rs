//! The records are complete: another process, a restart and a reader get the same state.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::callback::{Callback, Took};
use rasadmin_engine::{Answer, Effect, Event, Tunnel::Sstp};
use rasadmin_recorder::Verdict;
use std::time::Duration;
use support::{Scene, connection};

const CONFIG: &str = r#"
    default_domain = "CORP"
    default.action = "allow"
    journal.deadline_ms = 200
    addresses.pool = "staff"
    [pools.staff]
    addresses = ["10.8.0.1-10.8.0.200"]
    [[rules]]
    name = "two at most"
    action = "deny"
    user_sessions = { at_least = 2 }
"#;

#[test]
fn a_reader_has_the_state_that_the_recorder_has() {
    let scene = Scene::new(CONFIG);
    let given = scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.begin(2, "bob", "VPN2-2").unwrap();
    scene.wait(5);
    scene.end(1, "alice", "VPN2-1", &given);
    assert_eq!(scene.journal(), scene.memory());
    let state = scene.present();
    assert_eq!((state.live_count(), state.leases().count(), state.server().as_str()), (1, 1, "VPN1"));
}

#[test]
fn the_next_record_takes_along_how_long_calls_took() {
    let scene = Scene::new(CONFIG);
    let before = scene.records().len();
    let took = |micros| scene.recorder.call_took(Callback::AcceptNewLink, Duration::from_micros(micros));
    took(271);
    took(u64::MAX);
    let event = connection(1, "alice");
    scene.connect(&event);
    took(5);
    let times: Vec<_> = scene.records()[before..].iter().map(|record| record.took.clone()).collect();
    let link = |micros| Took(Callback::AcceptNewLink, micros);
    assert_eq!(times, [vec![link(271), link(u32::MAX)]], "none of them twice, and none too early");
    scene.recorder.hangup(&event, scene.now());
    assert_eq!(scene.records().last().unwrap().took, [link(5)]);
    assert_eq!(scene.journal(), scene.memory());
}

#[test]
fn a_start_from_a_checkpoint_is_a_start_from_the_records() {
    let mut scene = Scene::new(CONFIG);
    for handle in 0..20 {
        let given = scene.begin(handle, "alice", "VPN2-1").unwrap();
        scene.end(handle, "alice", "VPN2-1", &given);
    }
    scene.begin(20, "alice", "VPN2-1").unwrap();
    let whole = scene.records();
    scene.restart();
    let folder = scene.path();
    assert_eq!(
        rasadmin_journal::checkpoint::list(&folder).unwrap().len(),
        1,
        "terminate writes one if there is much to replay"
    );
    let with = scene.journal();
    for file in rasadmin_journal::checkpoint::list(&folder).unwrap() {
        std::fs::remove_file(file).unwrap();
    }
    assert_eq!(scene.journal(), with);
    assert_eq!(scene.records().len(), whole.len() + 2, "a new instance and its configuration");
}

#[test]
fn a_new_instance_closes_what_the_earlier_one_left() {
    let mut scene = Scene::new(CONFIG);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.wait(60);
    scene.restart();
    assert_eq!(scene.present().live_count(), 0);
    assert_eq!(scene.present().leases().count(), 0);
    assert_eq!(scene.begin(2, "alice", "VPN2-1").unwrap(), "10.8.0.1", "the address is free again");
}

#[test]
fn a_second_process_joins_and_both_see_all() {
    let scene = Scene::new(CONFIG);
    let other = scene.beside();
    let given = scene.address("alice", "VPN2-1", "").unwrap();
    let event = support::With::with(connection(1, "alice"), |e| e.addresses = vec![support::number(&given)]);
    assert_eq!(other.accept_connection(&event, scene.now()), Verdict::Accept);
    assert_eq!(scene.link(1, "VPN2-1", Sstp), Verdict::Accept);
    assert_eq!(scene.begin(2, "alice", "VPN2-2").map(drop), Ok(()));
    let denied = other.accept_connection(&connection(3, "alice"), scene.now());
    assert_eq!(denied, Verdict::Reject("rule `two at most`".to_owned()));
    assert_eq!(scene.present().live_count(), 2);
    let started = scene.records().iter().filter(|r| matches!(r.event, Event::InstanceStarted { .. })).count();
    assert_eq!(started, 1);
    // One of them goes; the instance lives on.
    other.stop(scene.now());
    let third = scene.beside();
    assert_eq!(third.look(|state| state.live_count()), 2);
}

#[test]
fn each_event_is_one_record_with_its_answer() {
    let scene = Scene::new(CONFIG);
    let before = scene.records().len();
    let given = scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.end(1, "alice", "VPN2-1", &given);
    let records = scene.records().split_off(before);
    let answers: Vec<_> = records.iter().map(|record| &record.answer).collect();
    assert!(matches!(answers[0], Answer::Address(_)));
    assert_eq!(answers[1..], [&Answer::Accept, &Answer::Accept, &Answer::Nothing, &Answer::Nothing, &Answer::Nothing]);
    assert!(records[1].effects.iter().any(|effect| matches!(effect, Effect::SessionBegan(_))));
}

#[test]
fn a_tool_releases_and_closes_and_the_dll_heeds_it() {
    let scene = Scene::new(CONFIG);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.begin(2, "alice", "VPN2-2").unwrap();
    let mut journal = rasadmin_recorder::admin::AdminJournal::open(&scene.path(), &scene.config).unwrap().unwrap();
    let session = journal.state().by_handle(1).unwrap().id;
    let told = journal.record(&scene.now(), |state| {
        (state.live_count(), Some(Event::CloseSession { session, by: None, reason: None }))
    });
    assert_eq!(told.unwrap(), Some(2));
    assert_eq!(scene.begin(3, "alice", "VPN2-3").map(drop), Ok(()), "one of the two is closed");
    assert_eq!(journal.record(&scene.now(), |state| (state.live_count(), None)).unwrap(), Some(2));
    assert_eq!(scene.journal(), scene.memory());
}

#[test]
fn nothing_recorded_is_no_state_and_a_look_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    assert!(rasadmin_recorder::present::read(&journal).unwrap().is_none());
    assert!(!journal.exists());
}

#[test]
fn the_end_without_a_stop_loses_nothing() {
    let scene = Scene::new(CONFIG);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    let memory = scene.memory();
    let Scene { folder, recorder, .. } = scene;
    drop(recorder);
    let found = rasadmin_recorder::present::read(&folder.path().join("journal")).unwrap().unwrap();
    assert_eq!(rasadmin_engine::state::Checkpoint::of(&found.state), memory);
}

#[test]
fn the_first_records_have_identifiers_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let config = support::config(folder.path(), CONFIG);
    // A start may be given bytes that are the instance's identifier as they are.
    let random = rasadmin_engine::Id(0x0123_4567_89ab_4cde_8f01_2345_6789_abcd).0.to_be_bytes();
    let now = rasadmin_engine::Now { random, ..support::system() };
    let recorder = rasadmin_recorder::Recorder::start(config, &rasadmin_engine::Name::new("VPN1"), now);
    let ids: Vec<_> = support::records(&recorder.folder()).iter().map(|record| record.id).collect();
    let [began, read] = ids[..] else { panic!("{ids:?}") };
    assert_ne!(began, read);
}

/// What is recorded must fit into a segment, or nothing is recorded any more.
#[test]
fn a_configuration_that_is_longer_than_a_segment_is_recorded_without_its_texts() {
    let long = "# a comment\n".repeat(500_000);
    let scene = Scene::new(&format!("default.action = \"allow\"\n{long}"));
    assert_eq!(scene.health().failure, None);
    let read = |record: &rasadmin_engine::Record| match &record.event {
        Event::ConfigRead(read) => Some(read.clone()),
        _ => None,
    };
    let read: Vec<_> = scene.records().iter().filter_map(read).collect();
    assert_eq!(
        read.iter().map(|read| (&read.hash, read.texts.is_some())).collect::<Vec<_>>(),
        [(&scene.config.hash, false)]
    );
}
