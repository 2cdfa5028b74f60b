//! What `monitor` counts, closes and adopts.
#![allow(clippy::unwrap_used)]

mod support;
#[path = "support/watching.rs"]
mod watching;

use rasadmin_engine::{Effect, Event, InterfaceType, Tunnel};
use rasadmin_recorder::Verdict;
use rasadmin_rras::{Failure, Instance, Operation};
use rasadmin_service::live_table;
use support::{With, connection, number};
use watching::{Case, GIB, monitor};

#[test]
fn six_gibibytes_of_a_live_session_are_counted_exactly_also_if_the_service_starts_again() {
    let mut case = Case::new();
    case.begin(1, "alice");
    for half_gibibytes in 1..=12 {
        case.received(1, half_gibibytes * GIB / 2);
        if half_gibibytes % 4 == 0 {
            case.monitor = monitor(&case.scene, &case.rras, &case.clock);
        }
        case.step();
    }
    let sum = case.monitor.looks().sessions().values().next().unwrap().counted;
    assert_eq!((sum.octets[0], sum.exact), (6 * GIB, true));
    let hangup = connection(1, "alice").with(|e| {
        e.usage.input_octets = (6 * GIB + 7) & 0xffff_ffff;
        e.usage.input_packets = 6 * GIB / 1000 + 1;
    });
    case.scene.recorder.hangup(&hangup, case.scene.now());
    let ended = case.ended();
    assert_eq!((ended[0].usage.input_octets, ended[0].is_exact()), (6 * GIB + 7, true));
    assert_eq!(
        case.scene.ask("SELECT acct_input_octets, octets_are, (SELECT sum(input_octets) FROM use) FROM sessions"),
        format!("{0} exact {0}", 6 * GIB + 7)
    );
}

#[test]
fn counters_are_recorded_once_an_hour_and_only_if_they_have_changed() {
    let mut case = Case::new();
    case.begin(1, "alice");
    case.begin(2, "bob");
    let before = case.records();
    for minutes in 0..120 {
        case.received(1, minutes * 1000);
        case.wait(60);
        case.step();
    }
    assert_eq!(case.records() - before, 2);
    let counted = case.scene.records().into_iter().flat_map(|record| record.effects);
    let counted = counted.filter_map(|effect| if let Effect::Counted(counted) = effect { Some(counted) } else { None });
    assert!(counted.into_iter().all(|counted| counted.sessions.len() == 1));
    assert_eq!(case.scene.ask("SELECT count(*) FROM sessions WHERE acct_input_octets IS NULL"), "1");
}

#[test]
fn the_dead_are_listed_and_do_not_lock_their_users_out() {
    let mut case = Case::new();
    let at_her_pc = |handle| connection(handle, "alice").with(|e| e.computer = "LAPTOP-7".into());
    let dials = |case: &Case, handle: u64| {
        let port = format!("VPN2-{handle}");
        let given = case.scene.address("alice", &port, "").unwrap();
        let shows = at_her_pc(handle).with(|e| e.addresses = vec![number(&given)]);
        case.lists(&shows);
        case.scene.connect(&shows) == Verdict::Accept
    };
    assert!(dials(&case, 1));
    case.received(1, 500);
    case.step();
    case.received(1, 900);
    case.step();
    // Her client is gone. RRAS has not noticed, and still sends to it.
    case.wait(10);
    assert!(dials(&case, 2));
    case.change(1, |dead| dead.counters.octets_transmitted = 5000);
    for _ in 0..5 {
        case.step();
    }
    let counts = |case: &Case, handle| case.scene.present().by_handle(handle).unwrap().counts();
    assert_eq!((counts(&case, 1), counts(&case, 2)), (false, true));
    let heard = |case: &Case, handle| {
        let id = case.scene.present().by_handle(handle).unwrap().id;
        case.monitor.looks().sessions()[&id].heard
    };
    assert_eq!(case.scene.now().at.mono.since(heard(&case, 1).unwrap().mono), 35_000);
    assert_eq!(heard(&case, 2), None);
    let table = live_table::read(&case.scene.path()).unwrap();
    let shown: Vec<_> = table.sessions.iter().map(|s| (s.octets, s.exact, s.heard.is_some())).collect();
    assert_eq!(shown, [([900, 5000], false, true), ([0, 0], true, false)]);
    // If it is there after all, it counts again.
    case.received(1, 950);
    case.step();
    assert!(counts(&case, 1));
}

#[test]
fn a_session_that_two_looks_miss_is_closed() {
    let mut case = Case::new();
    case.begin(1, "alice");
    case.begin(2, "bob");
    case.wait(120);
    case.step();
    case.loses(1);
    assert_eq!((case.step().not_listed, case.live().len()), (1, 2));
    let since = case.scene.now().at;
    let report = case.step();
    assert_eq!((report.closed, case.live()), (1, vec!["bob".to_owned()]));
    let ended = case.ended();
    assert_eq!((ended[0].by.name(), ended[0].by.cause(), ended[0].at.mono), ("not listed by RRAS", None, since.mono));
    assert_eq!(case.step().not_listed, 0);
}

#[test]
fn a_session_that_got_a_link_shortly_before_is_closed_a_minute_later() {
    let mut case = Case::new();
    case.begin(1, "alice");
    case.wait(120);
    assert_eq!(case.scene.link(1, "VPN2-9", Tunnel::Sstp), Verdict::Accept);
    case.loses(1);
    // The list may not show yet what has just happened to it.
    assert_eq!((case.step().not_listed, case.step().closed), (0, 0));
    case.wait(60);
    assert_eq!((case.step().not_listed, case.live().len()), (1, 1));
    assert_eq!((case.step().closed, case.live().len()), (1, 0));
}

#[test]
fn a_session_is_not_missed_while_it_is_young_or_in_another_instance_or_after_a_failed_look() {
    let mut case = Case::new();
    case.scene.begin(1, "alice", "VPN2-1").unwrap();
    for _ in 0..11 {
        assert_eq!(case.step().not_listed, 0);
    }
    assert_eq!((case.step().not_listed, case.live().len()), (1, 1));
    // Looks that fail prove nothing.
    case.rras.scripted.change(|script| script.failing = vec![(Operation::Connections, Failure::Changed)]);
    case.wait(5);
    let fault = case.try_step().unwrap_err();
    assert!(fault.what.starts_with("cannot list RRAS's connections"), "{}", fault.what);
    case.rras.scripted.change(|script| script.failing.clear());
    // RRAS is another one now.
    case.rras.scripted.change(|script| script.instance = Some(Instance { process: 800, created: 2 }));
    assert_eq!((case.step().not_listed, case.live().len()), (1, 1));
    // It becomes another one during the look, so the list may be of either.
    let scripted = case.rras.scripted.clone();
    *case.rras.meanwhile.lock().unwrap() = Some(Box::new(move || {
        scripted.change(|script| script.instance = Some(Instance { process: 900, created: 3 }));
    }));
    assert_eq!((case.step().closed, case.live().len()), (0, 1));
    case.step();
    assert_eq!(case.step().closed, 1);
}

#[test]
fn a_list_that_lacks_too_many_closes_nobody() {
    let mut case = Case::new();
    for handle in 1..=20 {
        case.begin(handle, &format!("user{handle}"));
    }
    case.wait(120);
    case.step();
    case.rras.scripted.change(|script| script.connections.truncate(9));
    case.step();
    let report = case.step();
    assert_eq!((report.withheld.len(), report.closed, case.live().len()), (11, 0, 20));
    case.step();
    let lines = case.lines.lock().unwrap().clone();
    let reported = lines.iter().filter(|line| line.contains("RRAS does not list 11 of the 20 live sessions")).count();
    assert_eq!(reported, 1, "{lines:?}");
    // Ten may be closed at once.
    case.lists(&connection(10, "user10"));
    let report = case.step();
    assert_eq!((report.withheld.len(), report.closed, case.live().len()), (0, 10, 10));
}

#[test]
fn more_than_ten_are_closed_if_they_are_no_more_than_a_fifth() {
    let mut case = Case::new();
    for handle in 1..=60 {
        case.begin(handle, &format!("user{handle}"));
    }
    case.wait(120);
    case.step();
    case.rras.scripted.change(|script| script.connections.truncate(47));
    case.step();
    // Thirteen are more than a fifth.
    let report = case.step();
    assert_eq!((report.withheld.len(), report.closed, case.live().len()), (13, 0, 60));
    case.lists(&connection(48, "user48"));
    let report = case.step();
    assert_eq!((report.withheld.len(), report.closed, case.live().len()), (0, 12, 48));
}

#[test]
fn a_connection_that_is_not_on_record_is_adopted_after_two_looks() {
    let mut case = Case::new();
    case.begin(1, "alice");
    let router = connection(8, "branch").with(|e| e.interface = InterfaceType::FullRouter);
    let nameless = connection(9, "emil").with(|e| e.guid = None);
    [&router, &nameless, &connection(7, "dora")].into_iter().for_each(|event| case.lists(event));
    let report = case.step();
    assert_eq!((report.connections, report.routers, report.unknown, report.adopted), (4, 1, 2, 0));
    assert_eq!(case.step().adopted, 1);
    assert_eq!(case.live(), ["alice", "dora"]);
    assert_eq!(case.scene.ask("SELECT name, adopted FROM sessions ORDER BY name"), "ALICE 0; DORA 1");
    assert_eq!(case.step().adopted, 1);
}

#[test]
fn a_connection_that_is_recorded_during_the_look_is_not_adopted() {
    let mut case = Case::new();
    let dora = connection(7, "dora");
    case.lists(&dora);
    case.step();
    case.wait(5);
    // Its accept and its hangup are recorded while RRAS makes the second list.
    let recorder = case.scene.beside();
    let (now, hangup) = (case.scene.now(), case.scene.now());
    *case.rras.meanwhile.lock().unwrap() = Some(Box::new(move || {
        assert_eq!(recorder.accept_connection(&dora, now), Verdict::Accept);
        recorder.hangup(&dora, hangup);
    }));
    let report = case.try_step().unwrap();
    assert_eq!((report.adopted, case.live().len()), (0, 0));
    // RRAS goes on listing it. Its time and its octets have been counted.
    case.step();
    assert_eq!((case.step().adopted, case.live().len()), (0, 0));
}

#[test]
fn a_session_that_was_closed_by_hand_is_not_adopted() {
    let mut case = Case::new();
    case.begin(1, "alice");
    case.step();
    let session = case.scene.present().live().next().unwrap().id;
    case.scene.record(Event::CloseSession { session, by: None, reason: None });
    for _ in 0..4 {
        assert_eq!((case.step().adopted, case.live().len()), (0, 0));
    }
}

#[test]
fn a_session_that_is_missed_ends_with_the_octets_that_looks_saw() {
    let mut case = Case::new();
    case.begin(1, "alice");
    case.wait(120);
    case.received(1, 900_000_000);
    case.step();
    case.loses(1);
    case.step();
    case.step();
    let ended = case.ended();
    assert_eq!((ended[0].by.name(), ended[0].usage.input_octets), ("not listed by RRAS", 900_000_000));
    assert_eq!(case.scene.ask("SELECT sum(input_octets) FROM use"), "900000000");
}

#[test]
fn counters_that_start_again_are_recorded_at_once() {
    let mut case = Case::new();
    case.begin(1, "alice");
    case.received(1, 900_000_000);
    case.step();
    case.received(1, 10_000_000);
    case.step();
    let hangup = connection(1, "alice").with(|e| (e.usage.input_octets, e.usage.input_packets) = (11_000_000, 11_000));
    case.scene.recorder.hangup(&hangup, case.scene.now());
    let ended = case.ended();
    assert_eq!((ended[0].usage.input_octets, ended[0].is_exact()), (911_000_000, false));
}

#[test]
fn octets_go_to_the_day_of_the_look_that_saw_them() {
    let mut case = Case::new();
    case.begin(1, "alice");
    // A minute before midnight, and a minute after.
    case.wait(15 * 3600 - 60);
    case.received(1, 700_000);
    case.step();
    case.wait(120);
    case.received(1, 1_000_000);
    case.step();
    case.wait(3600);
    case.step();
    assert_eq!(
        case.scene.ask("SELECT day, input_octets FROM use ORDER BY day"),
        "2026-11-23 700000; 2026-11-24 300000"
    );
}

#[test]
fn a_session_that_lives_again_goes_on_beyond_4_gib() {
    let mut case = Case::new();
    case.begin(1, "alice");
    case.wait(120);
    for gibibytes in 1..=5 {
        case.wait(60);
        case.received(1, gibibytes * GIB);
        case.step();
    }
    let listed = case.rras.scripted.script().connections;
    case.loses(1);
    case.step();
    assert_eq!(case.step().closed, 1);
    case.rras.scripted.change(|script| script.connections = listed);
    case.received(1, 6 * GIB);
    case.step();
    case.step();
    assert_eq!(case.live(), ["alice"]);
    case.step();
    let sum = case.monitor.looks().sessions().values().next().unwrap().counted;
    assert_eq!((sum.octets[0], sum.exact), (6 * GIB, false));
}

#[test]
fn a_session_that_reauthenticates_while_it_is_missed_is_not_closed() {
    let mut case = Case::new();
    case.begin(1, "alice");
    case.wait(120);
    case.step();
    case.loses(1);
    case.step();
    case.wait(2);
    case.scene.recorder.reauthenticate(&connection(1, "alice"), case.scene.now());
    assert_eq!((case.step().closed, case.live().len()), (0, 1));
}

#[test]
fn a_connection_is_known_by_its_guid_or_by_its_handle_and_its_user() {
    let mut case = Case::new();
    let bare = |handle, user| connection(handle, user).with(|e| e.guid = None);
    case.scene.connect(&bare(0x5_0000_0001, "alice"));
    // RRAS passes the lower half of a handle to other processes.
    case.lists(&bare(1, "alice"));
    case.wait(120);
    let report = case.step();
    assert_eq!((report.unknown, report.not_listed), (0, 0));
    case.change(1, |connection| connection.user = "bob".into());
    let report = case.step();
    assert_eq!((report.unknown, report.not_listed), (1, 1));
    case.change(1, |connection| (connection.user, connection.guid) = ("alice".into(), Some("other".to_owned())));
    let report = case.step();
    assert_eq!((report.unknown, report.not_listed), (0, 0));
}

#[test]
fn a_day_of_five_thousand_connections_is_less_than_twenty_megabytes() {
    let mut case = Case::new();
    for handle in 1..=5000 {
        // IKEv2 needs no link.
        let event = connection(handle, &format!("somebody-with-a-name-{handle}")).with(|e| e.ikev2 = Some(true));
        assert_eq!(case.scene.connect(&event), Verdict::Accept);
        case.lists(&event);
    }
    let size = |case: &Case| -> u64 {
        case.scene.records().iter().map(|record| serde_json::to_vec(record).unwrap().len() as u64 + 32).sum()
    };
    case.wait(120);
    case.step();
    let before = size(&case);
    let hours: u64 = 3;
    for hour in 1..=hours {
        for handle in 1..=5000 {
            case.received(handle, hour * 900_000_000);
        }
        case.wait(3600);
        case.step();
    }
    let day = (size(&case) - before) / hours * 24;
    assert!(day > 5_000_000, "all of them are recorded: {day}");
    assert!(day < 20_000_000, "{day}");
}
