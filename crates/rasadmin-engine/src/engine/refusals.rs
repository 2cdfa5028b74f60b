//! What is refused is told: to the log, and by it to the system's own.

use crate::ledger::Decision;
use crate::{Fact, Name, Stage};
use rasadmin_messages::Message;
use std::fmt::Display;

/// A fact, or `-`.
struct Shown<'a, T>(&'a Fact<T>);

impl<T: Display> Display for Shown<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.known() {
            Some(value) => value.fmt(f),
            None => f.write_str("-"),
        }
    }
}

/// The user, or the name as RRAS passed it, for when it is no user's.
fn user(decision: &Decision, passed: &Name) -> String {
    match decision.facts.user.known() {
        Some(user) => user.to_string(),
        None if !passed.is_empty() => passed.to_string(),
        None => "-".to_owned(),
    }
}

/// Tells of a refusal. `passed` is the user's name as RRAS passed it.
pub(super) fn tell(decision: &Decision, passed: &Name) {
    let facts = &decision.facts;
    let (port, source) = (Shown(&facts.port), Shown(&facts.source));
    let user: &dyn Display = &user(decision, passed);
    let rule: &dyn Display = match &decision.rule {
        Some(rule) => rule,
        None => &"(default)",
    };
    let reason = match (&decision.reason, decision.ledger_away) {
        (Some(reason), false) => reason.clone(),
        // The engine's own reason says it already.
        (Some(reason), true) if reason.contains("the ledger is away") => reason.clone(),
        (Some(reason), true) => format!("the ledger is away; {reason}"),
        (None, true) => "the ledger is away".to_owned(),
        (None, false) => "-".to_owned(),
    };
    let reason = &reason;
    match decision.stage {
        Stage::Ipv4Address => Message::AddressRefused { family: &"IPv4", user, port: &port, rule, reason },
        Stage::Ipv6Address => Message::AddressRefused { family: &"IPv6", user, port: &port, rule, reason },
        Stage::Connection => {
            let computer = &Shown(&facts.computer);
            return Message::ConnectionRefused { user, source: &source, computer, rule, reason }.tell();
        }
        Stage::Link => {
            let tunnel = facts.tunnel.known().map_or("-", |tunnel| tunnel.name());
            return Message::LinkRefused { user, port: &port, tunnel: &tunnel, rule, reason }.tell();
        }
        Stage::Reauthentication => Message::ReauthenticationRefused { user, source: &source, rule, reason },
        Stage::EndpointChange => Message::EndpointChangeRefused { user, source: &source, rule, reason },
    }
    .tell();
}

/// Tells that a pool had nothing left: no address is given, or RRAS's offer is kept.
pub(super) fn tell_exhausted(pool: &str, decision: &Decision, passed: &Name) {
    // The reason begins with what this message says already.
    let more = decision.reason.as_deref().and_then(|reason| reason.split_once(", and "));
    let outcome = match more {
        _ if decision.allow => "RRAS's offer is kept".to_owned(),
        Some((_, more)) => format!("no address is given, and {more}"),
        None => "no address is given".to_owned(),
    };
    let (user, port) = (&user(decision, passed), &Shown(&decision.facts.port));
    Message::PoolExhausted { pool: &pool, user, port, outcome: &outcome }.tell();
}
