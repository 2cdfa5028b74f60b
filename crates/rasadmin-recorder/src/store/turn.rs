//! A turn at the journal: this process holds the lock, and the state contains every record.

use super::{Origin, Store};
use crate::failure::Failure;
use crate::{codec, present, report};
use rasadmin_engine::{Id, Mono, Record, Stamp, State};
use rasadmin_journal::{Error, Guard, Item, Journal, Position};
use std::sync::Arc;
use std::time::Instant;

/// The most bytes of waiting records that are appended at once.
const PORTION: usize = 512 * 1024;

/// What a call can do during its turn.
#[derive(Debug)]
pub struct Turn<'t, 'g> {
    guard: &'t mut Guard<'g>,
    state: &'t mut State,
    token: Id,
}

/// The result of a turn.
#[derive(Debug)]
pub struct Written<T> {
    /// The result of the work.
    pub done: T,
    /// The journal.
    pub journal: Arc<Journal>,
    /// The last record of the journal.
    pub position: Position,
    /// True if waiting records were written that a power cut must not lose.
    pub waited: bool,
}

impl Turn<'_, '_> {
    /// The state, with every record applied.
    pub const fn state(&self) -> &State {
        self.state
    }

    /// The live instance.
    pub const fn instance(&self) -> Id {
        self.token
    }

    /// Writes what could not be synced again, into another segment.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write_again(&mut self) -> Result<(), Error> {
        self.guard.rewrite().map(drop)
    }

    /// Appends a record and applies it.
    ///
    /// # Errors
    ///
    /// If it cannot be recorded. The state is then unchanged.
    pub fn append(&mut self, record: &Record) -> Result<(), Error> {
        if let Ok(payload) = codec::encode(record) {
            self.guard.append(&[&payload])?;
            #[cfg(feature = "torture")]
            crate::torture::at(crate::torture::Point::Appended);
            self.state.apply(record);
        }
        Ok(())
    }
}

impl Store {
    /// Takes a turn at the journal and writes waiting records first. Returns None if nothing can be recorded, also
    /// without an attempt if the last one failed a short time ago. Failures have been reported.
    pub fn turn<T>(
        &mut self,
        origin: Origin<'_>,
        now: Stamp,
        deadline: Instant,
        work: impl FnOnce(&mut Turn<'_, '_>) -> Result<T, Error>,
    ) -> Option<Written<T>> {
        if self.backoff.is_paused(now.mono) || self.membership.has_left() {
            return None;
        }
        let had = self.try_turn(origin, now, deadline, work);
        for notice in self.journal.iter().flat_map(|journal| journal.take_notices()) {
            report::notice(&notice);
        }
        match had {
            Ok(None) => None,
            Ok(Some(written)) => {
                if self.reported.take().is_some() {
                    report::recording_again(&self.folder);
                }
                self.failure = None;
                self.others = None;
                Some(written)
            }
            Err(error) => {
                self.failed(&error, now.mono);
                None
            }
        }
    }

    /// Notes that nothing can be recorded. Until the next attempt, no call waits for the journal.
    pub fn failed(&mut self, error: &Error, now: Mono) {
        let failure = Failure::of(error, &self.folder);
        // Each kind is reported once, because there are many attempts.
        if self.reported.replace(failure.kind) != Some(failure.kind) {
            report::cannot_record(&failure);
        }
        let another = matches!(error, Error::Replaced(_) | Error::Diverged { .. });
        self.replaced |= another;
        if another || matches!(error, Error::NewerVersion { .. }) {
            self.journal = None;
        }
        self.failure = Some(failure);
        // Another journal can be opened at once.
        if !another {
            self.backoff.pause(now);
        }
    }

    fn try_turn<T>(
        &mut self,
        origin: Origin<'_>,
        now: Stamp,
        deadline: Instant,
        work: impl FnOnce(&mut Turn<'_, '_>) -> Result<T, Error>,
    ) -> Result<Option<Written<T>>, Error> {
        let journal = self.opened(origin, deadline)?;
        let mut guard = journal.lock(deadline)?;
        if self.membership.has_left() {
            // It left while this call waited. Another instance begins only after the lock is released.
            return Ok(None);
        }
        #[cfg(feature = "torture")]
        crate::torture::at(crate::torture::Point::Locked);
        self.catch_up(&mut guard)?;
        self.reconcile(&mut guard, origin, now)?;
        let waited = self.write_waiting(&mut guard)?;
        let done = work(&mut Turn { guard: &mut guard, state: &mut self.state, token: self.token })?;
        let position = guard.position();
        drop(guard);
        Ok(Some(Written { done, journal, position, waited }))
    }

    /// Applies what others have appended. Waiting events were decided without it, so they are decided again.
    fn catch_up(&mut self, guard: &mut Guard<'_>) -> Result<(), Error> {
        let Self { state, waiting, stale, .. } = self;
        let mut missing = present::Missing::default();
        let caught = guard.catch_up(|item| {
            if let Item::Record(record) = item
                && !waiting.is_empty()
                && codec::decode(record.payload).is_ok_and(|decoded| waiting.is_there(decoded.record.id))
            {
                // Writing it had failed, but it was recorded after all. Memory has it.
                return;
            }
            // A checkpoint after the gap may contain what is missing.
            *stale |= !waiting.is_empty() || matches!(item, Item::Gap { .. });
            if !*stale {
                present::apply(state, &mut missing, item);
            }
        });
        if missing != present::Missing::default() {
            report::missing(&missing);
        }
        self.stale |= !self.waiting.touched().is_empty();
        caught
    }

    /// Writes waiting records as they were decided, because memory builds on them. Returns true if a power cut must not
    /// lose one of them.
    fn write_waiting(&mut self, guard: &mut Guard<'_>) -> Result<bool, Error> {
        let (mut durable, mut written) = (false, 0);
        while !self.waiting.is_empty() {
            let mut bytes = 0;
            let some: Vec<_> = self
                .waiting
                .iter()
                .take_while(|one| {
                    bytes += one.payload.len();
                    bytes <= PORTION || bytes == one.payload.len()
                })
                .collect();
            durable |= some.iter().any(|one| one.is_durable());
            let payloads: Vec<&[u8]> = some.iter().map(|one| &one.payload[..]).collect();
            let count = payloads.len();
            guard.append(&payloads)?;
            #[cfg(feature = "torture")]
            crate::torture::at(crate::torture::Point::Appended);
            self.waiting.forget(count);
            written += count;
        }
        if written > 0 {
            report::waited_are_recorded(written);
        }
        self.waiting.touched_are_carried();
        self.replaced = false;
        Ok(durable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::membership::Membership;
    use rasadmin_engine::{Context, Event, Mono, Name, Now, Process, config, decide};
    use std::time::Duration;

    #[test]
    fn a_call_that_waited_for_the_lock_beyond_the_end_appends_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rasadmin.toml");
        std::fs::write(&file, "default.action = \"allow\"\n").unwrap();
        let config = Arc::new(config::load(&file).unwrap());
        let now = Now { at: Stamp { time: 1_795_424_400_000, mono: Mono(1) }, random: [7; 16] };
        let membership = Arc::new(Membership::default());
        let mut store = Store::new(&config, now, membership.clone());
        let server = Name::new("VPN1");
        let origin = Origin { config: &config, server: &server, process: Process(1) };
        let deadline = Instant::now() + Duration::from_secs(10);
        assert!(store.turn(origin, now.at, deadline, |_| Ok(())).is_some());
        let before = store.journal.as_ref().unwrap().position();
        membership.leave();
        let late = store.try_turn(origin, now.at, deadline, |turn| {
            let context = Context::new(&config, &server, turn.instance(), Process(1));
            turn.append(&decide(turn.state(), &context, &Event::Lost { events: 1 }, &now))
        });
        assert!(late.unwrap().is_none());
        assert_eq!(store.journal.as_ref().unwrap().position(), before);
        assert!(membership.with(|own| own.is_none()));
    }
}
