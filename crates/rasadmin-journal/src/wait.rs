//! Waiting for a lock until a deadline.

use crate::Error;
use std::time::{Duration, Instant};

/// How often to yield the processor before the first sleep. Most holders release the lock within microseconds, and the
/// shortest sleep of some systems is a millisecond.
const YIELDS: u32 = 50;

const SHORTEST: Duration = Duration::from_micros(100);
const LONGEST: Duration = Duration::from_millis(1);

/// Tries until it succeeds or the deadline has passed, at least once.
pub fn until<T>(deadline: Instant, mut attempt: impl FnMut() -> Result<Option<T>, Error>) -> Result<T, Error> {
    let mut sleep = SHORTEST;
    for tried in 0_u32.. {
        if let Some(done) = attempt()? {
            return Ok(done);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        if tried < YIELDS {
            std::thread::yield_now();
        } else {
            std::thread::sleep(sleep.min(left));
            sleep = (sleep * 5 / 4).min(LONGEST);
        }
    }
    Err(Error::Locked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tries_once_after_the_deadline_and_again_before() {
        let mut tries = 0;
        let refused = until::<()>(Instant::now(), || {
            tries += 1;
            Ok(None)
        });
        assert!(matches!(refused, Err(Error::Locked)));
        assert_eq!(tries, 1);
        let later = Instant::now() + Duration::from_secs(60);
        let done = until(later, || {
            tries += 1;
            Ok((tries == 200).then_some(tries))
        });
        assert_eq!(done.unwrap(), 200);
        let early = Instant::now();
        let _ = until::<()>(early + Duration::from_millis(20), || Ok(None));
        assert!(early.elapsed() >= Duration::from_millis(20), "not before the deadline");
    }
}
