//! How long to wait for the other side.

use crate::transport::Stream;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The longest wait without a look at whether to stop.
const SLICE: Duration = Duration::from_millis(100);

/// A deadline, which also ends if this process is asked to stop.
#[derive(Clone, Copy, Debug)]
pub struct Patience<'s> {
    until: Instant,
    stop: Option<&'s AtomicBool>,
}

impl<'s> Patience<'s> {
    /// A deadline after this time.
    pub fn of(time: Duration) -> Self {
        Self { until: Instant::now() + time, stop: None }
    }

    /// The same, but it also ends when the flag is set.
    pub fn unless(time: Duration, stop: &'s AtomicBool) -> Self {
        Self { until: Instant::now() + time, stop: Some(stop) }
    }

    /// The time to wait before the next question; an error of the kind `TimedOut` if there is none left.
    pub fn next(&self) -> io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() || self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(left.min(SLICE))
    }
}

/// Reads a stream, with one deadline for all of it.
pub struct Reader<'r>(pub &'r mut Stream, pub &'r Patience<'r>);

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer, self.1)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_ends_in_time_and_when_it_is_asked_to() {
        let stop = AtomicBool::new(false);
        let hour = Patience::unless(Duration::from_secs(3600), &stop);
        assert_eq!(hour.next().unwrap(), SLICE);
        stop.store(true, Ordering::Relaxed);
        assert_eq!(hour.next().unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(Patience::of(Duration::ZERO).next().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
