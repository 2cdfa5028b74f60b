//! Messages about refusals and anomalies.

use rasadmin_engine::{Decision, Effect, Fact, Name, Record, Refusal, Stage};
use rasadmin_messages::Message;
use std::fmt::Display;

/// Displays a fact, or `-` if it is not known.
struct Shown<'a, T>(&'a Fact<T>);

impl<T: Display> Display for Shown<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.known() {
            Some(value) => value.fmt(f),
            None => f.write_str("-"),
        }
    }
}

/// The user; if that is not known, the name that RRAS passed.
fn user(decision: &Decision, passed: &Name) -> String {
    match decision.facts.user.known() {
        Some(user) => user.to_string(),
        None if !passed.is_empty() => passed.to_string(),
        None => "-".to_owned(),
    }
}

/// Emits messages for the anomalies and refusals in a record.
pub fn report_notable(record: &Record) {
    for effect in &record.effects {
        if let Effect::Anomaly(anomaly) = effect {
            Message::Anomaly { what: &anomaly.what(), details: &anomaly.details() }.emit();
        }
    }
    if let Some(decision) = &record.decision {
        let nobody = Name::default();
        report_decision(decision, record.event.user_name().unwrap_or(&nobody));
    }
}

/// Emits a message for a refusal or an exhausted pool. `passed` is the user's name as RRAS passed it.
fn report_decision(decision: &Decision, passed: &Name) {
    match &decision.exhausted {
        Some(pool) => report_exhausted(pool, decision, passed),
        None if !decision.allow => report_refusal(decision, passed),
        None => {}
    }
}

fn report_refusal(decision: &Decision, passed: &Name) {
    let facts = &decision.facts;
    let (port, source) = (Shown(&facts.port), Shown(&facts.source));
    let user: &dyn Display = &user(decision, passed);
    let rule: &dyn Display = match &decision.rule {
        Some(rule) => rule,
        None => &"(default)",
    };
    let reason = &decision.why().unwrap_or_else(|| "-".to_owned());
    match decision.stage {
        Stage::Ipv4Address => Message::AddressRefused { family: &"IPv4", user, port: &port, rule, reason },
        Stage::Ipv6Address => Message::AddressRefused { family: &"IPv6", user, port: &port, rule, reason },
        Stage::Connection => {
            let computer = &Shown(&facts.computer);
            return Message::ConnectionRefused { user, source: &source, computer, rule, reason }.emit();
        }
        Stage::Link => {
            let tunnel = facts.tunnel.known().map_or("-", |tunnel| tunnel.name());
            return Message::LinkRefused { user, port: &port, tunnel: &tunnel, rule, reason }.emit();
        }
        Stage::Reauthentication => Message::ReauthenticationRefused { user, source: &source, rule, reason },
        Stage::EndpointChange => Message::EndpointChangeRefused { user, source: &source, rule, reason },
    }
    .emit();
}

/// The pool is exhausted: the user gets no address, or keeps RRAS's offer.
fn report_exhausted(pool: &str, decision: &Decision, passed: &Name) {
    let outcome = match &decision.refusal {
        _ if decision.allow => "RRAS's offer is kept".to_owned(),
        Some(Refusal::Offer { fault, .. }) => format!("no address is given, and {fault}"),
        _ => "no address is given".to_owned(),
    };
    let (user, port) = (&user(decision, passed), &Shown(&decision.facts.port));
    Message::PoolExhausted { pool: &pool, user, port, outcome: &outcome }.emit();
}
