//! What dead processes left in their spools, told in the order in which it happened.
//!
//! The spools of one instance belong together: an address is given in one process, the connection accepted in another.
//! The instance that the ledger knows last is told of first, because the ends of its sessions may be among it; one that
//! the ledger never saw (it was away from its first process to its last) had a beginning of its own, before which
//! everything earlier was over.

use crate::Away;
use crate::spool::Spool;
use crate::sqlite::Batch;
use rasadmin_engine::{Event, Here, Id, Now, Record, Waited, decide, decide_late};
use rasadmin_messages::Message;
use std::collections::VecDeque;
use std::io;
use std::path::Path;

/// An event with its spool's name and its number there.
type Told = (String, u64, Waited);

/// What the processes of one instance left.
#[derive(Debug)]
pub(super) struct Left {
    /// Their spools: to be deleted when all is recorded.
    pub spools: Vec<Spool>,
    instance: Id,
    /// In order.
    told: Vec<Told>,
}

/// Reads the spools that no process holds, those of the earliest instance first.
pub(super) fn read(ledger: &Path) -> io::Result<Vec<Left>> {
    let mut all: Vec<(Left, Vec<VecDeque<Told>>)> = Vec::new();
    for mut spool in Spool::orphans(ledger) {
        let Some(instance) = spool.instance() else { continue };
        let mut told = VecDeque::new();
        for frame in spool.frames()? {
            match serde_json::from_str::<Waited>(&frame.text) {
                Ok(waited) => told.push_back((spool.name().to_owned(), frame.sequence, waited)),
                Err(_) => Message::SpoolRecordNotUnderstood { record: &frame.text }.tell(),
            }
        }
        match all.iter_mut().find(|(left, _)| left.instance == instance) {
            Some((left, tales)) => {
                left.spools.push(spool);
                tales.push(told);
            }
            None => all.push((Left { spools: vec![spool], instance, told: Vec::new() }, vec![told])),
        }
    }
    let mut all: Vec<Left> = all.into_iter().map(|(left, tales)| Left { told: merge(tales), ..left }).collect();
    all.sort_by_key(|left| left.told.first().map(|(_, _, waited)| waited.at.time));
    Ok(all)
}

/// How many events there are.
pub(super) fn count(left: &[Left]) -> usize {
    left.iter().map(|left| left.told.len()).sum()
}

/// Makes the records of what was left, one after another.
pub(super) struct Replay<'a> {
    left: &'a [Left],
    /// The instance that is being told of, and its next event.
    at: (usize, usize),
}

impl<'a> Replay<'a> {
    pub(super) const fn new(left: &'a [Left]) -> Self {
        Self { left, at: (0, 0) }
    }

    /// The next record; None when all is told.
    pub(super) fn next(&mut self, here: &Here<'_>, batch: &mut Batch<'_, '_>) -> Result<Option<Record>, Away> {
        while let Some(left) = self.left.get(self.at.0) {
            let here = Here { instance: left.instance, ..*here };
            if self.at.1 == 0
                && let Some((_, _, first)) = left.told.first()
                && !batch.knows(left.instance)?
            {
                let now = Now { at: first.at, random: left.instance.0.to_be_bytes() };
                let began = Event::InstanceStarted { instance: left.instance };
                return Ok(Some(decide(batch.state(), &here, &began, &now)));
            }
            while let Some((spool, sequence, waited)) = left.told.get(self.at.1) {
                self.at.1 += 1;
                if batch.is_new(spool, *sequence)? {
                    return Ok(Some(decide_late(batch.state(), &here, waited)));
                }
            }
            self.at = (self.at.0 + 1, 0);
        }
        Ok(None)
    }
}

/// Several processes' events as one row: in the order in which they happened, and the order within each process stays.
fn merge(mut tales: Vec<VecDeque<Told>>) -> Vec<Told> {
    let mut merged = Vec::new();
    let key = |tale: &VecDeque<Told>| tale.front().map(|(_, _, waited)| (waited.at.mono, in_one_moment(&waited.event)));
    while let Some(next) = tales.iter_mut().filter(|tale| !tale.is_empty()).min_by_key(|tale| key(tale)) {
        merged.extend(next.pop_front());
    }
    merged
}

/// What comes first of things that two processes did in the same millisecond: what ends, then what begins, an address
/// before its connection.
const fn in_one_moment(event: &Event) -> u8 {
    match event {
        Event::LinkHangup(_) => 0,
        Event::Hangup(_) => 1,
        Event::Release(_) => 2,
        Event::Address(_) => 3,
        _ => 4,
    }
}
