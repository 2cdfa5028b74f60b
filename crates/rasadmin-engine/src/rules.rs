//! Rules: an ordered list, the first that matches decides.

use crate::addresses::PoolId;
use crate::config::file::Period;
use std::collections::BTreeSet;

/// A group, by its place in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub u32);

/// Who is in which group.
#[derive(Debug, Default)]
pub struct Groups {}

/// The compiled rules.
#[derive(Debug, Default)]
pub struct Rules {}

/// What the rules want to know of the ledger, for one user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The user's other live sessions.
    pub user_sessions: bool,
    /// Live sessions of these groups.
    pub groups: BTreeSet<GroupId>,
    /// The user's connect time and octets in these periods.
    pub periods: BTreeSet<Period>,
}

/// A number of other live sessions. While the remote computer (or endpoint) is not yet known, it is not known which of
/// them the new connection replaces: then it lies between two numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// At least so many.
    pub min: u32,
    /// At most so many.
    pub max: u32,
}

/// What a user has used in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Seconds connected, live sessions' elapsed time included.
    pub seconds: u64,
    /// Octets received and sent, told at hangups.
    pub octets: u64,
}

/// What the ledger said, as far as the rules need it. What is not in here was not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerFacts {
    /// The user's other live sessions.
    pub user_sessions: Count,
    /// Live sessions of groups.
    pub groups: Vec<(GroupId, Count)>,
    /// Use in periods.
    pub used: Vec<(Period, Used)>,
}

/// The rules' answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling<'c> {
    /// May it stand?
    pub allow: bool,
    /// The rule that decides; None is the default.
    pub rule: Option<&'c str>,
    /// Its reason.
    pub reason: Option<&'c str>,
    /// It allows for now: a condition asks for what is not yet known.
    pub for_now: bool,
    /// The ledger was away, and the rule's `when_ledger_unavailable` decided.
    pub ledger_away: bool,
    /// The rule's pool.
    pub pool: Option<PoolId>,
    /// The rule's IPv6 pool.
    pub ipv6_pool: Option<PoolId>,
}
