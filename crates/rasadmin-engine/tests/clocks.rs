//! Time and use: no clock and no counter bills time that never passed.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::config::file::Period;
use rasadmin_engine::effect::Usage;
use support::{OPEN, Scene, TWO, With, connection, corp, today};

#[test]
fn no_clock_and_no_counter_makes_time_that_never_was() {
    let mut scene = Scene::new(OPEN);
    scene.step_clock(86_400 * 365);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.wait(10);
    scene.link_hangup(1, "VPN2-1");
    scene.step_clock(-86_400 * 365);
    let record = scene.hangup(connection(1, "alice").with(|e| e.usage.seconds = 0xffff_ffff));
    let ended = record.ended().next().unwrap();
    assert_eq!((ended.usage.seconds, ended.at.time - ended.start), (10, 10_000));
    assert!(ended.at.time <= scene.at.time);
    let days = record.effects.iter().filter(|e| matches!(e, rasadmin_engine::Effect::Used { .. })).count();
    assert_eq!(days, 1);
}

#[test]
fn an_earlier_instances_clock_that_was_ahead_closes_nothing_in_the_future() {
    let mut scene = Scene::new(OPEN);
    scene.step_clock(86_400);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.wait(100);
    scene.release("nobody", "VPN2-8", "10.9.9.9");
    scene.step_clock(-86_400);
    // The machine has started again.
    scene.at.mono = rasadmin_engine::Mono(5);
    scene.restart();
    let rasadmin_engine::Effect::InstanceBegan(began) = &scene.records.last().unwrap().effects[0] else { panic!() };
    let mut before = Scene::new(OPEN);
    before.step_clock(86_400);
    before.begin(1, "alice", "VPN2-1").unwrap();
    let closing = rasadmin_engine::state::closing_of(&before.session(1).unwrap().into(), began);
    assert_eq!((closing.ended.usage.seconds, closing.ended.at.time), (100, scene.at.time));
    assert_eq!(closing.ended.at.time - closing.ended.start, 100_000);
    assert_eq!(closing.days.iter().map(|day| day.seconds).sum::<u64>(), 100);
    assert_eq!((scene.live(), scene.leases()), (String::new(), String::new()));
}

#[test]
fn a_clock_set_back_makes_nothing_wait_longer() {
    let mut scene = Scene::new(OPEN);
    scene.address("alice", "VPN2-1", "").unwrap();
    scene.connect(connection(2, "bob")).unwrap();
    scene.step_clock(-3600);
    scene.wait(301);
    scene.address("carol", "VPN2-3", "").unwrap();
    assert_eq!(scene.live(), "");
    assert_eq!(scene.ended(), "never established 0");
    assert_eq!(scene.leases(), "10.8.0.2 CORP\\CAROL waits");
}

#[test]
fn a_session_of_three_days_leaves_what_others_used_today() {
    let mut scene = Scene::new(TWO);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.wait(2 * 86_400);
    scene.begin(2, "alice", "VPN2-2").unwrap();
    scene.wait(1000);
    scene.end(2, "alice", "VPN2-2", "10.8.0.2");
    assert_eq!(today(&scene, "ALICE"), 1000);
    scene.end(1, "alice", "VPN2-1", "10.8.0.1");
    assert_eq!(today(&scene, "ALICE"), 1000 + 9 * 3600 + 1000);
}

#[test]
fn a_long_session_that_looks_have_seen_leaves_what_others_used_today() {
    let mut scene = Scene::new(TWO);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.wait(2 * 86_400);
    for input_octets in [10, 20] {
        scene.wait(86_400);
        let usage = Usage { input_octets, ..Usage::default() };
        let connection = connection(1, "alice").with(|e| e.usage = usage);
        scene.look(&[connection]);
    }
    scene.end(1, "alice", "VPN2-1", "10.8.0.1");
    assert_eq!(today(&scene, "ALICE"), 9 * 3600);
}

#[test]
fn a_late_hangup_of_days_before_leaves_what_was_used_today() {
    let mut scene = Scene::new(TWO);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.wait(86_400);
    scene.link_hangup(1, "VPN2-1");
    scene.wait(86_400);
    scene.begin(2, "alice", "VPN2-2").unwrap();
    scene.wait(100);
    scene.end(2, "alice", "VPN2-2", "10.8.0.2");
    scene.hangup(connection(1, "alice"));
    assert_eq!(today(&scene, "ALICE"), 100);
    // After a clock was days ahead and is set right, today still counts.
    scene.step_clock(86_400 * 300);
    for handle in [3, 4] {
        scene.begin(handle, "alice", "VPN2-2").unwrap();
        scene.wait(86_400);
        scene.end(handle, "alice", "VPN2-2", "10.8.0.2");
    }
    scene.step_clock(-86_400 * 302);
    for sum in [10, 20] {
        scene.begin(5, "alice", "VPN2-2").unwrap();
        scene.wait(10);
        scene.end(5, "alice", "VPN2-2", "10.8.0.2");
        assert_eq!(today(&scene, "ALICE"), sum);
    }
}

#[test]
fn a_session_that_is_revived_keeps_the_octets_that_a_look_saw() {
    let mut scene = Scene::new(TWO);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    let usage = Usage { input_octets: 500, ..Usage::default() };
    let seen = connection(1, "alice").with(|e| e.usage = usage);
    scene.look(&[seen]);
    scene.link_hangup(1, "VPN2-1");
    scene.wait(100);
    scene.release("nobody", "VPN2-8", "10.9.9.9");
    assert_eq!(scene.state.live_count(), 0);
    scene.link(1, "VPN2-1").unwrap();
    let labels = rasadmin_engine::calendar::labels_at(scene.at.time, &scene.config.zone);
    let used = scene.state.used(&corp("ALICE"), Period::Day, labels.day);
    assert_eq!((used.seconds, used.octets), (0, 500));
}

#[test]
fn a_hangup_more_than_an_hour_after_counts_once() {
    let mut scene = Scene::new(TWO);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.wait(1000);
    scene.link_hangup(1, "VPN2-1");
    scene.wait(61);
    scene.release("nobody", "VPN2-8", "10.9.9.9");
    scene.wait(3601);
    scene.hangup(connection(1, "alice").with(|e| e.usage.seconds = 1000));
    assert_eq!(today(&scene, "ALICE"), 1000);
}

#[test]
fn a_session_whose_first_link_was_rejected_is_never_billed() {
    let mut scene =
        Scene::new("default.action = \"allow\"\n[[rules]]\nname = \"no\"\naction = \"deny\"\ntunnels = [\"SSTP\"]");
    scene.connect(connection(1, "alice")).unwrap();
    scene.wait(62);
    scene.release("nobody", "VPN2-8", "10.9.9.9");
    scene.link(1, "VPN2-1").unwrap_err();
    let usage = Usage { seconds: 65, input_octets: 7, ..Usage::default() };
    scene.hangup(connection(1, "alice").with(|e| e.usage = usage));
    assert_eq!(scene.anomalies(), ["hangup of an unknown connection"]);
    let billed = scene.records.iter().flat_map(|record| &record.effects);
    assert!(!billed.into_iter().any(|e| matches!(e, rasadmin_engine::Effect::Used { .. })));
}
