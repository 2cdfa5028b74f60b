//! The clock of a run that plays a whole day in a second: a file with the scenario's time of day and monotonic clock.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The clock's file.
#[derive(Debug)]
pub struct Clock(Mutex<File>);

impl Clock {
    /// Creates the file.
    pub fn create(path: &Path) -> std::io::Result<Self> {
        File::create(path).map(|file| Self(Mutex::new(file)))
    }

    /// Sets the time of day (`time`, in milliseconds since 1970) and the monotonic clock (in milliseconds). The file's text
    /// always has the same length, so a reader never sees only a part of it.
    pub fn set(&self, time: i64, monotonic: u64) {
        let Ok(time) = jiff::Timestamp::from_millisecond(time) else { return };
        let text = format!("{time:.3} {monotonic:013}");
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // If this fails, the DLL uses the system's clock. That is no reason to stop the run.
        let _ = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(text.as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_file_has_both_clocks_in_as_many_characters() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clock");
        let clock = Clock::create(&path).unwrap();
        clock.set(1_795_424_400_005, 32_400_000);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "2026-11-23T09:00:00.005Z 0000032400000");
        clock.set(0, 7);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1970-01-01T00:00:00.000Z 0000000000007");
    }
}
