//! On which side of the truth a sum is.

use super::totals::Total;

/// What a sum is, compared with the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Bound {
    Exact,
    AtLeast,
    AtMost,
    /// Too much may be in it, and something may be missing.
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
