//! Records that are not there: before the journal's oldest segment, in it, or behind its end.

use crate::Error;
use crate::project::Projection;
use rasadmin_engine::State;
use rasadmin_journal::{Follower, Position, checkpoint};
use std::path::Path;
use uuid::Uuid;

/// A state that some of the records to come have led to.
pub(super) struct Newer {
    /// Up to this record.
    pub number: u64,
    pub state: State,
}

/// What lies before the oldest record is missing, after record `had`: it is noted, and what lives on is taken from a
/// checkpoint. One that is older than the oldest record counts at once; of a newer one, whose first records are there, only
/// when they were read.
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

/// The newest that fits.
fn find(folder: &Path, mut fits: impl FnMut(&Position) -> bool) -> Result<Option<(u64, State)>, Error> {
    let known = |version| version == rasadmin_recorder::CHECKPOINT;
    let (found, _) = checkpoint::newest(folder, |position, version| known(version) && fits(position))?;
    let Some(found) = found else { return Ok(None) };
    Ok(rasadmin_recorder::decode_state(&found.state).map(|state| (found.position.number, state)))
}

/// What a state knows to be live.
pub(super) fn fill_in(projection: &mut Projection<'_>, state: &State) -> Result<(), Error> {
    projection.state(state, state.last().map_or(0, |last| last.time))
}

/// Records are missing within the journal.
pub(super) fn gap(projection: &mut Projection<'_>, journal: Uuid, first: u64, last: u64) -> Result<(), Error> {
    note(projection, journal, first, last, "records are missing in the journal")
}

/// One is there, and is no record.
pub(super) fn unreadable(projection: &mut Projection<'_>, journal: Uuid, number: u64) -> Result<(), Error> {
    note(projection, journal, number, number, "a record of the journal could not be read")
}

/// The journal had this record when it was brought in, and has another one in its place or none: it was restored, or its
/// disk lost what was synced. How many went with it, nobody knows. Their rows stay.
pub(super) fn lost(projection: &mut Projection<'_>, position: &Position) -> Result<(), Error> {
    let Position { journal, number, crc, .. } = position;
    let details = format!("record {number}, and perhaps some before it");
    let what = "records that the ledger has are missing in the journal";
    projection.missing(&format!("{journal} {number} {crc}"), what, &details, 1)
}

/// They have no record, so the key is made of their numbers in the journal.
fn note(projection: &mut Projection<'_>, journal: Uuid, first: u64, last: u64, what: &str) -> Result<(), Error> {
    let details = if first == last { format!("record {first}") } else { format!("records {first} to {last}") };
    projection.missing(
        &format!("{journal} {first}-{last}"),
        what,
        &details,
        last.saturating_sub(first).saturating_add(1),
    )
}
