//! Sequences that were found by looking for trouble: each failed once.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::config::file::Period;
use rasadmin_engine::effect::{DayUse, Elsewhere, Usage};
use rasadmin_engine::event::{AddressEvent, Event, Offer};
use rasadmin_engine::state::{Checkpoint, Holding};
use rasadmin_engine::{Answer, Id, Identity, Now, Stamp, Tunnel, decide};
use support::{Scene, With, connection, link, number};

const TWO: &str = r#"
    default_domain = "CORP"
    time_zone = "UTC"
    default.action = "allow"
    addresses.pool = "staff"
    addresses.ipv6_pool = "six"
    [pools.staff]
    addresses = ["10.8.0.1-10.8.0.2"]
    [pools.six]
    identifiers = ["::a:1-::a:9"]
"#;

fn one_session() -> String {
    format!(
        "{TWO}\n[[rules]]\nname = \"one\"\naction = \"deny\"\nusers = [\"*\"]\nuser_sessions = {{ at_least = 1 }}\nwhen_ledger_unavailable = \"skip\""
    )
}

fn corp(name: &str) -> Identity {
    Identity { domain: "CORP".into(), name: name.into() }
}

fn six(user: &str, port: &str) -> Event {
    Event::Address(AddressEvent { user: user.into(), port: port.into(), family: Family::Ipv6, offer: Offer::Nothing })
}

fn given6(scene: &mut Scene, user: &str, port: &str) -> Address {
    match scene.tell(six(user, port)).answer {
        Answer::Address(given) => Address { family: Family::Ipv6, number: given.number },
        other => panic!("{other:?}"),
    }
}

/// What a user has used today.
fn today(scene: &Scene, name: &str) -> u64 {
    let labels = rasadmin_engine::calendar::labels_at(scene.at.time, &scene.config.zone);
    scene.state.used(&corp(name), Period::Day, labels.day).seconds
}

/// No lease is of a session that does not live.
fn no_lease_of_the_dead(scene: &Scene) {
    for lease in scene.state.leases() {
        if let Holding::Session(id) = lease.holding {
            assert!(scene.state.session(id).is_some(), "{lease:?} is of a session that has ended");
        }
    }
}

// What expires in the very call that shows that it lives.

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
fn a_release_after_five_minutes_of_silence_finds_its_lease() {
    let mut scene = Scene::new(TWO);
    let given = scene.address("alice", "VPN2-1", "").unwrap();
    scene.wait(301);
    scene.release("alice", "VPN2-1", &given);
    assert_eq!(scene.anomalies(), Vec::<&str>::new());
    assert_eq!(scene.leases(), "");
    // The next one's release is its own.
    let given = scene.address("alice", "VPN2-1", "").unwrap();
    scene.release("alice", "VPN2-1", &given);
    assert_eq!(scene.leases(), "");
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
    scene.tell(Event::CloseSession { session });
    assert_eq!(scene.ended(), "links gone 0");
}

// Whose is it?

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
fn a_newcomer_on_a_ghosts_port_has_the_address_that_it_was_given_there() {
    let mut scene = Scene::new(TWO);
    let identifier = given6(&mut scene, "alice", "VPN2-1");
    scene.connect(connection(1, "alice").with(|e| e.addresses = vec![identifier])).unwrap();
    scene.link(1, "VPN2-1").unwrap();
    // Her end is not told. She comes back on the same port, now by IPv4.
    assert_eq!(scene.begin(2, "alice", "VPN2-1"), Ok("10.8.0.1".into()));
    assert!(scene.live().contains("10.8.0.1"), "{}", scene.live());
    assert_eq!(scene.begin(3, "bob", "VPN2-2"), Ok("10.8.0.2".into()));
    assert!(scene.address("carol", "VPN2-3", "").is_err());
}

#[test]
fn a_ghost_takes_no_address_while_the_accept_may_wait() {
    use rasadmin_engine::Process;
    let mut scene = Scene::new(TWO);
    assert_eq!(scene.begin(1, "alice", "VPN2-1"), Ok("10.8.0.1".into()));
    let then = scene.at;
    // Her hangup waits in the process that hears the notifications, and so does her next accept. The address functions
    // are called in another, which hears neither.
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
fn an_accept_that_is_told_twice_keeps_its_address() {
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

// Ports without a name.

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

// Limits.

#[test]
fn a_failed_attempt_takes_nobodys_place() {
    let mut scene = Scene::new(&one_session());
    let from = |handle, computer: &str| connection(handle, "alice").with(|e| e.computer = computer.into());
    scene.begin_as(from(1, "LAPTOP"), "VPN2-1").unwrap();
    // Under the same claimed name; it ends before its first link.
    scene.connect(from(2, "LAPTOP")).unwrap();
    scene.hangup(from(2, "LAPTOP"));
    assert!(scene.connect(from(3, "PHONE")).is_err());
}

// Use.

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
        scene.tell(Event::Look(vec![rasadmin_engine::event::Seen { connection }]));
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
    // A clock that is ahead for days, and set right, leaves today its place.
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
    scene.tell(Event::Look(vec![rasadmin_engine::event::Seen { connection: seen }]));
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

fn elsewhere(session: u128, live: bool, seconds: u64, start: i64) -> Elsewhere {
    let labels = rasadmin_engine::calendar::labels_at(support::MONDAY, &jiff_utc());
    let days =
        if seconds > 0 { vec![DayUse { labels, seconds, input_octets: 0, output_octets: 0 }] } else { Vec::new() };
    let user = corp("ALICE");
    Elsewhere {
        server: "VPN9".into(),
        session: Id(session),
        user,
        computer: "X".into(),
        source: String::new(),
        start,
        live,
        days,
    }
}

fn jiff_utc() -> jiff::tz::TimeZone {
    support::config(TWO).zone.clone()
}

#[test]
fn what_another_server_tells_twice_counts_once() {
    let mut scene = Scene::new(&one_session());
    scene.tell(Event::Elsewhere(vec![elsewhere(1, true, 0, support::MONDAY)]));
    for _ in 0..2 {
        scene.tell(Event::Elsewhere(vec![elsewhere(1, false, 100, support::MONDAY)]));
    }
    assert_eq!(today(&scene, "ALICE"), 100);
    // Late, it does not live again.
    scene.tell(Event::Elsewhere(vec![elsewhere(1, true, 0, support::MONDAY)]));
    assert_eq!(scene.connect(connection(1, "alice")), Ok(()));
}

#[test]
fn no_number_of_another_server_is_too_great() {
    let quota = format!(
        "{TWO}\n[[rules]]\nname = \"quota\"\naction = \"deny\"\nusers = [\"*\"]\nconnect_time = {{ per = \"day\", at_least = \"10h\" }}\nwhen_ledger_unavailable = \"skip\""
    );
    let mut scene = Scene::new(&quota);
    scene.tell(Event::Elsewhere(vec![elsewhere(1, true, 5, i64::MIN), elsewhere(2, true, u64::MAX, i64::MAX)]));
    assert!(scene.connect(connection(1, "alice")).is_err());
}

// A process that was away, and the end of an instance.

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
    scene.tell(Event::InstanceStarted { instance: scene.instance });
    assert_eq!(scene.live(), "alice 10.8.0.1");
}

// A state that was made of a checkpoint decides the same.

#[test]
fn a_state_of_a_checkpoint_replaces_the_same_session() {
    let mut scene = Scene::new(&one_session().replace("at_least = 1", "at_least = 9"));
    let from = |handle| connection(handle, "alice").with(|e| e.computer = "LAPTOP".into());
    scene.connect(from(1)).unwrap();
    scene.wait(70);
    scene.connect(from(2)).unwrap();
    scene.link(2, "VPN2-2").unwrap();
    // The first lives after all.
    scene.link(1, "VPN2-1").unwrap();
    let mut again = Checkpoint::of(&scene.state).into_state();
    again.derive(&scene.config);
    let now = Now { at: scene.at, random: [7; 16] };
    let event = Event::Connection(from(3));
    assert_eq!(decide(&scene.state, &scene.here(), &event, &now), decide(&again, &scene.here(), &event, &now));
}
