//! Conditions that hold whatever is true, and rules that never match.

use super::Looking;
use crate::config::file::{At, IfAbsent, Rule};
use crate::config::{dates, hours};
use crate::rules::{amounts, hours as week, networks};
use crate::{InterfaceType, Quarantine, Tunnel};
use std::ops::Range;

/// The conditions of a rule that always hold, besides `users`: the key, its position, and why. A condition on a fact
/// that may be absent, such as the tunnel, does not, except with `if_absent = "match"`.
pub(super) fn always(rule: &Rule) -> Vec<(&'static str, Range<usize>, &'static str)> {
    let mut found = Vec::new();
    let mut add = |key, span: Option<Range<usize>>, why| found.extend(span.map(|span| (key, span, why)));
    let hours = rule
        .hours
        .as_ref()
        .filter(|list| week::are_whole_week(&hours::stretches(list.get_ref(), &list.span(), &mut Vec::new())));
    add("hours", hours.map(At::span), "these hours are the whole week");
    let even_absent = rule.if_absent == IfAbsent::Match;
    let tunnels = rule
        .tunnels
        .as_ref()
        .filter(|list| even_absent && Tunnel::ALL.iter().all(|tunnel| list.get_ref().contains(tunnel)));
    add("tunnels", tunnels.map(At::span), "these are all tunnels");
    let states = rule
        .quarantine
        .as_ref()
        .filter(|list| even_absent && Quarantine::ALL.iter().all(|state| list.get_ref().contains(state)));
    add("quarantine", states.map(At::span), "these are all states");
    let kinds = rule
        .interface_types
        .as_ref()
        .filter(|list| even_absent && InterfaceType::ALL.iter().all(|kind| list.get_ref().contains(kind)));
    add("interface_types", kinds.map(At::span), "these are all types");
    let sources = rule.source_networks.as_ref().filter(|list| {
        let parsed = list.get_ref().iter().filter_map(|text| networks::parse(text.get_ref()).ok());
        let whole = parsed.filter(|network| network.prefix_len() == 0).map(|network| network.addr().is_ipv4());
        let whole: Vec<bool> = whole.collect();
        even_absent && whole.contains(&true) && whole.contains(&false)
    });
    add("source_networks", sources.map(At::span), "these networks contain every address");
    let servers = rule.servers.as_ref().filter(|list| list.get_ref().iter().any(|name| name.get_ref() == "*"));
    add("servers", servers.map(At::span), "`*` is every server");
    let sessions = rule.user_sessions.as_ref().filter(|limit| limit.get_ref().at_least == Some(0));
    add("user_sessions", sessions.map(At::span), "every user has 0 sessions or more");
    let sessions = rule.group_sessions.as_ref().filter(|limit| limit.get_ref().at_least == Some(0));
    add("group_sessions", sessions.map(At::span), "every group has 0 sessions or more");
    let zero = |text: &Option<At<String>>, parse: fn(&str) -> Result<u64, crate::rules::Fault>| {
        text.as_ref().is_some_and(|text| parse(text.get_ref()) == Ok(0))
    };
    let time = rule.connect_time.as_ref().filter(|limit| zero(&limit.get_ref().at_least, amounts::duration));
    add("connect_time", time.map(At::span), "every user has been connected for 0 seconds or longer");
    let octets = rule.octets.as_ref().filter(|limit| zero(&limit.get_ref().at_least, amounts::octets));
    add("octets", octets.map(At::span), "every user has transferred 0 octets or more");
    let lasted = rule.session_time.as_ref().filter(|text| amounts::duration(text.get_ref()) == Ok(0));
    add("session_time", lasted.map(At::span), "every session has lasted 0 seconds or longer");
    found
}

/// Does a rule match every event with a user, whatever else is true?
pub(super) fn never_asks(rule: &Rule) -> bool {
    let everybody = |users: &At<Vec<At<String>>>| users.get_ref().iter().any(|user| user.get_ref() == "*");
    rule.users.as_ref().is_none_or(everybody) && rule.conditions_besides_users() == always(rule).len()
}

impl Looking<'_> {
    /// Conditions that say nothing.
    pub(super) fn needless(&mut self, rule: &Rule) {
        for (key, span, why) in always(rule) {
            self.warn(
                span,
                format!("`{key}` always holds: {why}"),
                format!("leave `{key}` out, or write what you meant"),
            );
        }
        let whole = |text: &&At<String>| networks::parse(text.get_ref()).is_ok_and(|network| network.prefix_len() == 0);
        let mut whole = rule.source_networks.iter().flat_map(|list| list.get_ref()).filter(whole);
        if let (Some(network), None) = (whole.next(), whole.next()) {
            let (every, not) = if network.get_ref().contains(':') { ("IPv6", "IPv4") } else { ("IPv4", "IPv6") };
            let what = format!("`{}` is every {every} address: only {not} clients are left out", network.get_ref());
            self.warn(network.span(), what, "name the networks that you mean, or leave `source_networks` out");
        }
    }

    /// Are all dates of a rule in the past?
    pub(super) fn is_over(&self, rule: &Rule) -> bool {
        let now = self.computer.now.as_second();
        let over =
            |text: &At<String>| dates::parse(text.get_ref(), &self.config.zone).is_ok_and(|span| span.end <= now);
        rule.dates.as_ref().is_some_and(|list| list.get_ref().iter().all(over))
    }
}
