//! Three-valued truth, after Kleene.

use super::IfAbsent;
use crate::{Fact, rules::Count};
use serde::{Deserialize, Serialize};

/// Does a condition or a rule hold? The order is such that "and" is the smaller of the two: false beats unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Truth {
    /// It does not hold.
    False,
    /// It depends on a fact that is not yet known.
    Unknown,
    /// It holds.
    True,
}

impl Truth {
    /// Evaluates a condition on a fact.
    pub(super) fn of<T>(fact: &Fact<T>, if_absent: IfAbsent, holds: impl FnOnce(&T) -> bool) -> Self {
        match fact {
            Fact::Known(value) => holds(value).into(),
            Fact::NotYetKnown => Self::Unknown,
            Fact::Absent => Self::absent(if_absent),
        }
    }

    /// Evaluates a condition on an absent fact.
    pub(super) fn absent(if_absent: IfAbsent) -> Self {
        (if_absent == IfAbsent::Match).into()
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// A limit for a number. The number may only be known to lie between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Holds for this number and above.
    AtLeast(u64),
    /// Holds below this number.
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

    /// The largest number for which it does not hold, if there is one.
    pub(super) fn exceeded_above(self) -> Option<u64> {
        match self {
            Self::AtLeast(n) => n.checked_sub(1),
            Self::Below(_) => None,
        }
    }

    /// Does it hold for a count of sessions?
    pub(super) fn holds_for(self, count: Count) -> Truth {
        self.holds(count.min.into(), count.max.into())
    }
}
