//! The clock: the system's, or that of a scratch run.
//!
//! The environment variable RASADMIN_CLOCK names a file with one line, `2026-11-23T09:00:00+01:00 32400000`: the time
//! of day (RFC 3339) and the monotonic clock in milliseconds. The file is read at each call. A host that plays a whole
//! day within a second writes it, so that hours, limits and quotas apply as on that day. The host can also change the
//! time of day alone, as an administrator or a time server does. Only a scratch run uses the file.

use crate::monotonic;
use rasadmin_policy::{Millis, parse_time};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The environment variable that names the file.
pub const VARIABLE: &str = "RASADMIN_CLOCK";

/// The source of the time.
#[derive(Clone, Debug)]
pub struct Clock(Option<PathBuf>);

impl Clock {
    /// The clock of a scratch run, if the environment names one; else the system's.
    pub fn new(scratch: bool) -> Self {
        Self::of(std::env::var_os(VARIABLE).filter(|_| scratch).map(PathBuf::from))
    }

    /// The clock in a file; without one, the system's.
    pub const fn of(file: Option<PathBuf>) -> Self {
        Self(file)
    }

    /// The clock in a file that can be read now.
    ///
    /// # Errors
    /// Why it cannot, for people.
    pub fn read(file: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(file).map_err(|e| e.to_string())?;
        match parse(&text) {
            Some(_) => Ok(Self(Some(file.to_owned()))),
            None => Err("expected one line with a time and a number of milliseconds".to_owned()),
        }
    }

    /// Returns the time of day, and the monotonic clock in milliseconds: the file's, or the system's if there is none.
    pub fn now(&self) -> (Millis, u64) {
        let text = self.0.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
        text.as_deref().and_then(parse).unwrap_or_else(system)
    }
}

fn system() -> (Millis, u64) {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (i64::try_from(since.as_millis()).unwrap_or(i64::MAX), monotonic::milliseconds())
}

fn parse(text: &str) -> Option<(Millis, u64)> {
    let (time, mono) = text.trim().split_once(' ')?;
    Some((parse_time(time)?, mono.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_line_has_the_time_of_day_and_the_monotonic_clock() {
        assert_eq!(parse("2026-11-23T09:00:00+01:00 32400000"), Some((1_795_420_800_000, 32_400_000)));
        assert_eq!(parse("2026-11-23T08:00:00Z 0000032400000\n"), Some((1_795_420_800_000, 32_400_000)));
        for bad in ["", "2026-11-23T09:00:00+01:00", "2026-11-23T09:00:00+01:00 x", "yesterday 1", "1 2 3"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_file_is_read_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clock");
        std::fs::write(&path, "2001-01-01T00:00:00Z 0").unwrap();
        let clock = Clock::of(Some(path.clone()));
        assert_eq!(clock.now(), (978_307_200_000, 0));
        std::fs::write(&path, "2000-12-31T23:00:00Z 60000").unwrap();
        assert_eq!(clock.now(), (978_303_600_000, 60_000));
        assert!(Clock::of(None).now().0 > 978_307_200_000);
    }
}
