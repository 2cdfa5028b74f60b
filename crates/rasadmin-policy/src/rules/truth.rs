//! Three-valued truth, after Kleene.

use super::IfAbsent;
use crate::{Fact, rules::Count};
use serde::Serialize;

/// Does a condition, or a rule, hold? In this order "and" is the smaller of the two: false beats unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Truth {
    /// It does not.
    False,
    /// That depends on what is not yet known.
    Unknown,
    /// It does.
    True,
}

impl Truth {
    /// A condition on a fact.
    pub(super) fn of<T>(fact: &Fact<T>, if_absent: IfAbsent, holds: impl FnOnce(&T) -> bool) -> Self {
        match fact {
            Fact::Known(value) => holds(value).into(),
            Fact::NotYetKnown => Self::Unknown,
            Fact::Absent => Self::absent(if_absent),
        }
    }

    /// A condition on a fact that is absent.
    pub(super) fn absent(if_absent: IfAbsent) -> Self {
        (if_absent == IfAbsent::Match).into()
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// A bound on a number that may itself be known only to lie between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// It holds from this number on.
    AtLeast(u64),
    /// It holds below this number.
    Below(u64),
}

impl Limit {
    /// Does it hold for a number of at least `min` and at most `max`?
    pub(super) fn holds(self, min: u64, max: u64) -> Truth {
        match self {
            Self::AtLeast(n) if min >= n => Truth::True,
            Self::AtLeast(n) if max < n => Truth::False,
            Self::Below(n) if max < n => Truth::True,
            Self::Below(n) if min >= n => Truth::False,
            Self::AtLeast(_) | Self::Below(_) => Truth::Unknown,
        }
    }

    /// Does it hold for a count of sessions?
    pub(super) fn holds_for(self, count: Count) -> Truth {
        self.holds(count.min.into(), count.max.into())
    }
}
