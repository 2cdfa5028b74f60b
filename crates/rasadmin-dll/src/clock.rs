//! The time of an event, with its random bytes.

use rasadmin_engine::{Mono, Now, Stamp};

/// The clock that events get their times from.
pub struct Clock(rasadmin_system::clock::Clock);

impl Clock {
    /// The clock of a scratch run, if the environment names one; else the system's.
    pub fn new(scratch: bool) -> Self {
        Self(rasadmin_system::clock::Clock::new(scratch))
    }

    /// Returns the current time.
    pub fn now(&self) -> Now {
        let (time, mono) = self.0.now();
        Now { at: Stamp { time, mono: Mono(mono) }, random: rasadmin_recorder::identifier_bytes() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::PoisonError;

    #[test]
    fn only_a_scratch_run_reads_the_file() {
        let _turn = crate::ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clock");
        std::fs::write(&path, "2001-01-01T00:00:00Z 7").unwrap();
        // SAFETY: every test that reads the environment waits for its turn.
        unsafe { std::env::set_var("RASADMIN_CLOCK", &path) };
        assert_eq!(Clock::new(true).now().at, Stamp { time: 978_307_200_000, mono: Mono(7) });
        assert!(Clock::new(false).now().at.time > 978_307_200_000);
    }
}
