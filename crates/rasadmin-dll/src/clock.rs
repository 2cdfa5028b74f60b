//! The clock: the system's, or that of a scratch run.
//!
//! The environment variable RASADMIN_CLOCK names a file with one line, `2026-11-23T09:00:00+01:00 32400000`: the time
//! of day (RFC 3339) and the monotonic clock in milliseconds. The file is read at each call. A host that plays a whole
//! day within a second writes it, so that hours, limits and quotas apply as on that day. The host can also change the
//! time of day alone, as an administrator or a time server does. Only a scratch run uses the file.

use rasadmin_engine::{Mono, Now, Stamp};
use rasadmin_system::monotonic;
use std::path::PathBuf;
use std::time::SystemTime;

/// The source of the time.
pub struct Clock(Option<PathBuf>);

impl Clock {
    /// The clock of a scratch run, if the environment names one; else the system's.
    pub fn new(scratch: bool) -> Self {
        Self(std::env::var_os("RASADMIN_CLOCK").filter(|_| scratch).map(PathBuf::from))
    }

    /// Returns the current time: the file's, or the system's if there is none.
    pub fn now(&self) -> Now {
        let text = self.0.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
        Now {
            at: text.as_deref().and_then(parse).unwrap_or_else(system),
            random: rasadmin_recorder::identifier_bytes(),
        }
    }
}

fn system() -> Stamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let time = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    Stamp { time, mono: Mono(monotonic::milliseconds()) }
}

fn parse(text: &str) -> Option<Stamp> {
    let (time, mono) = text.trim().split_once(' ')?;
    Some(Stamp { time: rasadmin_engine::parse_time(time)?, mono: Mono(mono.trim().parse().ok()?) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::PoisonError;

    #[test]
    fn the_line_has_the_time_of_day_and_the_monotonic_clock() {
        let reading = |text| parse(text).map(|at| (at.time, at.mono.0));
        assert_eq!(reading("2026-11-23T09:00:00+01:00 32400000"), Some((1_795_420_800_000, 32_400_000)));
        assert_eq!(reading("2026-11-23T08:00:00Z 0000032400000\n"), Some((1_795_420_800_000, 32_400_000)));
        for bad in ["", "2026-11-23T09:00:00+01:00", "2026-11-23T09:00:00+01:00 x", "yesterday 1", "1 2 3"] {
            assert_eq!(reading(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_a_scratch_run_reads_the_file() {
        let _turn = crate::ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clock");
        std::fs::write(&path, "2001-01-01T00:00:00Z 0").unwrap();
        // SAFETY: every test that reads the environment waits for its turn.
        unsafe { std::env::set_var("RASADMIN_CLOCK", &path) };
        let clock = Clock::new(true);
        assert_eq!(clock.now().at, Stamp { time: 978_307_200_000, mono: Mono(0) });
        std::fs::write(&path, "2000-12-31T23:00:00Z 60000").unwrap();
        assert_eq!(clock.now().at, Stamp { time: 978_303_600_000, mono: Mono(60_000) });
        assert!(Clock::new(false).now().at.time > 978_307_200_000);
    }
}
