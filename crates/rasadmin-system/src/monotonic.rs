//! The machine's monotonic clock.
#![allow(unsafe_code)] // The system's own functions for it.

use std::time::Duration;

/// Returns the time since some moment that is the same for all processes on this machine until it restarts, so that two
/// processes can compare readings. Setting the time of day does not affect it. It includes the time during which the
/// machine sleeps, if the system counts that (Windows and Linux do; Wine and other Unix systems do not).
///
/// On Windows this is QueryPerformanceCounter, with a resolution well below a microsecond. On some old machines the
/// counters of the processors differ, so a reading can be lower than an earlier one on another processor: take
/// differences with `saturating_sub`. On Linux it is CLOCK_BOOTTIME.
pub fn monotonic() -> Duration {
    reading()
}

/// Returns the same time in whole milliseconds, as in records.
pub fn milliseconds() -> u64 {
    u64::try_from(monotonic().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(windows)]
fn reading() -> Duration {
    use windows_sys::Win32::System::Performance::{QueryPerformanceCounter, QueryPerformanceFrequency};
    let (mut ticks, mut a_second) = (0_i64, 0_i64);
    // SAFETY: both write one number into what is ours. Neither can fail on Windows XP or later, says its page; the
    // frequency is fixed when the system starts.
    unsafe {
        QueryPerformanceFrequency(&raw mut a_second);
        QueryPerformanceCounter(&raw mut ticks);
    }
    of_ticks(ticks.unsigned_abs(), a_second.unsigned_abs().max(1))
}

/// Converts ticks to a time, without rounding errors and without overflow.
#[cfg(any(windows, test))]
fn of_ticks(ticks: u64, a_second: u64) -> Duration {
    let nanoseconds = u128::from(ticks % a_second) * 1_000_000_000 / u128::from(a_second);
    // Less than a second.
    Duration::new(ticks / a_second, u32::try_from(nanoseconds).unwrap_or(0))
}

#[cfg(unix)]
fn reading() -> Duration {
    #[cfg(target_os = "linux")]
    const CLOCK: libc::clockid_t = libc::CLOCK_BOOTTIME;
    #[cfg(not(target_os = "linux"))]
    const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it writes into what is ours. It fails for a clock that the system does not have: Linux has this one since
    // 2.6.39, others have theirs, and each is common to all processes.
    if unsafe { libc::clock_gettime(CLOCK, &raw mut time) } != 0 {
        // SAFETY: as above. The same in every process of such a machine, so that they still agree.
        unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    }
    // Neither is negative, and the nanoseconds are less than a second.
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_goes_back() {
        let mut last = monotonic();
        let first = last;
        for _ in 0..1_000_000 {
            let now = monotonic();
            assert!(now >= last, "{now:?} after {last:?}");
            last = now;
        }
        assert!(last > first, "and it goes forward");
    }

    #[test]
    fn ticks_become_time_at_any_frequency() {
        assert_eq!(of_ticks(0, 10_000_000), Duration::ZERO);
        assert_eq!(of_ticks(123_456_789, 10_000_000), Duration::new(12, 345_678_900));
        assert_eq!(of_ticks(3_579_545 * 3 + 1, 3_579_545), Duration::new(3, 279));
        assert_eq!(of_ticks(u64::MAX, 1), Duration::new(u64::MAX, 0));
        assert_eq!(of_ticks(u64::MAX, u64::MAX - 1), Duration::new(1, 0));
        assert_eq!(of_ticks(2_999_999_999, 3_000_000_000), Duration::new(0, 999_999_999));
    }
}
