//! Warns when the journal's disk has little free space, before it is full.

use rasadmin_engine::Mono;
use rasadmin_messages::Message;
use rasadmin_system::disk;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The time between two checks, in milliseconds.
const CHECK: u64 = 60_000;

/// The time between two warnings, in milliseconds.
const REPORT: u64 = 3_600_000;

/// The free space on the journal's disk, checked now and then.
pub struct DiskSpace {
    folder: PathBuf,
    /// When to check next, on the monotonic clock.
    next: AtomicU64,
}

impl DiskSpace {
    pub const fn new(folder: PathBuf) -> Self {
        Self { folder, next: AtomicU64::new(0) }
    }

    /// Checks if it is time to, and warns if there is little space.
    pub fn check(&self, now: Mono) {
        // A missing folder is reported elsewhere.
        if let Some(free) = self.low(now, || disk::free_bytes(&self.folder).ok()) {
            Message::LowDiskSpace { free: &(free >> 20), folder: &self.folder.display() }.emit();
        }
    }

    /// Returns the free bytes if there are few and a warning is due.
    fn low(&self, now: Mono, free: impl FnOnce() -> Option<u64>) -> Option<u64> {
        let next = self.next.load(Relaxed);
        // Of several simultaneous calls, one checks.
        if now.0 < next || self.next.compare_exchange(next, now.0 + CHECK, Relaxed, Relaxed).is_err() {
            return None;
        }
        let low = free().filter(|free| *free < disk::LOW)?;
        self.next.store(now.0 + REPORT, Relaxed);
        Some(low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_warns_within_a_minute_and_again_after_an_hour() {
        let disk_space = DiskSpace::new(PathBuf::new());
        let minutes = |minutes: u64| Mono(5_000 + minutes * 60_000);
        let not_due = || -> Option<u64> { panic!("nobody looks now") };
        assert_eq!(disk_space.low(minutes(0), || Some(disk::LOW)), None, "enough");
        assert_eq!(disk_space.low(Mono(minutes(1).0 - 1), not_due), None);
        assert_eq!(disk_space.low(minutes(1), || None), None, "the system does not say");
        assert_eq!(disk_space.low(minutes(2), || Some(disk::LOW - 1)), Some(disk::LOW - 1));
        assert_eq!(disk_space.low(Mono(minutes(62).0 - 1), not_due), None);
        assert_eq!(disk_space.low(minutes(62), || Some(0)), Some(0));
        assert_eq!(disk_space.low(minutes(122), || Some(u64::MAX)), None);
        assert_eq!(disk_space.low(minutes(123), || Some(1)), Some(1));
    }
}
