//! Rules: an ordered list, the first that matches decides.
//!
//! [`GroupsBuilder`] and [`RulesBuilder`] make them of plain values: how a file spells them, and where in it a fault is,
//! is [`config`](crate::config)'s affair. At an event, [`Groups::of`] says in which groups the user is,
//! [`Rules::needs_for`] what must be counted, and [`Rules::decide`] decides; [`Rules::explain`] shows how.
//! `docs/rules.md` says it all to administrators.

pub(crate) mod amounts;
mod build;
mod condition;
mod counted;
mod decide;
mod explain;
mod groups;
pub mod hours;
mod index;
pub(crate) mod lists;
mod name_table;
mod names;
pub(crate) mod networks;
pub mod period;
mod truth;
pub mod users;
mod words;

pub use build::{Condition, NewDefault, NewRule, RulesBuilder};
pub use counted::Counted;
pub use decide::{Outcome, Rules};
pub use explain::{Explained, ExplainedCondition};
pub use groups::{GroupSet, Groups, GroupsBuilder};
pub use names::NamePattern;
pub use period::{days_between, period_dates, period_start};
pub use truth::{Limit, Truth};
pub use users::{UserPattern, parse_exact, parse_user};
pub use words::{Action, IfAbsent, Period, WhenUnrecorded};

use crate::addresses::PoolId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What is wrong with a text, and what would be right: a [`Mistake`](crate::config::Mistake) without its place.
pub type Fault = (String, String);

/// A group, by its place in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub u32);

/// What the rules want counted, for one user.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct Count {
    /// At least so many.
    pub min: u32,
    /// At most so many.
    pub max: u32,
}

/// What a user has used in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct Used {
    /// Seconds connected, live sessions' elapsed time included.
    pub seconds: u64,
    /// Octets received and sent, told at hangups.
    pub octets: u64,
}

/// What was counted, as far as the rules need it. What is not in here was not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The user's other live sessions.
    pub user_sessions: Count,
    /// Live sessions of groups.
    pub groups: Vec<(GroupId, Count)>,
    /// Use in periods.
    pub used: Vec<(Period, Used)>,
}

impl Counts {
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
    /// Is nothing needed?
    pub fn is_empty(&self) -> bool {
        !self.user_sessions && self.groups.is_empty() && self.periods.is_empty()
    }
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
    /// May it stand if it cannot be recorded? The deciding rule's own answer; None: as the configuration says.
    pub when_unrecorded: Option<WhenUnrecorded>,
    /// The rule's pool.
    pub pool: Option<PoolId>,
    /// The rule's IPv6 pool.
    pub ipv6_pool: Option<PoolId>,
}
