//! What looks at RRAS's connections change: octets beyond 4 GiB, signs of life, and sessions that RRAS does not list.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::config::file::Period;
use rasadmin_engine::effect::{SessionEnded, Usage};
use rasadmin_engine::event::{ConnectionEvent, Event, Look, NotListed, Reading};
use rasadmin_engine::{Answer, Id, InterfaceType, Record, Stamp, Tunnel};
use support::{OPEN, Scene, With, connection, corp, counted, link, shows, verdict};

const GIB: u64 = 1 << 30;

/// Each user has one session.
const ONE: &str = r#"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    [pools.staff]
    addresses = ["10.8.0.0/24"]
    [[rules]]
    name = "one"
    action = "deny"
    user_sessions = { at_least = 1 }
"#;

/// A connection whose counters show this. RRAS's counters have 32 bits.
fn counts(handle: u64, user: &str, input: u64, frames: u64) -> ConnectionEvent {
    let (input_octets, input_packets) = (input & 0xffff_ffff, frames & 0xffff_ffff);
    connection(handle, user).with(|e| e.usage = Usage { input_octets, input_packets, ..Usage::default() })
}

fn last_end(scene: &Scene) -> SessionEnded {
    scene.records.iter().flat_map(Record::ended).last().unwrap().clone()
}

fn octets_today(scene: &Scene, user: &str) -> u64 {
    let labels = rasadmin_engine::calendar::labels_at(scene.at.time, &scene.config.zone);
    scene.state.used(&corp(user), Period::Day, labels.day).octets
}

fn not_listed(scene: &mut Scene, session: Id) {
    not_listed_since(scene, session, scene.at);
}

fn not_listed_since(scene: &mut Scene, session: Id, since: Stamp) {
    let look = Look { begun: scene.at, not_listed: vec![NotListed { session, since }], ..Look::default() };
    scene.handle(Event::Look(look));
}

fn only_session(scene: &Scene) -> Id {
    let mut live = scene.state.live();
    let only = live.next().unwrap().id;
    assert!(live.next().is_none());
    only
}

#[test]
fn six_gibibytes_are_exact_at_the_hangup() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    for gibibytes in 1..=5 {
        scene.wait(60);
        scene.look(&[counts(1, "alice", gibibytes * GIB, gibibytes << 20)]);
    }
    assert_eq!(octets_today(&scene, "ALICE"), 5 * GIB);
    scene.wait(60);
    scene.hangup(counts(1, "alice", 6 * GIB, 6 << 20));
    let ended = last_end(&scene);
    assert_eq!((ended.usage.input_octets, ended.usage.input_packets), (6 * GIB, 6 << 20));
    assert!(ended.is_exact());
    assert_eq!(octets_today(&scene, "ALICE"), 6 * GIB);
    assert_eq!(scene.state.counted(ended.session), None);
}

#[test]
fn octets_that_may_have_wrapped_unseen_are_a_lower_bound() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.look(&[counts(1, "alice", GIB, 1 << 20)]);
    scene.wait(3600);
    scene.hangup(counts(1, "alice", 6 * GIB, 6 << 20));
    let ended = last_end(&scene);
    // 5 GiB more show as 1 GiB.
    assert_eq!((ended.usage.input_octets, ended.is_exact()), (2 * GIB, false));
}

#[test]
fn a_session_that_is_closed_keeps_the_octets_that_looks_saw() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.look(&[counts(1, "alice", 500, 1)]);
    scene.wait(120);
    let id = only_session(&scene);
    not_listed(&mut scene, id);
    let ended = last_end(&scene);
    assert_eq!((ended.by.name(), ended.usage.input_octets, ended.is_exact()), ("not listed by RRAS", 500, false));
    // Its hangup comes late and reports nothing.
    scene.hangup(connection(1, "alice"));
    let ended = last_end(&scene);
    assert_eq!((ended.by.name(), ended.usage.input_octets, ended.is_exact()), ("hangup", 500, false));
    assert_eq!(octets_today(&scene, "ALICE"), 500);
}

#[test]
fn a_session_that_is_not_listed_is_closed_if_it_is_older_than_a_minute() {
    let mut scene = Scene::new(OPEN);
    let given = scene.begin(1, "alice", "VPN2-1").unwrap();
    let id = only_session(&scene);
    scene.wait(59);
    not_listed(&mut scene, id);
    assert_eq!(scene.ended(), "");
    scene.wait(1);
    let since = scene.at;
    scene.wait(5);
    not_listed_since(&mut scene, id, since);
    // It ended when it was first missed.
    assert_eq!(scene.ended(), "not listed by RRAS 60");
    assert_eq!(last_end(&scene).by.cause(), None);
    // The client may still have the address.
    assert_eq!(scene.leases(), "10.8.0.1 CORP\\ALICE held");
    scene.release("alice", "VPN2-1", &given);
    assert_eq!(scene.leases(), "");
}

#[test]
fn a_session_that_something_happened_to_is_not_closed() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    let id = only_session(&scene);
    scene.wait(100);
    let since = scene.at;
    scene.wait(5);
    scene.link(1, "VPN2-2").unwrap();
    not_listed_since(&mut scene, id, since);
    assert_eq!((scene.ended().as_str(), scene.state.live_count()), ("", 1));
}

#[test]
fn a_session_that_was_not_listed_lives_again_when_it_is() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    let id = only_session(&scene);
    scene.wait(100);
    not_listed(&mut scene, id);
    assert_eq!(scene.state.live_count(), 0);
    scene.wait(5);
    scene.look(&[connection(1, "alice")]);
    assert_eq!(only_session(&scene), id);
    assert_eq!(scene.leases(), "10.8.0.1 CORP\\ALICE live");
}

#[test]
fn a_session_without_a_link_that_is_listed_stays_live() {
    let mut scene = Scene::new(OPEN);
    scene.connect(connection(1, "alice")).unwrap();
    let id = only_session(&scene);
    scene.wait(61);
    scene.release("nobody", "VPN2-8", "10.9.9.9");
    assert_eq!(scene.ended(), "never established 0");
    scene.wait(5);
    scene.look(&[connection(1, "alice")]);
    scene.wait(1000);
    scene.release("nobody", "VPN2-8", "10.9.9.9");
    assert_eq!(only_session(&scene), id);
    // Until a link of it ends: then it waits for another one.
    scene.link(1, "VPN2-1").unwrap();
    scene.link_hangup(1, "VPN2-1");
    scene.wait(61);
    scene.release("nobody", "VPN2-8", "10.9.9.9");
    assert_eq!(scene.state.live_count(), 0);
    scene.wait(5);
    scene.look(&[connection(1, "alice")]);
    scene.wait(1000);
    scene.release("nobody", "VPN2-8", "10.9.9.9");
    assert_eq!(only_session(&scene), id);
}

#[test]
fn a_look_does_not_show_what_was_recorded_after_it_began() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    let id = only_session(&scene);
    scene.wait(100);
    let begun = scene.at;
    scene.wait(2);
    not_listed_since(&mut scene, id, begun);
    let found = vec![connection(1, "alice")];
    scene.handle(Event::Look(Look { begun, found, ..Look::default() }));
    assert_eq!(scene.state.live_count(), 0);
}

#[test]
fn a_replaced_session_counts_again_if_its_received_octets_grew_after_that() {
    let mut scene = Scene::new(ONE);
    let at_her_pc = |handle| connection(handle, "alice").with(|e| e.computer = "PC-1".into());
    scene.begin_as(at_her_pc(1), "VPN2-1").unwrap();
    let before = scene.at;
    scene.wait(10);
    scene.begin_as(at_her_pc(2), "VPN2-2").unwrap();
    let old = scene.session(1).unwrap().id;
    let is_replaced = |scene: &Scene| scene.state.session(old).unwrap().replaced.is_some();
    assert!(is_replaced(&scene));
    scene.wait(10);
    // RRAS lists it and sends octets to it. Neither proves that its client is still there.
    let sent = Usage { output_octets: 900, output_packets: 9, ..Usage::default() };
    scene.look(&[connection(1, "alice").with(|e| e.usage = sent)]);
    assert!(is_replaced(&scene));
    let mut alive = |since| {
        let counted = counted(&scene.state, old, &counts(1, "alice", 500, 1).usage, scene.at.mono);
        let read = vec![Reading { session: old, counted, alive: Some(since) }];
        scene.handle(Event::Look(Look { begun: scene.at, read, ..Look::default() }));
        is_replaced(&scene)
    };
    // They may have grown before it was replaced.
    assert!(alive(before));
    let after = Stamp { mono: before.mono.after(10_000), ..before };
    assert!(!alive(after));
}

#[test]
fn a_router_is_not_adopted() {
    let mut scene = Scene::new(OPEN);
    let router = connection(7, "branch").with(|e| e.interface = InterfaceType::FullRouter);
    scene.look(&[router, connection(8, "dora")]);
    assert_eq!(scene.live(), "dora ");
}

#[test]
fn an_adopted_session_began_when_rras_says() {
    let mut scene = Scene::new(OPEN);
    scene.wait(5000);
    let usage = Usage { seconds: 600, input_octets: 77, input_packets: 1, ..Usage::default() };
    scene.look(&[connection(7, "dora").with(|e| e.usage = usage)]);
    assert_eq!(octets_today(&scene, "DORA"), 77);
    scene.wait(60);
    scene.hangup(connection(7, "dora").with(|e| e.usage = Usage { seconds: 660, ..usage }));
    let ended = last_end(&scene);
    assert_eq!((ended.usage.seconds, ended.usage.input_octets, ended.is_exact()), (660, 77, true));
    // A duration that cannot be true.
    let usage = Usage { seconds: u64::from(u32::MAX), ..usage };
    scene.look(&[connection(8, "emil").with(|e| e.usage = usage)]);
    assert_eq!(scene.session(8).unwrap().began.mono.0, 0);
}

#[test]
fn a_later_accept_joins_the_adopted_session() {
    let mut scene = Scene::new(ONE);
    let given = scene.address("alice", "VPN2-1", "").unwrap();
    let arrives = || shows(connection(1, "alice"), "10.8.0.1");
    assert_eq!(given, "10.8.0.1");
    scene.look(&[arrives()]);
    let adopted = only_session(&scene);
    // The limit is one session, and this is that session.
    scene.connect(arrives()).unwrap();
    scene.link(1, "VPN2-1").unwrap();
    assert_eq!((only_session(&scene), scene.live().as_str()), (adopted, "alice 10.8.0.1"));
    assert_eq!(scene.ended(), "");
    // Another connection with the same handle ends it.
    scene.connect(connection(1, "alice").with(|e| e.guid = Some("other".to_owned()))).unwrap();
    assert_eq!(scene.ended(), "handle started again 0");
}

#[test]
fn a_later_reject_ends_the_adopted_session() {
    let mut scene = Scene::new(
        "default_domain = \"CORP\"\ndefault.action = \"allow\"\n[[rules]]\nname = \"no\"\naction = \"deny\"\nusers = [\"CORP\\\\alice\"]\n",
    );
    scene.look(&[connection(1, "alice")]);
    assert_eq!(scene.state.live_count(), 1);
    assert_eq!(scene.connect(connection(1, "alice")), Err("no".to_owned()));
    assert_eq!((scene.state.live_count(), scene.ended().as_str()), (0, "GUID started again 0"));
}

#[test]
fn the_beginning_of_an_adopted_session_is_counted_back_from_the_look() {
    let mut scene = Scene::new(OPEN);
    scene.wait(5000);
    let begun = scene.at;
    let usage = Usage { seconds: 600, input_octets: 77, input_packets: 1, ..Usage::default() };
    let found = vec![connection(7, "dora").with(|e| e.usage = usage)];
    // The look is recorded later: the session has lasted longer by then.
    scene.wait(30);
    scene.handle(Event::Look(Look { begun, found, ..Look::default() }));
    scene.wait(60);
    scene.hangup(connection(7, "dora").with(|e| e.usage = Usage { seconds: 690, ..usage }));
    assert_eq!(last_end(&scene).usage.seconds, 690);
}

#[test]
fn an_accept_that_is_recorded_late_joins_the_adopted_session() {
    let mut scene = Scene::new(OPEN);
    let arrived = scene.at;
    // RRAS counts whole seconds, so the session seems to have begun after the accept.
    scene.wait(1);
    scene.look(&[connection(1, "alice")]);
    let adopted = only_session(&scene);
    scene.tell_late(arrived, Event::Connection(connection(1, "alice")), Answer::Accept);
    assert_eq!((only_session(&scene), scene.ended().as_str()), (adopted, ""));
}

#[test]
fn a_session_does_not_count_the_octets_that_looks_have_seen_of_it() {
    let rule = "octets = { per = \"day\", at_least = \"1 MB\" }";
    let mut scene =
        Scene::new(&format!("time_zone = \"UTC\"\n{OPEN}\n[[rules]]\nname = \"octets\"\naction = \"deny\"\n{rule}\n"));
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.look(&[counts(1, "alice", 2_000_000, 2000)]);
    let again = || Event::Reauthentication(connection(1, "alice"));
    assert_eq!(verdict(&scene.handle(again())), Ok(()));
    assert_eq!(scene.link(1, "VPN2-2"), Ok(()));
    // Another session of hers does.
    assert_eq!(scene.address("alice", "VPN2-3", ""), Err("octets".to_owned()));
    scene.hangup(counts(1, "alice", 2_000_000, 2000));
    assert_eq!(scene.address("alice", "VPN2-3", ""), Err("octets".to_owned()));
}

#[test]
fn an_address_call_on_the_port_of_another_users_session_does_not_lower_what_its_user_has_used() {
    let rule = "octets = { per = \"day\", at_least = \"1 MB\" }";
    let head = "time_zone = \"UTC\"\ndefault_domain = \"CORP\"\ndefault.action = \"allow\"";
    let mut scene = Scene::new(&format!("{head}\n[[rules]]\nname = \"octets\"\naction = \"deny\"\n{rule}\n"));
    scene.connect(connection(1, "alice")).unwrap();
    scene.link(1, "VPN2-1").unwrap();
    scene.hangup(counts(1, "alice", 2_000_000, 2000));
    let partner = connection(2, "alice").with(|e| (e.domain, e.source) = ("PARTNER".into(), "203.0.113.7".into()));
    scene.connect(partner).unwrap();
    scene.link(2, "VPN2-1").unwrap();
    scene.look(&[counts(2, "alice", 5_000_000, 5000)]);
    // A bare name is CORP's. It may be the call of a protocol that comes up late in the session on the port.
    assert_eq!(scene.address("alice", "VPN2-1", "172.16.0.9"), Err("octets".to_owned()));
}

#[test]
fn an_adopted_session_outlives_a_link_that_is_refused() {
    let mut scene = Scene::new(
        "default_domain = \"CORP\"\ndefault.action = \"allow\"\n[[rules]]\nname = \"no\"\naction = \"deny\"\ntunnels = [\"PPTP\"]\n",
    );
    scene.look(&[connection(1, "alice")]);
    let adopted = only_session(&scene);
    // Nobody knows whether it is the first: the connection is in RRAS's list.
    let refused = scene.handle(Event::Link(link(1, "VPN4-2", Tunnel::Pptp)));
    assert_eq!(verdict(&refused), Err("no".to_owned()));
    assert_eq!((only_session(&scene), scene.ended().as_str()), (adopted, ""));
}

#[test]
fn an_accept_that_is_recorded_late_joins_the_adopted_session_even_if_that_was_closed() {
    let mut scene = Scene::new(OPEN);
    let arrived = scene.at;
    scene.wait(1);
    scene.look(&[connection(1, "alice")]);
    let adopted = only_session(&scene);
    scene.wait(100);
    not_listed(&mut scene, adopted);
    // Only now can its process write again.
    scene.tell_late(arrived, Event::Connection(connection(1, "alice")), Answer::Accept);
    scene.hangup(connection(1, "alice").with(|e| e.usage.seconds = 90));
    // It is one session, whose time counts once.
    assert!(scene.records.iter().flat_map(Record::ended).all(|ended| ended.session == adopted));
    assert_eq!((scene.state.live_count(), support::today(&scene, "ALICE")), (0, 90));
}

#[test]
fn an_adopted_session_does_not_take_an_address_that_was_given_after_the_look() {
    let mut scene = Scene::new(OPEN);
    scene.wait(60);
    let begun = scene.at;
    let found = vec![shows(connection(7, "dora"), "10.8.0.1")];
    scene.wait(2);
    // Her connection has ended, and somebody else has got her address.
    let given = scene.address("alice", "VPN2-1", "").unwrap();
    assert_eq!(given, "10.8.0.1");
    scene.connect(shows(connection(1, "alice"), "10.8.0.1")).unwrap();
    scene.handle(Event::Look(Look { begun, found, ..Look::default() }));
    assert_eq!(scene.leases(), "10.8.0.1 CORP\\ALICE live");
}

#[test]
fn octets_go_to_the_day_of_the_look_also_if_it_is_recorded_later() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    // The scene begins at nine o'clock. It is now one minute before midnight.
    scene.wait(15 * 3600 - 60);
    let (session, begun) = (only_session(&scene), scene.at);
    let counted = counted(&scene.state, session, &counts(1, "alice", 700, 1).usage, begun.mono);
    scene.wait(120);
    let read = vec![Reading { session, counted, alive: None }];
    scene.handle(Event::Look(Look { begun, read, ..Look::default() }));
    assert_eq!(octets_today(&scene, "ALICE"), 0);
    let days = &scene.state.session(session).unwrap().used;
    let labels = rasadmin_engine::calendar::labels_at(begun.time, &scene.config.zone);
    assert_eq!(days.iter().map(|day| (day.labels, day.input_octets)).collect::<Vec<_>>(), [(labels, 700)]);
}

#[test]
fn a_listed_connection_is_the_closed_session_with_its_guid_whatever_its_handle() {
    let mut scene = Scene::new(OPEN);
    scene.connect(connection(0x5_0000_0001, "alice")).unwrap();
    let id = only_session(&scene);
    scene.wait(100);
    not_listed(&mut scene, id);
    scene.wait(5);
    let lower_half = connection(0x5_0000_0001, "alice").with(|e| e.handle = 1);
    scene.look(&[lower_half]);
    assert_eq!(only_session(&scene), id);
}

#[test]
fn the_octets_of_a_hangup_count_also_if_frames_are_not_counted() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    scene.look(&[counts(1, "alice", 1000, 0)]);
    scene.wait(5);
    scene.hangup(counts(1, "alice", 4000, 0));
    let ended = last_end(&scene);
    assert_eq!((ended.usage.input_octets, ended.is_exact()), (4000, false));
}
