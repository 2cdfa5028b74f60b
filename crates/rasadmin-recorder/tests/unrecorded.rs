//! Nothing can be recorded, for each real cause. The rules, the counts and the pools continue from memory, and
//! afterwards everything is recorded, once and in order.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::Event;
use rasadmin_engine::callback::{Callback, Took};
use rasadmin_journal::{Journal, Options};
use rasadmin_recorder::{FailureKind, Verdict};
use std::path::Path;
use std::time::{Duration, Instant};
#[cfg(target_os = "linux")]
use support::disk::{mount, on_a_small_disk};
use support::{Scene, With, connection};

const CONFIG: &str = r#"
    default_domain = "CORP"
    default.action = "allow"
    journal.deadline_ms = 100
    addresses.pool = "staff"
    [pools.staff]
    addresses = ["10.8.0.1-10.8.0.200"]
    [[rules]]
    name = "one session"
    action = "deny"
    user_sessions = { at_least = 1 }
    [[rules]]
    name = "only on record"
    action = "allow"
    users = ["recorded"]
    when_unrecorded = "deny"
"#;

/// For every cause, pools, counts and leases must work as always.
fn goes_on_from_memory(scene: &Scene, kind: FailureKind) {
    let given = scene.begin(11, "carol", "VPN1-1").unwrap();
    assert_eq!(scene.health().failure.map(|failure| failure.kind), Some(kind));
    assert!(given.starts_with("10.8.0."), "{given}");
    let other = scene.begin(12, "dora", "VPN1-2").unwrap();
    assert_ne!(given, other);
    assert_eq!(scene.connect(&connection(13, "carol")), Verdict::Reject("rule `one session`".to_owned()));
    let why = scene.address("recorded", "VPN1-4", "").unwrap_err();
    assert_eq!(why, "the event cannot be recorded, and when_unrecorded = \"deny\"");
    scene.wait(1);
    scene.end(12, "dora", "VPN1-2", &other);
    assert_eq!(scene.health().lost, 0);
    assert!(scene.health().waiting >= 11, "{:?}", scene.health());
}

/// Ten seconds after the cause is gone, everything is recorded.
fn comes_back(scene: &Scene) {
    scene.wait(5);
    scene.address("emil", "VPN2-1", "").unwrap();
    assert!(scene.health().failure.is_some(), "it is tried again only every ten seconds");
    scene.wait(6);
    scene.begin(21, "franz", "VPN2-2").unwrap();
    assert_eq!((scene.health().failure, scene.health().waiting), (None, 0));
    assert_eq!(scene.journal(), scene.memory());
    let records = scene.records();
    let ids: std::collections::BTreeSet<_> = records.iter().map(|record| record.id).collect();
    assert_eq!(ids.len(), records.len(), "each once");
    assert!(records.windows(2).all(|pair| pair[0].at.mono <= pair[1].at.mono), "in order");
    let hangups = records.iter().filter(|record| matches!(&record.event, Event::Hangup(e) if e.handle == 12)).count();
    assert_eq!(hangups, 1);
    let live: Vec<_> = [11, 12, 21].map(|handle| scene.present().by_handle(handle).is_some()).into();
    assert_eq!(live, [true, false, true]);
}

/// A service that starts while the journal cannot be used.
fn at_start(kind: FailureKind, away: impl FnOnce(&Path), back: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    away(&journal);
    let scene = Scene::within(folder, CONFIG);
    goes_on_from_memory(&scene, kind);
    back(&journal);
    comes_back(&scene);
    let first = &scene.records()[0];
    assert!(matches!(first.event, Event::InstanceStarted { .. }), "{first:?}");
}

#[test]
fn a_file_in_its_place() {
    at_start(FailureKind::Missing, |j| std::fs::write(j, "x").unwrap(), |j| std::fs::remove_file(j).unwrap());
}

/// Another process holds the lock, because it is suspended, for example.
#[test]
fn a_lock_that_is_held() {
    let scene = Scene::new(CONFIG);
    scene.begin(1, "bob", "VPN0-1").unwrap();
    let holder = Journal::open(&scene.path(), Options::default(), Instant::now() + Duration::from_secs(2)).unwrap();
    let guard = holder.lock(Instant::now() + Duration::from_secs(2)).unwrap();
    goes_on_from_memory(&scene, FailureKind::Locked);
    drop(guard);
    comes_back(&scene);
}

/// An event that waited is decided again, because another process has recorded something meanwhile.
#[test]
fn how_long_slow_calls_took_is_recorded_when_they_are_decided_again() {
    let scene = Scene::new(CONFIG);
    let other = scene.beside();
    let holder = Journal::open(&scene.path(), Options::default(), Instant::now() + Duration::from_secs(2)).unwrap();
    let guard = holder.lock(Instant::now() + Duration::from_secs(2)).unwrap();
    scene.recorder.call_took(Callback::AcceptNewLink, Duration::from_micros(271));
    scene.connect(&connection(12, "dora"));
    drop(guard);
    assert_eq!(other.accept_connection(&connection(30, "emil"), scene.now()), Verdict::Accept);
    scene.wait(11);
    scene.connect(&connection(31, "franz"));
    let records = scene.records();
    let of_dora = records.iter().find(|record| record.event.user_name().is_some_and(|name| name.as_str() == "dora"));
    let of_dora = of_dora.unwrap();
    assert_eq!((of_dora.late, &of_dora.took[..]), (true, &[Took(Callback::AcceptNewLink, 271)][..]));
}

#[test]
fn a_lock_that_is_held_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    let holder = Journal::open(&journal, Options::default(), Instant::now() + Duration::from_secs(2)).unwrap();
    let guard = holder.lock(Instant::now() + Duration::from_secs(2)).unwrap();
    let scene = Scene::within(folder, CONFIG);
    goes_on_from_memory(&scene, FailureKind::Locked);
    drop(guard);
    comes_back(&scene);
}

/// Another process records meanwhile. Waiting events are decided again with those records; their answers stay.
#[test]
fn another_process_records_while_one_cannot() {
    let scene = Scene::new(CONFIG);
    let other = scene.beside();
    scene.begin(1, "bob", "VPN0-1").unwrap();
    let holder = Journal::open(&scene.path(), Options::default(), Instant::now() + Duration::from_secs(2)).unwrap();
    let guard = holder.lock(Instant::now() + Duration::from_secs(2)).unwrap();
    let given = scene.begin(11, "carol", "VPN1-1").unwrap();
    assert_eq!(scene.health().failure.map(|failure| failure.kind), Some(FailureKind::Locked));
    drop(guard);
    let theirs = support::ipv4(other.assign(&support::address("dora", "VPN1-2", ""), scene.now())).unwrap();
    let event = connection(12, "dora").with(|e| e.addresses = vec![support::number(&theirs)]);
    assert_eq!(other.accept_connection(&event, scene.now()), Verdict::Accept);
    assert_eq!(given, theirs, "each gave it without knowing of the other");
    scene.wait(11);
    scene.begin(21, "franz", "VPN2-2").unwrap();
    assert_eq!((scene.health().failure, scene.health().waiting), (None, 0));
    assert_eq!(scene.journal(), scene.memory());
    let state = scene.present();
    assert!([1, 11, 12, 21].iter().all(|handle| state.by_handle(*handle).is_some()));
    let twice = |effect: &rasadmin_engine::Effect| {
        matches!(effect, rasadmin_engine::Effect::Anomaly(rasadmin_engine::effect::Anomaly::AddressGivenTwice { .. }))
    };
    assert_eq!(scene.records().iter().flat_map(|record| &record.effects).filter(|effect| twice(effect)).count(), 1);
    // Nobody else gets it.
    assert_ne!(scene.address("gerd", "VPN2-3", "").unwrap(), given);
}

/// A process that cannot record reads what the other one records.
#[test]
fn what_another_process_records_counts_for_one_that_cannot() {
    let scene = Scene::new(CONFIG);
    let other = scene.beside();
    scene.begin(1, "bob", "VPN0-1").unwrap();
    let holder = Journal::open(&scene.path(), Options::default(), Instant::now() + Duration::from_secs(2)).unwrap();
    let guard = holder.lock(Instant::now() + Duration::from_secs(2)).unwrap();
    let given = scene.begin(11, "carol", "VPN1-1").unwrap();
    drop(guard);
    let theirs = support::ipv4(other.assign(&support::address("dora", "VPN1-2", ""), scene.now())).unwrap();
    let event = connection(12, "dora").with(|e| e.addresses = vec![support::number(&theirs)]);
    assert_eq!(other.accept_connection(&event, scene.now()), Verdict::Accept);
    // Ten seconds have not passed: this process does not try to record, but still knows.
    assert_eq!(scene.connect(&connection(13, "dora")), Verdict::Reject("rule `one session`".to_owned()));
    let mine = scene.begin(14, "gerd", "VPN1-4").unwrap();
    assert!(mine != given && mine != theirs, "{mine}");
    assert!(scene.health().failure.is_some());
    scene.wait(11);
    scene.begin(21, "franz", "VPN2-2").unwrap();
    assert_eq!(scene.journal(), scene.memory());
    let state = scene.present();
    assert!([1, 11, 12, 14, 21].iter().all(|handle| state.by_handle(*handle).is_some()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    on_a_small_disk("a_full_disk", 12, |disk| {
        let scene = Scene::within(tempfile::tempdir_in(disk).unwrap(), CONFIG);
        scene.begin(1, "bob", "VPN0-1").unwrap();
        let filler = disk.join("filler");
        let mut file = std::fs::File::create(&filler).unwrap();
        while std::io::Write::write(&mut file, &[1; 4096]).is_ok_and(|n| n > 0) {}
        drop(file);
        // The present segment's space was written ahead: until it is full.
        for handle in 1000..20_000 {
            scene.recorder.hangup(&connection(handle, "nobody"), scene.now());
            if scene.health().failure.is_some() {
                break;
            }
        }
        assert_eq!(scene.health().failure.map(|failure| failure.kind), Some(FailureKind::Full));
        goes_on_from_memory(&scene, FailureKind::Full);
        std::fs::remove_file(filler).unwrap();
        comes_back(&scene);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_folder() {
    on_a_small_disk("a_read_only_folder", 12, |disk| {
        let folder = tempfile::tempdir_in(disk).unwrap();
        let journal = folder.path().join("journal");
        std::fs::create_dir(&journal).unwrap();
        let name = journal.to_str().unwrap();
        mount(&["--bind", name], &journal);
        mount(&["-o", "remount,ro,bind"], &journal);
        let scene = Scene::within(folder, CONFIG);
        goes_on_from_memory(&scene, FailureKind::ReadOnly);
        mount(&["-o", "remount,rw,bind"], &journal);
        comes_back(&scene);
    });
}

#[test]
fn beyond_the_memory_for_them_events_are_lost_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("journal"), "").unwrap();
    let scene = Scene::within(folder, CONFIG);
    let long = "x".repeat(250);
    let mut handle = 0;
    while scene.health().lost == 0 {
        handle += 1;
        let event = connection(handle, &format!("{handle}{long}")).with(|e| e.computer = long.as_str().into());
        assert_eq!(scene.connect(&event), Verdict::Accept);
        assert!(handle < 20_000);
    }
    assert!(handle > 1000, "{handle}");
    let waiting = scene.health().waiting;
    std::fs::remove_file(scene.folder.path().join("journal")).unwrap();
    scene.wait(11);
    scene.recorder.hangup(&connection(999_999, "nobody"), scene.now());
    let lost: Vec<_> = scene.records().into_iter().filter(|r| matches!(r.event, Event::Lost { events: 1 })).collect();
    assert_eq!((lost.len(), scene.health().lost, scene.health().waiting), (1, 0, 0));
    assert_eq!(scene.records().len(), waiting + 3, "what waited, what memory has beyond it, the loss, and this one");
    assert_eq!(scene.present().live_count() as u64, handle, "the one that was lost is carried");
}

#[test]
fn an_end_tries_once_more_to_record_what_waits() {
    let scene = Scene::new(CONFIG);
    let holder = Journal::open(&scene.path(), Options::default(), Instant::now() + Duration::from_secs(2)).unwrap();
    let guard = holder.lock(Instant::now() + Duration::from_secs(2)).unwrap();
    scene.begin(11, "carol", "VPN1-1").unwrap();
    assert_eq!(scene.health().waiting, 3);
    drop(guard);
    scene.recorder.stop(scene.now());
    assert!(scene.present().by_handle(11).is_some());
    assert_eq!(scene.connect(&connection(12, "dora")), Verdict::Reject("Remote Access has stopped the DLL".to_owned()));
}

/// The sessions and leases that lost events touched are recorded as they are in memory.
#[test]
fn what_lost_events_began_and_ended_is_carried() {
    let scene = Scene::new(CONFIG);
    let given = scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.begin(2, "bob", "VPN2-2").unwrap();
    let deadline = Instant::now() + Duration::from_secs(2);
    let options = Options::default();
    let holder = Journal::open(&scene.path(), options, deadline).unwrap();
    let guard = holder.lock(deadline).unwrap();
    let long = "x".repeat(250);
    let mut handle = 100;
    while scene.health().lost == 0 {
        handle += 1;
        scene.recorder.hangup(&connection(handle, &long).with(|e| e.computer = long.as_str().into()), scene.now());
    }
    scene.end(1, "alice", "VPN2-1", &given);
    let mine = scene.begin(3, "carol", "VPN2-3").unwrap();
    assert!(scene.health().lost >= 5, "{:?}", scene.health());
    drop(guard);
    scene.wait(11);
    scene.recorder.hangup(&connection(99, "nobody"), scene.now());
    assert_eq!((scene.health().failure, scene.health().waiting, scene.health().lost), (None, 0, 0));
    assert_eq!(scene.journal(), scene.memory());
    let state = scene.present();
    let living = [1, 2, 3].map(|handle| state.by_handle(handle).is_some());
    assert_eq!(living, [false, true, true]);
    let carol = state.by_handle(3).unwrap().id;
    assert_eq!(state.lease_at(support::number(&mine)).unwrap().session(), Some(carol));
    assert_eq!(state.leases().count(), 2, "alice's has ended");
}

/// It reads what another process records, and has nothing to record itself. Later it reads the same records again.
fn read_with_nothing_waiting() -> (Scene, rasadmin_recorder::Recorder) {
    let scene = Scene::new(CONFIG);
    let other = scene.beside();
    scene.begin(1, "bob", "VPN0-1").unwrap();
    for handle in 1_000..1_070 {
        scene.recorder.hangup(&connection(handle, "nobody"), scene.now());
    }
    let refused = Verdict::Reject("rule `one session`".to_owned());
    assert_eq!(scene.connect(&connection(13, "bob")), refused);
    let deadline = Instant::now() + Duration::from_secs(2);
    let holder = Journal::open(&scene.path(), Options::default(), deadline).unwrap();
    let guard = holder.lock(deadline).unwrap();
    assert_eq!(scene.connect(&connection(13, "bob")), refused);
    drop(guard);
    assert_eq!(other.accept_connection(&connection(12, "dora"), scene.now()), Verdict::Accept);
    assert_eq!(scene.connect(&connection(13, "bob")), refused);
    let known = scene.recorder.look(|state| state.by_handle(12).is_some());
    assert_eq!((known, scene.health().waiting), (true, 0), "a repetition is only counted");
    (scene, other)
}

#[test]
fn what_another_process_recorded_is_applied_once() {
    let (scene, _other) = read_with_nothing_waiting();
    scene.wait(11);
    scene.begin(21, "franz", "VPN2-2").unwrap();
    assert_eq!(scene.memory().into_state().number(), scene.present().number());
    assert_eq!(scene.journal(), scene.memory());
}

#[test]
fn no_checkpoint_is_written_of_what_was_only_read() {
    let (scene, _other) = read_with_nothing_waiting();
    scene.recorder.stop(scene.now());
    assert_eq!(scene.present().number(), scene.records().len() as u64);
}

/// The end tries once more, even during a pause.
#[test]
fn an_end_reports_what_was_lost_and_what_was_counted() {
    let scene = Scene::new(CONFIG);
    scene.begin(1, "bob", "VPN0-1").unwrap();
    let refused = Verdict::Reject("rule `one session`".to_owned());
    assert_eq!(scene.connect(&connection(13, "bob")), refused);
    let deadline = Instant::now() + Duration::from_secs(2);
    let holder = Journal::open(&scene.path(), Options::default(), deadline).unwrap();
    let guard = holder.lock(deadline).unwrap();
    assert_eq!(scene.connect(&connection(13, "bob")), refused);
    let long = "x".repeat(250);
    let mut handle = 100;
    while scene.health().lost == 0 {
        handle += 1;
        scene.recorder.hangup(&connection(handle, &long).with(|e| e.computer = long.as_str().into()), scene.now());
    }
    drop(guard);
    scene.recorder.stop(scene.now());
    let records = scene.records();
    let lost = records.iter().filter(|record| matches!(record.event, Event::Lost { events: 1 })).count();
    let counted = records.iter().filter(|record| matches!(&record.event, Event::Repeated(all) if all[0].times == 1));
    assert_eq!((lost, counted.count(), scene.health().lost), (1, 1, 0));
}
