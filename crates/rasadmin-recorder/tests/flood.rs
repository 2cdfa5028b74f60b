//! A client that is refused thousands of times per second fills no disk, and hides no other user's refusal.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::callback::Callback;
use rasadmin_engine::event::Repeated;
use rasadmin_engine::{Event, Record};
use rasadmin_messages::Id;
use rasadmin_recorder::Verdict;
use std::time::Duration;
use support::{Scene, With, connection, log};

const CONFIG: &str = r#"
    default_domain = "CORP"
    default.action = "allow"
    [[rules]]
    name = "not these"
    action = "deny"
    users = ["mallory", "trudy"]
    [[rules]]
    name = "no evenings"
    action = "deny"
    users = ["oscar"]
    ports = ["VPN2-*"]
"#;

fn refused(scene: &Scene, user: &str, computer: &str) {
    let event = connection(7, user).with(|e| e.computer = computer.into());
    assert_eq!(scene.connect(&event), Verdict::Reject("rule `not these`".to_owned()));
}

fn counted(records: &[Record]) -> Vec<Repeated> {
    let all = records.iter().filter_map(|record| match &record.event {
        Event::Repeated(all) => Some(all.clone()),
        _ => None,
    });
    all.flatten().collect()
}

#[test]
fn the_first_is_recorded_at_once_and_the_others_of_the_minute_as_a_number() {
    let scene = Scene::new(CONFIG);
    let before = scene.records().len();
    scene.recorder.call_took(Callback::GetIpAddressForUser, Duration::from_micros(7));
    log::messages();
    for number in 0..1_000 {
        // The client claims another computer each time.
        refused(&scene, "mallory", &format!("pc{number}"));
        scene.recorder.call_took(Callback::AcceptNewConnection, Duration::from_micros(9));
    }
    refused(&scene, "trudy", "pc");
    let records = scene.records();
    let new: Vec<_> = records[before..].iter().map(|record| record.event.user_name().unwrap().as_str()).collect();
    assert_eq!(new, ["mallory", "trudy"]);
    log::exactly(&[Id::ConnectionRefused, Id::ConnectionRefused]);
    let took: Vec<_> = records[before..].iter().map(|record| record.took.len()).collect();
    assert_eq!(took, [1, 64], "a repetition is in no record, and its time waits for one");
    // The minute is over: the next call of any kind records the number.
    scene.wait(59);
    scene.connect(&connection(8, "alice"));
    assert_eq!(counted(&scene.records()), []);
    scene.wait(1);
    scene.recorder.hangup(&connection(8, "alice"), scene.now());
    let of = records[before].id;
    let last = records[before].at;
    assert_eq!(counted(&scene.records()), [Repeated { of, first: last, times: 999, last }]);
    let texts = log::exactly(&[Id::RefusalsRepeated]);
    assert_eq!(texts, ["refusals repeated within a minute: 999; different refusals: 1"]);
    // From then on the first is recorded at once again.
    refused(&scene, "mallory", "pc");
    assert_eq!(scene.records().last().unwrap().event.user_name().unwrap().as_str(), "mallory");
    assert_eq!(scene.journal(), scene.memory());
}

#[test]
fn what_was_counted_until_the_end_is_on_record() {
    let scene = Scene::new(CONFIG);
    for _ in 0..10 {
        refused(&scene, "mallory", "pc");
    }
    scene.recorder.stop(scene.now());
    assert_eq!(counted(&scene.records()).iter().map(|one| one.times).collect::<Vec<_>>(), [9]);
}

#[test]
fn while_nothing_can_be_recorded_a_flood_takes_no_room_from_others() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("journal"), "").unwrap();
    let scene = Scene::within(folder, CONFIG);
    let before = scene.health().waiting;
    for _ in 0..1_000 {
        refused(&scene, "mallory", "pc");
    }
    assert_eq!(scene.health().waiting, before + 1);
    std::fs::remove_file(scene.folder.path().join("journal")).unwrap();
    scene.wait(61);
    scene.connect(&connection(8, "alice"));
    assert_eq!(counted(&scene.records()).iter().map(|one| one.times).collect::<Vec<_>>(), [999]);
}

/// More users than can be remembered: the first refusal of each is recorded, and no number is lost.
#[test]
fn with_very_many_users_the_oldest_number_is_recorded_early() {
    let scene = Scene::new("default_domain = \"CORP\"\ndefault.action = \"deny\"\n");
    for number in 0..1_100 {
        scene.wait(i64::from(number % 100 == 0));
        for _ in 0..2 {
            let verdict = scene.connect(&connection(7, &format!("user{number}")));
            assert_eq!(verdict, Verdict::Reject("the default".to_owned()));
        }
    }
    scene.recorder.stop(scene.now());
    let records = scene.records();
    let users: std::collections::BTreeSet<_> = records.iter().filter_map(|record| record.event.user_name()).collect();
    assert_eq!(users.len(), 1_100);
    let all = counted(&records);
    assert_eq!((all.len(), all.iter().map(|one| one.times).sum::<u64>()), (1_100, 1_100));
}

/// However long it lasts and however many there are, their record fits into a segment.
#[test]
fn after_a_long_time_without_a_journal_it_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("journal"), "").unwrap();
    let scene = Scene::within(folder, "default_domain = \"CORP\"\ndefault.action = \"deny\"\n");
    const USERS: u64 = 16_000;
    for number in 0..USERS {
        for _ in 0..2 {
            scene.connect(&connection(7, &format!("user{number}")));
        }
    }
    std::fs::remove_file(scene.folder.path().join("journal")).unwrap();
    scene.wait(61);
    let lost = scene.health().lost;
    scene.connect(&connection(8, "alice"));
    let health = scene.health();
    assert_eq!((health.failure, health.waiting), (None, 0));
    let records = scene.records();
    let first = records.iter().filter(|record| matches!(record.event, Event::Connection(_))).count() as u64;
    let times = counted(&records).iter().map(|one| one.times).sum::<u64>();
    assert_eq!(first + times + lost + health.lost, 2 * USERS + 1, "each is on record, in a number, or among the lost");
}

/// A refusal that changes something is recorded, however often it comes.
#[test]
fn what_changes_something_is_no_repetition() {
    let scene = Scene::new(CONFIG);
    for handle in 1..=3 {
        assert_eq!(scene.connect(&connection(handle, "oscar")), Verdict::Accept, "its port is not known yet");
        let verdict = scene.link(handle, "VPN2-1", rasadmin_engine::Tunnel::Sstp);
        assert_eq!(verdict, Verdict::Reject("rule `no evenings`".to_owned()));
    }
    let links = scene.records().iter().filter(|record| matches!(record.event, Event::Link(_))).count();
    assert_eq!(links, 3);
}
