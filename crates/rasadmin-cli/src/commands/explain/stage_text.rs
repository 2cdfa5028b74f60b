//! A stage of an explanation, as text.

use super::{agrees, overruled};
use crate::context::Context;
use crate::times;
use rasadmin_engine::Given;
use rasadmin_engine::effect::Origin;
use rasadmin_engine::explain::{AddressExplained, StageExplained};
use rasadmin_ledger::report::DecisionRow;
use rasadmin_policy::Stage;
use rasadmin_policy::config::file::Action;
use rasadmin_policy::rules::{Explained, ExplainedCondition, Outcome, Truth, WhenUnrecorded};
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

const fn heading(stage: Stage) -> &'static str {
    match stage {
        Stage::Ipv4Address => "IPv4 address (MprAdminGetIpAddressForUser)",
        Stage::Ipv6Address => "IPv6 address (MprAdminGetIpv6AddressForUser)",
        Stage::Connection => "connection (MprAdminAcceptNewConnectionEx)",
        Stage::Link => "link (MprAdminAcceptNewLink)",
        Stage::Reauthentication => "reauthentication (MprAdminAcceptReauthenticationEx)",
        Stage::EndpointChange => "endpoint change (MprAdminAcceptTunnelEndpointChangeEx)",
    }
}

/// Writes a stage. `past`: the decision that was recorded. `marked`: the sessions that it marks to be disconnected.
/// `all`: also the rules after the one that decides.
pub fn write(
    text: &mut String,
    stage: &StageExplained<'_>,
    past: Option<(&DecisionRow, &Context)>,
    marked: &[String],
    all: bool,
) {
    let overruled = match past {
        Some((decision, _)) => overruled(stage, decision),
        None => stage.ends() && stage.allow,
    };
    let time = past.map(|(decision, context)| times::show(decision.time, &context.zone) + "  ").unwrap_or_default();
    let blocked = block(stage, past.map(|(decision, _)| decision));
    let verdict =
        blocked.as_ref().map_or_else(|| verdict(stage, overruled), |why| format!("denied before any rule: {why}"));
    let _ = writeln!(text, "\n{time}{}: {verdict}", heading(stage.stage));
    let decides = stage.rules.iter().position(|rule| rule.decides).unwrap_or(stage.rules.len());
    let shown = match (all, &blocked) {
        (true, _) => stage.rules.len(),
        (false, Some(_)) => 0,
        (false, None) => (decides + 1).min(stage.rules.len()),
    };
    if blocked.is_some() && all {
        let _ = writeln!(text, "  without the block: {}", self::verdict(stage, false));
    }
    let width = stage.rules[..shown].iter().map(|rule| name(rule).chars().count()).max().unwrap_or(0).min(40);
    for rule in &stage.rules[..shown] {
        let mark = if rule.decides { '>' } else { ' ' };
        let _ = writeln!(text, "  {mark} {:width$}  {}", name(rule), describe_rule(rule));
    }
    let rest = stage.rules.len() - shown;
    if rest > 0 {
        let noun = crate::format::count(rest, if blocked.is_some() { "rule" } else { "later rule" });
        let _ = writeln!(text, "    ({noun} not evaluated; --all shows them)");
    }
    if !marked.is_empty() {
        let sessions = if marked.len() == 1 { "session" } else { "sessions" };
        let marked = marked.join(", ");
        let _ = writeln!(
            text,
            "  marks {sessions} {marked} to be disconnected (by the rasadmin service, if service.disconnect.mode is \
             \"enforce\")"
        );
    }
    if let Some(address) = &stage.address {
        let _ = writeln!(text, "  address: {}", describe_address(address, stage.stage));
    }
    if blocked.is_some() {
        return;
    }
    if stage.when_unrecorded == Some(WhenUnrecorded::Deny) && stage.allow {
        let _ = writeln!(text, "  while nothing can be recorded: denied");
    }
    if let Some(refusal) = &stage.refusal {
        let _ = writeln!(text, "  but the connection still ends: {refusal}");
    }
    if let Some((decision, _)) = past {
        if overruled {
            let why = decision.reason.as_deref().unwrap_or("for no recorded reason");
            let _ = writeln!(text, "  but it was still denied: {why}");
        } else if !agrees(stage, decision) {
            let rule = decision.rule.as_deref().unwrap_or("(default)");
            let _ = writeln!(text, "  but {} by {rule} was recorded", decision.outcome);
        }
    }
}

/// The block that refuses here, or refused then.
fn block(stage: &StageExplained<'_>, past: Option<&DecisionRow>) -> Option<String> {
    match past {
        Some(recorded) => recorded.is_blocked().then(|| recorded.reason.clone().unwrap_or_default()),
        None => stage.refusal.as_ref().filter(|_| stage.is_blocked()).map(ToString::to_string),
    }
}

fn name(rule: &Explained<'_>) -> String {
    rule.rule.unwrap_or("(default)").to_owned()
}

/// `overruled`: the DLL itself refused what the rules allowed.
fn verdict(stage: &StageExplained<'_>, overruled: bool) -> String {
    let by = stage.rule.map_or_else(|| "by the default".to_owned(), |rule| format!("by the rule `{rule}`"));
    let what = match (stage.allow, stage.for_now) {
        (true, true) => "allowed for now",
        (true, false) => "allowed",
        (false, _) => "denied",
    };
    let reason = stage.reason.filter(|_| !stage.allow).map(|reason| format!(": {reason}")).unwrap_or_default();
    match overruled {
        true => format!("denied by the DLL itself ({what} {by})"),
        false => format!("{what} {by}{reason}"),
    }
}

/// What a rule says, with the condition that settles it.
fn describe_rule(rule: &Explained<'_>) -> String {
    let action = match rule.action {
        Action::Allow => "allows",
        Action::Deny => "denies",
    };
    let that = |truth: Truth| rule.conditions.iter().find(|condition| condition.truth == truth);
    match rule.outcome {
        Outcome::NoMatch => match that(Truth::False) {
            Some(condition) => format!("does not match: {}", describe(condition)),
            None => "does not match".to_owned(),
        },
        Outcome::Waits => format!("would {}, and waits: {}", verb(rule.action), unknown(rule)),
        Outcome::Replaces => {
            let all: Vec<_> = rule.conditions.iter().map(describe).collect();
            format!("does not deny, but marks the user's oldest session to be disconnected: {}", all.join("; "))
        }
        Outcome::Fails => format!("cannot allow: {}", unknown(rule)),
        Outcome::DecidesForNow => format!("{action} for now: {}", unknown(rule)),
        Outcome::Decides if that(Truth::Unknown).is_some() => format!("{action}, to be safe: {}", unknown(rule)),
        Outcome::Decides if rule.conditions.is_empty() => action.to_owned(),
        Outcome::Decides => {
            let all: Vec<_> = rule.conditions.iter().map(describe).collect();
            format!("{action}: {}", all.join("; "))
        }
    }
}

const fn verb(action: Action) -> &'static str {
    match action {
        Action::Allow => "allow",
        Action::Deny => "deny",
    }
}

fn unknown(rule: &Explained<'_>) -> String {
    let unknown = rule.conditions.iter().filter(|condition| condition.truth == Truth::Unknown);
    unknown.map(describe).collect::<Vec<_>>().join("; ")
}

fn describe(condition: &ExplainedCondition<'_>) -> String {
    let ExplainedCondition { field, asked, found, truth } = condition;
    match truth {
        Truth::Unknown => format!("{field}: wanted {asked}, {found}"),
        _ => format!("{field}: wanted {asked}, found {found}"),
    }
}

/// An address as people write it; for IPv6, the interface identifier.
pub fn number(given: &Given, stage: Stage) -> String {
    match stage {
        Stage::Ipv6Address => Ipv6Addr::from_bits(given.number.into()).to_string(),
        _ => Ipv4Addr::from_bits(u32::try_from(given.number).unwrap_or(0)).to_string(),
    }
}

/// The address, and where it comes from.
pub fn describe_address(address: &AddressExplained, stage: Stage) -> String {
    match address {
        AddressExplained::Given(given) => {
            let from = match (given.origin, &given.pool) {
                (Origin::Reservation, _) => "reserved for the user".to_owned(),
                (Origin::Sticky, Some(pool)) => format!("from the pool `{pool}`, which the user had last"),
                (_, Some(pool)) => format!("from the pool `{pool}`"),
                (_, None) => "RRAS's own offer".to_owned(),
            };
            format!("{}, {from}", number(given, stage))
        }
        AddressExplained::Offer(because) => format!("RRAS's own offer is kept: {because}"),
        AddressExplained::Refused(why) => format!("none, so the connection ends: {why}"),
    }
}
