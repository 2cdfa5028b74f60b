//! Octets over time: which sums of live sessions the ledger gets, and when.
//!
//! They are no decision and change no state, so the journal does not get them. [`Follow`](crate::Follow) writes them when
//! it has brought in the records, and a ledger that is busy or broken only means that some are missing.

use crate::monitor::{Seen, Watched};
use rasadmin_engine::Id;
use rasadmin_ledger::sqlite::Sqlite;
use rasadmin_ledger::{Error, MOST_SAMPLES, OctetsSample};
use rasadmin_policy::Millis;
use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// The time between two samples of a session, at first.
const EVERY: Millis = 5 * 60 * 1000;

/// The time between two transactions, each of which has the samples of all sessions that are due.
const ROUND: Millis = 60 * 1000;

/// How long to wait for a ledger that others write.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// Samples what the monitor has seen.
pub struct Samples {
    seen: Seen,
    sampled: HashMap<Id, Sampled>,
    /// The last look of the last round.
    round: Option<Millis>,
}

/// A session, as far as it was sampled.
#[derive(Clone, Copy)]
struct Sampled {
    /// When it was first sampled.
    first: Millis,
    /// When the sums were these, as the ledger has it.
    written: (Millis, [u64; 2]),
    /// When it was last looked whether the sums have changed.
    looked: Millis,
}

/// A session that is due.
#[derive(Clone, Copy)]
struct Due {
    session: Id,
    time: Millis,
    octets: [u64; 2],
}

impl Samples {
    /// Of these sessions.
    pub fn of(seen: Seen) -> Self {
        Self { seen, sampled: HashMap::new(), round: None }
    }

    /// Whether there may be something to write. It says so once in each round.
    pub fn begin_round(&mut self) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(look) = seen.values().map(|watched| watched.listed.time).max() else { return false };
        // The clock may have been set back: then it does not say how long ago the last round was.
        let is_due = self.round.is_none_or(|last| look < last || look - last >= ROUND);
        if is_due {
            self.round = Some(look);
        }
        is_due
    }

    /// Writes what is due, in one transaction. If it fails, the next round tries it again.
    pub fn write(&mut self, ledger: &mut Sqlite) -> Result<(), Error> {
        let seen: Vec<(Id, Watched)> = {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            self.sampled.retain(|session, _| seen.contains_key(session));
            seen.iter().map(|(session, watched)| (*session, *watched)).collect()
        };
        let (mut samples, mut written) = (Vec::new(), Vec::new());
        for (session, watched) in seen {
            let due = Due { session, time: watched.listed.time, octets: watched.counted.octets };
            let sampled = match self.sampled.get(&session) {
                Some(sampled) => *sampled,
                None => *self.sampled.entry(session).or_insert(Sampled::after(&ledger.samples_of(session)?, due.time)),
            };
            if let Some((rows, after)) = sampled.then(&due) {
                samples.extend(rows);
                written.push((session, after));
            }
        }
        if !samples.is_empty() {
            ledger.add_samples(&samples, Instant::now() + PATIENCE)?;
        }
        self.sampled.extend(written);
        Ok(())
    }
}

impl Sampled {
    /// A session that has these samples already, because an earlier service wrote them.
    fn after(samples: &[OctetsSample], now: Millis) -> Self {
        let first = samples.first().map_or(now, |sample| sample.time);
        // At its start, a session has used nothing.
        let written = samples.last().map_or((Millis::MIN, [0, 0]), |sample| (sample.time, sample.octets));
        Self { first, written, looked: written.0 }
    }

    /// What the ledger gets, and what follows from it. None if nothing is due.
    fn then(self, due: &Due) -> Option<(impl Iterator<Item = OctetsSample>, Self)> {
        let Due { session, time, octets } = *due;
        if time.saturating_sub(self.looked) < interval(time.saturating_sub(self.first)) {
            return None;
        }
        let same = (self.looked, self.written.1);
        let sample = move |(time, octets)| OctetsSample { session, time, octets };
        let changed = octets != self.written.1;
        // The end of a pause, without which its last octets would be spread over all of it.
        let end_of_pause = (changed && self.looked > self.written.0).then_some(same);
        let now = changed.then_some((time, octets));
        let after = Self { written: now.unwrap_or(self.written), looked: time, ..self };
        Some((end_of_pause.into_iter().chain(now).map(sample), after))
    }
}

/// The time between two samples of a session of this age: the older it is, the longer. So what the ledger thins out is as
/// far apart as what comes after it.
fn interval(age: Millis) -> Millis {
    let mut interval = EVERY;
    while age / interval >= Millis::from(MOST_SAMPLES) {
        interval = interval.saturating_mul(2);
    }
    interval
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MINUTE: Millis = 60_000;

    /// Minutes and sums of what the ledger gets, if a session has received so much at these minutes.
    fn rows(mut sampled: Sampled, looks: &[(Millis, u64)]) -> Vec<(Millis, u64)> {
        let mut all = Vec::new();
        for (minute, octets) in looks {
            let due = Due { session: Id(1), time: minute * MINUTE, octets: [*octets, 0] };
            let Some((rows, after)) = sampled.then(&due) else { continue };
            all.extend(rows.map(|row| (row.time / MINUTE, row.octets[0])));
            sampled = after;
        }
        all
    }

    #[test]
    fn a_sum_is_written_every_five_minutes_if_it_has_changed() {
        let new = Sampled::after(&[], 0);
        let steady: Vec<_> = (0..=12).map(|minute| (minute, 1 + minute as u64)).collect();
        assert_eq!(rows(new, &steady), [(0, 1), (5, 6), (10, 11)]);
        let quiet: Vec<_> = (0..60).map(|minute| (minute, 7)).collect();
        assert_eq!(rows(new, &quiet), [(0, 7)]);
        assert_eq!(rows(new, &[(0, 0), (5, 0)]), [], "it has not used anything yet");
    }

    #[test]
    fn a_pause_ends_when_it_was_last_seen() {
        let looks = [(0, 7), (5, 7), (10, 7), (15, 9), (20, 9), (25, 9)];
        assert_eq!(rows(Sampled::after(&[], 0), &looks), [(0, 7), (10, 7), (15, 9)]);
    }

    #[test]
    fn another_service_goes_on_with_what_the_ledger_has() {
        let of = |minute: Millis, octets| OctetsSample { session: Id(1), time: minute * MINUTE, octets: [octets, 0] };
        let sampled = Sampled::after(&[of(0, 1), of(5, 6)], 7 * MINUTE);
        assert_eq!(rows(sampled, &[(7, 6), (9, 8), (10, 8), (15, 9)]), [(10, 8), (15, 9)]);
    }

    #[test]
    fn the_interval_doubles_when_the_ledger_thins_out() {
        let most = Millis::from(MOST_SAMPLES);
        assert_eq!([0, most * EVERY - 1].map(interval), [EVERY; 2]);
        assert_eq!([most * EVERY, 2 * most * EVERY - 1].map(interval), [2 * EVERY; 2]);
        assert_eq!(interval(2 * most * EVERY), 4 * EVERY);
        assert!(interval(Millis::MAX) > 0);
        // A month with traffic all the time.
        let minutes: Vec<_> = (0..30 * 24 * 60).map(|minute| (minute, minute as u64 + 1)).collect();
        let rows = rows(Sampled::after(&[], 0), &minutes);
        assert!(rows.len() < 800, "the ledger thins them five times: {}", rows.len());
    }

    #[test]
    fn a_clock_that_is_set_back_only_means_fewer() {
        let looks = [(100, 1), (50, 2), (101, 3), (105, 4)];
        assert_eq!(rows(Sampled::after(&[], 100 * MINUTE), &looks), [(100, 1), (105, 4)]);
    }
}
