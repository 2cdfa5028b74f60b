//! Whether a rule matches everything that another one matches.

use crate::Domains;
use crate::config::file::{Action, At, GroupSessions, IfAbsent, Rule, Sessions};
use crate::config::hours;
use crate::rules::{NamePattern, UserPattern, networks, parse_user};

type List<T> = Option<At<Vec<T>>>;

/// Does the first rule match whenever the second one does? If this is not certain, the answer is no.
pub(super) fn is_wider(first: &Rule, second: &Rule, domains: &Domains) -> bool {
    let user = |text: &At<String>| parse_user(text.get_ref(), domains).ok();
    let users = |wide: &At<String>, narrow: &At<String>| {
        user(wide).zip(user(narrow)).is_some_and(|(wide, narrow)| covers_users(&wide, &narrow))
    };
    let groups = |wide: &At<String>, narrow: &At<String>| wide.get_ref() == narrow.get_ref();
    let names = |wide: &At<String>, narrow: &At<String>| {
        let parse = |text: &At<String>| NamePattern::parse(text.get_ref()).ok();
        parse(wide).zip(parse(narrow)).is_some_and(|(wide, narrow)| wide.covers(&narrow))
    };
    let sources = |wide: &At<String>, narrow: &At<String>| {
        let parse = |text: &At<String>| networks::parse(text.get_ref()).ok();
        parse(wide).zip(parse(narrow)).is_some_and(|(wide, narrow)| wide.contains(&narrow))
    };
    let absent = first.if_absent == IfAbsent::Match || second.if_absent == IfAbsent::NoMatch;
    // A port can be unknown to the end. Then a rule that allows fails, and one that denies matches.
    let unknown = first.ports.is_none() || first.action == Action::Deny || second.action == Action::Allow;
    absent
        && unknown
        && lists(&first.users, &second.users, users)
        && lists(&first.groups, &second.groups, groups)
        && exceptions(&first.not_users, &second.not_users, users)
        && exceptions(&first.not_groups, &second.not_groups, groups)
        && lists(&first.tunnels, &second.tunnels, |a, b| a == b)
        && lists(&first.quarantine, &second.quarantine, |a, b| a == b)
        && lists(&first.interface_types, &second.interface_types, |a, b| a == b)
        && lists(&first.hours, &second.hours, |a, b| hours::written(a) == hours::written(b))
        && lists(&first.dates, &second.dates, |a, b| a.get_ref().trim() == b.get_ref().trim())
        && [first, second].iter().all(|rule| rule.source_networks_file.is_none() && rule.computers_file.is_none())
        && lists(&first.source_networks, &second.source_networks, sources)
        && lists(&first.ports, &second.ports, names)
        && lists(&first.servers, &second.servers, names)
        && lists(&first.remote_computers, &second.remote_computers, names)
        && counts(first, second)
}

/// Does a rule match every event with a user, whatever else is true?
pub(super) fn never_asks(rule: &Rule) -> bool {
    let everybody = |users: &At<Vec<At<String>>>| users.get_ref().iter().any(|user| user.get_ref() == "*");
    rule.users.as_ref().is_none_or(everybody) && !rule.asks_more_than_users()
}

/// Does a condition hold whenever another one does? Without a condition, always.
fn lists<T>(first: &List<T>, second: &List<T>, covers: impl Fn(&T, &T) -> bool) -> bool {
    let Some(first) = first else { return true };
    let Some(second) = second else { return false };
    second.get_ref().iter().all(|narrow| first.get_ref().iter().any(|wide| covers(wide, narrow)))
}

/// The same for exceptions: what the first rule excepts, the second one must except too.
fn exceptions<T>(first: &List<T>, second: &List<T>, covers: impl Fn(&T, &T) -> bool) -> bool {
    first.is_none() || (second.is_some() && lists(second, first, covers))
}

fn covers_users(wide: &UserPattern, narrow: &UserPattern) -> bool {
    use UserPattern::{AnyComputer, Anyone, Computers, Domain, Exact, Prefix};
    match (wide, narrow) {
        (Anyone, _) => true,
        (AnyComputer, AnyComputer | Computers(_)) => true,
        (AnyComputer, Exact(user)) => user.is_computer(),
        (Domain(all), Domain(domain) | Computers(domain) | Prefix(domain, _)) => all == domain,
        (Domain(all), Exact(user)) => *all == user.domain,
        (Computers(all), Computers(domain)) => all == domain,
        (Computers(all), Exact(user)) => *all == user.domain && user.is_computer(),
        (Prefix(all, wide), Prefix(domain, narrow)) => all == domain && narrow.as_str().starts_with(wide.as_str()),
        (Prefix(all, wide), Exact(user)) => *all == user.domain && user.name.as_str().starts_with(wide.as_str()),
        (Exact(one), Exact(other)) => one == other,
        _ => false,
    }
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
