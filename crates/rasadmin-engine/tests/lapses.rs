//! Sessions that are closed because nothing came, and that live after all.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::Process;
use rasadmin_engine::effect::Usage;
use rasadmin_engine::event::Event;
use support::{OPEN, Scene, TWO, With, connection, ikev2, number, today};

#[test]
fn ikev2_without_a_link_loses_neither_session_nor_address() {
    let mut scene = Scene::new(OPEN);
    let given = scene.address("alice", "VPN4-1", "").unwrap();
    scene.connect(ikev2(1, "alice").with(|e| e.addresses = vec![number(&given)])).unwrap();
    scene.wait(3600);
    scene.address("bob", "VPN4-2", "").unwrap();
    assert_eq!(scene.live(), "alice 10.8.0.1");
    // Only its port shows that it is over.
    scene.address("carol", "VPN4-1", "").unwrap();
    assert_eq!(scene.live(), "");
}

#[test]
fn a_session_that_was_closed_without_a_hangup_lives_when_it_shows_life() {
    let mut scene = Scene::new(OPEN);
    let given = scene.address("alice", "VPN2-1", "").unwrap();
    scene.connect(connection(1, "alice").with(|e| e.addresses = vec![number(&given)])).unwrap();
    scene.wait(70);
    scene.address("bob", "VPN2-2", "").unwrap();
    assert_eq!((scene.live(), scene.ended()), (String::new(), "never established 0".into()));
    assert!(scene.leases().contains("10.8.0.1 CORP\\ALICE held"), "{}", scene.leases());
    // Its address is given to no other user, however much time passes.
    scene.wait(3000);
    assert!(scene.address("carol", "VPN2-3", "").is_ok());
    assert!(scene.address("dave", "VPN2-4", "").is_err());
    scene.link(1, "VPN2-1").unwrap();
    assert_eq!(scene.live(), "alice 10.8.0.1");
}

#[test]
fn what_a_process_that_ended_had_accepted_is_over_and_keeps_its_addresses() {
    let mut scene = Scene::new(OPEN);
    let given = scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.process = Process(2);
    scene.begin(2, "bob", "VPN2-2").unwrap();
    scene.wait(100);
    scene.handle(Event::ProcessEnded { process: Process(1) });
    assert_eq!((scene.live(), scene.ended()), ("bob 10.8.0.2".into(), "process ended 100".into()));
    assert!(scene.leases().contains("10.8.0.1 CORP\\ALICE held"), "{}", scene.leases());
    // However much time passes, until it is released.
    scene.wait(3000);
    assert!(scene.leases().contains("10.8.0.1 CORP\\ALICE held"), "{}", scene.leases());
    scene.release("alice", "VPN2-1", &given);
    assert!(!scene.leases().contains("10.8.0.1"), "{}", scene.leases());
}

#[test]
fn a_hangup_after_the_links_are_gone_still_counts() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.wait(100);
    scene.link_hangup(1, "VPN2-1");
    scene.wait(70);
    scene.release("nobody", "VPN2-8", "10.9.9.9");
    assert_eq!(scene.ended(), "links gone 100");
    let usage = Usage { seconds: 130, input_octets: 7, output_octets: 9, ..Usage::default() };
    scene.hangup(connection(1, "alice").with(|e| e.usage = usage));
    assert_eq!(scene.ended(), "links gone 100; hangup 130");
    let alice = rasadmin_engine::Identity { domain: "CORP".into(), name: "ALICE".into() };
    let label = rasadmin_engine::calendar::labels_at(scene.at.time, &scene.config.zone).day;
    let used = scene.state.used(&alice, rasadmin_engine::config::file::Period::Day, label);
    assert_eq!((used.seconds, used.octets), (130, 16));
    // The same hangup again changes nothing.
    scene.hangup(connection(1, "alice").with(|e| e.usage = usage));
    assert_eq!(scene.anomalies(), ["hangup of an unknown connection"]);
}

#[test]
fn a_link_that_comes_late_finds_its_session_though_its_minute_is_over_by_this_very_call() {
    let mut scene = Scene::new(OPEN);
    let given = scene.address("alice", "VPN2-1", "").unwrap();
    scene.connect(connection(1, "alice").with(|e| e.addresses = vec![number(&given)])).unwrap();
    scene.wait(61);
    scene.link(1, "VPN2-1").unwrap();
    assert_eq!(scene.live(), "alice 10.8.0.1");
    scene.link_hangup(1, "VPN2-1");
    scene.wait(61);
    let usage = Usage { seconds: 122, ..Usage::default() };
    scene.hangup(connection(1, "alice").with(|e| e.usage = usage));
    assert_eq!(scene.ended(), "hangup 122");
}

#[test]
fn a_link_that_comes_after_a_minute_of_silence_finds_its_session() {
    let mut scene = Scene::new(TWO);
    let given = scene.address("alice", "VPN2-1", "").unwrap();
    scene.connect(connection(1, "alice").with(|e| e.addresses = vec![number(&given)])).unwrap();
    scene.wait(61);
    scene.link(1, "VPN2-1").unwrap();
    assert_eq!(scene.anomalies(), Vec::<&str>::new());
    assert_eq!(scene.live(), "alice 10.8.0.1");
    scene.wait(120);
    scene.release("nobody", "VPN2-8", "10.9.9.9");
    assert_eq!(scene.live(), "alice 10.8.0.1");
}

#[test]
fn a_hangup_that_comes_after_a_minute_of_silence_counts() {
    let mut scene = Scene::new(TWO);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.wait(100);
    scene.link_hangup(1, "VPN2-1");
    scene.wait(61);
    let usage = Usage { seconds: 100, input_octets: 7, output_octets: 9, ..Usage::default() };
    scene.hangup(connection(1, "alice").with(|e| e.usage = usage));
    assert_eq!(scene.anomalies(), Vec::<&str>::new());
    assert_eq!(today(&scene, "ALICE"), 100);
    assert!(scene.ended().ends_with("hangup 100"), "{}", scene.ended());
}

#[test]
fn a_further_link_after_a_minute_of_silence_finds_its_session() {
    let mut scene = Scene::new(TWO);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.link_hangup(1, "VPN2-1");
    scene.wait(61);
    scene.link(1, "VPN2-2").unwrap();
    assert_eq!(scene.live(), "alice 10.8.0.1");
}

#[test]
fn an_accept_after_five_minutes_of_silence_takes_its_address() {
    let mut scene = Scene::new(TWO);
    let given = scene.address("alice", "VPN2-1", "").unwrap();
    scene.wait(301);
    scene.connect(connection(1, "alice").with(|e| e.addresses = vec![number(&given)])).unwrap();
    scene.link(1, "VPN2-1").unwrap();
    assert_eq!(scene.live(), "alice 10.8.0.1");
}

#[test]
fn a_hangup_without_a_duration_ends_at_the_last_links_end() {
    let mut scene = Scene::new(TWO);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.wait(100);
    scene.link_hangup(1, "VPN2-1");
    scene.wait(3600);
    scene.hangup(connection(1, "alice"));
    assert_eq!(scene.ended(), "hangup 100");
}

#[test]
fn an_address_whose_session_expires_as_its_port_starts_again_is_free() {
    let mut scene = Scene::new(TWO);
    let given = scene.address("alice", "VPN2-1", "").unwrap();
    scene.connect(connection(1, "alice").with(|e| e.addresses = vec![number(&given)])).unwrap();
    scene.wait(61);
    scene.address("bob", "VPN2-1", "").unwrap();
    assert!(scene.address("carol", "VPN2-2", "").is_ok());
}

#[test]
fn an_administrator_closes_only_what_lives() {
    let mut scene = Scene::new(TWO);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    let session = scene.session(1).unwrap().id;
    scene.link_hangup(1, "VPN2-1");
    scene.wait(3600);
    scene.handle(Event::CloseSession { session, by: None, reason: None });
    assert_eq!(scene.ended(), "links gone 0");
}

#[test]
fn a_session_that_lives_after_more_than_an_hour_is_there() {
    let mut scene = Scene::new(TWO);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.link_hangup(1, "VPN2-1");
    scene.wait(61);
    scene.release("nobody", "VPN2-8", "10.9.9.9");
    scene.wait(3601);
    scene.link(1, "VPN2-1").unwrap();
    assert_eq!(scene.live(), "alice 10.8.0.1");
}

#[test]
fn an_address_without_a_projection_and_a_link_stays_while_its_user_may_have_it() {
    let mut scene = Scene::new(OPEN);
    assert_eq!(scene.address("alice", "VPN4-1", ""), Ok("10.8.0.1".into()));
    scene.connect(ikev2(1, "alice")).unwrap();
    scene.wait(3600);
    scene.link_hangup(9, "VPN2-9");
    assert!(scene.leases().contains("10.8.0.1"), "{}", scene.leases());
    scene.release("alice", "VPN4-1", "10.8.0.1");
    assert_eq!(scene.leases(), "");
}

/// Her bare name means another domain's Alice as long as nothing else is known, and his certificate's UPN resembles his
/// account's name in nothing.
#[test]
fn an_address_without_a_projection_and_a_link_stays_whatever_name_asked_for_it() {
    let mut scene = Scene::new(OPEN);
    assert_eq!(scene.address("alice", "VPN4-1", ""), Ok("10.8.0.1".into()));
    scene.connect(ikev2(1, "LAB\\alice")).unwrap();
    assert_eq!(scene.address("j.doe@corp.example", "VPN4-2", ""), Ok("10.8.0.2".into()));
    scene.connect(ikev2(2, "CORP\\jdoe")).unwrap();
    scene.wait(3600);
    scene.address("bob", "VPN4-3", "").unwrap_err();
    // Once no session may have it, an address that no connection took ends as ever.
    scene.release("alice", "VPN4-1", "10.8.0.1");
    scene.hangup(ikev2(1, "LAB\\alice"));
    scene.hangup(ikev2(2, "CORP\\jdoe"));
    assert_eq!(scene.address("bob", "VPN4-3", ""), Ok("10.8.0.1".into()));
    scene.wait(301);
    assert_eq!(scene.address("carol", "VPN4-4", ""), Ok("10.8.0.1".into()));
}

#[test]
fn a_further_link_keeps_no_lease_whose_session_was_hung_up() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.begin(2, "bob", "VPN2-2").unwrap();
    scene.hangup(connection(1, "alice"));
    // Its release is lost, and nothing is reported for a long time.
    scene.wait(600);
    scene.link(2, "VPN2-1").unwrap();
    assert_eq!(scene.leases(), "10.8.0.2 CORP\\BOB live");
}
