//! The explanation.

use crate::world::*;
use rasadmin_policy::config::file::{Action, Period};
use rasadmin_policy::rules::{Count, Explained, ExplainedCondition, Outcome, RuleCounts, Used};
use rasadmin_policy::{Fact, Facts, Stage};
use std::fmt::Write;

const TEXT: &str = r"
[groups.sales]
users = ['alice']
[[rules]]
name = 'office'
action = 'allow'
groups = ['sales']
hours = [{ days = ['mon-fri'], from = '08:00', to = '18:00' }, { days = ['sat'] }]
ports = ['VPN2-*']
user_sessions = { below = 2 }
connect_time = { per = 'week', below = '40h' }
when_unrecorded = 'deny'
[[rules]]
name = 'foreign'
action = 'deny'
tunnels = ['PPTP', 'L2TP']
source_networks = ['198.51.100.0/24']
remote_computers = ['KIOSK*']
quarantine = ['not-capable']
interface_types = ['full-router']
servers = ['vpn*']
users = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8', 'a9']
not_users = ['CORP\*$']
not_groups = ['sales']
octets = { per = 'month', at_least = '1 GB' }
group_sessions = { group = 'sales', at_least = 9 }
";

fn written(explained: &[Explained<'_>]) -> String {
    let mut text = String::new();
    for rule in explained {
        let name = rule.rule.unwrap_or("(default)");
        let decides = if rule.decides { ", decides" } else { "" };
        let unrecorded = rule.when_unrecorded.map_or(String::new(), |when| format!(", unrecorded: {when:?}"));
        writeln!(text, "{name}: {:?} {:?} {:?}{decides}{unrecorded}", rule.action, rule.truth, rule.outcome).unwrap();
        for condition in &rule.conditions {
            let ExplainedCondition { field, asked, found, truth } = condition;
            writeln!(text, "  {field}: {asked} | {found} | {truth:?}").unwrap();
        }
    }
    text
}

fn explain(stage: Stage, facts: &Facts, counts: &RuleCounts) -> String {
    let world = world(TEXT);
    written(&world.rules.explain(stage, facts, &world.in_groups(facts), counts))
}

#[test]
fn every_condition_says_what_it_asked_and_what_it_found() {
    let counts = RuleCounts {
        user_sessions: Some(Count { min: 1, max: 2 }),
        groups: vec![(rasadmin_policy::rules::GroupId(0), Count { min: 3, max: 3 })],
        used: vec![
            (Period::Week, Used { seconds: 3_661, octets: 0 }),
            (Period::Month, Used { seconds: 0, octets: 77 }),
        ],
        session_time: 0,
    };
    insta::assert_snapshot!(explain(Stage::Link, &full(), &counts), @r"
    office: Allow Unknown Fails, unrecorded: Deny
      groups: sales | CORP\ALICE is in sales | True
      hours: mon-fri 08:00-18:00, sat 00:00-24:00 | wed 2026-03-25 10:30 | True
      ports: VPN2-* | VPN2-7 | True
      user_sessions: below 2 | 1 to 2 | Unknown
      connect_time: below 40h per week | 1h 1m 1s this week | True
    foreign: Deny False NoMatch
      users: a1, a2, a3, a4, a5, a6, a7, a8 and 1 more | CORP\ALICE | False
      not_users: none of CORP\*$ | CORP\ALICE | True
      not_groups: none of sales | CORP\ALICE is in sales | False
      tunnels: PPTP, L2TP | SSTP | False
      quarantine: not-capable | normal | False
      interface_types: full-router | client | False
      source_networks: 198.51.100.0/24 | 203.0.113.7 | False
      servers: vpn* | VPN01 | True
      remote_computers: KIOSK* | LAPTOP-7 | False
      group_sessions: at least 9 of sales | 3 | False
      octets: at least 1 GB per month | 77 octets this month | False
    (default): Deny True Decides, decides
    ");
}

#[test]
fn what_is_not_known_says_so() {
    insta::assert_snapshot!(explain(Stage::Ipv4Address, &early(), &RuleCounts::default()), @r"
    office: Allow Unknown DecidesForNow, decides, unrecorded: Deny
      groups: sales | CORP\ALICE is in sales | True
      hours: mon-fri 08:00-18:00, sat 00:00-24:00 | wed 2026-03-25 10:30 | True
      ports: VPN2-* | VPN2-7 | True
      user_sessions: below 2 | it was not counted | Unknown
      connect_time: below 40h per week | it was not counted | Unknown
    foreign: Deny False NoMatch
      users: a1, a2, a3, a4, a5, a6, a7, a8 and 1 more | CORP\ALICE | False
      not_users: none of CORP\*$ | CORP\ALICE | True
      not_groups: none of sales | CORP\ALICE is in sales | False
      tunnels: PPTP, L2TP | not yet known | Unknown
      quarantine: not-capable | not yet known | Unknown
      interface_types: full-router | not yet known | Unknown
      source_networks: 198.51.100.0/24 | not yet known | Unknown
      servers: vpn* | VPN01 | True
      remote_computers: KIOSK* | not yet known | Unknown
      group_sessions: at least 9 of sales | it was not counted | Unknown
      octets: at least 1 GB per month | it was not counted | Unknown
    (default): Deny True Decides
    ");
}

#[test]
fn what_was_not_asked_for_is_shown_as_unknown() {
    let text = explain(Stage::Link, &full(), &RuleCounts::default());
    assert!(text.contains("connect_time: below 40h per week | it was not counted | Unknown"), "{text}");
}

#[test]
fn outcomes_are_named_as_they_are_decided() {
    let world = rule("action = 'deny'\nremote_computers = ['x']");
    let outcome = |stage| {
        let explained = world.rules.explain(stage, &early(), &Default::default(), &RuleCounts::default());
        assert_eq!((explained[0].action, explained[1].rule), (Action::Deny, None));
        (explained[0].outcome, explained[0].decides, explained[1].decides)
    };
    assert_eq!(outcome(Stage::Ipv4Address), (Outcome::Waits, false, true));
    assert_eq!(outcome(Stage::Link), (Outcome::Decides, true, false));
    let world = rule("action = 'allow'\nremote_computers = ['x']");
    let outcome = |stage| world.rules.explain(stage, &early(), &Default::default(), &RuleCounts::default())[0].outcome;
    assert_eq!((outcome(Stage::Ipv4Address), outcome(Stage::Link)), (Outcome::DecidesForNow, Outcome::Fails));
}

#[test]
fn a_rule_that_replaces_the_oldest_session_leaves_the_decision_to_the_next() {
    let world = world(
        "[[rules]]\nname = 'newest'\naction = 'deny'\nmax_user_sessions = 1\nwhen_exceeded = 'replace-oldest'\n\
         [[rules]]\nname = 'rest'\naction = 'allow'\nusers = ['*']\n",
    );
    let counts = |n| RuleCounts { user_sessions: Some(Count { min: n, max: n }), ..RuleCounts::default() };
    for (others, outcome, keeps) in [(0, Outcome::NoMatch, None), (1, Outcome::Replaces, Some(0))] {
        let ruling = world.decide(Stage::Link, &full(), &counts(others));
        assert_eq!((ruling.rule, ruling.allow, ruling.keeps), (Some("rest"), true, keeps));
        let explained = world.rules.explain(Stage::Link, &full(), &world.in_groups(&full()), &counts(others));
        assert_eq!((explained[0].outcome, explained[0].decides, explained[1].decides), (outcome, false, true));
    }
    // How many others there are depends on a fact that is not known: it denies, as it would without the exception.
    let open = RuleCounts { user_sessions: Some(Count { min: 0, max: 1 }), ..RuleCounts::default() };
    assert_eq!(world.decide(Stage::Link, &full(), &open).rule, Some("newest"));
}

/// Only a limit that is exceeded is replaced; and one that is exceeded never denies.
#[test]
fn what_replaces_is_the_limit_and_nothing_else() {
    let rest = "[[rules]]\nname = 'rest'\naction = 'allow'\n";
    let newest =
        "[[rules]]\nname = 'newest'\naction = 'deny'\nmax_user_sessions = 1\nwhen_exceeded = 'replace-oldest'\n";
    let one = RuleCounts { user_sessions: Some(Count { min: 1, max: 1 }), ..RuleCounts::default() };
    let decided = |world: &World, facts: &Facts, counts: &RuleCounts| {
        let ruling = world.decide(Stage::Link, facts, counts);
        let explained = world.rules.explain(Stage::Link, facts, &world.in_groups(facts), counts);
        let decides = explained.iter().find(|rule| rule.decides).and_then(|rule| rule.rule);
        assert_eq!(decides, ruling.rule, "explaining is deciding");
        (ruling.rule.unwrap_or_default().to_owned(), ruling.keeps)
    };
    // A connection without a user's name has no oldest session.
    let absent = world(&format!("{newest}if_absent = 'match'\n{rest}"));
    let nobody = Facts { user: Fact::Absent, ..full() };
    assert_eq!(decided(&absent, &nobody, &one), ("newest".to_owned(), None));
    assert_eq!(decided(&absent, &full(), &one), ("rest".to_owned(), Some(0)));
    // The port is still unknown at the end: the limit could be exceeded, and if it is, it replaces.
    let port = world(&format!("{newest}ports = ['VPN2-*']\n{rest}"));
    let unknown = Facts { port: Fact::NotYetKnown, ..full() };
    assert_eq!(decided(&port, &unknown, &one), ("rest".to_owned(), Some(0)));
    let none = RuleCounts { user_sessions: Some(Count::default()), ..RuleCounts::default() };
    assert_eq!(decided(&port, &unknown, &none), ("rest".to_owned(), None));
}

#[test]
fn how_much_of_a_limit_is_used_is_also_there_as_numbers() {
    let counts = RuleCounts {
        user_sessions: Some(Count { min: 1, max: 2 }),
        used: vec![(Period::Week, Used { seconds: 3_661, octets: 0 })],
        ..RuleCounts::default()
    };
    let world = world(TEXT);
    let part = |rule, field| world.rules.part_used(rule, field, &counts);
    assert_eq!(part("office", "user_sessions"), Some((2, 2)), "the most that it can be");
    assert_eq!(part("office", "connect_time"), Some((3_661, 40 * 3_600)));
    assert_eq!(part("foreign", "octets"), None, "its month was not counted");
    assert_eq!(part("office", "ports"), None, "it does not count");
    assert_eq!((part("office", "octets"), part("nothing", "octets")), (None, None));
}
