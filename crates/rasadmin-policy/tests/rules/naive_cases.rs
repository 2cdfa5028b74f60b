//! Random rules and events: the engine against the naive interpreter.

use crate::naive::{Answer, Naive};
use crate::world::{domains, groups, zone};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rasadmin_policy::config::Lists;
use rasadmin_policy::config::file::{
    Action, At, ConnectTime, Default, Group, GroupSessions, Hours, IfAbsent, Octets, Period, Rule, Sessions,
    WhenExceeded, WhenUnrecorded,
};
use rasadmin_policy::config::rules::{Context, compile};
use rasadmin_policy::rules::{Count, GroupId, Needs, RuleCounts, Used};
use rasadmin_policy::{Fact, Facts, InterfaceType, Name, Quarantine, Stage, Tunnel};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

const USERS: [&str; 11] = [
    "alice",
    "CORP\\bob",
    "PARTNER\\alice",
    "CORP\\*",
    "*",
    "host/pc7",
    "CORP\\b*",
    "CORP\\bo*",
    "PARTNER\\a*",
    "CORP\\*$",
    "host/*",
];
const PERIODS: [Period; 3] = [Period::Day, Period::Week, Period::Month];

fn at<T>(value: T) -> At<T> {
    At::new(0..0, value)
}

/// Some of a few values, as a list of the file.
fn some<T: Copy + Debug + 'static>(values: &'static [T]) -> impl Strategy<Value = Option<At<Vec<T>>>> {
    weighted(0.15, subsequence(values, 1..=values.len().min(3)).prop_map(at))
}

fn texts(values: &'static [&'static str]) -> impl Strategy<Value = Option<At<Vec<At<String>>>>> {
    some(values).prop_map(|list| list.map(|list| at(list.get_ref().iter().map(|&text| at(text.to_owned())).collect())))
}

fn hours() -> impl Strategy<Value = Hours> {
    let time = |times: &'static [&'static str]| weighted(0.8, select(times)).prop_map(|t| t.map(|t| at(t.to_owned())));
    let days = weighted(0.7, subsequence(&["mon", "tue", "fri", "mon-wed", "sat-mon"], 1..3))
        .prop_map(|days| days.map(|days| at(days.into_iter().map(|day| at(day.to_owned())).collect())));
    (days, time(&["02:00", "08:30", "22:00"]), time(&["02:30", "06:00", "17:00", "24:00"]))
        .prop_map(|(days, from, to)| Hours { days, from, to })
}

/// One of `at_least` and `below`.
fn one<T: Clone + Debug>(bound: impl Strategy<Value = T>) -> impl Strategy<Value = (Option<T>, Option<T>)> {
    (bound, any::<bool>()).prop_map(|(bound, least)| if least { (Some(bound), None) } else { (None, Some(bound)) })
}

fn amount(unit: &'static str) -> impl Strategy<Value = (Option<At<String>>, Option<At<String>>)> {
    one((0..4_u32).prop_map(move |n| at(format!("{n}{unit}"))))
}

fn action() -> impl Strategy<Value = Action> {
    select(&[Action::Allow, Action::Deny][..])
}

fn rule() -> impl Strategy<Value = Rule> {
    let plain = (
        texts(&USERS),
        texts(&USERS),
        texts(&["g0", "g1", "g2"]),
        texts(&["g0", "g1", "g2"]),
        some(&[Tunnel::Sstp, Tunnel::Ikev2, Tunnel::L2tp, Tunnel::Pptp]),
        texts(&["203.0.113.0/24", "203.0.113.7", "0.0.0.0/0", "2001:db8::/32"]),
        weighted(0.15, vec(hours(), 1..3).prop_map(at)),
        texts(&["vpn01", "VPN*", "other"]),
        texts(&["VPN2-*", "vpn3-1", "VPN3-*"]),
        texts(&["laptop-*", "PC7", "*"]),
        some(&[Quarantine::Normal, Quarantine::Probation, Quarantine::NotCapable]),
        some(&[InterfaceType::Client, InterfaceType::FullRouter]),
    );
    let counting = (
        weighted(0.15, one(0..4_u32).prop_map(|(at_least, below)| at(Sessions { at_least, below }))),
        weighted(
            0.15,
            (select(&["g0", "g1"][..]), one(0..4_u32)).prop_map(|(group, (at_least, below))| {
                at(GroupSessions { group: at(group.to_owned()), at_least, below })
            }),
        ),
        weighted(
            0.1,
            (select(&PERIODS[..]), amount("h"))
                .prop_map(|(per, (at_least, below))| at(ConnectTime { per, at_least, below })),
        ),
        weighted(
            0.1,
            (select(&PERIODS[..]), amount(" kB"))
                .prop_map(|(per, (at_least, below))| at(Octets { per, at_least, below })),
        ),
    );
    let rest = (
        action(),
        select(&[IfAbsent::NoMatch, IfAbsent::Match][..]),
        weighted(0.3, select(&[WhenUnrecorded::Allow, WhenUnrecorded::Deny][..])),
        weighted(0.2, 0..4_u32),
        (any::<bool>(), weighted(0.3, 1..4_u32)),
        weighted(0.9, select(&[WhenExceeded::Deny, WhenExceeded::ReplaceOldest, WhenExceeded::ReplaceOldest][..])),
    );
    (plain, counting, rest).prop_map(|(plain, counting, rest)| {
        let (action, if_absent, unrecorded, lasted, (active, grace), exceeded) = rest;
        let (
            users,
            not_users,
            groups,
            not_groups,
            tunnels,
            source_networks,
            hours,
            servers,
            ports,
            remote_computers,
            quarantine,
            interface_types,
        ) = plain;
        let (user_sessions, group_sessions, connect_time, octets) = counting;
        let least = user_sessions.as_ref().and_then(|at| at.get_ref().at_least);
        // With `at_least = 0`, the rule also holds for a user who has no older session that could be replaced.
        let fits = |when: &WhenExceeded| least.is_some_and(|least| least > 0 || *when == WhenExceeded::Deny);
        let when_exceeded = exceeded.filter(|when| action == Action::Deny && fits(when)).map(at);
        let active = active && action == Action::Deny && user_sessions.is_none() && group_sessions.is_none();
        Rule {
            name: at(String::new()),
            action,
            reason: None,
            users,
            not_users,
            groups,
            not_groups,
            tunnels,
            source_networks,
            source_networks_file: None,
            hours,
            dates: None,
            servers,
            ports,
            remote_computers,
            computers_file: None,
            quarantine,
            interface_types,
            user_sessions,
            max_user_sessions: None,
            // Only where it is not a mistake.
            when_exceeded,
            group_sessions,
            connect_time,
            octets,
            session_time: lasted.filter(|_| action == Action::Deny).map(|hours| at(format!("{hours}h"))),
            disconnect_active: active.then(|| at(true)),
            grace: grace.filter(|_| active).map(|minutes| at(format!("{minutes}m"))),
            if_absent,
            // In a rule that denies, it would be a mistake.
            when_unrecorded: unrecorded.filter(|_| action == Action::Allow).map(at),
            pool: None,
            ipv6_pool: None,
        }
    })
}

fn fact<T: Clone + Debug>(known: impl Strategy<Value = T>) -> impl Strategy<Value = Fact<T>> {
    prop_oneof![6 => known.prop_map(Fact::Known), 2 => Just(Fact::NotYetKnown), 1 => Just(Fact::Absent)]
}

fn name(names: &'static [&'static str]) -> impl Strategy<Value = Name> {
    select(names).prop_map(Name::new)
}

fn facts() -> impl Strategy<Value = Facts> {
    let user = select(&["alice", "bob", "PARTNER\\alice", "host/pc7", "OTHER\\carol", "a@b@c"][..])
        .prop_map(|user| domains().identity(&user.into(), &"".into()).unwrap());
    // A week about each change of Berlin's clocks.
    let time = prop_oneof![1_774_300_000..1_774_950_000_i64, 1_792_500_000..1_793_150_000_i64]
        .prop_map(|second| jiff::Timestamp::from_second(second).unwrap());
    (
        time,
        name(&["VPN01", "OTHER"]),
        fact(user),
        fact(name(&["VPN2-7", "vpn3-1", "COM1"])),
        fact(select(&[Tunnel::Sstp, Tunnel::Ikev2, Tunnel::L2tp][..])),
        fact(
            select(&["203.0.113.7", "::ffff:203.0.113.9", "198.51.100.1", "2001:db8::1"][..])
                .prop_map(|a| a.parse().unwrap()),
        ),
        fact(name(&["LAPTOP-7", "pc7", ""])),
        fact(select(&[Quarantine::Normal, Quarantine::Quarantine, Quarantine::NotCapable][..])),
        fact(select(&[InterfaceType::Client, InterfaceType::FullRouter, InterfaceType::Other][..])),
    )
        .prop_map(|(time, server, user, port, tunnel, source, computer, quarantine, interface)| Facts {
            time,
            server,
            user,
            port,
            tunnel,
            source,
            computer,
            quarantine,
            interface,
        })
}

fn counted() -> impl Strategy<Value = RuleCounts> {
    let count = || (0..4_u32, 0..3_u32).prop_map(|(min, more)| Count { min, max: min + more });
    let used = || (0..4_u64, 0..4_u64).prop_map(|(hours, kb)| Used { seconds: hours * 3_600, octets: kb * 1_000 });
    let all = (count(), [count(), count(), count()], [used(), used(), used()], 0..4_u64);
    all.prop_map(|(user_sessions, groups, used, lasted)| RuleCounts {
        user_sessions: Some(user_sessions),
        groups: (0..).map(GroupId).zip(groups).collect(),
        used: PERIODS.into_iter().zip(used).collect(),
        session_time: lasted * 3_600,
    })
}

fn stage() -> impl Strategy<Value = Stage> {
    select(
        &[
            Stage::Ipv4Address,
            Stage::Ipv6Address,
            Stage::Connection,
            Stage::Link,
            Stage::Reauthentication,
            Stage::EndpointChange,
        ][..],
    )
}

#[derive(Debug)]
struct Case {
    groups: BTreeMap<At<String>, Group>,
    rules: Vec<At<Rule>>,
    default: Default,
    facts: Facts,
    counted: RuleCounts,
    stage: Stage,
}

fn case() -> impl Strategy<Value = Case> {
    let groups = [(); 3].map(|()| subsequence(&USERS, 0..3));
    let default = action().prop_map(|action| Default { action, reason: None });
    (groups, vec(rule(), 0..7), default, facts(), counted(), stage()).prop_map(
        |(groups, mut rules, default, facts, counted, stage)| {
            for (number, rule) in rules.iter_mut().enumerate() {
                rule.name = at(format!("r{number}"));
            }
            let groups = groups.into_iter().enumerate().map(|(number, users)| {
                let users = users.into_iter().map(|user| at(user.to_owned())).collect();
                (at(format!("g{number}")), Group { users, members_file: None, pool: None, ipv6_pool: None })
            });
            Case {
                groups: groups.collect(),
                rules: rules.into_iter().map(at).collect(),
                default,
                facts,
                counted,
                stage,
            }
        },
    )
}

impl Case {
    /// Both interpreters' answers, which are one; what had to be counted; and whether a live session's time is up, if a rule
    /// ends it.
    fn run(&self) -> Result<(Answer, Needs, Option<bool>), TestCaseError> {
        let (domains, zone) = (domains(), zone("Europe/Berlin"));
        let groups = groups(&self.groups, &domains);
        let lists = Lists::default();
        let context =
            Context { groups: &groups, domains: &domains, zone: Some(&zone), lists: &lists, pools: &|_| None };
        let (rules, mistakes) = compile(&self.rules, &self.default, &context);
        prop_assert_eq!(mistakes, vec![]);
        let Self { facts, stage, counted, .. } = self;
        let in_groups = facts.user.known().map(|user| groups.of(user)).unwrap_or_default();
        let ruling = rules.decide(*stage, facts, &in_groups, counted);
        let answer =
            (ruling.allow, ruling.rule.map(str::to_owned), ruling.for_now, ruling.when_unrecorded, ruling.keeps);
        let naive = Naive {
            rules: &self.rules,
            default: &self.default,
            groups: &self.groups,
            zone: &zone,
            stage: *stage,
            facts,
            counted,
        };
        prop_assert_eq!(&answer, &naive.decide());

        // What was needed suffices (a number that is missed stops the test).
        let needs = rules.needs_for(*stage, facts, &in_groups);
        prop_assert!(needs.groups.is_subset(&rules.needs().groups) && needs.periods.is_subset(&rules.needs().periods));
        let mut asked = counted.clone();
        asked.groups.retain(|(group, _)| needs.groups.contains(group));
        asked.used.retain(|(period, _)| needs.periods.contains(period));
        if !needs.user_sessions {
            asked.user_sessions = Some(Count { min: 77, max: 77 });
        }
        if !needs.session_time {
            asked.session_time = 77 * 3_600;
        }
        prop_assert_eq!(&ruling, &rules.decide(*stage, facts, &in_groups, &asked));

        // A live session is judged alike, and needs no more than it says.
        let overdue = rules.overdue(facts, &in_groups, counted);
        prop_assert_eq!(overdue.map(|overdue| (overdue.rule.to_owned(), overdue.grace)), naive.overdue());
        let of_live = rules.needs_of_live(facts, &in_groups);
        prop_assert!(!of_live.user_sessions && of_live.groups.is_empty());
        let mut asked = RuleCounts { used: counted.used.clone(), ..RuleCounts::default() };
        asked.used.retain(|(period, _)| of_live.periods.contains(period));
        asked.session_time = if of_live.session_time { counted.session_time } else { 77 * 3_600 };
        prop_assert_eq!(overdue, rules.overdue(facts, &in_groups, &asked));

        // The explanation says the same.
        let explained = rules.explain(*stage, facts, &in_groups, counted);
        prop_assert_eq!(explained.len(), self.rules.len() + 1);
        let deciding: Vec<_> = explained.iter().filter(|explained| explained.decides).collect();
        prop_assert_eq!(deciding.len(), 1);
        prop_assert_eq!((deciding[0].rule, deciding[0].when_unrecorded), (ruling.rule, ruling.when_unrecorded));
        Ok((answer, needs, overdue.map(|overdue| overdue.time_is_up)))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_decides_as_the_naive_interpreter_does(case in case()) {
        case.run()?;
    }
}

/// The generator reaches every way to decide: else the test above would say little.
#[test]
fn every_way_to_decide_is_tried() {
    let mut runner = TestRunner::deterministic();
    let mut seen: HashMap<(bool, bool, bool, Option<WhenUnrecorded>), u32> = HashMap::new();
    let mut ended: HashMap<Option<bool>, u32> = HashMap::new();
    let (mut asked, mut unasked, mut replaced) = (0, 0, 0);
    for _ in 0..8_000 {
        let case = case().new_tree(&mut runner).unwrap().current();
        let ((allow, rule, for_now, unrecorded, keeps), needs, overdue) = case.run().unwrap();
        *ended.entry(overdue).or_insert(0_u32) += 1;
        *seen.entry((allow, rule.is_some(), for_now, unrecorded)).or_default() += 1;
        if needs.is_empty() {
            unasked += 1
        } else {
            asked += 1
        }
        replaced += u32::from(keeps.is_some());
    }
    // Allow and deny, by a rule and by the default; for now only a rule allows, and only a rule that allows says whether
    // a connection is accepted unrecorded.
    let mut ways = vec![(true, false, false, None), (false, true, false, None), (false, false, false, None)];
    for for_now in [true, false] {
        for unrecorded in [None, Some(WhenUnrecorded::Allow), Some(WhenUnrecorded::Deny)] {
            ways.push((true, true, for_now, unrecorded));
        }
    }
    assert!(ways.iter().all(|way| seen.get(way) > Some(&20)), "{seen:?}");
    assert_eq!(seen.len(), ways.len(), "{seen:?}");
    assert!(asked > 100 && unasked > 100 && replaced > 15, "{replaced}");
    assert!([None, Some(false), Some(true)].iter().all(|way| ended.get(way) > Some(&50)), "{ended:?}");
}
