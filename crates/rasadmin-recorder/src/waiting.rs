//! Events that were answered and could not be recorded yet.

use rasadmin_engine::{Effect, Id, LateEvent, Record};
use std::collections::{BTreeSet, VecDeque};

/// How many bytes of records wait at most.
const MOST: usize = 8 * 1024 * 1024;

/// How many sessions and leases are remembered of lost events.
const MOST_TOUCHED: usize = 200_000;

/// What waits, in order.
#[derive(Debug, Default)]
pub struct Waiting {
    all: VecDeque<Unwritten>,
    bytes: usize,
    lost: u64,
    /// The sessions and leases that lost events touched.
    touched: BTreeSet<Id>,
}

/// An event that waits.
#[derive(Debug)]
pub struct Unwritten {
    /// What was decided from memory, and applied to the state there.
    pub record: Record,
    /// The same as the journal would have it.
    pub payload: Vec<u8>,
}

impl Unwritten {
    /// The event with the answer that stands.
    pub fn waited(&self) -> LateEvent {
        let Record { at, id, event, decision, answer, .. } = &self.record;
        LateEvent {
            at: *at,
            random: id.0.to_be_bytes(),
            event: event.clone(),
            decision: decision.clone(),
            answer: answer.clone(),
        }
    }

    /// Is it what a power cut would make us regret?
    pub fn is_durable(&self) -> bool {
        self.record.is_durable()
    }
}

impl Waiting {
    /// One more waits, if there is room for it. If not, it is lost, and this is false.
    pub fn push(&mut self, record: Record, payload: Vec<u8>) -> bool {
        if self.bytes.saturating_add(payload.len()) > MOST {
            self.lost += 1;
            let room = MOST_TOUCHED.saturating_sub(self.touched.len());
            self.touched.extend(record.effects.iter().flat_map(subjects).flatten().take(room));
            return false;
        }
        self.bytes += payload.len();
        self.all.push_back(Unwritten { record, payload });
        true
    }

    /// It turned out to be recorded, though writing it had failed: true if it was the next.
    pub fn is_there(&mut self, id: Id) -> bool {
        let next = self.all.front().is_some_and(|next| next.record.id == id);
        if next {
            self.forget(1);
        }
        next
    }

    /// The first ones were recorded.
    pub fn forget(&mut self, count: usize) {
        for gone in self.all.drain(..count.min(self.all.len())) {
            self.bytes = self.bytes.saturating_sub(gone.payload.len());
        }
    }

    /// The sessions and leases that lost events touched, and that are not carried yet.
    pub const fn touched(&self) -> &BTreeSet<Id> {
        &self.touched
    }

    /// They are on record as memory has them.
    pub fn touched_are_carried(&mut self) {
        self.touched.clear();
    }

    /// All of them, to be decided again; what was lost stays lost.
    pub fn take(&mut self) -> Vec<Unwritten> {
        self.bytes = 0;
        self.all.drain(..).collect()
    }

    /// One that was decided again, in its turn: it had room before.
    pub fn put_back(&mut self, record: Record, payload: Vec<u8>) {
        self.bytes += payload.len();
        self.all.push_back(Unwritten { record, payload });
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = &Unwritten> {
        self.all.iter()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Does nothing wait?
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Events that were lost and are on no record.
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// So many more are lost.
    pub const fn lose(&mut self, events: u64) {
        self.lost = self.lost.saturating_add(events);
    }

    /// So many of them are on record now.
    pub const fn lost_are_told(&mut self, events: u64) {
        self.lost = self.lost.saturating_sub(events);
    }
}

/// Whom an effect is about: a session, a lease.
fn subjects(effect: &Effect) -> [Option<Id>; 2] {
    match effect {
        Effect::SessionBegan(began) => [Some(began.session), None],
        Effect::SessionEnded(ended) => [Some(ended.session), None],
        Effect::LinkBegan(link) => [Some(link.session), None],
        Effect::SessionEstablished { session, .. }
        | Effect::SessionReplaced { session, .. }
        | Effect::SessionAlive { session }
        | Effect::SessionRevived { session, .. }
        | Effect::LinkEnded { session, .. } => [Some(*session), None],
        Effect::LeaseBegan(began) => [None, Some(began.lease)],
        Effect::LeaseTaken { lease, session, .. } => [Some(*session), Some(*lease)],
        Effect::LeaseHeld { lease, .. }
        | Effect::LeaseWaits { lease, .. }
        | Effect::LeaseReleaseSeen { lease }
        | Effect::LeaseEnded { lease, .. } => [None, Some(*lease)],
        _ => [None, None],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rasadmin_engine::{Answer, Event, Process, Stamp};

    fn record(id: u128) -> Record {
        let event = Event::Lost { events: 1 };
        let (at, instance, process) = (Stamp::default(), Id(1), Process(1));
        let (decision, answer, session, effects) = (None, Answer::Nothing, None, Vec::new());
        Record { at, id: Id(id), instance, process, late: false, event, decision, answer, session, effects }
    }

    #[test]
    fn what_has_no_room_is_lost_and_counted() {
        let mut waiting = Waiting::default();
        assert!(waiting.push(record(1), vec![0; MOST - 10]));
        assert!(!waiting.push(record(2), vec![0; 11]));
        assert!(waiting.push(record(3), vec![0; 10]));
        assert_eq!((waiting.len(), waiting.lost()), (2, 1));
        waiting.forget(1);
        assert!(waiting.push(record(4), vec![0; 11]), "there is room again");
    }

    #[test]
    fn only_the_next_one_turns_out_to_be_there() {
        let mut waiting = Waiting::default();
        waiting.push(record(1), vec![1]);
        waiting.push(record(2), vec![2]);
        assert!(!waiting.is_there(Id(2)));
        assert!(waiting.is_there(Id(1)));
        assert!(waiting.is_there(Id(2)));
        assert!(waiting.is_empty());
    }
}
