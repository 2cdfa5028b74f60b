//! Reads the journal, and knows what is in force and what was counted.

use super::families;
use super::tally::Tally;
use crate::settings::Settings;
use crate::state::{Report, State};
use rasadmin_journal::{Error, Follower, Item};
use rasadmin_policy::Millis;
use rasadmin_recorder::{decode, present};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time between two checks of whether the journal's files are still those that are open.
const CHECK: Duration = Duration::from_secs(1);

/// Collects metrics. The duty and the pipe share it.
pub struct Collector {
    settings: Arc<Settings>,
    collected: Mutex<Collected>,
}

/// What was collected.
#[derive(Default)]
pub(super) struct Collected {
    /// None: nothing was recorded yet, or the journal has to be opened again.
    following: Option<Following>,
    pub tally: Tally,
    /// A record that the ledger lacked at this time.
    lacking: Option<(u64, Millis)>,
    /// How far the ledger is behind the journal; None if `follow` does not run, or has brought in nothing yet.
    pub lag: Option<Lag>,
}

/// How far the ledger is behind the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lag {
    pub records: u64,
    pub millis: u64,
}

struct Following {
    follower: Follower,
    state: rasadmin_engine::State,
    checked: Instant,
}

impl Collector {
    /// Nothing is read yet. Counters begin at 0 with the first look.
    pub fn new(settings: Arc<Settings>) -> Self {
        Self { settings, collected: Mutex::default() }
    }

    /// Counts what is new in the journal.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn look(&self, service: &State, now: Millis) -> Result<(), Error> {
        let collected = &mut *self.collected.lock().unwrap_or_else(PoisonError::into_inner);
        self.update(collected, service, now)
    }

    /// Looks, and returns the metrics in Prometheus' text format.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn text(&self, service: &State, now: Millis) -> Result<String, Error> {
        let collected = &mut *self.collected.lock().unwrap_or_else(PoisonError::into_inner);
        self.update(collected, service, now)?;
        Ok(families::text(&self.settings, service, collected))
    }

    fn update(&self, collected: &mut Collected, service: &State, now: Millis) -> Result<(), Error> {
        match collected.read_on() {
            Ok(()) => {}
            // The journal was moved, restored or repaired.
            Err(Error::Replaced(_) | Error::Diverged { .. }) => collected.following = None,
            Err(error) => {
                collected.following = None;
                return Err(error);
            }
        }
        if collected.following.is_none() {
            collected.following = Following::open(&self.settings)?;
        }
        collected.measure_lag(service, now);
        Ok(())
    }
}

impl Following {
    fn open(settings: &Settings) -> Result<Option<Self>, Error> {
        let Some(present) = present::read(&settings.journal)? else { return Ok(None) };
        let Some(mut follower) = Follower::open(&settings.journal)? else { return Ok(None) };
        // Otherwise it was replaced just now, and the next look finds the new one.
        let there = follower.start_at(&present.position)?;
        Ok(there.then(|| Self { follower, state: present.state, checked: Instant::now() }))
    }
}

impl Collected {
    /// The state of the journal; None if nothing was recorded yet.
    pub fn state(&self) -> Option<&rasadmin_engine::State> {
        self.following.as_ref().map(|following| &following.state)
    }

    fn read_on(&mut self) -> Result<(), Error> {
        let Some(Following { follower, state, checked }) = &mut self.following else { return Ok(()) };
        if checked.elapsed() >= CHECK {
            *checked = Instant::now();
            follower.check()?;
        }
        follower.read(|item| {
            // `follow` reports records that are damaged or come from a newer program.
            let Item::Record(record) = item else { return };
            let Ok(decoded) = decode(record.payload) else { return };
            self.tally.record(&decoded.record, state);
            state.apply(&decoded.record);
        })
    }

    /// How old is the oldest record that the ledger lacks? Only one such record is remembered, so it may be older than
    /// this says, by the time that the ledger needed for the one before.
    fn measure_lag(&mut self, service: &State, now: Millis) {
        let brought = service.duties.iter().find_map(|duty| match &duty.report {
            Report::Follow(follow) => follow.record,
            _ => None,
        });
        let (Some(brought), Some(following)) = (brought, &self.following) else {
            (self.lacking, self.lag) = (None, None);
            return;
        };
        let there = following.follower.position().number;
        self.lacking = self.lacking.filter(|(number, _)| *number > brought && *number <= there);
        if there > brought && self.lacking.is_none() {
            self.lacking = Some((there, now));
        }
        let millis = self.lacking.map_or(0, |(_, since)| now.saturating_sub(since).max(0).unsigned_abs());
        self.lag = Some(Lag { records: there.saturating_sub(brought), millis });
    }
}
