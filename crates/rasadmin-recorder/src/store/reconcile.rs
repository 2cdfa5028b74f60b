//! Reconciles memory and journal after events could not be recorded, or after the journal was replaced.

use super::{Origin, Store};
use crate::{codec, present, report};
use rasadmin_engine::{Event, Now, Record, Scope, Stamp, State, decide_carried, decide_late};
use rasadmin_journal::{Error, Follower, Guard, Item};
use std::mem;

/// The most effects in one record, because a record must fit into a segment.
const PORTION: usize = 1_000;

impl Store {
    /// Joins the instance, and makes the state that of the journal plus the waiting events. The journal must be locked,
    /// so that it does not change meanwhile.
    ///
    /// # Errors
    ///
    /// If the journal cannot be read, or the instance's start cannot be written. Memory is then unchanged.
    pub(super) fn reconcile(&mut self, guard: &mut Guard<'_>, origin: Origin<'_>, now: Stamp) -> Result<(), Error> {
        let mut memory = None;
        if self.stale {
            let present = present::read(&self.folder)?;
            let (state, checkpoint) = present.map_or((State::new(), 0), |present| (present.state, present.checkpoint));
            (self.checkpoint, self.begun) = (checkpoint, checkpoint);
            memory = Some(mem::replace(&mut self.state, state));
            self.state.derive(origin.config);
        }
        let mut joined = self.join(guard, origin);
        if memory.is_some() || !self.stale {
            joined = joined.and_then(|()| self.end_gone(guard, origin, now));
        }
        match (joined, memory) {
            (Err(error), memory) => {
                if let Some(memory) = memory {
                    self.state = memory;
                }
                Err(error)
            }
            (Ok(()), Some(memory)) => {
                self.decide_again(&memory, origin, now);
                self.stale = false;
                Ok(())
            }
            // This process belongs to another process's instance, which has recorded something else.
            (Ok(()), None) if self.stale => self.reconcile(guard, origin, now),
            (Ok(()), None) => Ok(()),
        }
    }

    /// Reads what other processes of the instance have recorded, so that decisions from memory take it into account.
    pub(super) fn read_others(&mut self, origin: Origin<'_>, now: Stamp) {
        let Self { others, journal, waiting, folder, .. } = self;
        if others.is_none()
            && let Some(journal) = journal
            && let Ok(Some(mut follower)) = Follower::open(folder)
            && follower.start_at(&journal.position()).unwrap_or(false)
        {
            *others = Some(follower);
        }
        let Some(follower) = others else { return };
        let mut heard = false;
        let read = follower.read(|item| {
            let own = |record: Record| waiting.iter().any(|one| one.record.id == record.id);
            heard |= match item {
                Item::Record(record) => !codec::decode(record.payload).is_ok_and(|decoded| own(decoded.record)),
                Item::Gap { .. } => true,
            };
        });
        if read.is_err() {
            *others = None;
        }
        if !heard {
            return;
        }
        if let Ok(Some(present)) = present::read(folder)
            && present.state.instance() == Some(self.token)
        {
            let memory = mem::replace(&mut self.state, present.state);
            self.state.derive(origin.config);
            self.decide_again(&memory, origin, now);
            // The next turn reads it from the journal again.
            self.stale = true;
        }
    }

    /// Decides waiting events again. Their answers stay; their effects touch only what began before them. Records for
    /// what else memory has come after them.
    fn decide_again(&mut self, memory: &State, origin: Origin<'_>, now: Stamp) {
        let context = origin.context(self.token);
        for one in self.waiting.take() {
            // The instance has begun already, and carried effects are computed again below.
            if !matches!(one.record.event, Event::InstanceStarted { .. } | Event::Carried) {
                let mut record = decide_late(&self.state, &context, &one.waited());
                record.took.clone_from(&one.record.took);
                self.put_back(record);
            }
        }
        let scope = match self.waiting.touched() {
            _ if self.replaced => Scope::Lacking,
            touched if !touched.is_empty() => Scope::Only(touched.clone()),
            _ => return,
        };
        let now = Now { at: now, random: crate::identifier_bytes() };
        let mut carried = decide_carried(&self.state, memory, &scope, &context, &now);
        if carried.effects.is_empty() {
            return;
        }
        report::carried(carried.effects.len());
        let effects = mem::take(&mut carried.effects);
        for (part, effects) in effects.chunks(PORTION).enumerate() {
            let id = rasadmin_engine::Id(carried.id.0 ^ part as u128);
            self.put_back(Record { id, effects: effects.to_vec(), ..carried.clone() });
        }
    }

    fn put_back(&mut self, record: Record) {
        self.state.apply(&record);
        if let Ok(payload) = codec::encode(&record) {
            self.waiting.put_back(record, payload);
        }
    }
}
