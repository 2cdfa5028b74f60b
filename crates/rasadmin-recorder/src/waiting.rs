//! Events that were answered from memory and wait to be recorded.

use rasadmin_engine::{Effect, Id, LateEvent, Record};
use std::collections::{BTreeSet, VecDeque};

/// The most bytes of waiting records.
const MOST: usize = 8 * 1024 * 1024;

/// The most sessions and leases of lost events that are remembered.
const MOST_TOUCHED: usize = 200_000;

/// The waiting events, in order.
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
    /// The record that was decided from memory and applied to the state in memory.
    pub record: Record,
    /// The record as bytes for the journal.
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

    /// Must a power cut not lose it?
    pub fn is_durable(&self) -> bool {
        self.record.is_durable()
    }
}

impl Waiting {
    /// Adds an event. Returns false if there is no room; the event is then lost.
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

    /// Removes the next event if it has this id: it was recorded although writing it had failed. Returns true if so.
    pub fn is_there(&mut self, id: Id) -> bool {
        let next = self.all.front().is_some_and(|next| next.record.id == id);
        if next {
            self.forget(1);
        }
        next
    }

    /// Removes the first events, which have been recorded.
    pub fn forget(&mut self, count: usize) {
        for gone in self.all.drain(..count.min(self.all.len())) {
            self.bytes = self.bytes.saturating_sub(gone.payload.len());
        }
    }

    /// The sessions and leases that lost events touched and that are not recorded again yet.
    pub const fn touched(&self) -> &BTreeSet<Id> {
        &self.touched
    }

    /// Notes that these sessions and leases have been recorded as they are in memory.
    pub fn touched_are_carried(&mut self) {
        self.touched.clear();
    }

    /// Takes all events, to be decided again. Lost events stay lost.
    pub fn take(&mut self) -> Vec<Unwritten> {
        self.bytes = 0;
        self.all.drain(..).collect()
    }

    /// Puts back an event that was decided again. It always has room.
    pub fn put_back(&mut self, record: Record, payload: Vec<u8>) {
        self.bytes += payload.len();
        self.all.push_back(Unwritten { record, payload });
    }

    /// Iterates over the events in order.
    pub fn iter(&self) -> impl Iterator<Item = &Unwritten> {
        self.all.iter()
    }

    /// The number of waiting events.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Are no events waiting?
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The number of lost events that are not recorded.
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// Counts more lost events.
    pub const fn lose(&mut self, events: u64) {
        self.lost = self.lost.saturating_add(events);
    }

    /// Subtracts lost events whose number is now recorded.
    pub const fn lost_are_recorded(&mut self, events: u64) {
        self.lost = self.lost.saturating_sub(events);
    }
}

/// The session and the lease that an effect is about.
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
        let (decision, answer, session) = (None, Answer::Nothing, None);
        let (effects, took) = (Vec::new(), Vec::new());
        Record { at, id: Id(id), instance, process, late: false, event, decision, answer, session, effects, took }
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
