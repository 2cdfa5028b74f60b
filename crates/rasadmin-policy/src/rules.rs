//! Rules: an ordered list of which the first that matches decides.
//!
//! [`GroupsBuilder`] and [`RulesBuilder`] build them from plain values. How a file spells them, and where in the file
//! a mistake is, is the task of [`config`](crate::config). At an event, [`Groups::of`] returns the user's groups,
//! [`Rules::needs_for`] returns what must be counted, and [`Rules::decide`] decides. [`Rules::explain`] shows how.
//! docs/rules.md describes the rules for administrators.

pub(crate) mod amounts;
mod build;
mod condition;
mod dates;
mod decide;
mod described;
mod explain;
mod groups;
pub mod hours;
mod index;
mod keywords;
pub(crate) mod lists;
mod name_table;
mod names;
pub(crate) mod networks;
mod overdue;
mod part;
pub mod period;
mod recorded_counts;
mod truth;
pub mod users;

pub use build::{Condition, NewDefault, NewRule, RulesBuilder};
pub use dates::Span;
pub use decide::{Outcome, Rules};
pub use described::Described;
pub use explain::{Explained, ExplainedCondition, NOT_COUNTED};
pub use groups::{GroupSet, Groups, GroupsBuilder};
pub use keywords::{Action, IfAbsent, Period, WhenExceeded, WhenUnrecorded};
pub use names::NamePattern;
pub(crate) use names::Names;
pub(crate) use networks::Networks;
pub use overdue::Overdue;
pub use period::{days_between, period_dates, period_start};
pub use recorded_counts::RecordedCounts;
pub use truth::{Limit, Truth};
pub use users::{UserPattern, parse_exact, parse_user};

use crate::addresses::PoolId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What is wrong with a text, and how to correct it: a [`Mistake`](crate::config::Mistake) without a position.
pub type Fault = (String, String);

/// A group, by its position in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub u32);

/// What must be counted for a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The user's other live sessions.
    pub user_sessions: bool,
    /// Live sessions of these groups.
    pub groups: BTreeSet<GroupId>,
    /// The user's connect time and octets in these periods.
    pub periods: BTreeSet<Period>,
    /// How long the session has lasted.
    pub session_time: bool,
}

/// The number of a user's or a group's other live sessions. While the remote computer (or endpoint) is not yet known,
/// it is open which of them the new connection replaces. Then the number lies between two bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct Count {
    /// The least it can be.
    pub min: u32,
    /// The most it can be.
    pub max: u32,
}

/// A user's use in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct Used {
    /// Seconds connected, live sessions' elapsed time included.
    pub seconds: u64,
    /// Octets received and sent, as reported at hangups.
    pub octets: u64,
}

/// What was counted for the rules. It has only what they asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleCounts {
    /// The user's other live sessions, if they were counted.
    pub user_sessions: Option<Count>,
    /// Live sessions of groups.
    pub groups: Vec<(GroupId, Count)>,
    /// Use in periods.
    pub used: Vec<(Period, Used)>,
    /// How long the session has lasted, in seconds. 0 for one that is about to begin.
    pub session_time: u64,
}

impl RuleCounts {
    /// The live sessions of a group, if it was asked for.
    pub fn group(&self, group: GroupId) -> Option<Count> {
        self.groups.iter().find(|(id, _)| *id == group).map(|&(_, count)| count)
    }

    /// The use in a period, if it was asked for.
    pub fn period(&self, period: Period) -> Option<Used> {
        self.used.iter().find(|(of, _)| *of == period).map(|&(_, used)| used)
    }
}

impl Needs {
    /// Is there nothing to count?
    pub fn is_empty(&self) -> bool {
        !self.user_sessions && self.groups.is_empty() && self.periods.is_empty() && !self.session_time
    }
}

/// The rules' decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling<'c> {
    /// Is it allowed?
    pub allow: bool,
    /// The deciding rule; `None` is the default.
    pub rule: Option<&'c str>,
    /// Its reason.
    pub reason: Option<&'c str>,
    /// It is allowed for now: a condition depends on a fact that is not yet known.
    pub for_now: bool,
    /// How many other sessions the user may keep, if the oldest of the rest are to be disconnected in exchange: a limit is
    /// exceeded, and its rule says so. The smallest such limit counts.
    pub keeps: Option<u64>,
    /// Is it accepted if it cannot be recorded? The deciding rule's own setting; `None` if the configuration decides.
    pub when_unrecorded: Option<WhenUnrecorded>,
    /// The rule's pool.
    pub pool: Option<PoolId>,
    /// The rule's IPv6 pool.
    pub ipv6_pool: Option<PoolId>,
}
