//! The answer of another process, such as the service's: read from its JSON.

use super::words::{Condition, below, describe_outcome, given_from, no_address, offer_kept, ruled};
use rasadmin_engine::effect::Origin;
use rasadmin_policy::rules::{Action, Outcome, Truth, WhenUnrecorded};
use rasadmin_policy::{Fact, Stage};
use serde::Deserialize;

/// An [`Answer`](super::Answer), as another process has sent it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Received {
    /// Whether the connection would be accepted; if no tunnel was asked for, with at least one.
    pub allowed: bool,
    /// The hash of the configuration.
    pub config: String,
    /// What would happen with each tunnel that was asked for.
    pub tunnels: Vec<ReceivedTunnel>,
    /// The stages, up to the first that ends the connection.
    pub stages: Vec<ReceivedStage>,
}

/// What would happen with a tunnel.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[allow(missing_docs)]
pub struct ReceivedTunnel {
    pub tunnel: String,
    pub allowed: bool,
    /// The last stage.
    pub stage: Option<Stage>,
    /// The rule that decides there. `None`: the default, or the DLL itself.
    pub rule: Option<String>,
    /// Why it would be denied.
    pub reason: Option<String>,
}

/// A stage of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[allow(missing_docs)]
pub struct ReceivedStage {
    pub stage: Stage,
    allow: bool,
    for_now: bool,
    rule: Option<String>,
    reason: Option<String>,
    facts: ReceivedFacts,
    pub when_unrecorded: Option<WhenUnrecorded>,
    /// Every rule, in order; the default is the last.
    pub rules: Vec<ReceivedRule>,
    address: Option<ReceivedAddress>,
    /// Why the connection ends, whatever the rules say.
    pub refused: Option<String>,
    /// The sessions that would be marked to be disconnected.
    pub replaces: Vec<String>,
}

/// The facts that are shown beside the question.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct ReceivedFacts {
    user: Fact<rasadmin_policy::Identity>,
}

/// A rule and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ReceivedRule {
    /// Its name. `None` is the default.
    pub rule: Option<String>,
    action: Action,
    outcome: Outcome,
    /// It decides.
    pub decides: bool,
    conditions: Vec<ReceivedCondition>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct ReceivedCondition {
    field: String,
    asked: String,
    found: String,
    truth: Truth,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum ReceivedAddress {
    Offer { because: String },
    Refused { refused: String },
    Given { address: String, origin: Origin, pool: Option<String> },
}

impl Received {
    /// Who the user is, if the name says so.
    pub fn user(&self) -> Option<&rasadmin_policy::Identity> {
        self.stages.first()?.facts.user.known()
    }
}

impl ReceivedStage {
    /// Does the connection end here?
    pub fn ends(&self) -> bool {
        !self.allow || self.refused.is_some() || matches!(self.address, Some(ReceivedAddress::Refused { .. }))
    }

    /// Do the rules allow it?
    pub const fn is_allowed_by_rules(&self) -> bool {
        self.allow
    }

    /// What the rules say, and why.
    pub fn ruled(&self) -> String {
        ruled(self.allow, self.for_now, self.rule.as_deref(), self.reason.as_deref())
    }

    /// What each rule says, with the condition that settles it.
    pub fn says(&self) -> Vec<String> {
        let describe = |(rule, below): (&ReceivedRule, bool)| {
            let conditions: Vec<_> = rule.conditions.iter().map(ReceivedCondition::borrowed).collect();
            describe_outcome(rule.action, rule.outcome, below, &conditions)
        };
        self.rules.iter().zip(below(self.rules.iter().map(|rule| rule.decides))).map(describe).collect()
    }

    /// The address, at a stage that gives one.
    pub fn address(&self) -> Option<String> {
        Some(match self.address.as_ref()? {
            ReceivedAddress::Given { address, origin, pool } => {
                format!("{address}, {}", given_from(*origin, pool.as_deref()))
            }
            ReceivedAddress::Offer { because } => offer_kept(because),
            ReceivedAddress::Refused { refused } => no_address(refused),
        })
    }
}

impl ReceivedCondition {
    fn borrowed(&self) -> Condition<'_> {
        let Self { field, asked, found, truth } = self;
        Condition { field, asked, found, truth: *truth }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::explain::{Answer, describe_address, describe_rules, shown, verdict, with_tunnels};
    use rasadmin_engine::explain::Question;
    use rasadmin_engine::{Name, Stamp, State};
    use rasadmin_policy::{InterfaceType, Quarantine, Tunnel, config};
    use std::sync::Arc;

    const CONFIG: &str = r#"
        default_domain = "CORP"
        time_zone = "UTC"
        default = { action = "deny", reason = "no rule lets you in" }
        [pools.staff]
        addresses = ["10.8.0.0/24"]
        [[rules]]
        name = "no L2TP"
        action = "deny"
        tunnels = ["L2TP"]
        reason = "use SSTP"
        [[rules]]
        name = "two each"
        action = "deny"
        users = ["*"]
        user_sessions = { at_least = 2 }
        [[rules]]
        name = "staff"
        action = "allow"
        users = ["alice"]
        pool = "staff"
    "#;

    #[test]
    fn what_was_sent_is_said_in_the_same_words() {
        let none = &mut |_: &str| Err("none".to_owned());
        let config = Arc::new(config::parse("c", CONFIG, std::path::Path::new("/f"), none).unwrap());
        for (user, tunnel, allowed) in
            [("alice", None, true), ("alice", Some(Tunnel::L2tp), false), ("bob", None, false)]
        {
            let question = Question {
                user: Name::new(user),
                domain: Name::default(),
                at: Stamp::default(),
                server: Name::new("VPN1"),
                port: None,
                tunnel,
                source: None,
                computer: None,
                quarantine: Some(Quarantine::Normal),
                interface: Some(InterfaceType::Client),
                offer: None,
                ipv6: false,
            };
            let all = with_tunnels(&config, &State::new(), &question);
            let sent = serde_json::to_string(&Answer::new(&config.hash, &all)).unwrap();
            let received: Received = serde_json::from_str(&sent).unwrap();
            assert_eq!((received.allowed, received.tunnels.len()), (allowed, if tunnel.is_none() { 4 } else { 1 }));
            assert_eq!(received.user().unwrap().to_string(), format!(r"CORP\{}", user.to_uppercase()));
            let stages = &shown(&all).unwrap().stages;
            assert_eq!(received.stages.len(), stages.len());
            for (received, stage) in received.stages.iter().zip(stages) {
                assert_eq!((received.stage, received.ends()), (stage.stage, stage.ends()));
                assert_eq!(received.ruled(), verdict(stage, false));
                assert_eq!(received.says(), describe_rules(&stage.rules));
                let address = stage.address.as_ref().map(|address| describe_address(address, stage.stage));
                assert_eq!(received.address(), address);
            }
        }
    }
}
