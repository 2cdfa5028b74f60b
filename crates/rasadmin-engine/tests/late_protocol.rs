//! A protocol that comes up late, or is negotiated again: to whom does the address belong?
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::event::{AddressEvent, Event, Offer};
use support::{OPEN, Scene, TWO, With, connection, given6, ikev2, no_lease_of_the_dead, number};

#[test]
fn what_was_taken_for_a_late_protocol_passes_to_the_connection_that_has_it() {
    let six = |port: &str| {
        Event::Address(AddressEvent {
            user: "alice".into(),
            port: port.into(),
            family: rasadmin_engine::addresses::Family::Ipv6,
            offer: Offer::Number(7),
        })
    };
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.wait(5);
    // The session takes the lease of its own late protocol at once.
    scene.handle(six("VPN2-1"));
    assert_eq!(scene.state.leases_of(scene.session(1).unwrap().id).count(), 2);
    // The next call on this port is from another connection, which asks for IPv6 first.
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.wait(5);
    scene.handle(six("VPN2-1"));
    let given = scene.address("alice", "VPN2-1", "").unwrap();
    let address = rasadmin_engine::addresses::Address { family: rasadmin_engine::addresses::Family::Ipv6, number: 7 };
    scene.connect(connection(2, "alice").with(|e| e.addresses = vec![number(&given), address])).unwrap();
    scene.link(2, "VPN2-1").unwrap();
    assert_eq!(scene.state.live_count(), 1);
    assert_eq!(scene.state.leases_of(scene.session(2).unwrap().id).count(), 2, "{}", scene.leases());
}

#[test]
fn an_address_that_was_taken_for_a_late_protocol_waits_again_when_its_session_is_over() {
    let six = rasadmin_engine::addresses::Address { family: rasadmin_engine::addresses::Family::Ipv6, number: 7 };
    let mut scene = Scene::new(OPEN);
    let given = scene.address("alice", "VPN4-2", "").unwrap();
    scene.connect(ikev2(11, "alice").with(|e| e.addresses = vec![number(&given)])).unwrap();
    scene.wait(10);
    // It is over, but that is not reported yet. She is back on the same port.
    let given = scene.address("alice", "VPN4-2", "").unwrap();
    scene.hangup(ikev2(11, "alice"));
    scene.handle(Event::Address(AddressEvent {
        user: "alice".into(),
        port: "VPN4-2".into(),
        family: six.family,
        offer: Offer::Number(six.number),
    }));
    scene.connect(ikev2(21, "alice").with(|e| e.addresses = vec![number(&given), six])).unwrap();
    assert_eq!(scene.state.leases_of(scene.session(21).unwrap().id).count(), 2, "{}", scene.leases());
}

#[test]
fn a_lease_that_another_session_had_says_nothing_about_the_port() {
    let mut scene = Scene::new("default_domain = \"CORP\"\ndefault.action = \"allow\"");
    let given = scene.begin(0, "bob", "VPN1-0").unwrap();
    scene.link_hangup(0, "VPN1-0");
    scene.hangup(connection(0, "bob"));
    // His next address was given while it could not be recorded.
    scene.connect(connection(2, "bob").with(|e| e.addresses = vec![number(&given)])).unwrap();
    scene.connect(connection(1, "carol")).unwrap();
    scene.link(1, "VPN1-0").unwrap();
    scene.link(2, "VPN1-1").unwrap();
    assert_eq!(scene.live(), "bob 172.16.0.9; carol ");
}

#[test]
fn an_address_negotiated_again_ends_with_the_session_that_got_it_in_the_same_call() {
    let mut scene = Scene::new(TWO);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    assert_eq!(scene.address("alice", "VPN2-1", ""), Ok("10.8.0.1".into()));
    scene.wait(301);
    scene.hangup(connection(1, "alice"));
    no_lease_of_the_dead(&scene);
    scene.release("alice", "VPN2-1", "10.8.0.1");
    scene.release("alice", "VPN2-1", "10.8.0.1");
    assert_eq!(scene.leases(), "");
}

#[test]
fn a_protocol_that_comes_late_under_the_form_of_the_address_call_closes_nothing() {
    let mut scene = Scene::new(TWO);
    // A certificate's UPN at the address call, the account's name at the connection.
    let upn = "a.smith@corp.example";
    let given = scene.address(upn, "VPN2-1", "").unwrap();
    scene.connect(connection(1, "CORP\\asmith").with(|e| e.addresses = vec![number(&given)])).unwrap();
    scene.link(1, "VPN2-1").unwrap();
    given6(&mut scene, upn, "VPN2-1");
    assert_eq!(scene.state.live_count(), 1);
    assert_eq!(scene.state.leases_of(scene.session(1).unwrap().id).count(), 2);
    // Negotiated again, it stays hers.
    let again = scene.address(upn, "VPN2-1", "").unwrap();
    scene.wait(301);
    scene.link_hangup(9, "VPN2-9");
    assert!(scene.state.lease_at(number(&again)).is_some());
}

#[test]
fn ikev2_without_a_link_keeps_an_address_that_it_negotiated_again() {
    let mut scene = Scene::new(TWO);
    let given = scene.address("alice", "VPN4-1", "").unwrap();
    scene
        .connect(connection(1, "alice").with(|e| (e.ikev2, e.addresses) = (Some(true), vec![number(&given)])))
        .unwrap();
    let again = scene.address("alice", "VPN4-1", "").unwrap();
    scene.wait(301);
    scene.link_hangup(9, "VPN2-9");
    assert!(scene.state.lease_at(number(&again)).is_some(), "{}", scene.leases());
}

#[test]
fn a_new_connection_on_the_port_of_a_stale_session_has_the_address_that_it_was_given_there() {
    let mut scene = Scene::new(TWO);
    let identifier = given6(&mut scene, "alice", "VPN2-1");
    scene.connect(connection(1, "alice").with(|e| e.addresses = vec![identifier])).unwrap();
    scene.link(1, "VPN2-1").unwrap();
    // The end of her session is not reported. She comes back on the same port, now by IPv4.
    assert_eq!(scene.begin(2, "alice", "VPN2-1"), Ok("10.8.0.1".into()));
    assert!(scene.live().contains("10.8.0.1"), "{}", scene.live());
    assert_eq!(scene.begin(3, "bob", "VPN2-2"), Ok("10.8.0.2".into()));
    assert!(scene.address("carol", "VPN2-3", "").is_err());
}

#[test]
fn an_address_from_long_before_an_attempt_stays_its_sessions_own() {
    let mut scene = Scene::new(TWO);
    scene.begin(1, "CORP\\alice", "VPN4-1").unwrap();
    scene.wait(5);
    let six = given6(&mut scene, "CORP\\alice", "VPN4-1");
    scene.wait(600);
    // Her end is not reported yet, and another device of hers is on the port. It shows no address.
    scene.address("CORP\\alice", "VPN4-1", "").unwrap();
    scene.connect(connection(2, "CORP\\alice")).unwrap();
    scene.link(2, "VPN4-1").unwrap();
    assert!(scene.session(1).is_none());
    assert!(scene.state.lease_at(six).is_none(), "{}", scene.leases());
}

/// Both of her links had an address call, and it is not known whose the first link's address is until another
/// connection has its port.
#[test]
fn what_was_negotiated_again_on_a_first_link_that_has_gone_stays_with_its_session() {
    let mut scene = Scene::new(TWO);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.link(1, "VPN2-2").unwrap();
    assert_eq!(scene.address("alice", "VPN2-1", ""), Ok("10.8.0.2".into()));
    scene.link_hangup(1, "VPN2-1");
    scene.address("bob", "VPN2-1", "").unwrap_err();
    assert_eq!(scene.live(), "alice 10.8.0.1+10.8.0.2");
    // One is enough, however often her port is used.
    let mut scene = Scene::new(&TWO.replace("10.8.0.2\"", "10.8.0.9\""));
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.link(1, "VPN2-2").unwrap();
    scene.link_hangup(1, "VPN2-1");
    for _ in 0..4 {
        scene.address("alice", "VPN2-1", "").unwrap();
    }
    assert_eq!(scene.live(), "alice 10.8.0.1+10.8.0.2");
}

/// What his earlier connection left on the port was requested by a bare name, and no user of his domain gets addresses
/// from its pool any more.
#[test]
fn what_is_left_on_the_port_is_no_reason_to_refuse_who_does_not_show_it() {
    let mut scene = Scene::new(TWO);
    let given = scene.address("erin", "VPN2-1", "").unwrap();
    let erin = |handle, given: &str| {
        connection(handle, "erin").with(|e| (e.domain, e.addresses) = ("LAB".into(), vec![number(given)]))
    };
    scene.connect(erin(1, &given)).unwrap();
    scene.link(1, "VPN2-1").unwrap();
    scene.wait(5);
    scene.handle(Event::Address(AddressEvent {
        user: "erin".into(),
        port: "VPN2-1".into(),
        family: rasadmin_engine::addresses::Family::Ipv6,
        offer: Offer::Nothing,
    }));
    scene.hangup(erin(1, &given));
    let corp = "[groups.corp]\nusers = ['CORP\\ERIN']\nipv6_pool = \"six\"";
    scene.reload(&format!("{}\n{corp}", TWO.replace("addresses.ipv6_pool = \"six\"", "")));
    scene.wait(5);
    let given = scene.address("erin", "VPN2-1", "").unwrap();
    assert_eq!(scene.leases(), format!("{given} CORP\\ERIN waits; ::a:1 LAB\\ERIN waits"));
    scene.connect(erin(2, &given)).unwrap();
}
