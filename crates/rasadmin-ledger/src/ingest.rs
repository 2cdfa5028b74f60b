//! Ingests the journal into the ledger. A command does this before it reads the ledger.
//!
//! Records are ingested in batches. A batch is one transaction: it reads the cursor, writes the rows, syncs the
//! journal's segments, and moves the cursor. So several processes can ingest at once. If one is killed, nothing is left
//! half done, and the next one continues.

mod cursor;
mod missing;
mod warnings;

use crate::project::Projection;
use crate::sqlite::{Database, Sqlite};
use crate::{Error, ForgetCounts, interrupt};
use cursor::Cursor;
use missing::Newer;
use rasadmin_engine::{Millis, Name};
use rasadmin_journal::{Follower, Item, Position};
use rasadmin_recorder::Decoded;
use std::path::Path;
use std::time::{Duration, Instant};

/// The most records in a transaction.
const BATCH: usize = 1_000;

/// How long a transaction waits for other processes.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was ingested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IngestSummary {
    /// The number of records.
    pub records: u64,
    /// The number of gaps: records that are missing in the journal, or before its oldest segment.
    pub gaps: u64,
    /// True if the ledger did not match the journal, because one of them was restored or copied, so that the journal
    /// was read again from its oldest record. No row is duplicated.
    pub reread: bool,
    /// The number of effects, decisions and events that only a newer version knows. They are skipped.
    pub unknown: u64,
    /// The number of records that could not be read at all. Each is noted as an anomaly.
    pub unreadable: u64,
    /// The rows that purge and anonymise have changed.
    pub forgotten: ForgetCounts,
    /// The last record that the ledger has; None if there is no journal.
    pub position: Option<Position>,
    /// Why the cursor could not be written to the journal's folder. The journal then keeps its segments longer.
    pub cursor_not_written: Option<Error>,
}

impl IngestSummary {
    fn add(&mut self, batch: Self) {
        self.records += batch.records;
        self.gaps += batch.gaps;
        self.reread |= batch.reread;
        self.unknown += batch.unknown;
        self.unreadable += batch.unreadable;
        self.forgotten += batch.forgotten;
        self.position = batch.position.or(self.position);
    }
}

/// A batch, before it is committed.
struct Batch {
    summary: IngestSummary,
    /// Is there more to read?
    more: bool,
    /// Has the cursor moved?
    moved: bool,
    /// Why the journal could not be read further.
    stopped: Option<rasadmin_journal::Error>,
}

impl Sqlite {
    /// Ingests the new records of the journal in `folder`. `server` is the server's name if the journal does not
    /// contain it. After each batch, `progress` gets the summary so far.
    ///
    /// # Errors
    ///
    /// If ledger or journal cannot be used. Batches that were ingested before stay.
    pub fn ingest(
        &mut self,
        folder: &Path,
        server: &Name,
        progress: &mut dyn FnMut(&IngestSummary),
    ) -> Result<IngestSummary, Error> {
        let mut summary = IngestSummary::default();
        let Some(mut follower) = Follower::open(folder)? else { return Ok(summary) };
        let (mut position, mut moved) = (None, false);
        let stopped = loop {
            let batch = self.transact(Instant::now() + PATIENCE, false, |database| {
                batch(database, folder, server, &mut follower, position)
            })?;
            moved |= batch.moved;
            position = batch.summary.position;
            summary.add(batch.summary);
            progress(&summary);
            if !batch.more || interrupt::requested() {
                break batch.stopped;
            }
        };
        if summary.forgotten != ForgetCounts::default() {
            self.shrink_log();
        }
        if let Some(position) = position {
            // The journal deletes segments once every ledger has read them, so the rows must survive a power cut first.
            let journal = position.journal;
            self.transact(Instant::now() + PATIENCE, moved, |database| cursor::note_time(database, journal, now()))?;
            let own = self.database().about("ledger")?;
            summary.cursor_not_written = write_cursor(folder, &own, &position).err().map(Error::from);
        }
        stopped.map_or(Ok(summary), |error| Err(error.into()))
    }
}

/// Writes the ledger's cursor to the journal's folder.
fn write_cursor(folder: &Path, ledger: &str, position: &Position) -> Result<(), rasadmin_journal::Error> {
    let known = rasadmin_journal::cursor::list(folder)?;
    if known.iter().any(|cursor| cursor.ledger == ledger && cursor.position == Some(*position)) {
        return Ok(());
    }
    rasadmin_journal::cursor::write(folder, ledger, position)
}

/// The time of day.
fn now() -> Millis {
    jiff::Timestamp::now().as_millisecond()
}

/// Ingests one batch. `position` is the follower's position, and the cursor's unless another process has moved it.
fn batch(
    database: &Database,
    folder: &Path,
    server: &Name,
    follower: &mut Follower,
    position: Option<Position>,
) -> Result<Batch, Error> {
    let mut summary = IngestSummary::default();
    let kept = cursor::read(database, follower.beginning().journal)?;
    let mut fits = match &kept {
        Some(kept) => Some(kept.position) == position || follower.start_at(&kept.position)?,
        None => false,
    };
    if !fits && let Some(reopened) = Follower::open(folder)? {
        // The follower knows the segments that existed when it was opened. Meanwhile others may have ingested more, and
        // the oldest segments may have been deleted.
        *follower = reopened;
        fits = match &kept {
            Some(kept) => follower.start_at(&kept.position)?,
            None => false,
        };
    }
    let mut newer = None;
    let mut projection = match kept {
        Some(kept) if fits => Projection::new(database, kept.server, kept.live_instance),
        kept => {
            let known = kept.as_ref().map_or(0, |kept| kept.position.number);
            summary.reread = known > 0;
            from_the_oldest(database, folder, server, follower, kept, &mut summary, &mut newer)?
        }
    };
    let start = follower.position();
    let (mut failed, mut read) = (None, Ok(true));
    // If a checkpoint is still to come, the transaction continues to it, so that a process that is killed before starts
    // again.
    while failed.is_none() && matches!(read, Ok(true)) && (summary.records < BATCH as u64 || newer.is_some()) {
        read = follower.read_some(BATCH, |item| {
            if failed.is_none() {
                failed = take(&mut projection, &start, item, &mut newer, &mut summary).err();
            }
        });
    }
    if let Some(error) = failed {
        return Err(error);
    }
    if let Some(Newer { state, .. }) = newer.take_if(|_| !matches!(read, Ok(true))) {
        missing::fill_in(&mut projection, &state)?;
    }
    projection.write_activity()?;
    summary.forgotten = projection.forgotten;
    let position = follower.position();
    let moved = position != start || summary.reread || summary.gaps > 0;
    if moved {
        follower.sync()?;
    }
    let cursor = Cursor { position, server: projection.server.clone(), live_instance: projection.live_instance };
    cursor::keep(database, &cursor, now())?;
    summary.position = Some(position);
    let (more, stopped) = match read {
        Ok(more) => (more, None),
        Err(error) => (false, Some(error)),
    };
    Ok(Batch { summary, more, moved, stopped })
}

/// Starts at the journal's oldest record. Notes what is missing before it, and fills it in from a checkpoint as far as
/// possible.
fn from_the_oldest<'d>(
    database: &'d Database,
    folder: &Path,
    server: &Name,
    follower: &mut Follower,
    kept: Option<Cursor>,
    summary: &mut IngestSummary,
    newer: &mut Option<Newer>,
) -> Result<Projection<'d>, Error> {
    let beginning = follower.beginning();
    // A journal that was begun as a new one continues the numbers of the old one.
    let before = cursor::at(database, beginning.number, beginning.crc)?;
    let had = kept.as_ref().map_or(0, |kept| kept.position.number);
    let named = before.as_ref().or(kept.as_ref()).map_or_else(|| server.clone(), |cursor| cursor.server.clone());
    let live_instance = before.as_ref().and_then(|before| before.live_instance);
    let mut projection = Projection::new(database, named, live_instance);
    if let Some(kept) = kept.filter(|kept| kept.position.number > beginning.number) {
        missing::lost(&mut projection, &kept.position)?;
    }
    if beginning.number > had && before.is_none() {
        summary.gaps += 1;
        missing::before(&mut projection, folder, follower, had, newer)?;
    }
    Ok(projection)
}

/// Ingests one item of the journal.
fn take(
    projection: &mut Projection<'_>,
    start: &Position,
    item: Item<'_>,
    newer: &mut Option<Newer>,
    summary: &mut IngestSummary,
) -> Result<(), Error> {
    let number = match item {
        Item::Gap { first, last } => {
            summary.gaps += 1;
            missing::gap(projection, start.journal, first, last)?;
            last
        }
        Item::Record(record) => {
            summary.records += 1;
            match rasadmin_recorder::decode(record.payload) {
                Ok(Decoded { record, unknown }) => {
                    summary.unknown += unknown;
                    projection.record(&record)?;
                }
                Err(_) => {
                    summary.unreadable += 1;
                    missing::unreadable(projection, start.journal, record.number)?;
                }
            }
            record.number
        }
    };
    if let Some(Newer { state, .. }) = newer.take_if(|newer| newer.number <= number) {
        missing::fill_in(projection, &state)?;
    }
    Ok(())
}
