//! The time for the dynamic checks of one DLL.

use crate::check::Check;
use std::time::{Duration, Instant};

/// The time for all checks.
#[derive(Debug)]
pub(super) struct Bound {
    begin: Instant,
    whole: Duration,
}

impl Bound {
    /// The time begins now.
    pub(super) fn begin(whole: Duration) -> Self {
        Self { begin: Instant::now(), whole }
    }

    fn left(&self) -> Duration {
        self.whole.saturating_sub(self.begin.elapsed())
    }

    /// Whether it is over.
    pub(super) fn is_over(&self) -> bool {
        self.left().is_zero()
    }

    /// The time for a check, if this many (with this one) are still to run. A check that needs less than its share leaves the
    /// rest to those after it.
    pub(super) fn share(&self, check: Check, waiting: usize) -> Duration {
        match check {
            // Without its result, the others are not worth much.
            Check::AnswersInTime => self.left() / 2,
            _ => self.left() / u32::try_from(waiting.max(1)).unwrap_or(u32::MAX),
        }
    }

    /// Why a check is skipped when the time is over.
    pub(super) fn why(&self) -> String {
        format!("it did not fit into its share of the {} seconds for one DLL (--bound)", self.whole.as_secs_f32())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_shared_by_the_checks_that_wait() {
        let bound = Bound::begin(Duration::from_secs(1000));
        assert!(bound.share(Check::AnswersInTime, 20) > Duration::from_secs(450));
        let share = bound.share(Check::NullPointers, 10);
        assert!(share > Duration::from_secs(90) && share <= Duration::from_secs(100), "{share:?}");
        assert!(bound.share(Check::LoadCycles, 0) > Duration::from_secs(900));
        assert!(!bound.is_over());
        assert!(Bound::begin(Duration::ZERO).is_over());
    }
}
