//! Which sessions count in a limit, and whose place a newcomer takes.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::effect::{DayUse, RemoteSession, Usage};
use rasadmin_engine::event::Event;
use rasadmin_engine::explain::{Question, explain, explain_each};
use rasadmin_engine::{Effect, Id, InterfaceType, Name, Quarantine, Tunnel};
use support::{OPEN, Scene, TWO, With, connection, corp, from_computer, ikev2, limit, one_session, today};

fn remote(session: u128, live: bool, seconds: u64, start: i64) -> RemoteSession {
    let labels = rasadmin_engine::calendar::labels_at(support::MONDAY, &jiff_utc());
    let days =
        if seconds > 0 { vec![DayUse { labels, seconds, input_octets: 0, output_octets: 0 }] } else { Vec::new() };
    let user = corp("ALICE");
    RemoteSession {
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
fn two_devices_that_drop_come_back_one_by_one() {
    let mut scene = Scene::new(&limit(
        "[[rules]]\nname = \"two\"\naction = \"deny\"\nusers = [\"*\"]\nuser_sessions = { at_least = 2 }",
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
        "[groups.g]\nusers = [\"CORP\\\\*\"]\n[[rules]]\nname = \"three\"\naction = \"deny\"\nusers = [\"*\"]\ngroup_sessions = { group = \"g\", at_least = 3 }",
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
fn a_new_session_replaces_one_and_a_replaced_session_that_is_live_counts_again() {
    let one = "[[rules]]\nname = \"one\"\naction = \"deny\"\nusers = [\"*\"]\nuser_sessions = { at_least = 1 }";
    let mut scene = Scene::new(&limit(one));
    scene.connect(from_computer(1, "alice", "LAPTOP")).unwrap();
    scene.connect(from_computer(2, "alice", "LAPTOP")).unwrap();
    // Notifications of its end are not signs of life: still only the newer session counts.
    scene.link_hangup(1, "VPN2-1");
    scene.handle(Event::Reauthentication(from_computer(1, "alice", "LAPTOP")));
    // Both live, and claim one name. The third takes the place of one of them, and the other counts.
    assert!(scene.connect(from_computer(3, "alice", "LAPTOP")).is_err());
    let mut scene = Scene::new(&limit(one));
    scene.connect(ikev2(1, "alice")).unwrap();
    scene.connect(ikev2(2, "alice")).unwrap();
    assert!(scene.connect(ikev2(3, "alice").with(|e| e.source = "198.51.100.1".into())).is_err());
    scene.handle(Event::EndpointChange(ikev2(1, "alice").with(|e| e.source = "198.51.100.7".into())));
    assert!(scene.connect(ikev2(4, "alice").with(|e| e.source = "198.51.100.9".into())).is_err());
    assert_eq!(scene.state.live().filter(|session| session.counts()).count(), 2);
}

#[test]
fn a_failed_attempt_replaces_no_session() {
    let mut scene = Scene::new(&one_session());
    let from = |handle, computer: &str| connection(handle, "alice").with(|e| e.computer = computer.into());
    scene.begin_as(from(1, "LAPTOP"), "VPN2-1").unwrap();
    // It claims the same name, and ends before its first link.
    scene.connect(from(2, "LAPTOP")).unwrap();
    scene.hangup(from(2, "LAPTOP"));
    assert!(scene.connect(from(3, "PHONE")).is_err());
}

#[test]
fn a_guess_does_not_refuse_a_user() {
    let mut scene = Scene::new(&limit("[[reservations]]\nuser = \"CORP\\\\bob\"\naddress = \"10.8.1.1\""));
    assert_eq!(scene.address("bob", "VPN4-0", ""), Ok("10.8.1.1".into()));
    scene.connect(connection(5, "partner\\bob")).unwrap();
    assert_eq!(scene.leases(), "10.8.1.1 CORP\\BOB waits");
    // On the port itself there is no doubt whose lease it is.
    let why = scene.link(5, "VPN4-0").unwrap_err();
    assert!(why.contains("turned out to be another user"), "{why}");
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

/// A laptop that comes back from the same computer after 100 seconds, and another 100 seconds.
fn back_after_100_seconds() -> Scene {
    let mut scene = Scene::new(OPEN);
    for handle in [1, 2] {
        scene.connect(from_computer(handle, "alice", "LAPTOP")).unwrap();
        scene.link(handle, &format!("VPN2-{handle}")).unwrap();
        scene.wait(100);
    }
    scene
}

/// RRAS reports the end of a dead client's connection hours later. The user is not denied for hours that the client was
/// not there.
#[test]
fn what_a_returning_client_left_behind_counts_no_longer_when_its_hangup_comes() {
    let usage = |seconds| Usage { seconds, input_octets: 7, ..Usage::default() };
    let hang_up = |scene: &mut Scene, handle, seconds| {
        scene.hangup(from_computer(handle, "alice", "LAPTOP").with(|event| event.usage = usage(seconds)));
        today(scene, "ALICE")
    };
    let mut scene = back_after_100_seconds();
    scene.wait(900);
    // It was connected for 1,100 seconds as RRAS has it, and for 100 before its client was back.
    assert_eq!(hang_up(&mut scene, 1, 1100), 100);
    assert!(scene.ended().ends_with("hangup 1100"), "{}", scene.ended());
    assert_eq!(hang_up(&mut scene, 2, 1000), 1100);
    // Its hangup may be recorded long after its end, and after something else has closed it: the same.
    for closed in [false, true] {
        let mut scene = back_after_100_seconds();
        if closed {
            scene.begin(3, "bob", "VPN2-1").unwrap();
        }
        scene.wait(200);
        assert_eq!(hang_up(&mut scene, 1, 90), 90, "closed: {closed}");
    }
    // What is replaced before midnight counts on that day, and the octets when they are reported.
    let mut scene = back_after_100_seconds();
    scene.wait(86_400);
    assert_eq!(hang_up(&mut scene, 1, 86_600), 0, "today");
    let days: Vec<_> = scene
        .records
        .iter()
        .flat_map(|record| &record.effects)
        .filter_map(|effect| match effect {
            Effect::Used { days, .. } => {
                Some(days.iter().map(|day| (day.seconds, day.input_octets)).collect::<Vec<_>>())
            }
            _ => None,
        })
        .collect();
    assert_eq!(days, [vec![(100, 0), (0, 7)]]);
    // One that proves to be alive counts in full.
    let mut scene = Scene::new(OPEN);
    for handle in [1, 2] {
        scene.connect(ikev2(handle, "alice")).unwrap();
        scene.wait(100);
    }
    scene.handle(Event::EndpointChange(ikev2(1, "alice").with(|event| event.source = "198.51.100.7".into())));
    scene.hangup(ikev2(1, "alice").with(|event| event.usage = usage(200)));
    assert_eq!(today(&scene, "ALICE"), 200);
}

#[test]
fn an_administrators_change_is_no_sign_of_life() {
    let mut scene = Scene::new(OPEN);
    scene.begin(1, "alice", "VPN2-1").unwrap();
    let last = scene.state.last();
    scene.wait(86_400);
    scene.handle(Event::Forget { before: 0, user: None, how: rasadmin_engine::effect::Forgetting::Purge });
    assert_eq!(scene.state.last(), last);
}

#[test]
fn what_a_call_itself_ends_counts_in_its_decision() {
    let mut scene = Scene::new(&limit(
        "[[rules]]\nname = \"half an hour\"\naction = \"deny\"\nusers = [\"*\"]\nconnect_time = { per = \"day\", at_least = \"30m\" }",
    ));
    scene.connect(ikev2(1, "alice")).unwrap();
    scene.wait(2048);
    assert!(scene.connect(ikev2(1, "alice")).is_err());
}

#[test]
fn what_another_server_tells_twice_counts_once() {
    let mut scene = Scene::new(&one_session());
    scene.handle(Event::RemoteSessions(vec![remote(1, true, 0, support::MONDAY)]));
    for _ in 0..2 {
        scene.handle(Event::RemoteSessions(vec![remote(1, false, 100, support::MONDAY)]));
    }
    assert_eq!(today(&scene, "ALICE"), 100);
    // A late report does not bring it back.
    scene.handle(Event::RemoteSessions(vec![remote(1, true, 0, support::MONDAY)]));
    assert_eq!(scene.connect(connection(1, "alice")), Ok(()));
}

#[test]
fn no_number_of_another_server_is_too_great() {
    let quota = format!(
        "{TWO}\n[[rules]]\nname = \"quota\"\naction = \"deny\"\nusers = [\"*\"]\nconnect_time = {{ per = \"day\", at_least = \"10h\" }}"
    );
    let mut scene = Scene::new(&quota);
    scene.handle(Event::RemoteSessions(vec![remote(1, true, 5, i64::MIN), remote(2, true, u64::MAX, i64::MAX)]));
    assert!(scene.connect(connection(1, "alice")).is_err());
}

const NEWEST: &str = "[[rules]]\nname = \"the newest stays\"\naction = \"deny\"\nusers = [\"*\"]\n\
                      max_user_sessions = 1\nwhen_exceeded = \"replace-oldest\"\n";

/// The sessions that the last record marks, by their handles.
fn marked(scene: &Scene) -> Vec<u64> {
    let decision = scene.records.last().unwrap().decision.as_ref().unwrap();
    decision.replaces.iter().map(|id| scene.state.session(*id).unwrap().handle).collect()
}

#[test]
fn the_newcomer_is_let_in_and_the_oldest_is_marked() {
    let mut scene = Scene::new(&limit(NEWEST));
    scene.begin_as(from_computer(1, "alice", "LAPTOP"), "VPN2-1").unwrap();
    assert_eq!(marked(&scene), [0; 0]);
    scene.wait(1);
    let address = scene.address("alice", "VPN2-2", "172.16.0.9").unwrap();
    scene.connect(from_computer(2, "alice", "PHONE").with(|e| e.addresses = vec![support::number(&address)])).unwrap();
    // It may still be refused at its link.
    assert_eq!(marked(&scene), [0; 0]);
    scene.link(2, "VPN2-2").unwrap();
    assert_eq!(marked(&scene), [1]);
    // Nothing else is done, and it counts until it is disconnected. A third newcomer marks both.
    assert_eq!(scene.state.live().filter(|session| session.counts()).count(), 2);
    scene.wait(1);
    scene.begin_as(from_computer(3, "alice", "TABLET"), "VPN2-3").unwrap();
    assert_eq!(marked(&scene), [1, 2]);
    // An old session's own events mark nobody, and are not refused.
    scene.link(1, "VPN2-4").unwrap();
    assert_eq!(marked(&scene), [0; 0]);
    scene.handle(Event::Reauthentication(from_computer(1, "alice", "LAPTOP")));
    assert!(scene.records.last().unwrap().decision.as_ref().unwrap().allow);
    assert_eq!(marked(&scene), [0; 0]);
    // Other users are nobody's business.
    scene.begin_as(from_computer(5, "bob", "PC"), "VPN2-5").unwrap();
    assert_eq!(marked(&scene), [0; 0]);
    scene.hangup(connection(1, "alice"));
    scene.hangup(connection(2, "alice"));
    scene.hangup(connection(3, "alice"));
    scene.begin_as(from_computer(6, "alice", "LAPTOP"), "VPN2-6").unwrap();
    assert_eq!(marked(&scene), [0; 0]);
}

#[test]
fn an_ikev2_newcomer_marks_at_the_connection() {
    let mut scene = Scene::new(&limit(NEWEST));
    scene.connect(ikev2(1, "alice")).unwrap();
    scene.wait(1);
    scene.connect(ikev2(2, "alice").with(|e| e.source = "198.51.100.1".into())).unwrap();
    assert_eq!(marked(&scene), [1]);
    // A client that comes back from the same endpoint has replaced its session in the counts: nothing to disconnect.
    scene.wait(1);
    scene.connect(ikev2(3, "alice").with(|e| e.source = "198.51.100.1".into())).unwrap();
    assert_eq!(marked(&scene), [1]);
}

/// What would be done if the user connected now: `explain` names the sessions that the decision would mark, once.
#[test]
fn explain_names_the_sessions_that_would_be_marked() {
    let mut scene = Scene::new(&limit(NEWEST));
    scene.connect(ikev2(1, "alice")).unwrap();
    scene.wait(1);
    let question = |tunnel| Question {
        user: "alice".into(),
        domain: Name::default(),
        at: scene.at,
        server: "VPN1".into(),
        port: Some("VPN2-2".into()),
        tunnel: Some(tunnel),
        source: Some("198.51.100.1".parse().unwrap()),
        computer: Some("PHONE".into()),
        quarantine: Some(Quarantine::Normal),
        interface: Some(InterfaceType::Client),
        offer: Some("172.16.0.9".parse().unwrap()),
        ipv6: false,
    };
    let marked = |tunnel| {
        let stages = explain(&scene.config, &scene.state, &question(tunnel));
        let handle = |id: &Id| scene.state.session(*id).unwrap().handle;
        stages.iter().map(|stage| stage.replaces.iter().map(handle).collect()).collect::<Vec<Vec<u64>>>()
    };
    assert_eq!(marked(Tunnel::Ikev2)[..2], [vec![], vec![1]]);
    assert_eq!(marked(Tunnel::Sstp), [vec![], vec![], vec![1]]);
    // All tunnels at once share what comes before the tunnel is known, and each has the answer that it has alone.
    let asked = Question { ipv6: true, ..question(Tunnel::Sstp) };
    let each: Vec<_> = Tunnel::ALL.into_iter().map(Some).chain([None]).collect();
    let together = explain_each(&scene.config, &scene.state, &asked, &each);
    for (tunnel, stages) in each.into_iter().zip(together) {
        let alone = explain(&scene.config, &scene.state, &Question { tunnel, ..asked.clone() });
        assert_eq!(format!("{stages:?}"), format!("{alone:?}"), "{tunnel:?}");
    }
}

#[test]
fn rules_below_still_decide_about_the_newcomer() {
    let below = "[[rules]]\nname = \"no phones\"\naction = \"deny\"\nremote_computers = [\"PHONE\"]\n";
    let mut scene = Scene::new(&limit(&format!("{NEWEST}{below}")));
    scene.connect(ikev2(1, "alice").with(|e| e.computer = "LAPTOP".into())).unwrap();
    let refused = scene.connect(ikev2(2, "alice").with(|e| e.computer = "PHONE".into()));
    assert!(refused.unwrap_err().contains("no phones"));
    assert_eq!(marked(&scene), [0; 0], "nobody is disconnected for a newcomer who is refused");
    scene.connect(ikev2(3, "alice").with(|e| e.computer = "TABLET".into())).unwrap();
    assert_eq!(marked(&scene), [1]);
    // A record without marks has no such field: it reads as it was written before there were any.
    let text = |at: usize| serde_json::to_string(&scene.records[at]).unwrap();
    assert!(!text(1).contains("replaces") && text(3).contains("\"replaces\":["), "{}", text(3));
}

#[test]
fn two_sessions_are_kept_if_the_limit_is_two() {
    let two = NEWEST.replace("max_user_sessions = 1", "user_sessions = { at_least = 2 }");
    let mut scene = Scene::new(&limit(&two));
    for (handle, computer, expected) in
        [(1, "A", &[][..]), (2, "B", &[]), (3, "C", &[1]), (4, "D", &[1, 2])] as [(u64, &str, &[u64]); 4]
    {
        scene.wait(1);
        scene.connect(ikev2(handle, "alice").with(|e| e.computer = computer.into())).unwrap();
        assert_eq!(marked(&scene), expected, "{computer}");
    }
}
