//! The clock: the system's, or a rehearsal's.
//!
//! RASADMIN_CLOCK names a file with one time (RFC 3339); it is read at each call. A host that plays a whole day in a
//! second writes it, so that hours, limits and quotas hold as they would on that day.

use rasadmin_engine::Now;
use std::path::PathBuf;
use std::time::Instant;

/// Where the time comes from.
pub struct Clock(Option<PathBuf>);

impl Clock {
    /// As the environment says.
    pub fn new() -> Self {
        Self(std::env::var_os("RASADMIN_CLOCK").map(PathBuf::from))
    }

    /// The time now; the system's if the file has none.
    pub fn now(&self) -> Now {
        let Some(text) = self.0.as_ref().and_then(|path| std::fs::read_to_string(path).ok()) else {
            return Now::system();
        };
        match rasadmin_engine::parse_time(text.trim()) {
            Some(time) => Now { time, instant: Instant::now() },
            None => Now::system(),
        }
    }
}
