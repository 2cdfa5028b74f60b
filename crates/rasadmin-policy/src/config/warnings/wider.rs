//! Whether a rule matches everything that another one matches.

mod users;

use crate::Domains;
use crate::config::file::{Action, At, GroupSessions, IfAbsent, Rule, Sessions};
use crate::config::hours;
use crate::rules::{NamePattern, Names, Networks, amounts, networks, parse_user};
use ipnet::IpNet;
use std::collections::HashSet;
use users::Users;

type List<T> = Option<At<Vec<T>>>;

/// A rule whose long lists are compiled once, however many rules it is compared with.
pub(super) struct Compared<'r> {
    rule: &'r Rule,
    users: Option<Users>,
    not_users: Option<Users>,
    groups: Option<HashSet<&'r str>>,
    not_groups: Option<HashSet<&'r str>>,
    dates: Option<HashSet<&'r str>>,
    sources: Option<(Vec<IpNet>, Networks)>,
    ports: Option<(Vec<NamePattern>, Names)>,
    servers: Option<(Vec<NamePattern>, Names)>,
    computers: Option<(Vec<NamePattern>, Names)>,
}

impl<'r> Compared<'r> {
    pub(super) fn new(rule: &'r Rule, domains: &Domains) -> Self {
        let users = |list: &List<At<String>>| {
            let list = list.as_ref()?.get_ref().iter();
            Some(Users::new(list.filter_map(|text| parse_user(text.get_ref(), domains).ok())))
        };
        let texts = |list: &'r List<At<String>>| {
            Some(list.as_ref()?.get_ref().iter().map(|text| text.get_ref().trim()).collect::<HashSet<_>>())
        };
        let names = |list: &List<At<String>>| {
            let list = list.as_ref()?.get_ref().iter();
            let all: Vec<_> = list.filter_map(|text| NamePattern::parse(text.get_ref()).ok()).collect();
            Some((all.clone(), Names::new(all)))
        };
        let sources = rule.source_networks.as_ref().map(|list| {
            let all = list.get_ref().iter().filter_map(|text| networks::parse(text.get_ref()).ok());
            let all: Vec<_> = all.collect();
            (all.clone(), Networks::new(all))
        });
        Self {
            rule,
            users: users(&rule.users),
            not_users: users(&rule.not_users),
            groups: texts(&rule.groups),
            not_groups: texts(&rule.not_groups),
            dates: texts(&rule.dates),
            sources,
            ports: names(&rule.ports),
            servers: names(&rule.servers),
            computers: names(&rule.remote_computers),
        }
    }

    /// Do the exceptions leave none of the rule's users?
    pub(super) fn excepts_all(&self) -> bool {
        let both = self.users.as_ref().zip(self.not_users.as_ref());
        both.is_some_and(|(users, not_users)| not_users.cover(users))
            || self.groups.as_ref().zip(self.not_groups.as_ref()).is_some_and(|(all, without)| all.is_subset(without))
    }
}

/// Does the first rule match whenever the second one does? If this is not certain, the answer is no.
pub(super) fn is_wider(one: &Compared<'_>, other: &Compared<'_>) -> bool {
    let (first, second) = (one.rule, other.rule);
    let absent = first.if_absent == IfAbsent::Match || second.if_absent == IfAbsent::NoMatch;
    // A port can be unknown to the end. Then a rule that allows fails, and one that denies matches.
    let unknown = first.ports.is_none() || first.action == Action::Deny || second.action == Action::Allow;
    // A rule that does not hold for live sessions leaves them to the rules below.
    let live = first.action == Action::Allow || first.ends_live_sessions() || !second.ends_live_sessions();
    let names = |wide: &(_, Names), narrow: &(Vec<NamePattern>, _)| narrow.0.iter().all(|name| wide.1.cover(name));
    absent
        && unknown
        && live
        && holds_with(&one.users, &other.users, Users::cover)
        && holds_with(&one.groups, &other.groups, |wide, narrow| narrow.is_subset(wide))
        // What the first rule excepts, the second one must except too.
        && holds_with(&one.not_users, &other.not_users, |wide, narrow| narrow.cover(wide))
        && holds_with(&one.not_groups, &other.not_groups, |wide, narrow| wide.is_subset(narrow))
        && lists(&first.tunnels, &second.tunnels, |a, b| a == b)
        && lists(&first.quarantine, &second.quarantine, |a, b| a == b)
        && lists(&first.interface_types, &second.interface_types, |a, b| a == b)
        && lists(&first.hours, &second.hours, |a, b| hours::written(a) == hours::written(b))
        && holds_with(&one.dates, &other.dates, |wide, narrow| narrow.is_subset(wide))
        && [first, second].iter().all(|rule| rule.source_networks_file.is_none() && rule.computers_file.is_none())
        && holds_with(&one.sources, &other.sources, |wide, narrow| narrow.0.iter().all(|net| wide.1.cover(net)))
        && holds_with(&one.ports, &other.ports, names)
        && holds_with(&one.servers, &other.servers, names)
        && holds_with(&one.computers, &other.computers, names)
        && counts(first, second)
}

/// Does a condition hold whenever another one does? Without a condition, always.
fn holds_with<T>(first: &Option<T>, second: &Option<T>, covers: impl Fn(&T, &T) -> bool) -> bool {
    let Some(first) = first else { return true };
    second.as_ref().is_some_and(|second| covers(first, second))
}

/// The same for short lists, entry by entry.
fn lists<T>(first: &List<T>, second: &List<T>, covers: impl Fn(&T, &T) -> bool) -> bool {
    let Some(first) = first else { return true };
    let Some(second) = second else { return false };
    second.get_ref().iter().all(|narrow| first.get_ref().iter().any(|wide| covers(wide, narrow)))
}

fn counts(first: &Rule, second: &Rule) -> bool {
    // A sum over a period is compared only as it is written.
    let amounts = |rule: &Rule| {
        let time = rule
            .connect_time
            .as_ref()
            .map(|at| (at.get_ref().per, bounds(&at.get_ref().at_least, &at.get_ref().below)));
        let octets =
            rule.octets.as_ref().map(|at| (at.get_ref().per, bounds(&at.get_ref().at_least, &at.get_ref().below)));
        (time, octets)
    };
    let ((time, octets), (other_time, other_octets)) = (amounts(first), amounts(second));
    let most = first.max_user_sessions.is_none()
        || (first.action == second.action
            && second.max_user_sessions.as_ref().map(At::get_ref) == first.max_user_sessions.as_ref().map(At::get_ref));
    most && sessions(first.user_sessions.as_ref(), second.user_sessions.as_ref())
        && group_sessions(first.group_sessions.as_ref(), second.group_sessions.as_ref())
        && (time.is_none() || time == other_time)
        && (octets.is_none() || octets == other_octets)
        && session_time(first).is_none_or(|least| session_time(second).is_some_and(|other| least <= other))
}

/// How long a session must last, in seconds.
fn session_time(rule: &Rule) -> Option<u64> {
    rule.session_time.as_ref().map(|text| amounts::duration(text.get_ref()).unwrap_or(u64::MAX))
}

fn bounds(at_least: &Option<At<String>>, below: &Option<At<String>>) -> [Option<String>; 2] {
    [at_least, below].map(|text| text.as_ref().map(|text| text.get_ref().clone()))
}

fn sessions(first: Option<&At<Sessions>>, second: Option<&At<Sessions>>) -> bool {
    let Some(first) = first.map(At::get_ref) else { return true };
    let Some(second) = second.map(At::get_ref) else { return false };
    holds_when([first.at_least, first.below], [second.at_least, second.below])
}

fn group_sessions(first: Option<&At<GroupSessions>>, second: Option<&At<GroupSessions>>) -> bool {
    let Some(first) = first.map(At::get_ref) else { return true };
    let Some(second) = second.map(At::get_ref) else { return false };
    first.group.get_ref() == second.group.get_ref()
        && holds_when([first.at_least, first.below], [second.at_least, second.below])
}

/// Does a limit hold whenever another one does? Each is `at_least` and `below`, of which it has one.
fn holds_when(first: [Option<u32>; 2], second: [Option<u32>; 2]) -> bool {
    match (first, second) {
        ([Some(wide), None], [Some(narrow), None]) => narrow >= wide,
        ([None, Some(wide)], [None, Some(narrow)]) => narrow <= wide,
        _ => false,
    }
}
