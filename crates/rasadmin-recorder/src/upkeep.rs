//! Keeps a journal short: checkpoints, and the deletion of old segments.

use crate::present::{self, Missing, Present};
use rasadmin_journal::retain::{self, Expired, Rule};
use rasadmin_journal::{Error, checkpoint, inventory};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How many checkpoints are kept: the newest may be damaged.
pub const CHECKPOINTS: usize = 2;

/// The result of an attempt to write a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checkpoint {
    /// It was written.
    Written {
        /// Its file.
        path: PathBuf,
        /// The number of the last record in it.
        number: u64,
    },
    /// Nothing was ever recorded in that folder.
    NothingRecorded,
    /// This program does not understand all records, and the DLL would start without what it has left out.
    NotUnderstood,
}

/// Writes a checkpoint of all that is recorded. Locks nothing.
///
/// # Errors
///
/// If the journal cannot be read, or the checkpoint cannot be written.
pub fn write_checkpoint(folder: &Path) -> Result<Checkpoint, Error> {
    let Some(present) = present::read(folder)? else { return Ok(Checkpoint::NothingRecorded) };
    written(folder, &present)
}

/// Writes a checkpoint if a segment was filled since the newest one, and deletes those that it supersedes. Returns None
/// if it is not due.
///
/// # Errors
///
/// If the journal cannot be read, or the checkpoint cannot be written.
pub fn checkpoint_if_due(folder: &Path) -> Result<Option<Checkpoint>, Error> {
    let segments = inventory::take(folder)?.segments;
    let Some(last) = segments.last().filter(|_| segments.len() > 1) else { return Ok(None) };
    let Some(present) = present::read(folder)? else { return Ok(None) };
    // The first record of the present segment, which has at least one before it.
    if present.checkpoint + 1 >= last.first {
        return Ok(None);
    }
    let checkpoint = written(folder, &present)?;
    checkpoint::prune(folder, CHECKPOINTS)?;
    Ok(Some(checkpoint))
}

fn written(folder: &Path, present: &Present) -> Result<Checkpoint, Error> {
    let Missing { records, effects, .. } = present.missing;
    if records > 0 || effects > 0 {
        return Ok(Checkpoint::NotUnderstood);
    }
    let path = present::write_checkpoint(folder, present)?;
    Ok(Checkpoint::Written { path, number: present.position.number })
}

/// Deletes segments that every ledger has and that were last written before a time, and old checkpoints.
///
/// # Errors
///
/// If the folder cannot be read, or a segment cannot be deleted.
pub fn delete_old(folder: &Path, before: SystemTime) -> Result<Vec<Expired>, Error> {
    let expired = retain::expire(folder, Rule::Ingested { before })?;
    checkpoint::prune(folder, CHECKPOINTS)?;
    Ok(expired)
}
