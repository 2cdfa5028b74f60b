//! Limits how often a message goes to the system's log.

use rasadmin_messages::Id;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The most of one message in a second.
const MOST: u32 = 10;

const SECOND: Duration = Duration::from_secs(1);

/// What was recently written of each message.
#[derive(Debug, Default)]
pub struct Limits(BTreeMap<Id, Lately>);

#[derive(Debug)]
struct Lately {
    since: Instant,
    written: u32,
    left_out: u64,
}

impl Limits {
    /// May the message be written? Call [`Limits::left_out`] with the same time first.
    pub fn admits(&mut self, id: Id, now: Instant) -> bool {
        let lately = self.0.entry(id).or_insert(Lately { since: now, written: 0, left_out: 0 });
        if now.saturating_duration_since(lately.since) >= SECOND {
            *lately = Lately { since: now, written: 0, left_out: lately.left_out };
        }
        if lately.written < MOST {
            lately.written += 1;
            return true;
        }
        lately.left_out += 1;
        false
    }

    /// Takes the numbers of messages left out in seconds that are over; all of them without a time.
    pub fn left_out(&mut self, now: Option<Instant>) -> Vec<(Id, u64)> {
        let over = |since| now.is_none_or(|now| now.saturating_duration_since(since) >= SECOND);
        let some = self.0.iter_mut().filter(|(_, lately)| lately.left_out > 0 && over(lately.since));
        some.map(|(id, lately)| (*id, std::mem::take(&mut lately.left_out))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_a_second_of_each_and_the_rest_is_counted_once() {
        let mut limits = Limits::default();
        let start = Instant::now();
        let admitted = |limits: &mut Limits, id, now| (0..25).filter(|_| limits.admits(id, now)).count();
        assert_eq!(admitted(&mut limits, Id::LinkRefused, start), 10);
        assert_eq!(admitted(&mut limits, Id::PoolExhausted, start), 10);
        assert_eq!(limits.left_out(Some(start)), []);
        let later = start + SECOND;
        assert_eq!(limits.left_out(Some(later)), [(Id::LinkRefused, 15), (Id::PoolExhausted, 15)]);
        assert_eq!(limits.left_out(Some(later)), []);
        assert_eq!(admitted(&mut limits, Id::LinkRefused, later), 10);
        assert_eq!(limits.left_out(None), [(Id::LinkRefused, 15)]);
        // A clock that goes back allows no more.
        assert_eq!(admitted(&mut limits, Id::LinkRefused, start), 0);
    }
}
