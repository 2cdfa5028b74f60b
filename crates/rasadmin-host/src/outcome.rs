//! The results of a run: the outcome of each session, and the totals.

use crate::address_doubt::AddressDoubt;
use crate::fill::Tunnel;
use crate::pool::AddressConflict;
use crate::refusal::{Refusal, ReleaseCounts};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// The outcome of one connect.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The session's label.
    pub session: String,
    /// The user, as the connection's structures named them.
    pub user: String,
    /// The tunnel.
    pub tunnel: Tunnel,
    /// Its first port. Empty if it got no addresses.
    pub port: String,
    /// Its IPv4 address.
    pub ipv4: Option<Ipv4Addr>,
    /// Its IPv6 interface identifier.
    pub identifier: Option<[u8; 8]>,
    /// Whether its connection and its first link were accepted.
    pub connected: bool,
    /// Why it was refused, if it was.
    pub refused: Option<Refusal>,
    /// Why it was cut later, if it was.
    pub cut: Option<Refusal>,
    /// Whether pre-authentication callbacks let it in without authentication.
    pub pre_authenticated: bool,
}

/// The kind of a session's outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeKind {
    /// The session was accepted, and not cut later.
    Accepted,
    /// The session got its addresses, and its connection was not asked about.
    Addressed,
    /// The session got no address.
    Refused,
    /// The session's connection or first link was rejected.
    Rejected,
    /// Refused or rejected. Only an expectation can have this kind, if it does not matter which call failed.
    Denied,
    /// The session was accepted, and cut later.
    Cut,
}

impl OutcomeKind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Accepted, Self::Addressed, Self::Refused, Self::Rejected, Self::Denied, Self::Cut];

    /// Its name in a scenario.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Addressed => "addressed",
            Self::Refused => "refused",
            Self::Rejected => "rejected",
            Self::Denied => "denied",
            Self::Cut => "cut",
        }
    }

    /// Whether an outcome meets an expectation of this kind.
    pub fn is_met_by(self, outcome: &Outcome) -> bool {
        let kind = Self::of(outcome);
        kind == self || (self == Self::Denied && matches!(kind, Self::Refused | Self::Rejected))
    }

    /// The kind of an outcome: never [`Denied`](Self::Denied), which is less precise.
    pub fn of(outcome: &Outcome) -> Self {
        match (outcome.refused, outcome.cut) {
            (Some(refused), _) if refused.at_address() => Self::Refused,
            (Some(_), _) => Self::Rejected,
            (None, Some(_)) => Self::Cut,
            (None, None) if outcome.connected => Self::Accepted,
            (None, None) => Self::Addressed,
        }
    }
}

/// The results of a run.
#[derive(Clone, Debug, Default)]
pub struct RunSummary {
    /// The outcome of each connect, in order.
    pub outcomes: Vec<Outcome>,
    /// Further links.
    pub links: Answers,
    /// Reauthentications.
    pub reauthentications: Answers,
    /// Endpoint changes.
    pub endpoint_changes: Answers,
    /// The number of IPv4 addresses given to connections.
    pub ipv4_given: usize,
    /// The number of IPv6 identifiers given to connections.
    pub ipv6_given: usize,
    /// Addresses that were released to a DLL when a session ended.
    pub released: ReleaseCounts,
    /// Addresses that were released to a DLL because the connection was refused.
    pub released_after_refusal: ReleaseCounts,
    /// The largest number of sessions that were online at once.
    pub peak: usize,
    /// Addresses that a DLL chose for one session while another was online with them.
    pub conflicts: Vec<AddressConflict>,
    /// Addresses from a DLL that RRAS accepts and no client can use.
    pub doubts: Vec<AddressDoubt>,
    /// Why the run did not follow the scenario to its end: a service that did not restart, say, or a journal that could not
    /// be locked.
    pub failed: Option<String>,
}

/// How often the DLLs accepted and rejected something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Accepted.
    pub accepted: usize,
    /// Rejected.
    pub rejected: usize,
}

impl Answers {
    pub(crate) fn count(&mut self, accepted: bool) {
        if accepted { self.accepted += 1 } else { self.rejected += 1 }
    }
}

impl RunSummary {
    /// The number of connects that were accepted.
    pub fn accepted(&self) -> usize {
        self.outcomes.iter().filter(|o| o.refused.is_none()).count()
    }

    /// The reasons for which connects were refused or cut, with the number of each. `name` names a DLL.
    pub fn refusals(&self, name: &dyn Fn(usize) -> String) -> BTreeMap<String, usize> {
        let mut reasons = BTreeMap::new();
        for refused in self.outcomes.iter().filter_map(|o| o.refused.or(o.cut)) {
            *reasons.entry(refused.describe(name)).or_insert(0) += 1;
        }
        reasons
    }

    /// The users whom pre-authentication callbacks let in without authentication, each once, in order.
    pub fn let_in_without_authentication(&self) -> Vec<&str> {
        let mut users: Vec<&str> = Vec::new();
        for outcome in self.outcomes.iter().filter(|o| o.pre_authenticated && o.refused.is_none()) {
            if !users.contains(&&*outcome.user) {
                users.push(&outcome.user);
            }
        }
        users
    }
}
