//! An explanation in words.

use super::address_text;
use rasadmin_engine::effect::Origin;
use rasadmin_engine::explain::{AddressExplained, StageExplained};
use rasadmin_policy::Stage;
use rasadmin_policy::config::file::Action;
use rasadmin_policy::rules::{Explained, ExplainedCondition, NOT_COUNTED, Outcome, Truth};

/// A stage, and the function that RRAS calls.
pub const fn heading(stage: Stage) -> &'static str {
    match stage {
        Stage::Ipv4Address => "IPv4 address (MprAdminGetIpAddressForUser)",
        Stage::Ipv6Address => "IPv6 address (MprAdminGetIpv6AddressForUser)",
        Stage::Connection => "connection (MprAdminAcceptNewConnectionEx)",
        Stage::Link => "link (MprAdminAcceptNewLink)",
        Stage::Reauthentication => "reauthentication (MprAdminAcceptReauthenticationEx)",
        Stage::EndpointChange => "endpoint change (MprAdminAcceptTunnelEndpointChangeEx)",
    }
}

/// What each rule says, with the condition that settles it.
pub fn describe_rules(rules: &[Explained<'_>]) -> Vec<String> {
    let describe = |(rule, below): (&Explained<'_>, bool)| {
        let conditions: Vec<_> = rule.conditions.iter().map(Condition::of).collect();
        describe_outcome(rule.action, rule.outcome, below, &conditions)
    };
    rules.iter().zip(below(rules.iter().map(|rule| rule.decides))).map(describe).collect()
}

/// Which rules are below the one that decides.
pub(super) fn below(decides: impl Iterator<Item = bool>) -> impl Iterator<Item = bool> {
    decides.scan(false, |decided, decides| Some(std::mem::replace(decided, *decided || decides)))
}

/// A condition and what it found.
pub(super) struct Condition<'c> {
    pub field: &'c str,
    pub asked: &'c str,
    pub found: &'c str,
    pub truth: Truth,
}

impl<'c> Condition<'c> {
    fn of(explained: &'c ExplainedCondition<'_>) -> Self {
        let ExplainedCondition { field, asked, found, truth } = explained;
        Self { field, asked, found, truth: *truth }
    }
}

/// What a rule with these conditions says. Below the one that decides, it only would.
pub(super) fn describe_outcome(action: Action, outcome: Outcome, below: bool, conditions: &[Condition<'_>]) -> String {
    let does = match (below, action) {
        (false, Action::Allow) => "allows",
        (false, Action::Deny) => "denies",
        (true, Action::Allow) => "would allow",
        (true, Action::Deny) => "would deny",
    };
    let that = |truth: Truth| conditions.iter().find(|condition| condition.truth == truth);
    let all = || conditions.iter().map(describe).collect::<Vec<_>>().join("; ");
    // A decision counts nothing for the rules below.
    let uncounted = |condition: &Condition<'_>| condition.found == NOT_COUNTED;
    match outcome {
        Outcome::NoMatch => match that(Truth::False) {
            Some(condition) => format!("does not match: {}", describe(condition)),
            None => "does not match".to_owned(),
        },
        _ if below && conditions.iter().any(uncounted) => format!("not evaluated: {}", unknown(conditions)),
        Outcome::Waits => format!("would {}, and waits: {}", verb(action), unknown(conditions)),
        Outcome::Replaces if below => {
            format!("would mark the user's oldest session to be disconnected: {}", all())
        }
        Outcome::Replaces => {
            format!("does not deny, but marks the user's oldest session to be disconnected: {}", all())
        }
        Outcome::Fails => format!("cannot allow: {}", unknown(conditions)),
        Outcome::DecidesForNow => format!("{does} for now: {}", unknown(conditions)),
        Outcome::Decides if that(Truth::Unknown).is_some() => format!("{does}, to be safe: {}", unknown(conditions)),
        Outcome::Decides if conditions.is_empty() => does.to_owned(),
        Outcome::Decides => format!("{does}: {}", all()),
    }
}

const fn verb(action: Action) -> &'static str {
    match action {
        Action::Allow => "allow",
        Action::Deny => "deny",
    }
}

fn unknown(conditions: &[Condition<'_>]) -> String {
    let unknown = conditions.iter().filter(|condition| condition.truth == Truth::Unknown);
    unknown.map(describe).collect::<Vec<_>>().join("; ")
}

fn describe(condition: &Condition<'_>) -> String {
    let Condition { field, asked, found, truth } = condition;
    match truth {
        Truth::Unknown => format!("{field}: wanted {asked}, {found}"),
        _ => format!("{field}: wanted {asked}, found {found}"),
    }
}

/// The address, and where it comes from.
pub fn describe_address(address: &AddressExplained, stage: Stage) -> String {
    match address {
        AddressExplained::Given(given) => {
            format!("{}, {}", address_text(given, stage), given_from(given.origin, given.pool.as_deref()))
        }
        AddressExplained::Offer(because) => offer_kept(because),
        AddressExplained::Refused(why) => no_address(&why.to_string()),
    }
}

/// Where an address comes from.
pub(super) fn given_from(origin: Origin, pool: Option<&str>) -> String {
    match (origin, pool) {
        (Origin::Reservation, _) => "reserved for the user".to_owned(),
        (Origin::Sticky, Some(pool)) => format!("from the pool `{pool}`, which the user had last"),
        (_, Some(pool)) => format!("from the pool `{pool}`"),
        (_, None) => "RRAS's own offer".to_owned(),
    }
}

pub(super) fn offer_kept(because: &str) -> String {
    format!("RRAS's own offer is kept: {because}")
}

pub(super) fn no_address(why: &str) -> String {
    format!("none, so the connection ends: {why}")
}

/// What was decided at a stage, and by what. `overruled`: the DLL itself refused what the rules allowed.
pub fn verdict(stage: &StageExplained<'_>, overruled: bool) -> String {
    match overruled {
        true => format!("denied by the DLL itself ({})", ruling(stage.allow, stage.for_now, stage.rule)),
        false => ruled(stage.allow, stage.for_now, stage.rule, stage.reason),
    }
}

/// What the rules say, and the reason if they deny.
pub(super) fn ruled(allow: bool, for_now: bool, rule: Option<&str>, reason: Option<&str>) -> String {
    let reason = reason.filter(|_| !allow).map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{}{reason}", ruling(allow, for_now, rule))
}

/// What the rules say.
fn ruling(allow: bool, for_now: bool, rule: Option<&str>) -> String {
    let by = rule.map_or_else(|| "by the default".to_owned(), |rule| format!("by the rule `{rule}`"));
    let what = match (allow, for_now) {
        (true, true) => "allowed for now",
        (true, false) => "allowed",
        (false, _) => "denied",
    };
    format!("{what} {by}")
}
