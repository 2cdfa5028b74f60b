//! Ports, handles and names that are used again: a user who is online through another one keeps session and address.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::effect::Usage;
use rasadmin_engine::event::Event;
use rasadmin_engine::{Name, Tunnel};
use support::{OPEN, Scene, TWO, With, connection};

#[test]
fn a_session_lives_on_by_its_other_link_when_its_first_port_is_used_again() {
    let mut scene = Scene::new(OPEN);
    assert_eq!(scene.begin(1, "alice", "VPN2-1"), Ok("10.8.0.1".into()));
    scene.link(1, "VPN2-2").unwrap();
    scene.link_hangup(1, "VPN2-1");
    assert_eq!(scene.begin(2, "bob", "VPN2-1"), Ok("10.8.0.2".into()));
    assert_eq!(scene.live(), "alice 10.8.0.1; bob 10.8.0.2");
    assert_eq!(scene.address("carol", "VPN2-3", "172.16.0.9"), Err("default: the pool `staff` is exhausted".into()));
}

#[test]
fn the_same_user_on_the_first_port_again_is_another_connection() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.link(1, "VPN2-2").unwrap();
    scene.link_hangup(1, "VPN2-1");
    assert_eq!(scene.begin(2, "alice", "VPN2-1"), Ok("10.8.0.2".into()));
    assert_eq!(scene.live(), "alice 10.8.0.1; alice 10.8.0.2");
}

#[test]
fn a_lost_link_hangup_ends_the_link_and_not_the_session() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.link(1, "VPN2-2").unwrap();
    assert_eq!(scene.begin(2, "bob", "VPN2-1"), Ok("10.8.0.2".into()));
    assert_eq!(scene.live(), "alice 10.8.0.1; bob 10.8.0.2");
    assert_eq!(scene.session(1).unwrap().links.len(), 1);
}

#[test]
fn a_port_that_starts_again_closes_a_session_that_has_no_other_link() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.wait(60);
    assert_eq!(scene.begin(2, "bob", "VPN2-1"), Ok("10.8.0.2".into()));
    assert_eq!(scene.live(), "bob 10.8.0.2");
    assert_eq!(scene.ended(), "port started again 60");
    assert_eq!(scene.leases(), "10.8.0.2 CORP\\BOB live");
}

#[test]
fn ports_without_a_name_are_not_one_port() {
    let mut scene = Scene::new(TWO);
    assert_eq!(scene.begin(1, "alice", ""), Ok("10.8.0.1".into()));
    assert_eq!(scene.begin(2, "bob", ""), Ok("10.8.0.2".into()));
    assert_eq!(scene.live(), "alice 10.8.0.1; bob 10.8.0.2");
    assert!(scene.address("carol", "", "").is_err());
    scene.end(1, "alice", "", "10.8.0.1");
    assert_eq!(scene.live(), "bob 10.8.0.2");
    assert_eq!(scene.leases(), "10.8.0.2 CORP\\BOB live");
}

#[test]
fn an_attempt_on_a_port_without_a_name_keeps_its_address_while_it_waits() {
    let mut scene = Scene::new(TWO);
    assert_eq!(scene.address("alice", "", ""), Ok("10.8.0.1".into()));
    assert_eq!(scene.address("bob", "", ""), Ok("10.8.0.2".into()));
}

#[test]
fn a_link_without_a_ports_name_ends_when_its_connection_says_so() {
    let mut scene = Scene::new(TWO);
    scene.begin(1, "alice", "").unwrap();
    scene.begin(2, "bob", "").unwrap();
    scene.link_hangup(1, "");
    assert_eq!(scene.anomalies(), Vec::<&str>::new());
    assert!(scene.session(1).unwrap().links.is_empty());
    assert_eq!(scene.session(2).unwrap().links.len(), 1);
}

#[test]
fn names_do_not_matter_to_the_order_of_things() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.handle(Event::Hangup(connection(1, "alice").with(|e| e.user = Name::new("somebody else"))));
    assert_eq!(scene.live(), "");
}

#[test]
fn a_user_who_is_back_on_the_same_port_gets_the_same_address() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    assert_eq!(scene.begin(2, "alice", "VPN2-1"), Ok("10.8.0.1".into()));
    assert_eq!(scene.live(), "alice 10.8.0.1");
    assert_eq!(scene.leases(), "10.8.0.1 CORP\\ALICE live");
}

#[test]
fn a_reused_handle_does_not_revive_another_session() {
    let mut scene = Scene::new(OPEN);
    scene.connect(connection(7, "alice").with(|e| e.guid = Some("a".into()))).unwrap();
    scene.wait(61);
    scene.release("nobody", "VPN2-8", "10.9.9.9");
    scene.connect(connection(7, "bob").with(|e| e.guid = Some("b".into()))).unwrap();
    scene.hangup(connection(7, "bob").with(|e| e.guid = Some("b".into())));
    scene.link(7, "VPN2-1").unwrap();
    assert_eq!(scene.anomalies(), ["link of an unknown connection"]);
    assert_eq!(scene.live(), "");
}

#[test]
fn a_hangup_without_a_guid_is_not_for_an_earlier_session_of_the_handle() {
    let no_guid = |handle, user: &str| connection(handle, user).with(|e| e.guid = None);
    let mut scene = Scene::new(OPEN);
    scene.connect(no_guid(7, "frank")).unwrap();
    scene.wait(61);
    scene.release("nobody", "VPN2-8", "10.9.9.9");
    scene.connect(no_guid(7, "mallory")).unwrap();
    scene.link(7, "VPN2-1").unwrap();
    scene.hangup(no_guid(7, "mallory"));
    scene.hangup(no_guid(7, "mallory").with(|e| e.usage = Usage { seconds: 5, input_octets: 9, ..Usage::default() }));
    assert_eq!(scene.anomalies(), ["hangup of an unknown connection"]);
}

#[test]
fn a_hangup_of_a_rejected_connection_is_not_for_an_earlier_session_of_the_handle() {
    let one = "[[rules]]\nname = \"office\"\naction = \"deny\"\nremote_computers = [\"HOME\"]";
    let mut scene = Scene::new(&support::limit(one));
    let begun = connection(1, "alice").with(|e| e.guid = None);
    scene.connect(begun.clone()).unwrap();
    scene.link(1, "VPN2-1").unwrap();
    scene.wait(20);
    scene.link_hangup(1, "VPN2-1");
    scene.wait(61);
    scene.release("nobody", "VPN2-8", "10.9.9.9");
    assert_eq!(scene.ended(), "links gone 20");
    // This form of the call carries no GUID: only the handle shows which connection the hangup is for.
    let rejected = begun.with(|e| e.computer = "HOME".into());
    scene.connect(rejected.clone()).unwrap_err();
    scene.hangup(rejected.with(|e| e.usage = Usage { seconds: 0, input_octets: 5, ..Usage::default() }));
    assert_eq!(scene.anomalies(), ["hangup of an unknown connection"]);
    let labels = rasadmin_engine::calendar::labels_at(scene.at.time, &scene.config.zone);
    let used = scene.state.used(&support::corp("ALICE"), rasadmin_engine::config::file::Period::Day, labels.day);
    assert_eq!((used.seconds, used.octets), (20, 0));
}

/// His attempt on an SSTP port failed, and was not accepted. RRAS gave its address to his IKEv2 connection, in a call that
/// is not on record.
#[test]
fn a_link_on_another_tunnels_port_closes_no_ikev2_session() {
    let mut scene = Scene::new(OPEN);
    let given = scene.address("alice", "VPN1-2", "").unwrap();
    let ikev2 = connection(1, "alice").with(|e| (e.ikev2, e.addresses) = (Some(true), vec![support::number(&given)]));
    scene.connect(ikev2).unwrap();
    scene.connect(connection(2, "bob")).unwrap();
    scene.handle(Event::Link(support::link(2, "VPN1-2", Tunnel::Sstp)));
    assert!(scene.session(1).is_some());
    scene.handle(Event::Link(support::link(2, "VPN1-2", Tunnel::Ikev2)));
    assert!(scene.session(1).is_none());
}
