//! The state as it is now: the newest checkpoint, and the records after it. Nothing is locked or written.

use crate::codec;
use rasadmin_engine::State;
use rasadmin_journal::{Error, Follower, Item, Notice, Position, checkpoint};
use std::path::{Path, PathBuf};

/// What a journal says.
#[derive(Debug)]
pub struct Present {
    /// The state; [`State::derive`] comes next.
    pub state: State,
    /// The last record that it contains.
    pub position: Position,
    /// The number of the checkpoint that it was read from; 0: from the beginning.
    pub checkpoint: u64,
    /// What could not be read.
    pub missing: Missing,
    /// Checkpoints that were passed over.
    pub notices: Vec<Notice>,
}

/// What could not be read in a journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Records that are damaged, or that a newer program wrote in another format.
    pub records: u64,
    /// Effects, and other parts of records, that only a newer program knows.
    pub effects: u64,
    /// The number of the first record, where those before it are gone and no checkpoint contains them; else 0.
    pub beginning: u64,
}

/// Applies what a reader comes to; the record is given to `also` first.
pub(crate) fn apply(state: &mut State, missing: &mut Missing, item: Item<'_>) {
    match item {
        Item::Record(record) => match codec::decode(record.payload) {
            Ok(decoded) => {
                missing.effects += decoded.unknown;
                state.apply(&decoded.record);
            }
            Err(_) => missing.records += 1,
        },
        Item::Gap { first, last } => missing.records += last.saturating_sub(first).saturating_add(1),
    }
}

/// Reads the state of a journal's folder; None if nothing was ever recorded there.
///
/// # Errors
///
/// If its files cannot be read.
pub fn read(folder: &Path) -> Result<Option<Present>, Error> {
    let Some(mut follower) = Follower::open(folder)? else { return Ok(None) };
    let beginning = follower.beginning();
    let mut failed = None;
    let (found, notices) = checkpoint::newest(folder, |position, version| {
        version == codec::CHECKPOINT
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
        // A checkpoint that could not be decoded has moved it.
        follower.start_at(&beginning)?;
        missing.beginning = if beginning.number > 0 { beginning.number + 1 } else { 0 };
    }
    follower.read(|item| apply(&mut state, &mut missing, item))?;
    Ok(Some(Present { state, position: follower.position(), checkpoint, missing, notices }))
}

/// Writes what was read as a checkpoint: the next start, and the next [`read`], begin there. Nothing is locked. Returns
/// its file.
///
/// # Errors
///
/// If it cannot be written.
pub fn write_checkpoint(folder: &Path, present: &Present) -> Result<PathBuf, Error> {
    let bytes = codec::encode_state(&present.state).map_err(|error| codec::not_encoded(folder, &error))?;
    checkpoint::write(folder, &present.position, codec::CHECKPOINT, &bytes)
}
