//! The answer of `rasadmin explain` for programs.

mod received;
mod recorded;
mod tunnels;
mod words;

use rasadmin_engine::Given;
use rasadmin_engine::effect::Origin;
use rasadmin_engine::explain::{AddressExplained, StageExplained};
use rasadmin_ledger::report::DecisionRow;
use rasadmin_policy::rules::{Explained, RecordedCounts, WhenUnrecorded};
use rasadmin_policy::{Facts, Stage};
pub use received::{Received, ReceivedStage, ReceivedTunnel};
pub use recorded::{agrees, overruled};
use schemars::JsonSchema;
use serde::Serialize;
use std::net::{Ipv4Addr, Ipv6Addr};
pub use tunnels::{WithTunnel, in_force, shown, with_tunnels};
pub use words::{describe_address, describe_rules, heading, verdict};

/// What would happen to a user who connects like this.
#[derive(Serialize, JsonSchema)]
pub struct Answer<'a> {
    /// Whether the connection would be accepted; without --tunnel, with at least one tunnel.
    pub allowed: bool,
    /// The hash of the configuration.
    pub config: &'a str,
    /// What would happen with each tunnel; with --tunnel, with that one.
    pub tunnels: Vec<TunnelAnswer<'a>>,
    /// The stages, in the order of RRAS's calls, up to the first that ends the connection. Without --tunnel, those of
    /// the first tunnel that would be accepted, or else of the first.
    pub stages: Vec<StageAnswer<'a>>,
}

impl<'a> Answer<'a> {
    /// `config`: the hash of the configuration. `all`: what would happen with each tunnel that was asked for.
    pub fn new(config: &'a str, all: &'a [WithTunnel<'a>]) -> Self {
        let stages = shown(all).into_iter().flat_map(|with| &with.stages);
        Self {
            allowed: all.iter().any(WithTunnel::is_allowed),
            config,
            tunnels: all.iter().map(TunnelAnswer::new).collect(),
            stages: stages.map(|stage| StageAnswer::new(stage, None)).collect(),
        }
    }
}

/// What would happen with a tunnel.
#[derive(Serialize, JsonSchema)]
pub struct TunnelAnswer<'a> {
    /// `SSTP`, `IKEv2`, `L2TP` or `PPTP`.
    tunnel: &'a str,
    /// Whether the connection would be accepted.
    allowed: bool,
    /// The last stage: the one that would deny, or else the link.
    stage: Option<Stage>,
    /// The rule that decides there. `null`: the default, or the DLL itself.
    rule: Option<&'a str>,
    /// Why it would be denied, for people. `null`: it would not be, or the rule has no reason.
    reason: Option<String>,
}

impl<'a> TunnelAnswer<'a> {
    /// The answer of a tunnel.
    pub fn new(with: &'a WithTunnel<'a>) -> Self {
        let (allowed, last) = (with.is_allowed(), with.stages.last());
        // What the rules allowed, and the DLL itself refused.
        let own = last.and_then(StageExplained::refused).map(ToString::to_string);
        Self {
            tunnel: with.tunnel.name(),
            allowed,
            stage: last.map(|last| last.stage),
            rule: last.and_then(|last| last.rule).filter(|_| own.is_none()),
            reason: own.or_else(|| last.and_then(|last| last.reason).filter(|_| !allowed).map(str::to_owned)),
        }
    }
}

/// A stage of a connection: a call of RRAS.
#[derive(Serialize, JsonSchema)]
pub struct StageAnswer<'a> {
    /// The stage.
    stage: Stage,
    /// Whether the rules allow it.
    allow: bool,
    /// Whether that holds only for now, because a condition needs a fact that RRAS passes later.
    for_now: bool,
    /// The rule that decides. `null`: the default.
    rule: Option<&'a str>,
    /// The rule's reason.
    reason: Option<&'a str>,
    /// What was known.
    facts: &'a Facts,
    /// What was counted, as far as the rules need it.
    counted: &'a RecordedCounts,
    /// Whether the connection would be accepted if it could not be recorded. `null`: this changes nothing here.
    when_unrecorded: Option<WhenUnrecorded>,
    /// Every rule, in order, with its conditions; the default is the last.
    rules: &'a [Explained<'a>],
    /// At an address stage that is allowed: the address.
    address: Option<AddressAnswer<'a>>,
    /// Why the connection ends without regard to the rules: the user is blocked, or the rules allow it and something
    /// else does not.
    refused: Option<String>,
    /// The keys of the user's sessions that would be marked to be disconnected (`when_exceeded = "replace-oldest"`).
    /// The rasadmin service disconnects them, if `service.disconnect.mode` is `enforce`. Empty for a past decision: its
    /// record in the journal has them.
    replaces: Vec<String>,
    /// For a past decision: what was recorded.
    #[serde(flatten)]
    past: Option<PastAnswer<'a>>,
}

/// The address that a user would get.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum AddressAnswer<'a> {
    /// This one.
    Given {
        /// The address; for IPv6, the interface identifier.
        address: String,
        /// Where it comes from.
        #[schemars(with = "String")]
        origin: Origin,
        /// The pool.
        pool: Option<&'a str>,
    },
    /// RRAS's own offer is kept.
    Offer {
        /// `offer`.
        #[schemars(with = "String")]
        origin: Origin,
        /// Why.
        because: &'a str,
    },
    /// None, so the connection ends.
    Refused {
        /// Why.
        refused: String,
    },
}

/// A past decision.
#[derive(Serialize, JsonSchema)]
struct PastAnswer<'a> {
    /// The decision as recorded.
    recorded: &'a DecisionRow,
    /// Whether the recorded facts give the recorded decision under the configuration of that time.
    agrees: bool,
    /// Whether the engine refused, instead of the rules: a block, or something that keeps out a user whom they allow.
    overruled: bool,
}

impl<'a> StageAnswer<'a> {
    /// `recorded`: for a past decision.
    pub fn new(stage: &'a StageExplained<'a>, recorded: Option<&'a DecisionRow>) -> Self {
        let address = stage.address.as_ref().map(|address| match address {
            AddressExplained::Given(given) => AddressAnswer::Given {
                address: address_text(given, stage.stage),
                origin: given.origin,
                pool: given.pool.as_deref(),
            },
            AddressExplained::Offer(because) => AddressAnswer::Offer { origin: Origin::Offer, because },
            AddressExplained::Refused(why) => AddressAnswer::Refused { refused: why.to_string() },
        });
        Self {
            stage: stage.stage,
            allow: stage.allow,
            for_now: stage.for_now,
            rule: stage.rule,
            reason: stage.reason,
            facts: &stage.facts,
            counted: &stage.counted,
            when_unrecorded: stage.when_unrecorded,
            rules: &stage.rules,
            address,
            refused: stage.refusal.as_ref().map(ToString::to_string),
            replaces: stage.replaces.iter().map(ToString::to_string).collect(),
            past: recorded.map(|recorded| PastAnswer {
                recorded,
                agrees: agrees(stage, recorded),
                overruled: overruled(stage, recorded),
            }),
        }
    }
}

/// An address as people write it; for IPv6, the interface identifier.
pub fn address_text(given: &Given, stage: Stage) -> String {
    match stage {
        Stage::Ipv6Address => Ipv6Addr::from_bits(given.number.into()).to_string(),
        _ => Ipv4Addr::from_bits(u32::try_from(given.number).unwrap_or(0)).to_string(),
    }
}
