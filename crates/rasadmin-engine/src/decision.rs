//! Decisions and their reasons.

use crate::effect::{BlockSubject, Origin};
use crate::now::Id;
use crate::{Facts, Identity, Millis, Stage};
use rasadmin_policy::addresses::Family;
use rasadmin_policy::rules::RecordedCounts;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The answer to RRAS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// No answer: the event asks for none.
    Nothing,
    /// The connection, link or change is accepted.
    Accept,
    /// It is rejected. The decision says why.
    Reject,
    /// The user gets this address.
    Address(Given),
    /// The user gets any offer of RRAS's own.
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
    /// The time of the event.
    pub time: Millis,
    /// The stage at which the rules were asked.
    pub stage: Stage,
    /// Is it allowed?
    pub allow: bool,
    /// It is allowed for now: a condition depends on a fact that is not yet known.
    pub for_now: bool,
    /// The name of the deciding rule; `None` if the default or the engine decided.
    pub rule: Option<String>,
    /// The reason given by the rule or the default.
    pub reason: Option<String>,
    /// Why the engine refused, instead of the rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// A pool that had no address left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exhausted: Option<String>,
    /// The hash of the configuration.
    pub config: String,
    /// The user's oldest sessions, if a limit is exceeded and they are to be disconnected in exchange for this one. This
    /// is recorded when the newcomer is accepted for good. Until somebody disconnects them, they count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<Id>,
    /// The known facts.
    pub facts: Facts,
    /// The user's groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// What was counted, as far as the rules needed it.
    pub counted: RecordedCounts,
}

impl Decision {
    /// The outcome as the ledger writes it.
    pub const fn outcome(&self) -> &'static str {
        match (self.allow, self.for_now) {
            (true, true) => "allow for now",
            (true, false) => "allow",
            (false, _) => "deny",
        }
    }

    /// The reason as text: the engine's, or else the rule's.
    pub fn why(&self) -> Option<String> {
        self.refusal.as_ref().map(ToString::to_string).or_else(|| self.reason.clone())
    }
}

/// Why the engine refuses, instead of the rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The user's reservation is held by another of the user's sessions, and the configuration says to refuse then.
    ReservationHeld,
    /// The pool and those chained to it had no address left.
    Exhausted {
        /// The pool's name.
        pool: String,
    },
    /// RRAS's offer would be kept, but it cannot be used or there is none.
    Offer {
        /// Why the offer would be kept.
        because: OfferBecause,
        /// What is wrong with it.
        fault: OfferFault,
    },
    /// The address was given to a name that turned out to mean another user.
    AnothersAddress {
        /// The user that it was given to.
        given_to: Option<Identity>,
    },
    /// An administrator or the service has blocked the user or the computer. The rules may also deny.
    Blocked {
        /// When the block ends; `None` if it stays until it is lifted.
        until: Option<Millis>,
        /// The reason of the block.
        reason: Option<String>,
        /// Who is blocked. Records from before there were blocks of computers lack it: then it is the user.
        #[serde(default)]
        subject: Option<BlockSubject>,
    },
    /// The event cannot be recorded, and the deciding rule or the configuration denies new connections then.
    Unrecorded,
}

impl Refusal {
    /// Is it a block? A block comes before the rules.
    pub const fn is_block(&self) -> bool {
        matches!(self, Self::Blocked { .. })
    }

    /// Its kind, as the ledger writes it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ReservationHeld => "reservation-held",
            Self::Exhausted { .. } => "exhausted",
            Self::Offer { .. } => "offer",
            Self::AnothersAddress { .. } => "anothers-address",
            Self::Blocked { .. } => "blocked",
            Self::Unrecorded => "unrecorded",
        }
    }
}

/// Why RRAS's offer would be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OfferBecause {
    /// No pool serves the user.
    NoPool,
    /// The pool is exhausted, and is configured to keep RRAS's offer then.
    Exhausted {
        /// The pool's name.
        pool: String,
    },
}

/// Why RRAS's offer cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OfferFault {
    /// RRAS offers no address.
    Nothing,
    /// RRAS offers the server's own address.
    Server,
    /// RRAS offers an identifier that is reserved for other uses (RFC 5453).
    ReservedIdentifier,
    /// RRAS offers an address that is reserved for another user.
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
            Self::Blocked { reason, subject, .. } => {
                f.write_str(match subject {
                    Some(BlockSubject::User(user)) if user.is_computer() => "the computer's account is blocked",
                    Some(BlockSubject::User(_)) | None => "the user is blocked",
                    Some(BlockSubject::ClaimedComputer(_)) => "the computer name is blocked",
                })?;
                reason.as_ref().map_or(Ok(()), |reason| write!(f, ": {reason}"))
            }
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
            Self::Reserved => "RRAS's offer is reserved for another user",
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
