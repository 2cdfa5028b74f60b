//! Which connection an address belongs to, if it appears late, on another port, or under another name.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::addresses::Family;
use rasadmin_engine::event::{AddressEvent, Event, Offer, ReleaseEvent};
use rasadmin_engine::{Answer, Given, Stamp, Tunnel, effect::Origin};
use support::{OPEN, Scene, address, connection, given6, ikev2, link, number, release, shows};

/// No pool: RRAS's offers are kept.
const OFFERS: &str = "default_domain = \"CORP\"\ndefault.action = \"allow\"";

fn given(address: &str) -> Answer {
    Answer::Address(Given { number: number(address).number, origin: Origin::Offer, pool: None })
}

fn asked(user: &str, port: &str, offer: &str) -> Event {
    let offer = Offer::Number(number(offer).number);
    Event::Address(AddressEvent { offer, ..address(user, port, Offer::Nothing) })
}

/// A moment passes.
fn tick(scene: &mut Scene) -> Stamp {
    let then = scene.at;
    scene.wait(1);
    then
}

#[test]
fn an_address_in_a_projection_is_taken_from_its_earlier_session() {
    let mut scene = Scene::new(OFFERS);
    scene.handle(Event::Address(AddressEvent {
        family: Family::Ipv6,
        ..address("bob", "VPN4-1", Offer::Number(0x777))
    }));
    scene.connect(connection(1, "bob")).unwrap();
    scene.link(1, "VPN4-1").unwrap();
    tick(&mut scene);
    // PARTNER's Bob comes on the same port with his bare name. It looks as if the other protocol came late.
    scene.address("bob", "VPN4-1", "172.16.0.7").unwrap();
    scene.connect(shows(connection(2, "PARTNER\\bob"), "172.16.0.7")).unwrap();
    scene.link(2, "VPN4-1").unwrap();
    assert_eq!(scene.live(), "PARTNER\\bob 172.16.0.7");
    assert!(scene.leases().contains("172.16.0.7 PARTNER\\BOB live"), "{}", scene.leases());
}

#[test]
fn an_old_lease_of_another_user_says_nothing_about_the_port() {
    let mut scene = Scene::new(OFFERS);
    scene.address("carol", "VPN3-1", "172.16.0.5").unwrap();
    // RRAS gives Bob the same address, in a call that is not on record.
    scene.connect(shows(connection(2, "bob"), "172.16.0.5")).unwrap();
    scene.connect(connection(3, "carol")).unwrap();
    scene.link(3, "VPN3-1").unwrap();
    scene.link(2, "VPN4-1").unwrap();
    assert_eq!(scene.live(), "bob 172.16.0.5; carol ");
}

#[test]
fn of_two_sessions_that_showed_an_address_the_one_that_came_after_the_call_has_it() {
    let mut scene = Scene::new(OFFERS);
    let first = tick(&mut scene);
    scene.connect(shows(ikev2(1, "alice"), "172.16.0.5")).unwrap();
    let second = tick(&mut scene);
    scene.wait(1);
    scene.connect(shows(ikev2(2, "alice"), "172.16.0.5")).unwrap();
    scene.tell_late(first, asked("alice", "VPN2-1", "172.16.0.5"), given("172.16.0.5"));
    scene.tell_late(second, asked("alice", "VPN2-2", "172.16.0.5"), given("172.16.0.5"));
    let holder = scene.state.lease_at(number("172.16.0.5")).unwrap().session();
    assert_eq!(holder, Some(scene.session(2).unwrap().id));
}

#[test]
fn an_address_that_had_waited_finds_the_session_that_has_had_its_port_since() {
    let mut scene = Scene::new(OFFERS);
    let then = tick(&mut scene);
    scene.connect(connection(1, "carol")).unwrap();
    scene.link(1, "VPN4-1").unwrap();
    scene.link(1, "VPN4-2").unwrap();
    scene.link_hangup(1, "VPN4-1");
    scene.tell_late(then, asked("carol", "VPN4-1", "172.16.0.5"), given("172.16.0.5"));
    // The port belongs to another user now.
    scene.address("dave", "VPN4-1", "172.16.0.6").unwrap();
    assert_eq!(scene.live(), "carol 172.16.0.5");
}

#[test]
fn a_link_that_had_waited_has_the_protocol_that_came_late_on_it() {
    let mut scene = Scene::new(OPEN);
    let offer = Offer::Number(0x1234_5678_9abc_def0);
    let six = AddressEvent { family: Family::Ipv6, ..address("carol", "VPN3-2", offer) };
    let accepted = tick(&mut scene);
    let linked = tick(&mut scene);
    scene.handle(Event::Address(six));
    scene.tell_late(accepted, Event::Connection(connection(1, "carol")), Answer::Accept);
    scene.tell_late(linked, Event::Link(link(1, "VPN3-2", Tunnel::L2tp)), Answer::Accept);
    assert_eq!(scene.live(), "carol ::1234:5678:9abc:def0");
}

#[test]
fn a_first_link_without_an_address_has_what_was_taken_for_another_sessions_protocol() {
    let mut scene = Scene::new(support::TWO);
    given6(&mut scene, "alice", "VPN1-1");
    scene.connect(connection(1, "alice")).unwrap();
    scene.link(1, "VPN1-1").unwrap();
    scene.link(1, "VPN1-2").unwrap();
    // The first link's end is not reported yet, and she comes back on its port.
    tick(&mut scene);
    let given = scene.address("alice", "VPN1-1", "").unwrap();
    scene.connect(connection(2, "alice")).unwrap();
    scene.link(2, "VPN1-1").unwrap();
    let holder = scene.state.lease_at(number(&given)).unwrap().session();
    assert_eq!(holder, Some(scene.session(2).unwrap().id));
    assert!(scene.session(1).is_some(), "it has its other link");
}

#[test]
fn what_was_given_after_an_event_that_had_waited_outlives_what_it_ends() {
    let mut scene = Scene::new(support::TWO);
    given6(&mut scene, "bob", "VPN1-2");
    scene.connect(connection(1, "bob")).unwrap();
    scene.link(1, "VPN1-2").unwrap();
    scene.connect(connection(2, "carol")).unwrap();
    scene.link(2, "VPN1-1").unwrap();
    let then = tick(&mut scene);
    let given = scene.address("bob", "VPN1-2", "").unwrap();
    // Carol's second link had come on that port before.
    scene.tell_late(then, Event::Link(link(2, "VPN1-2", Tunnel::Sstp)), Answer::Accept);
    assert!(scene.session(1).is_none());
    assert!(scene.state.lease_at(number(&given)).is_some(), "its client may be online: {}", scene.leases());
}

#[test]
fn of_two_late_releases_the_later_leases_is_waited_for() {
    let mut scene = Scene::new(support::TWO);
    let early = scene.address("frank", "VPN3-1", "").unwrap();
    scene.connect(shows(connection(1, "frank"), &early)).unwrap();
    scene.link(1, "VPN3-1").unwrap();
    scene.link(1, "VPN3-2").unwrap();
    tick(&mut scene);
    let late = scene.address("alice", "VPN3-1", "").unwrap();
    scene.wait(301);
    scene.hangup(connection(9, "nobody"));
    assert!(scene.state.lease_at(number(&late)).is_none(), "no connection came");
    scene.hangup(shows(connection(1, "frank"), &early));
    scene.wait(301);
    scene.hangup(connection(9, "nobody"));
    assert!(scene.state.lease_at(number(&early)).is_none(), "five minutes are over");
    // She comes back and gets the same address: her earlier attempt's release frees nothing.
    assert_eq!(scene.address("alice", "VPN3-1", "").unwrap(), late);
    scene.release("alice", "VPN3-1", &late);
    assert!(scene.state.lease_at(number(&late)).is_some());
}

#[test]
fn an_address_is_judged_by_the_name_that_asked_for_it() {
    let text = format!(
        "{OPEN}\n[pools.corp]\naddresses = [\"10.9.0.1-10.9.0.9\"]\n[groups.corp]\nusers = ['CORP\\*']\npool = \"corp\""
    );
    let mut scene = Scene::new(&text);
    scene.handle(Event::Address(AddressEvent {
        family: Family::Ipv6,
        ..address("alice", "VPN1-1", Offer::Number(0x777))
    }));
    scene.connect(connection(1, "PARTNER\\alice")).unwrap();
    scene.link(1, "VPN1-1").unwrap();
    tick(&mut scene);
    // Her bare name means CORP's alice, and it looks as if the other protocol of her session came late.
    let given = scene.address("alice", "VPN1-1", "").unwrap();
    let refused = scene.connect(shows(connection(2, "PARTNER\\alice"), &given));
    assert!(refused.is_err(), "{given} is of CORP's pool");
}

#[test]
fn a_first_link_whose_rejection_had_waited_bills_nothing() {
    let mut scene = Scene::new(OPEN);
    let given = scene.address("alice", "VPN4-1", "").unwrap();
    scene.connect(shows(ikev2(1, "alice"), &given)).unwrap();
    let then = tick(&mut scene);
    scene.address("bob", "VPN4-1", "").unwrap();
    assert!(scene.session(1).is_none(), "its port has started again");
    scene.tell_late(then, Event::Link(link(1, "VPN4-1", Tunnel::Pptp)), Answer::Reject);
    scene.hangup(connection(1, "alice"));
    assert_eq!(scene.ended(), "port started again 1; first link rejected 1");
}

#[test]
fn a_release_elsewhere_keeps_no_lease_that_is_over() {
    let mut scene = Scene::new(OFFERS);
    scene.address("alice", "VPN1-1", "172.16.0.5").unwrap();
    scene.wait(301);
    scene.handle(Event::Release(release("dave", "VPN4-1", "172.16.0.5")));
    assert_eq!(scene.leases(), "");
    scene.address("alice", "VPN1-1", "172.16.0.5").unwrap();
    scene.wait(301);
    scene.handle(Event::Release(release("dave", "VPN1-1", "172.16.0.5")));
    assert_eq!(scene.leases(), "", "another's, on the same port");
}

/// Without a projection: Bob has two links and drops, and his next connection asks on the first one's port.
fn bob_is_back(scene: &mut Scene) -> String {
    scene.handle(Event::Address(AddressEvent {
        family: Family::Ipv6,
        ..address("bob", "VPN1-1", Offer::Number(0x777))
    }));
    scene.connect(connection(1, "bob")).unwrap();
    scene.link(1, "VPN1-1").unwrap();
    scene.link(1, "VPN1-2").unwrap();
    tick(scene);
    scene.address("bob", "VPN1-1", "").unwrap()
}

#[test]
fn what_was_taken_for_a_late_protocol_outlives_the_session_whose_other_port_starts_again() {
    let mut scene = Scene::new(OPEN);
    let given = bob_is_back(&mut scene);
    scene.link_hangup(1, "VPN1-1");
    scene.connect(connection(2, "bob")).unwrap();
    // Another connection is on the second port now.
    scene.connect(connection(3, "carol")).unwrap();
    scene.link(3, "VPN1-2").unwrap();
    assert!(scene.session(1).is_none());
    scene.link(2, "VPN1-1").unwrap();
    scene.wait(301);
    scene.hangup(connection(9, "nobody"));
    let holder = scene.state.lease_at(number(&given)).unwrap().session();
    assert_eq!(holder, Some(scene.session(2).unwrap().id));
}

#[test]
fn a_late_protocol_stays_with_a_session_that_has_left_the_port() {
    let mut scene = Scene::new(OPEN);
    let given = bob_is_back(&mut scene);
    // The lease belongs to the session: its first link has ended in order, and another device of Bob's comes on its
    // port.
    scene.link_hangup(1, "VPN1-1");
    let another = scene.address("bob", "VPN1-1", "").unwrap();
    scene.connect(connection(2, "bob")).unwrap();
    scene.link(2, "VPN1-1").unwrap();
    for (address, handle) in [(given, 1), (another, 2)] {
        let holder = scene.state.lease_at(number(&address)).unwrap().session();
        assert_eq!(holder, Some(scene.session(handle).unwrap().id), "{address}");
    }
}

#[test]
fn a_newcomer_without_another_address_has_what_was_asked_for_on_its_port() {
    let mut scene = Scene::new(OPEN);
    let given = bob_is_back(&mut scene);
    // The end of the first link comes after the call. He soon leaves the port for another.
    scene.link_hangup(1, "VPN1-1");
    scene.connect(connection(2, "bob")).unwrap();
    scene.link(2, "VPN1-1").unwrap();
    scene.link(2, "VPN1-3").unwrap();
    scene.link_hangup(2, "VPN1-1");
    scene.hangup(connection(1, "bob"));
    scene.address("carol", "VPN1-1", "").unwrap();
    let holder = scene.state.lease_at(number(&given)).unwrap().session();
    assert_eq!(holder, Some(scene.session(2).unwrap().id));
}

#[test]
fn a_late_address_is_not_that_of_a_user_who_got_it_later() {
    let mut scene = Scene::new(OFFERS);
    let alices = tick(&mut scene);
    scene.connect(shows(connection(1, "alice"), "172.16.0.5")).unwrap();
    scene.link(1, "VPN1-1").unwrap();
    tick(&mut scene);
    scene.hangup(connection(1, "alice"));
    let bobs = tick(&mut scene);
    scene.connect(shows(connection(2, "bob"), "172.16.0.5")).unwrap();
    scene.link(2, "VPN1-2").unwrap();
    let record = scene.tell_late(alices, asked("alice", "VPN1-1", "172.16.0.5"), given("172.16.0.5"));
    assert_eq!(record.session, None, "{:?}", record.effects);
    scene.tell_late(bobs, asked("bob", "VPN1-2", "172.16.0.5"), given("172.16.0.5"));
    assert_eq!(scene.live(), "bob 172.16.0.5");
}

#[test]
fn who_shows_an_address_that_another_device_had_asked_for_waits_for_its_first_link() {
    let mut scene = Scene::new(OFFERS);
    scene.address("bob", "VPN3-1", "172.16.0.5").unwrap();
    scene.connect(connection(1, "bob")).unwrap();
    // RRAS gives the address to his other device, in a call that is not on record.
    scene.connect(shows(connection(2, "bob"), "172.16.0.5")).unwrap();
    scene.link(1, "VPN3-1").unwrap();
    scene.link(2, "VPN4-1").unwrap();
    assert!(scene.live().contains("bob 172.16.0.5"), "{}", scene.live());
    assert_eq!(scene.state.live_count(), 2);
}

#[test]
fn a_session_keeps_an_address_that_had_waited_though_an_earlier_one_was_taken_for_its_own() {
    let mut scene = Scene::new(OFFERS);
    let first = tick(&mut scene);
    let second = tick(&mut scene);
    scene.connect(connection(2, "olga")).unwrap();
    scene.link(2, "VPN4-1").unwrap();
    scene.link(2, "VPN4-2").unwrap();
    let third = tick(&mut scene);
    scene.link_hangup(2, "VPN4-1");
    // Her earlier attempt on the port is long over; then her session asked, and once more for its other protocol.
    scene.tell_late(first, asked("olga", "VPN4-1", "172.16.0.5"), given("172.16.0.5"));
    scene.tell_late(second, asked("olga", "VPN4-1", "172.16.0.6"), given("172.16.0.6"));
    scene.tell_late(third, asked("olga", "VPN4-1", "172.16.0.7"), given("172.16.0.7"));
    scene.address("bob", "VPN4-1", "172.16.0.8").unwrap();
    let holder = scene.state.lease_at(number("172.16.0.7")).unwrap().session();
    assert_eq!(holder, Some(scene.session(2).unwrap().id));
}

#[test]
fn who_shows_an_address_from_an_earlier_call_is_not_on_its_port() {
    let mut scene = Scene::new(OFFERS);
    scene.address("bob", "VPN2-1", "172.16.0.5").unwrap();
    scene.address("carol", "VPN2-2", "172.16.0.6").unwrap();
    scene.address("erin", "VPN2-3", "172.16.0.7").unwrap();
    // RRAS has given these addresses again, in calls that are not on record.
    scene.connect(shows(connection(1, "alice"), "172.16.0.5")).unwrap();
    scene.connect(shows(ikev2(2, "dave"), "172.16.0.6")).unwrap();
    scene.wait(301);
    scene.connect(shows(ikev2(3, "erin"), "172.16.0.7")).unwrap();
    scene.link(1, "VPN2-9").unwrap();
    for (handle, port) in [(11, "VPN2-1"), (12, "VPN2-2"), (13, "VPN2-3")] {
        scene.connect(connection(handle, "frank")).unwrap();
        scene.link(handle, port).unwrap();
    }
    assert!(scene.live().starts_with("alice 172.16.0.5; dave 172.16.0.6; erin 172.16.0.7; "), "{}", scene.live());
}

#[test]
fn who_waits_for_a_first_link_is_not_closed_by_another_on_the_port_of_an_address() {
    let mut scene = Scene::new(OFFERS);
    scene.address("alice", "VPN2-1", "172.16.0.5").unwrap();
    // Her other device has her address by now, in a call that is not on record.
    scene.connect(shows(connection(1, "alice"), "172.16.0.5")).unwrap();
    scene.connect(connection(2, "bob")).unwrap();
    scene.link(2, "VPN2-1").unwrap();
    scene.address("carol", "VPN2-1", "172.16.0.6").unwrap();
    scene.link(1, "VPN2-2").unwrap();
    assert_eq!(scene.live(), "alice 172.16.0.5");
}

#[test]
fn an_address_that_had_waited_under_another_name_is_the_first_links() {
    let mut scene = Scene::new(OFFERS);
    let first = tick(&mut scene);
    scene.connect(ikev2(1, "LAB\\erin")).unwrap();
    scene.link(1, "VPN2-1").unwrap();
    let second = tick(&mut scene);
    scene.tell_late(first, asked("erin@lab.example", "VPN2-1", "172.16.0.5"), given("172.16.0.5"));
    // Then the same name is hers when the other protocol is asked for.
    let six = AddressEvent { family: Family::Ipv6, ..address("erin@lab.example", "VPN2-1", Offer::Number(0x777)) };
    let answer = Answer::Address(Given { number: 0x777, origin: Origin::Offer, pool: None });
    scene.tell_late(second, Event::Address(six), answer);
    assert_eq!(scene.live(), "LAB\\erin 172.16.0.5+::777");
}

#[test]
fn a_link_that_had_waited_has_what_was_taken_for_the_protocol_of_who_was_there_before() {
    let mut scene = Scene::new(OFFERS);
    scene.address("alice", "VPN3-1", "172.16.0.5").unwrap();
    scene.connect(connection(1, "alice")).unwrap();
    scene.link(1, "VPN3-1").unwrap();
    let (accepted, linked) = (tick(&mut scene), tick(&mut scene));
    let six = AddressEvent { family: Family::Ipv6, ..address("alice", "VPN3-1", Offer::Number(0x777)) };
    scene.handle(Event::Address(six));
    scene.tell_late(accepted, Event::Connection(connection(2, "alice")), Answer::Accept);
    scene.tell_late(linked, Event::Link(link(2, "VPN3-1", Tunnel::L2tp)), Answer::Accept);
    assert_eq!(scene.live(), "alice ::777");
}

/// Bob is online with a late protocol's address, and has lost his only link; his end is not reported yet.
fn bob_is_gone(scene: &mut Scene) {
    scene.address("bob", "VPN4-1", "172.16.0.5").unwrap();
    scene.connect(connection(1, "bob")).unwrap();
    scene.link(1, "VPN4-1").unwrap();
    tick(scene);
    scene.handle(Event::Address(AddressEvent {
        family: Family::Ipv6,
        ..address("bob", "VPN4-1", Offer::Number(0x777))
    }));
    scene.link_hangup(1, "VPN4-1");
}

#[test]
fn a_first_link_takes_no_earlier_address_under_another_name_than_its_own() {
    let mut scene = Scene::new(OFFERS);
    bob_is_gone(&mut scene);
    // PARTNER's Bob may be asked for by his bare name, but was not.
    scene.address("PARTNER\\bob", "VPN4-1", "172.16.0.6").unwrap();
    scene.connect(connection(2, "PARTNER\\bob")).unwrap();
    scene.link(2, "VPN4-1").unwrap();
    assert_eq!(scene.live(), "PARTNER\\bob 172.16.0.6; bob 172.16.0.5+::777");
}

#[test]
fn a_first_link_takes_no_address_that_was_given_back() {
    let mut scene = Scene::new(OFFERS);
    bob_is_gone(&mut scene);
    let address = rasadmin_engine::addresses::Address { family: Family::Ipv6, number: 0x777 };
    scene.handle(Event::Release(ReleaseEvent { user: "bob".into(), port: "VPN4-1".into(), address: Some(address) }));
    scene.connect(connection(2, "PARTNER\\bob")).unwrap();
    scene.link(2, "VPN4-1").unwrap();
    assert!(!scene.leases().contains("::777 PARTNER"), "{}", scene.leases());
}

#[test]
fn a_first_link_takes_nothing_that_was_left_long_before() {
    let mut scene = Scene::new(OFFERS);
    bob_is_gone(&mut scene);
    scene.hangup(connection(1, "bob"));
    scene.wait(301);
    scene.connect(connection(2, "carol")).unwrap();
    scene.link(2, "VPN4-1").unwrap();
    assert_eq!(scene.live(), "carol ");
}
