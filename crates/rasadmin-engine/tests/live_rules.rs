//! Rules, blocks and marks that end live sessions.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::decide::{is_blocked, is_replaced, overdue};
use rasadmin_engine::effect::{BlockSubject, Disconnecting, Enforcement, Usage};
use rasadmin_engine::event::{BeginBlock, Disconnect, Event, Look, Reading};
use rasadmin_engine::{Effect, Id, InterfaceType, Record};
use support::{Scene, With, connection, corp, counted};

/// The default's, and rules before it.
fn rules(rules: &str) -> String {
    format!(
        r#"
        time_zone = "UTC"
        default_domain = "CORP"
        default.action = "allow"
        addresses.pool = "staff"
        [pools.staff]
        addresses = ["10.8.0.0/24"]
        {rules}
        "#
    )
}

const TEN_HOURS: &str = r#"
    [[rules]]
    name = "ten hours"
    action = "deny"
    session_time = "10h"
    disconnect_active = true
    grace = "5m"
"#;

/// The rule that ends the live session with this handle.
fn ends(scene: &Scene, handle: u64) -> Option<(String, u64)> {
    let session = scene.state.by_handle(handle).unwrap();
    let overdue = overdue(&scene.state, &scene.context(), session, scene.at, 0)?;
    Some((overdue.why.rule().unwrap().to_owned(), overdue.grace))
}

fn decide(scene: &mut Scene, session: Id, why: Disconnecting, how: Enforcement) -> Record {
    scene.handle(Event::Disconnect(Disconnect { session, why, how, by: None }))
}

fn id(scene: &Scene, handle: u64) -> Id {
    scene.state.by_handle(handle).unwrap().id
}

#[test]
fn a_rule_ends_a_session_if_it_says_so_and_no_rule_before_it_allows() {
    let mut scene = Scene::new(&rules(TEN_HOURS));
    scene.connect(connection(1, "alice")).unwrap();
    scene.link(1, "VPN2-1").unwrap();
    scene.wait(10 * 3600 - 1);
    assert_eq!(ends(&scene, 1), None);
    scene.wait(1);
    assert_eq!(ends(&scene, 1), Some(("ten hours".to_owned(), 300_000)));
    scene.reload(&rules(&TEN_HOURS.replace("disconnect_active = true\n    grace = \"5m\"", "")));
    assert_eq!(ends(&scene, 1), None);
    // A rule that does not hold for live sessions leaves them to the next one, and one that allows exempts them.
    let before = "[[rules]]\nname = \"first\"\naction = \"deny\"\nusers = [\"alice\"]";
    scene.reload(&rules(&format!("{before}\n{TEN_HOURS}")));
    assert_eq!(ends(&scene, 1).unwrap().0, "ten hours");
    scene.reload(&rules(&format!("{}\n{TEN_HOURS}", before.replace("deny", "allow"))));
    assert_eq!(ends(&scene, 1), None);
}

#[test]
fn a_limit_for_newcomers_in_a_rule_that_allows_still_exempts() {
    let allowed = r#"
        [[rules]]
        name = "one"
        action = "allow"
        max_user_sessions = 1
    "#;
    let mut scene = Scene::new(&rules(&format!("{allowed}{TEN_HOURS}")));
    scene.connect(connection(1, "alice")).unwrap();
    scene.connect(connection(2, "alice").with(|e| e.computer = "OTHER".into())).unwrap();
    scene.link(1, "VPN2-1").unwrap();
    scene.wait(10 * 3600);
    assert_eq!(ends(&scene, 1), None);
}

#[test]
fn what_is_not_known_of_a_session_ends_it_not() {
    let no_sstp = r#"
        [[rules]]
        name = "no SSTP"
        action = "deny"
        tunnels = ["SSTP"]
        if_absent = "match"
        disconnect_active = true
    "#;
    let mut scene = Scene::new(&rules(""));
    let found = vec![connection(1, "alice")];
    scene.handle(Event::Look(Look { begun: scene.at, found, ..Look::default() }));
    scene.reload(&rules(no_sstp));
    assert_eq!(ends(&scene, 1), None);
    scene.connect(connection(2, "bob")).unwrap();
    scene.reload(&rules(""));
    scene.link(2, "VPN2-2").unwrap();
    scene.reload(&rules(no_sstp));
    assert_eq!(ends(&scene, 2).unwrap().0, "no SSTP");
}

#[test]
fn routers_are_never_ended() {
    let mut scene = Scene::new(&rules(TEN_HOURS));
    scene.connect(connection(1, "branch").with(|e| e.interface = InterfaceType::FullRouter)).unwrap();
    scene.link(1, "VPN2-1").unwrap();
    let block = BeginBlock { subject: BlockSubject::User(corp("branch")), until: None, reason: None, by: None };
    scene.handle(Event::BeginBlock(block));
    scene.wait(10 * 3600);
    assert_eq!(ends(&scene, 1), None);
    let session = scene.state.by_handle(1).unwrap();
    assert!(!is_blocked(&scene.state, &scene.context(), session, scene.at));
}

#[test]
fn a_session_that_reauthenticates_is_asked_how_long_it_has_lasted() {
    let mut scene = Scene::new(&rules(TEN_HOURS));
    scene.connect(connection(1, "alice")).unwrap();
    scene.link(1, "VPN2-1").unwrap();
    scene.wait(9 * 3600);
    let again = |scene: &mut Scene| support::verdict(&scene.handle(Event::Reauthentication(connection(1, "alice"))));
    assert_eq!(again(&mut scene), Ok(()));
    scene.wait(3600);
    assert!(again(&mut scene).unwrap_err().contains("ten hours"));
    // A newcomer has not lasted at all.
    scene.connect(connection(2, "bob")).unwrap();
}

#[test]
fn an_order_is_not_taken_back_and_nothing_is_decided_twice() {
    let mut scene = Scene::new(&rules(""));
    scene.connect(connection(1, "alice")).unwrap();
    let session = id(&scene, 1);
    let rule = |rule: &str| Disconnecting::Rule { rule: rule.into(), reason: None, time_is_up: false };
    let effects = |record: Record| record.effects.len();
    assert_eq!(effects(decide(&mut scene, session, rule("a"), Enforcement::Reported)), 1);
    assert_eq!(effects(decide(&mut scene, session, rule("a"), Enforcement::Reported)), 0);
    assert_eq!(effects(decide(&mut scene, session, rule("b"), Enforcement::Reported)), 1);
    assert_eq!(effects(decide(&mut scene, session, rule("b"), Enforcement::Enforced)), 1);
    assert_eq!(effects(decide(&mut scene, session, rule("b"), Enforcement::Reported)), 0);
    assert_eq!(scene.state.to_disconnect(session).unwrap().how, Enforcement::Enforced);
    scene.handle(Event::Hangup(connection(1, "alice")));
    assert_eq!(scene.state.to_disconnect(session), None);
    assert_eq!(effects(decide(&mut scene, session, rule("a"), Enforcement::Enforced)), 0);
}

#[test]
fn the_cause_of_a_hangup_is_that_of_the_order() {
    let time = |time_is_up| Disconnecting::Rule { rule: "r".into(), reason: None, time_is_up };
    for (why, how, cause) in [
        (time(true), Enforcement::Enforced, Some("Session-Timeout")),
        (time(false), Enforcement::Enforced, Some("Admin-Reset")),
        (Disconnecting::Blocked, Enforcement::Enforced, Some("Admin-Reset")),
        (Disconnecting::Replaced, Enforcement::Enforced, Some("Admin-Reset")),
        (Disconnecting::Asked { reason: None }, Enforcement::Enforced, Some("Admin-Reset")),
        (time(true), Enforcement::Reported, None),
    ] {
        let mut scene = Scene::new(&rules(""));
        scene.connect(connection(1, "alice")).unwrap();
        let session = id(&scene, 1);
        decide(&mut scene, session, why.clone(), how);
        let record = scene.handle(Event::Hangup(connection(1, "alice")));
        let ended = record.ended().next().unwrap();
        assert_eq!(ended.terminate_cause(), cause, "{why:?} {how:?}");
    }
}

#[test]
fn a_replaced_session_that_is_about_to_be_disconnected_does_not_count_again() {
    for (how, counts) in [(Enforcement::Reported, true), (Enforcement::Enforced, false)] {
        let mut scene = Scene::new(&rules(""));
        let at_home = |handle| connection(handle, "alice").with(|e| e.computer = "LAPTOP-7".into());
        scene.connect(at_home(1)).unwrap();
        scene.link(1, "VPN2-1").unwrap();
        let session = id(&scene, 1);
        scene.wait(60);
        scene.connect(at_home(2)).unwrap();
        decide(&mut scene, session, Disconnecting::Replaced, how);
        scene.wait(60);
        let usage = Usage { input_octets: 500, ..Usage::default() };
        let counted = counted(&scene.state, session, &usage, scene.at.mono);
        let read = vec![Reading { session, counted, alive: Some(scene.at) }];
        let record = scene.handle(Event::Look(Look { begun: scene.at, read, ..Look::default() }));
        let alive = record.effects.iter().any(|effect| matches!(effect, Effect::SessionAlive { .. }));
        assert_eq!(alive, counts, "{how:?}");
    }
}

const NEWEST: &str = r#"
    [[rules]]
    name = "newest"
    action = "deny"
    max_user_sessions = 1
    when_exceeded = "replace-oldest"
"#;

/// Alice's second session marks her first.
fn marked() -> (Scene, Id) {
    let mut scene = Scene::new(&rules(NEWEST));
    for (handle, computer) in [(1, "PHONE"), (2, "LAPTOP")] {
        scene.connect(connection(handle, "alice").with(|e| e.computer = computer.into())).unwrap();
        scene.link(handle, &format!("VPN2-{handle}")).unwrap();
        scene.wait(60);
    }
    let first = id(&scene, 1);
    assert_eq!(scene.state.to_disconnect(first).unwrap().how, Enforcement::Marked);
    (scene, first)
}

fn replaced(scene: &Scene, handle: u64) -> bool {
    is_replaced(&scene.state, &scene.context(), scene.state.by_handle(handle).unwrap(), scene.at)
}

#[test]
fn a_mark_holds_while_the_newer_session_and_its_limit_are_there() {
    let (mut scene, _) = marked();
    assert_eq!((replaced(&scene, 1), replaced(&scene, 2)), (true, false));
    scene.reload(&rules(&NEWEST.replace("= 1", "= 2")));
    assert!(!replaced(&scene, 1));
    scene.reload(&rules(""));
    assert!(!replaced(&scene, 1));
    scene.reload(&rules(NEWEST));
    scene.handle(Event::Hangup(connection(2, "alice")));
    assert!(!replaced(&scene, 1));
}

#[test]
fn a_session_that_was_reported_can_still_be_marked() {
    let mut scene = Scene::new(&rules(NEWEST));
    scene.connect(connection(1, "alice").with(|e| e.computer = "PHONE".into())).unwrap();
    scene.link(1, "VPN2-1").unwrap();
    let first = id(&scene, 1);
    let night = Disconnecting::Rule { rule: "night".into(), reason: None, time_is_up: true };
    decide(&mut scene, first, night, Enforcement::Reported);
    scene.connect(connection(2, "alice").with(|e| e.computer = "LAPTOP".into())).unwrap();
    scene.link(2, "VPN2-2").unwrap();
    let decided = scene.state.to_disconnect(first).unwrap();
    assert_eq!((&decided.why, decided.how), (&Disconnecting::Replaced, Enforcement::Marked));
}

#[test]
fn a_late_hangup_from_before_the_order_has_no_cause() {
    let mut scene = Scene::new(&rules(""));
    scene.connect(connection(1, "alice")).unwrap();
    scene.wait(60);
    let before = scene.at;
    scene.wait(60);
    let session = id(&scene, 1);
    decide(&mut scene, session, Disconnecting::Blocked, Enforcement::Enforced);
    let record = scene.tell_late(before, Event::Hangup(connection(1, "alice")), rasadmin_engine::Answer::Nothing);
    assert_eq!(record.ended().next().unwrap().terminate_cause(), None);
}
