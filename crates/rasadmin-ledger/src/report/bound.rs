//! Whether a sum is exact, or a bound.

use super::totals::Total;

/// How a sum compares with the true value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Bound {
    Exact,
    AtLeast,
    AtMost,
    /// It may be too high or too low.
    About,
}

impl Total {
    /// What the time connected is: sessions without an end count until they were last seen, and those that a restart in
    /// their log ended until that restart.
    pub const fn connected_is(&self) -> Bound {
        match (self.without_end > 0, self.ended_at_latest > 0) {
            (false, false) => Bound::Exact,
            (true, false) => Bound::AtLeast,
            (false, true) => Bound::AtMost,
            (true, true) => Bound::About,
        }
    }
}
