//! What dead processes left in their spools, told in the order in which it happened.
//!
//! The spools of one instance belong together: an address is given in one process, the connection accepted in another.
//! The instance that the ledger knows last is told of first, because the ends of its sessions may be among it; one that
//! the ledger never saw (it was away from its first process to its last) had a beginning of its own, before which
//! everything earlier was over.

use crate::event::{Record, What};
use crate::ledger::spool::Spool;
use crate::ledger::{Away, Millis};
use crate::record::Book;
use rasadmin_messages::Message;
use std::collections::VecDeque;
use std::io;
use std::path::Path;

/// A record with its spool's name and its number there.
type Told = (String, u64, Record);

/// What the processes of one instance left.
#[derive(Debug)]
pub(super) struct Left {
    /// Their spools: to be deleted when all is recorded.
    pub spools: Vec<Spool>,
    instance: String,
    /// In order.
    records: Vec<Told>,
}

/// Reads the spools that no process holds, those of the earliest instance first.
pub(super) fn read(ledger: &Path) -> io::Result<Vec<Left>> {
    let mut all: Vec<(Left, Vec<VecDeque<Told>>)> = Vec::new();
    for mut spool in Spool::orphans(ledger) {
        let mut told = VecDeque::new();
        for frame in spool.frames()? {
            match serde_json::from_str::<Record>(&frame.text) {
                Ok(record) => told.push_back((spool.name().to_owned(), frame.sequence, record)),
                Err(_) => Message::SpoolRecordNotUnderstood { record: &frame.text }.tell(),
            }
        }
        let instance = spool.instance().to_owned();
        match all.iter_mut().find(|(left, _)| left.instance == instance) {
            Some((left, tales)) => {
                left.spools.push(spool);
                tales.push(told);
            }
            None => all.push((Left { spools: vec![spool], instance, records: Vec::new() }, vec![told])),
        }
    }
    let mut all: Vec<Left> = all.into_iter().map(|(left, tales)| Left { records: merge(tales), ..left }).collect();
    all.sort_by_key(|left| left.begins());
    Ok(all)
}

impl Left {
    fn begins(&self) -> Option<Millis> {
        self.records.first().map(|(_, _, record)| record.time)
    }

    /// Records it all; how many there were.
    pub(super) fn replay(&self, book: &mut Book<'_>) -> Result<usize, Away> {
        let Some(begins) = self.begins() else { return Ok(0) };
        book.time = begins;
        book.instance = match book.ledger.instance(book.server, &self.instance)? {
            Some(known) => known,
            None => {
                book.clean_up()?;
                book.ledger.begin_instance(book.server, &self.instance, begins)?
            }
        };
        for (spool, sequence, record) in &self.records {
            if book.ledger.replaying(spool, *sequence)? {
                book.time = record.time;
                book.replay(record)?;
            }
        }
        book.ledger.touch_instance(book.instance, book.time)?;
        Ok(self.records.len())
    }
}

/// Several processes' records as one row: by their time, and the order within each process stays, whatever its clock did.
fn merge(mut tales: Vec<VecDeque<Told>>) -> Vec<Told> {
    let mut merged = Vec::new();
    let key = |tale: &VecDeque<Told>| tale.front().map(|(_, _, record)| (record.time, in_one_moment(&record.what)));
    while let Some(next) = tales.iter_mut().filter(|tale| !tale.is_empty()).min_by_key(|tale| key(tale)) {
        merged.extend(next.pop_front());
    }
    merged
}

/// What comes first of things that two processes did in the same millisecond: what ends, then what begins, an address
/// before its connection.
fn in_one_moment(what: &What) -> u8 {
    match what {
        What::LinkHangup { .. } => 0,
        What::Hangup { .. } => 1,
        What::Release { .. } => 2,
        What::Address { .. } => 3,
        What::Connection { .. } | What::Link { .. } | What::Again { .. } => 4,
    }
}
