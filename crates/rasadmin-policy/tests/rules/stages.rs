//! Order, stages, and what is not yet known.

use crate::world::*;
use rasadmin_policy::config::file::Period;
use rasadmin_policy::rules::{Count, Needs, RuleCounts, Rules};
use rasadmin_policy::{Fact, Facts, Stage, Tunnel};

const STAGES: [Stage; 6] = [
    Stage::Ipv4Address,
    Stage::Ipv6Address,
    Stage::Connection,
    Stage::Link,
    Stage::Reauthentication,
    Stage::EndpointChange,
];

#[test]
fn the_first_rule_that_matches_decides() {
    let world = world(
        "[[rules]]\nname = 'other'\naction = 'deny'\nusers = ['bob']\n\
         [[rules]]\nname = 'first'\naction = 'allow'\nreason = 'because'\nusers = ['alice']\npool = 'office'\n\
         ipv6_pool = 'office6'\n\
         [[rules]]\nname = 'second'\naction = 'deny'\nusers = ['alice']\n",
    );
    let ruling = world.decide(Stage::Link, &full(), &RuleCounts::default());
    assert_eq!((ruling.allow, ruling.rule, ruling.reason), (true, Some("first"), Some("because")));
    assert_eq!((ruling.pool, ruling.ipv6_pool), (pool("office"), pool("office6")));
    assert!(!ruling.for_now);
    let carol = Facts { user: Fact::Known(world.domains.identity(&"carol".into(), &"".into()).unwrap()), ..full() };
    let ruling = world.decide(Stage::Link, &carol, &RuleCounts::default());
    assert_eq!((ruling.allow, ruling.rule, ruling.reason), (false, None, Some("nobody said yes")));
}

#[test]
fn a_rule_without_conditions_always_matches_and_no_rules_deny() {
    assert!(rule("action = 'allow'").allows(&full()));
    let none = Rules::default();
    assert!(!none.decide(Stage::Link, &full(), &Default::default(), &RuleCounts::default()).allow);
    assert!(none.needs().is_empty());
}

#[test]
fn what_is_not_yet_known_allows_for_now_and_denies_later() {
    let condition = "remote_computers = ['LAPTOP-*']";
    let allow = rule(&format!("action = 'allow'\n{condition}"));
    let deny = world(&format!(
        "[[rules]]\nname = 'r'\naction = 'deny'\n{condition}\n[[rules]]\nname = 'rest'\naction = 'allow'"
    ));
    for tunnel in [Fact::NotYetKnown, Fact::Known(Tunnel::Sstp), Fact::Known(Tunnel::Ikev2), Fact::Absent] {
        let facts = Facts { tunnel: tunnel.clone(), ..early() };
        for stage in STAGES {
            let last = match stage {
                Stage::Ipv4Address | Stage::Ipv6Address => false,
                Stage::Connection => tunnel == Fact::Known(Tunnel::Ikev2),
                _ => true,
            };
            let counts = RuleCounts::default();
            let ruling = allow.decide(stage, &facts, &counts);
            assert_eq!((ruling.allow, ruling.for_now), (!last, !last), "{stage:?} {tunnel:?}");
            assert_eq!(ruling.rule.is_some(), !last);
            let ruling = deny.decide(stage, &facts, &counts);
            assert_eq!((ruling.allow, ruling.for_now), (!last, false), "{stage:?} {tunnel:?}");
            assert_eq!(ruling.rule, Some(if last { "r" } else { "rest" }));
        }
    }
}

#[test]
fn false_beats_unknown() {
    let world = rule("action = 'allow'\nusers = ['bob']\nremote_computers = ['*']");
    let ruling = world.decide(Stage::Ipv4Address, &early(), &RuleCounts::default());
    assert_eq!((ruling.allow, ruling.rule, ruling.for_now), (false, None, false));
}

#[test]
fn only_what_can_matter_is_counted() {
    let world = world(
        "[groups.kiosk]\nusers = ['kiosk']\n\
         [[rules]]\nname = 'limit'\naction = 'deny'\nusers = ['bob']\nuser_sessions = { at_least = 1 }\n\
         [[rules]]\nname = 'house'\naction = 'deny'\ngroups = ['kiosk']\n\
         group_sessions = { group = 'kiosk', at_least = 1 }\n\
         [[rules]]\nname = 'later'\naction = 'deny'\nremote_computers = ['*']\n\
         connect_time = { per = 'day', at_least = '1h' }\n\
         [[rules]]\nname = 'alice'\naction = 'allow'\nusers = ['alice']\n\
         [[rules]]\nname = 'quota'\naction = 'deny'\noctets = { per = 'month', at_least = '1 GB' }\n",
    );
    let kiosk = world.groups.id("kiosk").unwrap();
    let periods = [Period::Day, Period::Month].into();
    let all = Needs { user_sessions: true, groups: [kiosk].into(), periods, ..Needs::default() };
    assert_eq!(world.rules.needs(), &all);
    let needs = |user: &str, stage, facts: Facts| {
        let user = world.domains.identity(&user.into(), &"".into()).unwrap();
        let facts = Facts { user: Fact::Known(user), ..facts };
        world.rules.needs_for(stage, &facts, &world.in_groups(&facts))
    };
    assert!(needs("alice", Stage::Ipv4Address, early()).is_empty());
    let day = Needs { periods: [Period::Day].into(), ..Needs::default() };
    assert_eq!(needs("alice", Stage::Link, full()), day);
    let month = Needs { periods: [Period::Month].into(), ..Needs::default() };
    assert_eq!(needs("bob", Stage::Ipv4Address, early()), Needs { user_sessions: true, ..month.clone() });
    assert_eq!(needs("kiosk", Stage::Ipv4Address, early()), Needs { groups: [kiosk].into(), ..month });
    // The use of an unknown user cannot be counted: the first rule is unknown, and at the last stage that denies.
    let nobody = Facts { user: Fact::NotYetKnown, ..full() };
    assert!(world.rules.needs_for(Stage::Link, &nobody, &Default::default()).is_empty());
}

#[test]
fn a_pool_is_given_for_now_too_but_not_with_a_refusal() {
    let world = rule("action = 'allow'\nuser_sessions = { below = 1 }\npool = 'guests'");
    let counts = RuleCounts { user_sessions: Some(Count { min: 0, max: 1 }), ..RuleCounts::default() };
    let ruling = world.decide(Stage::Ipv4Address, &early(), &counts);
    assert_eq!((ruling.allow, ruling.for_now, ruling.pool), (true, true, pool("guests")));
    let many = RuleCounts { user_sessions: Some(Count { min: 1, max: 1 }), ..RuleCounts::default() };
    let refused = world.decide(Stage::Ipv4Address, &early(), &many);
    assert_eq!((refused.allow, refused.pool), (false, None));
}
