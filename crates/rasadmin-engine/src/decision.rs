//! What was decided, and why.

use crate::effect::Origin;
use crate::{Facts, Identity, Millis, Stage};
use rasadmin_policy::addresses::Family;
use rasadmin_policy::rules::Counted;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What RRAS is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It asked nothing.
    Nothing,
    /// It may stand.
    Accept,
    /// It may not: the decision says why.
    Reject,
    /// The user gets this address.
    Address(Given),
    /// The user keeps what RRAS offered, whatever it is.
    AsOffered,
}

/// An address that was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// The number, in host order.
    pub number: u64,
    /// Where it came from.
    pub origin: Origin,
    /// Which pool.
    pub pool: Option<String>,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// When.
    pub time: Millis,
    /// At which event.
    pub stage: Stage,
    /// May it stand?
    pub allow: bool,
    /// For now: a condition asks for what is not yet known.
    pub for_now: bool,
    /// The rule's name; None is the default, or the engine itself.
    pub rule: Option<String>,
    /// The rule's, or the default's, own reason.
    pub reason: Option<String>,
    /// What the engine refused for, though the rules allowed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// A pool that had nothing left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exhausted: Option<String>,
    /// The hash of the configuration.
    pub config: String,
    /// What was known.
    pub facts: Facts,
    /// The user's groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// What was counted, as far as the rules asked.
    pub counted: Counted,
}

impl Decision {
    /// As the ledger writes it.
    pub const fn outcome(&self) -> &'static str {
        match (self.allow, self.for_now) {
            (true, true) => "allow for now",
            (true, false) => "allow",
            (false, _) => "deny",
        }
    }

    /// Why, for people: the engine's reason, else the rule's.
    pub fn why(&self) -> Option<String> {
        self.refusal.as_ref().map(ToString::to_string).or_else(|| self.reason.clone())
    }
}

/// Why the engine refuses what the rules allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The reservation is held by another session of the user, and the configuration wants nothing else then.
    ReservationHeld,
    /// The pool, and those after it, had nothing left.
    Exhausted {
        /// Its name.
        pool: String,
    },
    /// RRAS's offer would be kept, but there is none, or it is not to be had.
    Offer {
        /// Why the offer would be kept.
        because: OfferBecause,
        /// What is wrong with it.
        fault: OfferFault,
    },
    /// The address was given to somebody else, by a name that turned out to be another user's.
    AnothersAddress {
        /// To whom it was given.
        given_to: Option<Identity>,
    },
    /// An administrator, or the service, has blocked the user.
    Blocked {
        /// Until when.
        until: Millis,
        /// Why.
        reason: Option<String>,
    },
    /// The event cannot be recorded, and the deciding rule, or else the configuration, lets nobody in then.
    Unrecorded,
}

/// Why RRAS's offer would be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OfferBecause {
    /// No pool serves the user.
    NoPool,
    /// The pool is exhausted, and says so.
    Exhausted {
        /// Its name.
        pool: String,
    },
}

/// Why RRAS's offer cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OfferFault {
    /// It offers none.
    Nothing,
    /// It is the server's own address.
    Server,
    /// It is an identifier that is kept for other uses (RFC 5453).
    ReservedIdentifier,
    /// It is reserved for another user.
    Reserved,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservationHeld => f.write_str("the reserved address is held by another session of the user"),
            Self::Exhausted { pool } => write!(f, "the pool `{pool}` is exhausted"),
            Self::Offer { because, fault } => write!(f, "{because}, and {fault}"),
            Self::AnothersAddress { given_to } => {
                let whose = given_to.as_ref().map_or_else(|| "somebody else".to_owned(), ToString::to_string);
                write!(f, "the address was given to {whose}, who turned out to be another user")
            }
            Self::Blocked { reason, .. } => match reason {
                Some(reason) => write!(f, "the user is blocked: {reason}"),
                None => f.write_str("the user is blocked"),
            },
            Self::Unrecorded => f.write_str("the event cannot be recorded, and when_unrecorded = \"deny\""),
        }
    }
}

impl fmt::Display for OfferBecause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPool => f.write_str("no pool serves the user"),
            Self::Exhausted { pool } => write!(f, "the pool `{pool}` is exhausted"),
        }
    }
}

impl fmt::Display for OfferFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "RRAS offers no address",
            Self::Server => "RRAS offers the server's own address",
            Self::ReservedIdentifier => "RRAS's offer is an identifier for other uses (RFC 5453)",
            Self::Reserved => "RRAS's offer is reserved for somebody",
        })
    }
}

/// The stage of an address call.
pub(crate) const fn address_stage(family: Family) -> Stage {
    match family {
        Family::Ipv4 => Stage::Ipv4Address,
        Family::Ipv6 => Stage::Ipv6Address,
    }
}
