//! Events late, lost, doubled and out of order: nobody online loses anything, and nothing is given twice.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::effect::Usage;
use rasadmin_engine::event::{AddressEvent, ConnectionEvent, Event, Offer};
use rasadmin_engine::{Answer, Given, Name, Stamp, Tunnel, effect::Origin};
use support::{Scene, With, answer, connection, link, number};

const OPEN: &str = r#"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    [pools.staff]
    addresses = ["10.8.0.1-10.8.0.2"]
"#;

fn limit(text: &str) -> String {
    format!("default_domain = \"CORP\"\ntime_zone = \"UTC\"\ndefault.action = \"allow\"\n{text}")
}

fn from_computer(handle: u64, user: &str, computer: &str) -> ConnectionEvent {
    connection(handle, user).with(|e| e.computer = computer.into())
}

fn ikev2(handle: u64, user: &str) -> ConnectionEvent {
    connection(handle, user).with(|e| e.ikev2 = Some(true))
}

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
fn an_accept_that_waited_until_its_handle_was_anothers_is_over_at_once() {
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
fn an_answer_that_waited_finds_the_session_that_has_told_its_address_since() {
    let mut scene = Scene::new(OPEN);
    let then = scene.at;
    scene.wait(1);
    scene.connect(connection(1, "alice").with(|e| e.addresses = vec![number("10.8.0.2")])).unwrap();
    scene.link(1, "VPN2-1").unwrap();
    let given = Given { number: number("10.8.0.2").number, origin: Origin::Offer, pool: None };
    let asked = Event::Address(support::address("alice", "VPN2-1", Offer::Number(given.number)));
    scene.tell_late(then, asked, Answer::Address(given.clone()));
    assert_eq!(scene.live(), "alice 10.8.0.2");
    // Another one's answer with the same address is told, and takes nothing away.
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
fn an_address_is_refused_only_if_it_is_anothers_reservation_or_of_anothers_pool() {
    let mut scene = Scene::new(&limit(
        r#"
        addresses.pool = "all"
        [pools.all]
        addresses = ["10.8.0.1-10.8.0.9"]
        [pools.special]
        addresses = ["10.9.0.1-10.9.0.9"]
        [groups.corp]
        users = ["CORP\\*"]
        [groups.boss]
        users = ["CORP\\boss"]
        pool = "special"
        [[reservations]]
        user = "CORP\\carol"
        address = "10.8.1.1"
        "#,
    ));
    // One pool for all: another group, and an unlisted suffix, are no reason.
    for (handle, user, domain) in [(1, "alice", "PARTNER"), (2, "dave@unlisted.example", "CORP")] {
        let port = format!("VPN2-{handle}");
        let given = scene.address(user, &port, "").unwrap();
        let event = connection(handle, user).with(|e| {
            (e.domain, e.addresses) = (domain.into(), vec![number(&given)]);
        });
        assert_eq!(scene.connect(event), Ok(()), "{user}");
    }
    for (handle, user) in [(3, "boss"), (4, "carol")] {
        let port = format!("VPN2-{handle}");
        let given = scene.address(user, &port, "").unwrap();
        let event = connection(handle, user).with(|e| {
            (e.domain, e.addresses) = ("PARTNER".into(), vec![number(&given)]);
        });
        let why = scene.connect(event).unwrap_err();
        assert!(why.contains("turned out to be another user"), "{user}: {why}");
        scene.release(user, &port, &given);
    }
}

#[test]
fn two_devices_that_drop_come_back_one_by_one() {
    let mut scene = Scene::new(&limit(
        "[[rules]]\nname = \"two\"\naction = \"deny\"\nusers = [\"*\"]\nuser_sessions = { at_least = 2 }\nwhen_ledger_unavailable = \"skip\"",
    ));
    scene.connect(from_computer(1, "alice", "LAPTOP")).unwrap();
    scene.connect(from_computer(2, "alice", "TABLET")).unwrap();
    assert!(scene.connect(from_computer(3, "alice", "PHONE")).is_err());
    scene.connect(from_computer(4, "alice", "laptop")).unwrap();
    scene.connect(from_computer(5, "alice", "TABLET")).unwrap();
    assert!(scene.connect(from_computer(6, "alice", "PHONE")).is_err());
}

#[test]
fn everyone_of_a_group_comes_back_one_by_one() {
    let mut scene = Scene::new(&limit(
        "[groups.g]\nusers = [\"CORP\\\\*\"]\n[[rules]]\nname = \"three\"\naction = \"deny\"\nusers = [\"*\"]\ngroup_sessions = { group = \"g\", at_least = 3 }\nwhen_ledger_unavailable = \"skip\"",
    ));
    for (handle, user) in [(1, "a"), (2, "b"), (3, "c")] {
        scene.connect(from_computer(handle, user, &format!("PC-{user}"))).unwrap();
    }
    assert!(scene.connect(from_computer(4, "d", "PC-d")).is_err());
    for (handle, user) in [(5, "a"), (6, "b"), (7, "c")] {
        assert_eq!(scene.connect(from_computer(handle, user, &format!("PC-{user}"))), Ok(()), "{user}");
    }
    assert!(scene.connect(from_computer(8, "d", "PC-d")).is_err());
    assert_eq!(scene.state.live_count(), 6);
}

#[test]
fn one_newcomer_takes_one_place_and_whoever_shows_life_counts_again() {
    let one = "[[rules]]\nname = \"one\"\naction = \"deny\"\nusers = [\"*\"]\nuser_sessions = { at_least = 1 }\nwhen_ledger_unavailable = \"skip\"";
    let mut scene = Scene::new(&limit(one));
    scene.connect(from_computer(1, "alice", "LAPTOP")).unwrap();
    scene.connect(from_computer(2, "alice", "LAPTOP")).unwrap();
    // What its own end tells is no life: the newer one still counts alone.
    scene.link_hangup(1, "VPN2-1");
    scene.tell(Event::Reauthentication(from_computer(1, "alice", "LAPTOP")));
    // Both live, under one claimed name: the third takes the place of one of them, and the other counts.
    assert!(scene.connect(from_computer(3, "alice", "LAPTOP")).is_err());
    let mut scene = Scene::new(&limit(one));
    scene.connect(ikev2(1, "alice")).unwrap();
    scene.connect(ikev2(2, "alice")).unwrap();
    assert!(scene.connect(ikev2(3, "alice").with(|e| e.source = "198.51.100.1".into())).is_err());
    scene.tell(Event::EndpointChange(ikev2(1, "alice").with(|e| e.source = "198.51.100.7".into())));
    assert!(scene.connect(ikev2(4, "alice").with(|e| e.source = "198.51.100.9".into())).is_err());
    assert_eq!(scene.state.live().filter(|session| session.counts()).count(), 2);
}

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
    let closing = rasadmin_engine::state::closing_of(before.session(1).unwrap(), began);
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
fn an_ipv6_offer_that_is_none_is_none() {
    let ask = |offer| {
        Event::Address(AddressEvent {
            user: "alice".into(),
            port: "VPN2-1".into(),
            family: rasadmin_engine::addresses::Family::Ipv6,
            offer,
        })
    };
    let mut scene = Scene::new(&limit("addresses.ipv6_pool = \"six\"\n[pools.six]\nidentifiers = [\"::a:1-::a:9\"]"));
    assert_eq!(answer(&scene.tell(ask(Offer::Nothing))), Ok("::a0001".into()));
    assert_eq!(answer(&scene.tell(ask(Offer::HighHalf(7)))), Ok("as offered".into()));
    assert_eq!(scene.anomalies(), ["an IPv6 offer with its low half zero was kept"]);
    let mut scene = Scene::new(&limit(""));
    assert!(answer(&scene.tell(ask(Offer::Nothing))).is_err());
    assert!(answer(&scene.tell(ask(Offer::Number(0x0200_5eff_fe00_0007)))).is_err());
    assert_eq!(answer(&scene.tell(ask(Offer::Number(7)))), Ok("::7".into()));
    // The rules are asked whatever is offered.
    let mut scene = Scene::new("default.action = \"deny\"");
    assert!(answer(&scene.tell(ask(Offer::HighHalf(7)))).is_err());
}

#[test]
fn a_lease_is_whose_the_connection_is() {
    let mut scene = Scene::new(OPEN);
    let given = scene.address("alice", "VPN2-1", "").unwrap();
    scene
        .connect(connection(1, "alice").with(|e| (e.domain, e.addresses) = ("PARTNER".into(), vec![number(&given)])))
        .unwrap();
    assert_eq!(scene.leases(), "10.8.0.1 PARTNER\\ALICE live");
    scene.link(1, "VPN2-1").unwrap();
    scene.end(1, "alice", "VPN2-1", &given);
    // It is PARTNER's alice who had it last, and she gets it again.
    let alice = rasadmin_engine::Identity { domain: "PARTNER".into(), name: "ALICE".into() };
    let last: Vec<u64> = scene.state.last_addresses(&alice, rasadmin_engine::addresses::Family::Ipv4).collect();
    assert_eq!(last, [number("10.8.0.1").number]);
}

#[test]
fn ikev2_without_a_link_loses_neither_session_nor_address() {
    let mut scene = Scene::new(OPEN);
    let given = scene.address("alice", "VPN4-1", "").unwrap();
    scene.connect(ikev2(1, "alice").with(|e| e.addresses = vec![number(&given)])).unwrap();
    scene.wait(3600);
    scene.address("bob", "VPN4-2", "").unwrap();
    assert_eq!(scene.live(), "alice 10.8.0.1");
    // Its port alone tells that it is over.
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
    // Its address goes to nobody, however long that takes.
    scene.wait(3000);
    assert!(scene.address("carol", "VPN2-3", "").is_ok());
    assert!(scene.address("dave", "VPN2-4", "").is_err());
    scene.link(1, "VPN2-1").unwrap();
    assert_eq!(scene.live(), "alice 10.8.0.1");
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
    // Told again, it changes nothing.
    scene.hangup(connection(1, "alice").with(|e| e.usage = usage));
    assert_eq!(scene.anomalies(), ["hangup of an unknown connection"]);
}

#[test]
fn rrass_own_offer_wins_over_an_old_lease() {
    let mut scene = Scene::new("default_domain = \"CORP\"\ndefault.action = \"allow\"");
    assert_eq!(scene.begin(1, "alice", "VPN2-1"), Ok("172.16.0.9".into()));
    assert_eq!(scene.begin(2, "bob", "VPN2-2"), Ok("172.16.0.9".into()));
    assert_eq!(scene.leases(), "172.16.0.9 CORP\\BOB live");
    let told = scene.records.iter().flat_map(|record| &record.effects);
    let told = told.filter(|e| matches!(e, rasadmin_engine::Effect::Anomaly(a) if a.what().contains("still held")));
    assert_eq!(told.count(), 1);
}

#[test]
fn one_lost_release_is_not_made_up_for_by_each_later_one() {
    let mut scene = Scene::new(OPEN);
    for handle in 1..4 {
        scene.begin(handle, "alice", "VPN2-1").unwrap();
        scene.link_hangup(handle, "VPN2-1");
        scene.hangup(connection(handle, "alice"));
        if handle > 1 {
            scene.release("alice", "VPN2-1", "10.8.0.1");
            assert_eq!(scene.leases(), "", "round {handle}");
        }
    }
}

#[test]
fn a_late_release_never_frees_what_is_in_use() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.link_hangup(1, "VPN2-1");
    scene.hangup(connection(1, "alice"));
    // She is back on the same port, with the same address, before her release came.
    assert_eq!(scene.begin(2, "alice", "VPN2-1"), Ok("10.8.0.1".into()));
    scene.release("alice", "VPN2-1", "10.8.0.1");
    scene.release("alice", "VPN2-1", "10.8.0.1");
    assert_eq!(scene.live(), "alice 10.8.0.1");
    scene.hangup(connection(2, "alice"));
    assert_eq!(scene.leases(), "", "it was given back already");
}

#[test]
fn the_servers_own_address_is_no_offer() {
    let mut scene = Scene::new(&format!("{OPEN}\n[server]\naddresses = [\"10.8.9.1\"]"));
    assert_eq!(scene.address("alice", "VPN2-1", "10.8.9.1"), Ok("10.8.0.1".into()));
    let mut scene = Scene::new("default.action = \"allow\"\n[server]\naddresses = [\"10.8.9.1\"]");
    let why = scene.address("alice", "VPN2-1", "10.8.9.1").unwrap_err();
    assert!(why.contains("the server's own address"), "{why}");
}

#[test]
fn a_user_who_is_blocked_is_refused_until_the_time() {
    let mut scene = Scene::new(OPEN);
    let user = rasadmin_engine::Identity { domain: "CORP".into(), name: "ALICE".into() };
    let until = Some(scene.at.time + 60_000);
    let block = rasadmin_engine::effect::Block { user, until, reason: Some("quota".into()) };
    scene.tell(Event::Block(block));
    assert_eq!(scene.begin(1, "alice", "VPN2-1"), Err("default: the user is blocked: quota".into()));
    scene.wait(61);
    assert!(scene.begin(1, "alice", "VPN2-1").is_ok());
}

#[test]
fn names_do_not_matter_to_the_order_of_things() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.tell(Event::Hangup(connection(1, "alice").with(|e| e.user = Name::new("somebody else"))));
    assert_eq!(scene.live(), "");
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
fn whoever_has_a_handle_again_revives_nobody_elses_session() {
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
fn a_user_who_is_back_on_the_same_port_gets_the_same_address() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    assert_eq!(scene.begin(2, "alice", "VPN2-1"), Ok("10.8.0.1".into()));
    assert_eq!(scene.live(), "alice 10.8.0.1");
    assert_eq!(scene.leases(), "10.8.0.1 CORP\\ALICE live");
}

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
    // Its own protocol that comes late has the session at once.
    scene.tell(six("VPN2-1"));
    assert_eq!(scene.state.leases_of(scene.session(1).unwrap().id).count(), 2);
    // The next one on this port is another connection, and asks for IPv6 first.
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.wait(5);
    scene.tell(six("VPN2-1"));
    let given = scene.address("alice", "VPN2-1", "").unwrap();
    let address = rasadmin_engine::addresses::Address { family: rasadmin_engine::addresses::Family::Ipv6, number: 7 };
    scene.connect(connection(2, "alice").with(|e| e.addresses = vec![number(&given), address])).unwrap();
    scene.link(2, "VPN2-1").unwrap();
    assert_eq!(scene.state.live_count(), 1);
    assert_eq!(scene.state.leases_of(scene.session(2).unwrap().id).count(), 2, "{}", scene.leases());
}

#[test]
fn each_address_call_of_a_connection_passes_the_same_name() {
    let mut scene = Scene::new(OPEN);
    let given = scene.address("alice@lab.example", "VPN3-1", "").unwrap();
    let event = connection(1, "LAB\\alice").with(|e| (e.domain, e.addresses) = ("LAB".into(), vec![number(&given)]));
    scene.connect(event).unwrap();
    scene.link(1, "VPN3-1").unwrap();
    scene.tell(Event::Address(AddressEvent {
        user: "alice@lab.example".into(),
        port: "VPN3-1".into(),
        family: rasadmin_engine::addresses::Family::Ipv6,
        offer: Offer::Number(7),
    }));
    assert_eq!(scene.state.leases_of(scene.session(1).unwrap().id).count(), 2, "{}", scene.leases());
}

#[test]
fn the_projection_tells_whose_an_address_is() {
    let six = rasadmin_engine::addresses::Address { family: rasadmin_engine::addresses::Family::Ipv6, number: 7 };
    let mut scene = Scene::new(OPEN);
    let given = scene.address("alice", "VPN3-1", "").unwrap();
    scene.connect(connection(1, "alice").with(|e| e.addresses = vec![number(&given)])).unwrap();
    // She is gone, and nobody has said so: her next attempt begins with IPv6.
    scene.tell(Event::Address(AddressEvent {
        user: "alice".into(),
        port: "VPN3-1".into(),
        family: six.family,
        offer: Offer::Number(six.number),
    }));
    scene.connect(connection(2, "alice").with(|e| e.addresses = vec![six])).unwrap();
    assert_eq!(scene.state.leases_of(scene.session(2).unwrap().id).count(), 1, "{}", scene.leases());
    scene.hangup(connection(1, "alice"));
    assert_eq!(scene.state.leases_of(scene.session(2).unwrap().id).count(), 1, "{}", scene.leases());
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

#[test]
fn a_guess_refuses_nobody() {
    let mut scene = Scene::new(&limit("[[reservations]]\nuser = \"CORP\\\\bob\"\naddress = \"10.8.1.1\""));
    assert_eq!(scene.address("bob", "VPN4-0", ""), Ok("10.8.1.1".into()));
    scene.connect(connection(5, "partner\\bob")).unwrap();
    assert_eq!(scene.leases(), "10.8.1.1 CORP\\BOB waits");
    // On the port itself it is no guess.
    let why = scene.link(5, "VPN4-0").unwrap_err();
    assert!(why.contains("turned out to be another user"), "{why}");
}

#[test]
fn a_hangup_without_a_guid_is_of_nobody_who_had_the_handle_before() {
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
fn an_earlier_release_is_meant_while_a_client_may_still_come() {
    let mut scene = Scene::new(OPEN);
    let given = scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.link_hangup(1, "VPN2-1");
    scene.hangup(connection(1, "alice"));
    assert_eq!(scene.address("alice", "VPN2-1", ""), Ok(given.clone()));
    scene.connect(connection(2, "alice").with(|e| e.addresses = vec![number(&given)])).unwrap();
    scene.wait(61);
    scene.release("nobody", "VPN2-8", "10.9.9.9");
    assert_eq!(scene.ended(), "hangup 0; never established 0");
    scene.release("alice", "VPN2-1", &given);
    assert_eq!(scene.leases(), "10.8.0.1 CORP\\ALICE held");
}

#[test]
fn what_a_returning_client_left_behind_is_counted_until_it_was_back() {
    let mut scene = Scene::new(OPEN);
    scene.connect(from_computer(1, "alice", "LAPTOP")).unwrap();
    scene.link(1, "VPN2-1").unwrap();
    scene.wait(100);
    scene.connect(from_computer(2, "alice", "LAPTOP")).unwrap();
    scene.link(2, "VPN2-2").unwrap();
    scene.wait(1000);
    scene.begin(3, "bob", "VPN2-1").unwrap();
    assert_eq!(scene.ended(), "port started again 100");
}

#[test]
fn an_administrators_change_is_no_sign_of_life() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    let last = scene.state.last();
    scene.wait(86_400);
    scene.tell(Event::Forget { before: 0, user: None });
    assert_eq!(scene.state.last(), last);
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

#[test]
fn what_an_earlier_attempt_left_on_the_port_refuses_nobody() {
    let six = rasadmin_engine::addresses::Address { family: rasadmin_engine::addresses::Family::Ipv6, number: 7 };
    let mut scene = Scene::new(&format!(
        "{OPEN}\n[groups.partner]\nusers = [\"PARTNER\\\\*\"]\npool = \"theirs\"\n[pools.theirs]\naddresses = [\"10.9.0.1-10.9.0.9\"]"
    ));
    scene.address("alice", "VPN4-0", "").unwrap();
    scene.tell(Event::Address(AddressEvent {
        user: "alice".into(),
        port: "VPN4-0".into(),
        family: six.family,
        offer: Offer::Number(six.number),
    }));
    let event = connection(1, "alice").with(|e| (e.domain, e.addresses) = ("PARTNER".into(), vec![six]));
    assert_eq!(scene.connect(event), Ok(()));
    assert_eq!(scene.link(1, "VPN4-0"), Ok(()));
    assert!(scene.leases().contains("10.8.0.1 CORP\\ALICE waits"), "{}", scene.leases());
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
fn an_address_that_was_taken_for_a_late_protocol_waits_again_when_its_session_is_over() {
    let six = rasadmin_engine::addresses::Address { family: rasadmin_engine::addresses::Family::Ipv6, number: 7 };
    let mut scene = Scene::new(OPEN);
    let given = scene.address("alice", "VPN4-2", "").unwrap();
    scene.connect(ikev2(11, "alice").with(|e| e.addresses = vec![number(&given)])).unwrap();
    scene.wait(10);
    // It is over, and that is not told yet. She is back on the same port.
    let given = scene.address("alice", "VPN4-2", "").unwrap();
    scene.hangup(ikev2(11, "alice"));
    scene.tell(Event::Address(AddressEvent {
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
fn what_a_call_itself_ends_counts_in_its_decision() {
    let mut scene = Scene::new(&limit(
        "[[rules]]\nname = \"half an hour\"\naction = \"deny\"\nusers = [\"*\"]\nconnect_time = { per = \"day\", at_least = \"30m\" }\nwhen_ledger_unavailable = \"skip\"",
    ));
    scene.connect(ikev2(1, "alice")).unwrap();
    scene.wait(2048);
    assert!(scene.connect(ikev2(1, "alice")).is_err());
}
