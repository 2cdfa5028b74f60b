//! A connection that cannot be recorded: `when_unrecorded` says whether it is accepted.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::addresses::Family;
use rasadmin_engine::config::file::WhenUnrecorded;
use rasadmin_engine::effect::BlockSubject;
use rasadmin_engine::event::BeginBlock;
use rasadmin_engine::event::{AddressEvent, Event, Offer};
use rasadmin_engine::explain::{Question, explain};
use rasadmin_engine::{
    Answer, Context, Decision, Effect, InterfaceType, Name, Now, Quarantine, Record, Refusal, Tunnel, decide,
};
use support::{Scene, TWO, address, connection, link};

const DENY: &str = "journal.when_unrecorded = \"deny\"";

fn rule(action: &str, lines: &str) -> String {
    format!("[[rules]]\nname = \"r\"\naction = \"{action}\"\nusers = [\"alice\"]\n{lines}\n")
}

/// Everything that may begin with a connection, in order: Alice's.
fn enters() -> [Event; 3] {
    let four = address("alice", "VPN2-1", Offer::Nothing);
    let six = AddressEvent { family: Family::Ipv6, ..four.clone() };
    [Event::Address(four), Event::Address(six), Event::Connection(connection(1, "alice"))]
}

/// What is of a connection that was let in before.
fn goes_on() -> [Event; 3] {
    let of = connection(1, "alice");
    [Event::Link(link(1, "VPN2-1", Tunnel::Sstp)), Event::Reauthentication(of.clone()), Event::EndpointChange(of)]
}

/// What is decided of an event while nothing, or everything, can be recorded. It changes nothing.
fn decided(scene: &Scene, event: &Event, unrecorded: bool) -> Record {
    let context = Context { unrecorded, ..scene.context() };
    decide(&scene.state, &context, event, &Now { at: scene.at, random: [7; 16] })
}

fn decision(record: &Record) -> &Decision {
    record.decision.as_ref().unwrap()
}

fn refused(record: &Record) -> bool {
    assert_eq!(decision(record).allow, record.answer != Answer::Reject, "{:?}", record.answer);
    decision(record).refusal == Some(Refusal::Unrecorded)
}

/// Is Alice refused at each event that begins a connection of hers, since it cannot be recorded? One answer for all.
fn is_refused(scene: &Scene) -> bool {
    let all = enters().map(|event| {
        let record = decided(scene, &event, true);
        assert!(decision(&record).allow || refused(&record), "{:?}", decision(&record));
        refused(&record)
    });
    assert!(all.iter().all(|one| *one == all[0]), "{all:?}");
    all[0]
}

#[test]
fn unrecorded_connections_are_denied_and_existing_sessions_remain() {
    let mut scene = Scene::new(&format!("{DENY}\n{TWO}"));
    assert!(is_refused(&scene));
    for event in enters() {
        let record = decided(&scene, &event, true);
        let began =
            |e: &Effect| matches!(e, Effect::SessionBegan(_) | Effect::LeaseBegan(_) | Effect::LeaseTaken { .. });
        assert!(!record.effects.iter().any(began), "{:?}", record.effects);
        assert!(!refused(&decided(&scene, &event, false)), "it can be recorded");
    }
    scene.begin(1, "alice", "VPN2-1").unwrap();
    for event in goes_on() {
        let record = decided(&scene, &event, true);
        assert!(decision(&record).allow, "{event:?}: {:?}", decision(&record));
        assert_eq!(record, decided(&scene, &event, false));
    }
}

#[test]
fn everybody_enters_where_it_says_allow_as_it_does_by_default() {
    for text in [TWO.to_owned(), format!("journal.when_unrecorded = \"allow\"\n{TWO}")] {
        let scene = Scene::new(&text);
        assert!(!is_refused(&scene));
        for event in enters() {
            assert_eq!(decided(&scene, &event, true), decided(&scene, &event, false));
        }
    }
}

#[test]
fn a_rule_overrides_the_configuration_both_ways() {
    for (journal, own, refused) in
        [("deny", "allow", false), ("allow", "deny", true), ("deny", "deny", true), ("allow", "allow", false)]
    {
        let rule = rule("allow", &format!("when_unrecorded = \"{own}\""));
        let text = format!("journal.when_unrecorded = \"{journal}\"\n{TWO}\n{rule}");
        let scene = Scene::new(&text);
        assert_eq!(is_refused(&scene), refused, "{journal}, but the rule says {own}");
        // The rule does not concern Bob.
        let bobs = decided(&scene, &Event::Address(address("bob", "VPN2-2", Offer::Nothing)), true);
        assert_eq!(self::refused(&bobs), journal == "deny");
    }
}

/// The rule's name, what was known and what was counted are in the decision as ever; only that it is refused differs.
#[test]
fn it_is_the_same_decision_otherwise() {
    let limit = rule("allow", "user_sessions = { below = 2 }\nreason = \"one of ours\"");
    let scene = Scene::new(&format!("{DENY}\n{TWO}\n[groups.g]\nusers = [\"alice\"]\n{limit}"));
    for event in enters() {
        let (with, without) = (decided(&scene, &event, false), decided(&scene, &event, true));
        let expected = Decision {
            allow: false,
            for_now: false,
            reason: None,
            refusal: Some(Refusal::Unrecorded),
            ..decision(&with).clone()
        };
        assert_eq!(decision(&without), &expected);
        assert_eq!((expected.rule.as_deref(), expected.counted.user_sessions.is_some()), (Some("r"), true));
        assert_eq!(expected.why().unwrap(), "the event cannot be recorded, and when_unrecorded = \"deny\"");
        assert_eq!(expected.outcome(), "deny");
        assert_eq!(serde_json::to_value(&expected).unwrap()["refusal"], "unrecorded");
    }
}

#[test]
fn what_the_rules_deny_stays_denied_for_their_reason() {
    for journal in ["allow", "deny"] {
        let denied = rule("deny", "reason = \"not you\"");
        let scene = Scene::new(&format!("journal.when_unrecorded = \"{journal}\"\n{TWO}\n{denied}"));
        for event in enters() {
            let record = decided(&scene, &event, true);
            assert_eq!(record, decided(&scene, &event, false));
            let Decision { allow, rule, reason, refusal, .. } = decision(&record);
            assert_eq!(
                (*allow, rule.as_deref(), reason.as_deref(), refusal),
                (false, Some("r"), Some("not you"), &None)
            );
        }
    }
}

#[test]
fn who_is_blocked_is_refused_for_that() {
    let mut scene = Scene::new(&format!("{DENY}\n{TWO}"));
    let user = scene.config.domains.identity(&"alice".into(), &"".into()).unwrap();
    let until = Some(scene.at.time + 60_000);
    let subject = BlockSubject::User(user);
    scene.handle(Event::BeginBlock(BeginBlock { subject, until, reason: Some("quota".into()), by: None }));
    for event in enters() {
        let record = decided(&scene, &event, true);
        assert!(matches!(decision(&record).refusal, Some(Refusal::Blocked { .. })));
        assert_eq!(record, decided(&scene, &event, false));
    }
}

#[test]
fn the_explanation_says_what_holds_where_it_can_matter() {
    let settings = |text: &str, user: &str| {
        let scene = Scene::new(text);
        let question = Question {
            user: user.into(),
            domain: Name::default(),
            at: scene.at,
            server: "VPN1".into(),
            port: Some("VPN2-1".into()),
            tunnel: Some(Tunnel::Sstp),
            source: None,
            computer: None,
            quarantine: Some(Quarantine::Normal),
            interface: Some(InterfaceType::Client),
            offer: None,
            ipv6: false,
        };
        let stages = explain(&scene.config, &scene.state, &question);
        assert!(stages.iter().all(|stage| stage.refusal.is_none()));
        let rules = stages[0].rules.iter().map(|rule| rule.when_unrecorded).collect::<Vec<_>>();
        (stages.iter().map(|stage| stage.when_unrecorded).collect::<Vec<_>>(), rules)
    };
    let (allow, deny) = (Some(WhenUnrecorded::Allow), Some(WhenUnrecorded::Deny));
    // Address, connection, link.
    assert_eq!(settings(TWO, "alice").0, [allow, allow, None]);
    assert_eq!(settings(&format!("{DENY}\n{TWO}"), "alice").0, [deny, deny, None]);
    let own = format!("{DENY}\n{TWO}\n{}", rule("allow", "when_unrecorded = \"allow\""));
    assert_eq!(settings(&own, "alice"), (vec![allow, allow, None], vec![allow, None]));
    assert_eq!(settings(&own, "bob"), (vec![deny, deny, None], vec![allow, None]));
    assert_eq!(settings(&format!("{DENY}\n{TWO}\n{}", rule("deny", "")), "alice").0, [None]);
}

/// Memory gives the address of a lease that has just expired; what is recorded afterwards must agree.
#[test]
fn what_was_given_after_a_lease_expired_is_a_lease_when_it_is_recorded() {
    let mut scene = Scene::new(TWO);
    let given = scene.address("alice", "VPN2-1", "").unwrap();
    scene.wait(301);
    let event = Event::Address(address("alice", "VPN2-2", Offer::Nothing));
    let Record { at, answer, .. } = decided(&scene, &event, true);
    assert!(matches!(&answer, Answer::Address(again) if again.number == support::number(&given).number), "{answer:?}");
    scene.wait(5);
    scene.tell_late(at, event, answer);
    assert_eq!(scene.anomalies(), [""; 0]);
    assert_eq!(scene.state.lease_at(support::number(&given)).unwrap().began, at);
}

/// A session without a link is not closed by what had waited: its link may wait in another process.
#[test]
fn no_session_ends_for_want_of_a_link_by_an_event_that_had_waited() {
    let mut scene = Scene::new(TWO);
    scene.connect(connection(1, "alice")).unwrap();
    scene.wait(61);
    scene.tell_late(scene.at, Event::Address(address("bob", "VPN2-2", Offer::Nothing)), Answer::Reject);
    assert!(scene.session(1).is_some());
    scene.hangup(connection(9, "nobody"));
    assert!(scene.session(1).is_none());
}
