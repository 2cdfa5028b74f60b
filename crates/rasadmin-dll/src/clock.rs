//! The clock: the system's, or a rehearsal's.
//!
//! RASADMIN_CLOCK names a file with one line, `2026-11-23T09:00:00+01:00 32400000`: the time of day (RFC 3339) and the
//! monotonic clock in milliseconds. It is read at each call. A host that plays a whole day in a second writes it, so
//! that hours, limits and quotas hold as they would on that day; and it can set the time of day without the other, as
//! an administrator or a time server does. It is a door for tests: only a rehearsal's store opens it.

use rasadmin_engine::Now;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Where the time comes from.
pub struct Clock {
    file: Option<PathBuf>,
    /// The first reading, and when it was made: an `Instant` is only made of another.
    first: OnceLock<(Duration, Instant)>,
}

/// What the file says.
#[derive(Debug, PartialEq, Eq)]
struct Reading {
    /// Milliseconds since 1970, UTC.
    time: i64,
    /// Since a moment that does not change while the file is used.
    monotonic: Duration,
}

impl Clock {
    /// As the environment says where this is a rehearsal; else the system's.
    pub fn new(rehearsal: bool) -> Self {
        let file = std::env::var_os("RASADMIN_CLOCK").filter(|_| rehearsal).map(PathBuf::from);
        Self { file, first: OnceLock::new() }
    }

    /// The time now; the system's if the file has none.
    pub fn now(&self) -> Now {
        let text = self.file.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
        match text.as_deref().and_then(parse) {
            Some(Reading { time, monotonic }) => {
                let &(first, begin) = self.first.get_or_init(|| (monotonic, Instant::now()));
                // Never behind the machine's: the deadline of a call, which is real, counts from here.
                let instant = (begin + monotonic.saturating_sub(first)).max(Instant::now());
                Now { time, instant }
            }
            None => Now::system(),
        }
    }
}

fn parse(text: &str) -> Option<Reading> {
    let (time, monotonic) = text.trim().split_once(' ')?;
    let monotonic = Duration::from_millis(monotonic.trim().parse().ok()?);
    Some(Reading { time: rasadmin_engine::parse_time(time)?, monotonic })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_line_has_the_time_of_day_and_the_monotonic_clock() {
        let reading = |text| parse(text).map(|reading| (reading.time, reading.monotonic.as_millis()));
        assert_eq!(reading("2026-11-23T09:00:00+01:00 32400000"), Some((1_795_420_800_000, 32_400_000)));
        assert_eq!(reading("2026-11-23T08:00:00Z 0000032400000\n"), Some((1_795_420_800_000, 32_400_000)));
        for bad in ["", "2026-11-23T09:00:00+01:00", "2026-11-23T09:00:00+01:00 x", "yesterday 1", "1 2 3"] {
            assert_eq!(reading(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_a_rehearsal_heeds_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clock");
        std::fs::write(&path, "2001-01-01T00:00:00Z 0").unwrap();
        // SAFETY: no other test of this program reads the environment.
        unsafe { std::env::set_var("RASADMIN_CLOCK", &path) };
        let clock = Clock::new(true);
        let begin = Instant::now();
        assert_eq!(clock.now().time, 978_307_200_000);
        std::fs::write(&path, "2000-12-31T23:00:00Z 60000").unwrap();
        let after = clock.now();
        assert_eq!(after.time, 978_303_600_000);
        assert!(after.instant >= begin + Duration::from_secs(60), "a minute has passed");
        assert!(Clock::new(false).now().time > 978_307_200_000);
    }
}
