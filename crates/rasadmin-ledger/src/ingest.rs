//! Bringing the journal into the ledger. A command does it before it reads the ledger.
//!
//! Records come in batches. A batch is one transaction: the cursor is read in it, the rows are written, the journal's
//! segments are synced, and the cursor is moved. So several processes can do it at once. If one is killed, nothing is
//! left half done, and the next continues where it was.

mod cursor;
mod missing;

use crate::project::Projection;
use crate::sqlite::{Database, Sqlite};
use crate::{Error, ForgetCounts};
use cursor::Cursor;
use missing::Newer;
use rasadmin_engine::{Millis, Name};
use rasadmin_journal::{Follower, Item, Position};
use rasadmin_recorder::Decoded;
use std::path::Path;
use std::time::{Duration, Instant};

/// Records a transaction.
const BATCH: usize = 1_000;

/// How long a transaction waits for others'.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IngestSummary {
    /// Records.
    pub records: u64,
    /// How often records are missing: in the journal, or before its oldest segment.
    pub gaps: u64,
    /// The ledger did not match the journal (one of them was restored or copied), so the journal was read again from
    /// its oldest record. Rows that were there are not doubled.
    pub reread: bool,
    /// Effects, decisions and events that a newer version wrote and this one does not know: they were passed over.
    pub unknown: u64,
    /// Records that could not be read at all. Each is noted as an anomaly.
    pub unreadable: u64,
    /// What purge and anonymise have changed.
    pub forgotten: ForgetCounts,
    /// The last record that the ledger has; None: there is no journal.
    pub position: Option<Position>,
    /// Why the cursor could not be written into the journal's folder. Its segments are then kept longer.
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
    brought: IngestSummary,
    /// Is there more?
    more: bool,
    /// Did the cursor move?
    moved: bool,
    /// Why the journal could not be read further.
    stopped: Option<rasadmin_journal::Error>,
}

impl Sqlite {
    /// Brings in what the journal of a folder has gained since the last time. `server` is the name of a journal that
    /// does not contain it. After each batch, `progress` gets what has come in so far.
    ///
    /// # Errors
    ///
    /// If ledger or journal cannot be used. What came in before stays.
    pub fn ingest(
        &mut self,
        folder: &Path,
        server: &Name,
        progress: &mut dyn FnMut(&IngestSummary),
    ) -> Result<IngestSummary, Error> {
        let mut brought = IngestSummary::default();
        let Some(mut follower) = Follower::open(folder)? else { return Ok(brought) };
        let (mut position, mut moved) = (None, false);
        let stopped = loop {
            let batch = self.transact(Instant::now() + PATIENCE, false, |database| {
                batch(database, folder, server, &mut follower, position)
            })?;
            moved |= batch.moved;
            position = batch.brought.position;
            brought.add(batch.brought);
            progress(&brought);
            if !batch.more {
                break batch.stopped;
            }
        };
        if brought.forgotten != ForgetCounts::default() {
            self.shrink_log();
        }
        if let Some(position) = position {
            // Segments go when every ledger is past them: it must be so also after a power cut.
            let journal = position.journal;
            self.transact(Instant::now() + PATIENCE, moved, |database| cursor::note_time(database, journal, now()))?;
            let own = self.database().about("ledger")?;
            brought.cursor_not_written = tell(folder, &own, &position).err().map(Error::from);
        }
        stopped.map_or(Ok(brought), |error| Err(error.into()))
    }
}

/// Leaves the cursor in the journal's folder.
fn tell(folder: &Path, ledger: &str, position: &Position) -> Result<(), rasadmin_journal::Error> {
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

/// One transaction. `place`: where the follower stands, and the cursor if nobody else has moved it.
fn batch(
    database: &Database,
    folder: &Path,
    server: &Name,
    follower: &mut Follower,
    position: Option<Position>,
) -> Result<Batch, Error> {
    let mut brought = IngestSummary::default();
    let kept = cursor::read(database, follower.beginning().journal)?;
    let mut fits = match &kept {
        Some(kept) => Some(kept.position) == position || follower.start_at(&kept.position)?,
        None => false,
    };
    if !fits && let Some(anew) = Follower::open(folder)? {
        // It knows the segments that were there when it was opened, and others may have brought in more since; and the
        // oldest may have gone.
        *follower = anew;
        fits = match &kept {
            Some(kept) => follower.start_at(&kept.position)?,
            None => false,
        };
    }
    let mut newer = None;
    let mut projection = match kept {
        Some(kept) if fits => Projection::new(database, kept.server, kept.living),
        kept => {
            let known = kept.as_ref().map_or(0, |kept| kept.position.number);
            brought.reread = known > 0;
            from_the_oldest(database, folder, server, follower, kept, &mut brought, &mut newer)?
        }
    };
    let start = follower.position();
    let (mut failed, mut read) = (None, Ok(true));
    // If a checkpoint is still to come, one transaction reaches up to it: a process that is killed before begins again.
    while failed.is_none() && matches!(read, Ok(true)) && (brought.records < BATCH as u64 || newer.is_some()) {
        read = follower.read_some(BATCH, |item| {
            if failed.is_none() {
                failed = take(&mut projection, &start, item, &mut newer, &mut brought).err();
            }
        });
    }
    if let Some(error) = failed {
        return Err(error);
    }
    if let Some(Newer { state, .. }) = newer.take_if(|_| !matches!(read, Ok(true))) {
        missing::fill_in(&mut projection, &state)?;
    }
    projection.note_heard()?;
    brought.forgotten = projection.forgotten;
    let position = follower.position();
    let moved = position != start || brought.reread || brought.gaps > 0;
    if moved {
        follower.sync()?;
    }
    let cursor = Cursor { position, server: projection.server.clone(), living: projection.living };
    cursor::keep(database, &cursor, now())?;
    brought.position = Some(position);
    let (more, stopped) = match read {
        Ok(more) => (more, None),
        Err(error) => (false, Some(error)),
    };
    Ok(Batch { brought, more, moved, stopped })
}

/// From the oldest record that the journal has. What is missing before it is noted, and filled in as far as a
/// checkpoint can.
fn from_the_oldest<'d>(
    database: &'d Database,
    folder: &Path,
    server: &Name,
    follower: &mut Follower,
    kept: Option<Cursor>,
    brought: &mut IngestSummary,
    newer: &mut Option<Newer>,
) -> Result<Projection<'d>, Error> {
    let beginning = follower.beginning();
    // A journal that was begun anew goes on with the numbers of the one before.
    let before = cursor::at(database, beginning.number, beginning.crc)?;
    let had = kept.as_ref().map_or(0, |kept| kept.position.number);
    let named = before.as_ref().or(kept.as_ref()).map_or_else(|| server.clone(), |cursor| cursor.server.clone());
    let living = before.as_ref().and_then(|before| before.living);
    let mut projection = Projection::new(database, named, living);
    if let Some(kept) = kept.filter(|kept| kept.position.number > beginning.number) {
        missing::lost(&mut projection, &kept.position)?;
    }
    if beginning.number > had && before.is_none() {
        brought.gaps += 1;
        missing::before(&mut projection, folder, follower, had, newer)?;
    }
    Ok(projection)
}

/// One item of the journal.
fn take(
    projection: &mut Projection<'_>,
    start: &Position,
    item: Item<'_>,
    newer: &mut Option<Newer>,
    brought: &mut IngestSummary,
) -> Result<(), Error> {
    let number = match item {
        Item::Gap { first, last } => {
            brought.gaps += 1;
            missing::gap(projection, start.journal, first, last)?;
            last
        }
        Item::Record(record) => {
            brought.records += 1;
            match rasadmin_recorder::decode(record.payload) {
                Ok(Decoded { record, unknown }) => {
                    brought.unknown += unknown;
                    projection.record(&record)?;
                }
                Err(_) => {
                    brought.unreadable += 1;
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
