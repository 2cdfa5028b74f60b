//! Reads the current state: the newest checkpoint, and the records after it. Locks and writes nothing.

use crate::codec;
use rasadmin_engine::{Record, State};
use rasadmin_journal::{Error, Follower, Item, Notice, Position, checkpoint};
use std::path::{Path, PathBuf};

/// The current state of a journal.
#[derive(Debug)]
pub struct Present {
    /// The state. Call [`State::derive`] before you decide events with it.
    pub state: State,
    /// The last record in the state.
    pub position: Position,
    /// The number of the checkpoint that it was read from; 0 if it was read from the first record.
    pub checkpoint: u64,
    /// What could not be read.
    pub missing: Missing,
    /// Checkpoints that were skipped.
    pub notices: Vec<Notice>,
}

/// What could not be read from a journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// The number of records that are damaged, or that a newer program wrote in another format.
    pub records: u64,
    /// The number of effects, and other parts of records, that only a newer program knows.
    pub effects: u64,
    /// The number of the oldest record, if earlier ones are missing and no checkpoint contains them; else 0.
    pub beginning: u64,
}

/// Applies an item of the journal to the state, or counts it as missing.
pub(crate) fn apply(state: &mut State, missing: &mut Missing, item: Item<'_>) {
    apply_heard(state, missing, item, &mut |_| {});
}

/// As [`apply`], and passes each record to `heard`.
pub(crate) fn apply_heard(state: &mut State, missing: &mut Missing, item: Item<'_>, heard: &mut dyn FnMut(&Record)) {
    match item {
        Item::Record(record) => match codec::decode(record.payload) {
            Ok(decoded) => {
                missing.effects += decoded.unknown;
                heard(&decoded.record);
                state.apply(&decoded.record);
            }
            Err(_) => missing.records += 1,
        },
        Item::Gap { first, last } => missing.records += last.saturating_sub(first).saturating_add(1),
    }
}

/// Reads the state from a journal's folder. Returns None if nothing was ever recorded there.
///
/// # Errors
///
/// If its files cannot be read.
pub fn read(folder: &Path) -> Result<Option<Present>, Error> {
    let Some(mut follower) = Follower::open(folder)? else { return Ok(None) };
    let beginning = follower.beginning();
    let mut failed = None;
    let (found, notices) = checkpoint::newest(folder, |position, version| {
        codec::reads_checkpoint(version)
            && follower.start_at(position).unwrap_or_else(|error| {
                failed = Some(error);
                false
            })
    })?;
    let decoded = found.and_then(|found| Some((codec::decode_state(&found.state)?, found.position.number)));
    let (mut state, checkpoint) = decoded.unwrap_or_default();
    let mut missing = Missing::default();
    if checkpoint == 0 {
        if let Some(error) = failed {
            return Err(error);
        }
        // A checkpoint that could not be decoded has moved the follower.
        follower.start_at(&beginning)?;
        missing.beginning = if beginning.number > 0 { beginning.number + 1 } else { 0 };
    }
    follower.read(|item| apply(&mut state, &mut missing, item))?;
    Ok(Some(Present { state, position: follower.position(), checkpoint, missing, notices }))
}

/// Writes a state as a checkpoint, from which the next start and the next [`read`] begin. Locks nothing. Returns the
/// checkpoint's file.
///
/// # Errors
///
/// If the checkpoint cannot be written.
pub fn write_checkpoint(folder: &Path, present: &Present) -> Result<PathBuf, Error> {
    let bytes = codec::encode_state(&present.state).map_err(|error| codec::not_encoded(folder, &error))?;
    checkpoint::write(folder, &present.position, codec::CHECKPOINT, &bytes)
}
