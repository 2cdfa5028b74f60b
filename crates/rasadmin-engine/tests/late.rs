//! Events that come late, come twice, or have waited: they affect only what began before them.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::effect::Origin;
use rasadmin_engine::event::{Event, Offer};
use rasadmin_engine::state::Checkpoint;
use rasadmin_engine::{Answer, Given, Now, Stamp, Tunnel, decide};
use support::{OPEN, Scene, TWO, With, connection, given6, link, number, one_session, today};

#[test]
fn a_late_link_hangup_touches_no_newer_link() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.hangup(connection(1, "alice"));
    scene.begin(2, "bob", "VPN2-1").unwrap();
    scene.link_hangup(1, "VPN2-1");
    assert_eq!(scene.anomalies(), ["hangup of an unknown link"]);
    scene.wait(120);
    scene.address("carol", "VPN2-9", "").unwrap();
    assert_eq!(scene.live(), "bob 10.8.0.2");
}

#[test]
fn what_waited_touches_only_what_began_before_it() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    let then = scene.at;
    scene.wait(5);
    // The hangup of alice's connection waits; meanwhile her handle and her port are bob's.
    scene.link_hangup(1, "VPN2-1");
    let given = scene.address("bob", "VPN2-1", "").unwrap();
    scene.connect(connection(1, "bob").with(|e| (e.guid, e.addresses) = (None, vec![number(&given)]))).unwrap();
    scene.link(1, "VPN2-1").unwrap();
    let before = scene.live();
    let at = Stamp { mono: then.mono.after(1000), time: then.time + 1000 };
    scene.tell_late(at, Event::LinkHangup(link(1, "VPN2-1", Tunnel::Sstp)), Answer::Nothing);
    scene.tell_late(at, Event::Hangup(connection(1, "alice").with(|e| e.guid = None)), Answer::Nothing);
    scene.tell_late(at, Event::Release(support::release("bob", "VPN2-1", &given)), Answer::Nothing);
    assert_eq!(scene.live(), before);
    assert!(before.starts_with("bob"), "{before}");
}

#[test]
fn a_late_accept_whose_handle_was_reused_is_over_at_once() {
    let mut scene = Scene::new(OPEN);
    let then = scene.at;
    scene.wait(5);
    scene.begin(1, "bob", "VPN2-1").unwrap();
    let record = scene.tell_late(
        then,
        Event::Connection(connection(1, "alice").with(|e| e.guid = Some("another".into()))),
        Answer::Accept,
    );
    assert!(record.is_durable());
    assert_eq!(scene.live(), "bob 10.8.0.1");
    assert_eq!(scene.ended(), "handle started again 5");
}

#[test]
fn a_late_answer_finds_the_session_that_has_shown_its_address_since() {
    let mut scene = Scene::new(OPEN);
    let then = scene.at;
    scene.wait(1);
    scene.connect(connection(1, "alice").with(|e| e.addresses = vec![number("10.8.0.2")])).unwrap();
    scene.link(1, "VPN2-1").unwrap();
    let given = Given { number: number("10.8.0.2").number, origin: Origin::Offer, pool: None };
    let asked = Event::Address(support::address("alice", "VPN2-1", Offer::Number(given.number)));
    scene.tell_late(then, asked, Answer::Address(given.clone()));
    assert_eq!(scene.live(), "alice 10.8.0.2");
    // A late answer that gave the same address to another user is reported, and changes nothing.
    let asked = Event::Address(support::address("bob", "VPN2-2", Offer::Number(given.number)));
    scene.tell_late(then, asked, Answer::Address(Given { origin: Origin::Pool, ..given }));
    assert_eq!(scene.anomalies(), ["an address was given that a live lease holds"]);
    assert_eq!(scene.live(), "alice 10.8.0.2");
}

#[test]
fn a_provisional_lease_waits_for_the_process_that_hears_the_accepts() {
    let mut scene = Scene::new(OPEN);
    let hears = scene.process;
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.process = rasadmin_engine::Process(2);
    assert_eq!(scene.address("bob", "VPN2-2", ""), Ok("10.8.0.2".into()));
    scene.wait(600);
    // The accept may be waiting in the other process.
    scene.address("carol", "VPN2-3", "").unwrap_err();
    scene.process = hears;
    scene.link_hangup(9, "VPN2-9");
    scene.process = rasadmin_engine::Process(2);
    assert_eq!(scene.address("carol", "VPN2-3", ""), Ok("10.8.0.2".into()));
}

#[test]
fn a_late_answer_closes_no_session_that_began_after_it() {
    let mut scene = Scene::new(OPEN);
    let given = scene.address("alice", "VPN3-0", "").unwrap();
    scene.wait(1);
    let then = scene.at;
    scene.wait(1);
    scene.connect(connection(3, "bob").with(|e| e.addresses = vec![number(&given)])).unwrap();
    scene.link(3, "VPN3-0").unwrap();
    let asked = Event::Address(support::address("frank", "VPN3-0", Offer::Nothing));
    scene.tell_late(then, asked, Answer::Reject);
    assert_eq!(scene.live(), "bob 10.8.0.1");
}

#[test]
fn a_stale_session_takes_no_address_while_the_accept_may_wait() {
    use rasadmin_engine::Process;
    let mut scene = Scene::new(TWO);
    assert_eq!(scene.begin(1, "alice", "VPN2-1"), Ok("10.8.0.1".into()));
    let then = scene.at;
    // Her hangup waits in the process that gets the notifications, and so does her next accept. The address functions
    // are called in another process, which gets neither.
    scene.process = Process(2);
    assert_eq!(scene.address("alice", "VPN2-1", ""), Ok("10.8.0.1".into()));
    scene.wait(301);
    scene.release("nobody", "VPN2-8", "10.9.9.9");
    scene.process = Process(1);
    scene.tell_late(then, Event::Hangup(connection(1, "alice")), Answer::Nothing);
    let event = connection(2, "alice").with(|e| e.addresses = vec![number("10.8.0.1")]);
    scene.tell_late(then, Event::Connection(event), Answer::Accept);
    assert_eq!(scene.live(), "alice 10.8.0.1");
}

#[test]
fn an_accept_that_is_recorded_twice_keeps_its_address() {
    let mut scene = Scene::new(TWO);
    let given = scene.address("alice", "VPN2-1", "").unwrap();
    let event = connection(1, "alice").with(|e| e.addresses = vec![number(&given)]);
    scene.connect(event.clone()).unwrap();
    scene.connect(event).unwrap();
    scene.link(1, "VPN2-1").unwrap();
    scene.wait(400);
    scene.address("bob", "VPN2-2", "").unwrap();
    assert_eq!(scene.live(), "alice 10.8.0.1");
}

#[test]
fn an_instance_lived_as_long_as_what_waited_says() {
    let mut scene = Scene::new(TWO);
    let then = scene.at;
    scene.wait(5000);
    let at = Stamp { time: then.time + 1000, mono: then.mono.after(1000) };
    scene.tell_late(at, Event::Connection(connection(1, "alice")), Answer::Accept);
    let at = Stamp { time: then.time + 1_801_000, mono: then.mono.after(1_801_000) };
    scene.tell_late(at, Event::Link(link(1, "VPN2-1", Tunnel::Sstp)), Answer::Accept);
    scene.restart();
    assert_eq!(today(&scene, "ALICE"), 1800);
}

#[test]
fn an_instance_begins_once() {
    let mut scene = Scene::new(TWO);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.handle(Event::InstanceStarted { instance: scene.instance });
    assert_eq!(scene.live(), "alice 10.8.0.1");
}

#[test]
fn a_state_of_a_checkpoint_replaces_the_same_session() {
    let mut scene = Scene::new(&one_session().replace("at_least = 1", "at_least = 9"));
    let from = |handle| connection(handle, "alice").with(|e| e.computer = "LAPTOP".into());
    scene.connect(from(1)).unwrap();
    scene.wait(70);
    scene.connect(from(2)).unwrap();
    scene.link(2, "VPN2-2").unwrap();
    // The first session lives after all.
    scene.link(1, "VPN2-1").unwrap();
    let mut again = Checkpoint::of(&scene.state).into_state();
    again.derive(&scene.config);
    let now = Now { at: scene.at, random: [7; 16] };
    let event = Event::Connection(from(3));
    assert_eq!(decide(&scene.state, &scene.context(), &event, &now), decide(&again, &scene.context(), &event, &now));
}

/// The hangup of the one who had asked was recorded by another process, so the next on the port takes what waited.
#[test]
fn a_release_that_waited_frees_what_a_session_that_began_later_was_taken_to_have() {
    let mut scene = Scene::new(TWO);
    let asked = scene.at;
    scene.wait(1);
    let released = scene.at;
    scene.wait(1);
    scene.connect(connection(2, "alice")).unwrap();
    scene.link(2, "VPN2-1").unwrap();
    let given = Given { number: number("10.8.0.1").number, origin: Origin::Pool, pool: Some("staff".into()) };
    let address = |user: &str, port: &str| Event::Address(support::address(user, port, Offer::Nothing));
    scene.tell_late(asked, address("erin", "VPN2-1"), Answer::Address(given.clone()));
    scene.tell_late(released, Event::Release(support::release("erin", "VPN2-1", "10.8.0.1")), Answer::Nothing);
    scene.tell_late(released, address("bob", "VPN2-9"), Answer::Address(given));
    assert_eq!(scene.anomalies(), [""; 0]);
    assert_eq!(scene.leases(), "10.8.0.1 CORP\\BOB waits");
}

/// In memory her link was on the port, and its next use ended her lease. By the time it is recorded the link has gone.
#[test]
fn an_answer_that_waited_ends_the_lease_that_its_process_knew_to_be_over() {
    let mut scene = Scene::new(TWO);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.wait(1);
    let then = scene.at;
    scene.wait(1);
    scene.link_hangup(1, "VPN2-1");
    let given = Given { number: number("10.8.0.1").number, origin: Origin::Sticky, pool: Some("staff".into()) };
    let asked = Event::Address(support::address("alice", "VPN2-1", Offer::Nothing));
    let record = scene.tell_late(then, asked.clone(), Answer::Address(given.clone()));
    assert_eq!(scene.anomalies(), [""; 0]);
    assert_eq!(scene.state.lease_at(number("10.8.0.1")).unwrap().began, record.at);
    // A session that is online by another port still has it.
    let mut scene = Scene::new(TWO);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.link(1, "VPN2-2").unwrap();
    scene.wait(1);
    scene.link_hangup(1, "VPN2-1");
    scene.tell_late(scene.at, asked, Answer::Address(given));
    assert_eq!(scene.anomalies(), ["an address was given that a live lease holds"]);
    assert_eq!(scene.live(), "alice 10.8.0.1");
}

/// Hers was on the port as long ago as no attempt lasts: the next connection there had another address call.
#[test]
fn what_was_asked_for_long_before_is_no_sessions() {
    let mut scene = Scene::new(TWO);
    let then = scene.at;
    scene.wait(301);
    scene.connect(connection(2, "bob")).unwrap();
    scene.link(2, "VPN2-1").unwrap();
    let given = Given { number: number("10.8.0.1").number, origin: Origin::Pool, pool: Some("staff".into()) };
    let address = |user: &str, port: &str| Event::Address(support::address(user, port, Offer::Nothing));
    scene.tell_late(then, address("alice", "VPN2-1"), Answer::Address(given.clone()));
    assert_eq!(scene.leases(), "10.8.0.1 CORP\\ALICE waits");
    // It was free again in memory, and given to another user.
    scene.tell_late(scene.at, address("carol", "VPN2-3"), Answer::Address(given));
    assert_eq!(scene.anomalies(), [""; 0]);
    assert_eq!(scene.leases(), "10.8.0.1 CORP\\CAROL waits");
}

/// Its new lease waits to be recorded, so that the accept takes the one that its address had before.
#[test]
fn a_session_that_shows_an_address_has_the_lease_of_its_own_call_in_the_end() {
    let mut scene = Scene::new(TWO);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.hangup(connection(1, "alice"));
    scene.wait(1);
    let asked = scene.at;
    scene.wait(1);
    scene.connect(connection(2, "bob").with(|e| e.addresses = vec![number("10.8.0.1")])).unwrap();
    scene.link(2, "VPN2-1").unwrap();
    scene.link(2, "VPN2-2").unwrap();
    let given = Given { number: number("10.8.0.1").number, origin: Origin::Pool, pool: Some("staff".into()) };
    scene.tell_late(asked, Event::Address(support::address("bob", "VPN2-1", Offer::Nothing)), Answer::Address(given));
    assert_eq!(scene.anomalies(), [""; 0]);
    assert_eq!(scene.live(), "bob 10.8.0.1");
    assert_eq!(scene.state.lease_at(number("10.8.0.1")).unwrap().began, asked);
}

/// The address of her late protocol is on the port that her first link had, and her other connection has that port now. The
/// accept waits, as her further link does, so that the port of the link on record tells that the first connection is over.
#[test]
fn an_accept_takes_nothing_that_was_asked_for_longer_ago_than_an_attempt_lasts() {
    let mut scene = Scene::new(TWO);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.wait(1);
    let late = given6(&mut scene, "alice", "VPN2-1");
    scene.link(1, "VPN2-2").unwrap();
    scene.link_hangup(1, "VPN2-1");
    scene.wait(301);
    let given = scene.address("alice", "VPN2-1", "").unwrap();
    let then = scene.at;
    scene.wait(1);
    scene.address("bob", "VPN2-2", "").unwrap_err();
    let event = connection(2, "alice").with(|e| e.addresses = vec![number(&given)]);
    scene.tell_late(then, Event::Connection(event), Answer::Accept);
    assert_eq!(scene.live(), "alice 10.8.0.2");
    assert_eq!(scene.state.lease_at(late).unwrap().session(), None);
}

/// His session came and went in the other process, so the next on the port was taken to have his address. Its own call is
/// recorded last.
#[test]
fn an_answer_that_waited_ends_what_the_next_on_the_port_was_taken_to_have() {
    let mut scene = Scene::new(TWO);
    let first = scene.at;
    scene.wait(1);
    scene.connect(connection(1, "dave")).unwrap();
    scene.link(1, "VPN2-1").unwrap();
    scene.hangup(connection(1, "dave"));
    scene.wait(1);
    let second = scene.at;
    scene.wait(1);
    let third = scene.at;
    scene.connect(connection(2, "bob")).unwrap();
    scene.link(2, "VPN2-1").unwrap();
    let mut late = |at, user: &str, port: &str, given: &str| {
        let given = Given { number: number(given).number, origin: Origin::Pool, pool: Some("staff".into()) };
        scene.tell_late(at, Event::Address(support::address(user, port, Offer::Nothing)), Answer::Address(given));
        assert_eq!(scene.anomalies(), [""; 0]);
    };
    late(first, "dave", "VPN2-1", "10.8.0.1");
    late(second, "erin", "VPN2-3", "10.8.0.1");
    late(third, "bob", "VPN2-1", "10.8.0.2");
    assert_eq!(scene.leases(), "10.8.0.1 CORP\\ERIN waits; 10.8.0.2 CORP\\BOB live");
}
