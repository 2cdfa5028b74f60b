//! Missing records: before the journal's oldest segment, within it, or after its end.

use crate::Error;
use crate::project::Projection;
use rasadmin_engine::State;
use rasadmin_journal::{Follower, Position, checkpoint};
use std::path::Path;
use uuid::Uuid;

/// A state from a checkpoint that contains some records still to be read.
pub(super) struct Newer {
    /// The last record in the state.
    pub number: u64,
    pub state: State,
}

/// Notes that the records between `had` and the oldest one are missing, and takes what is live from a checkpoint. A
/// checkpoint older than the oldest record applies at once. A newer one, whose first records are still there, applies
/// after they have been read.
pub(super) fn before(
    projection: &mut Projection<'_>,
    folder: &Path,
    follower: &mut Follower,
    had: u64,
    newer: &mut Option<Newer>,
) -> Result<(), Error> {
    let beginning = follower.beginning();
    let older = find(folder, |position| {
        position.journal == beginning.journal && position.number > had && position.number <= beginning.number
    })?;
    match older {
        Some((_, state)) => fill_in(projection, &state)?,
        None => {
            let mut fits = |position: &Position| {
                position.number > beginning.number && follower.start_at(position).unwrap_or(false)
            };
            *newer = find(folder, &mut fits)?.map(|(number, state)| Newer { number, state });
            follower.start_at(&beginning)?;
        }
    }
    note(projection, beginning.journal, had + 1, beginning.number, "the journal's beginning is missing")
}

/// The newest checkpoint that fits.
fn find(folder: &Path, mut fits: impl FnMut(&Position) -> bool) -> Result<Option<(u64, State)>, Error> {
    let known = rasadmin_recorder::reads_checkpoint;
    let (found, _) = checkpoint::newest(folder, |position, version| known(version) && fits(position))?;
    let Some(found) = found else { return Ok(None) };
    Ok(rasadmin_recorder::decode_state(&found.state).map(|state| (found.position.number, state)))
}

/// Writes rows for what is live in a state.
pub(super) fn fill_in(projection: &mut Projection<'_>, state: &State) -> Result<(), Error> {
    projection.state(state, state.last().map_or(0, |last| last.time))
}

/// Notes records that are missing within the journal.
pub(super) fn gap(projection: &mut Projection<'_>, journal: Uuid, first: u64, last: u64) -> Result<(), Error> {
    note(projection, journal, first, last, "records are missing in the journal")
}

/// Notes a record that cannot be decoded.
pub(super) fn unreadable(projection: &mut Projection<'_>, journal: Uuid, number: u64) -> Result<(), Error> {
    note(projection, journal, number, number, "a record of the journal could not be read")
}

/// The journal had this record when it was ingested, and now has another one in its place, or none: the journal was
/// restored, or its disk lost synced data. It is not known how many records were lost. Their rows stay.
pub(super) fn lost(projection: &mut Projection<'_>, position: &Position) -> Result<(), Error> {
    let Position { journal, number, crc, .. } = position;
    let details = format!("record {number}, and perhaps some before it");
    let what = "records that the ledger has are missing in the journal";
    projection.missing(&format!("{journal} {number} {crc}"), what, &details, 1)
}

/// There is no record to make a key from, so the key is made from the missing numbers.
fn note(projection: &mut Projection<'_>, journal: Uuid, first: u64, last: u64, what: &str) -> Result<(), Error> {
    let details = if first == last { format!("record {first}") } else { format!("records {first} to {last}") };
    projection.missing(
        &format!("{journal} {first}-{last}"),
        what,
        &details,
        last.saturating_sub(first).saturating_add(1),
    )
}
