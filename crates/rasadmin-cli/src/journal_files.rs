//! Keeping the journal short: ends segments, writes checkpoints, deletes what every ledger has.

use crate::error::{CommandError, Kind, Result, WithContext};
use rasadmin_journal::retain::Expired;
use rasadmin_journal::{cursor, inventory};
use rasadmin_policy::config::Config;
use rasadmin_recorder::admin::AdminJournal;
use rasadmin_recorder::upkeep::{self, Checkpoint};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The journal after a deletion.
pub struct Remaining {
    /// Segments that were deleted.
    pub deleted: usize,
    /// Segments that are there and have records.
    pub kept: usize,
    /// The number of the oldest record that is left.
    pub oldest_record: u64,
    /// Why more could not be deleted, if it should have been.
    pub why: Option<String>,
}

/// Ends the present segment.
pub fn seal(tool: &mut AdminJournal) -> Result<()> {
    tool.seal().context("cannot end the journal's current file")
}

/// Writes a checkpoint of all that is recorded; returns its file and the number of the last record in it.
pub fn write_checkpoint(folder: &Path) -> Result<(PathBuf, u64)> {
    written(folder, upkeep::write_checkpoint(folder).context("cannot write a checkpoint")?)
}

/// Writes a checkpoint if a segment was filled since the newest one.
pub fn checkpoint_if_due(folder: &Path) -> Result<Option<(PathBuf, u64)>> {
    let due = upkeep::checkpoint_if_due(folder).context("cannot write a checkpoint")?;
    due.map(|checkpoint| written(folder, checkpoint)).transpose()
}

fn written(folder: &Path, checkpoint: Checkpoint) -> Result<(PathBuf, u64)> {
    match checkpoint {
        Checkpoint::Written { path, number } => Ok((path, number)),
        Checkpoint::NothingRecorded => Err(nothing_recorded(folder)),
        Checkpoint::NotUnderstood => Err(CommandError::new(
            Kind::Journal,
            "no checkpoint was written, because this command does not understand all records: use the command that came \
             with the DLL; the DLL writes a checkpoint when Remote Access stops or starts",
        )),
    }
}

/// Deletes segments that every ledger has had for as long as the configuration says, and old checkpoints.
pub fn delete_old(folder: &Path, config: &Config) -> Result<Vec<Expired>> {
    let before = config.service.retention.segments.and_then(|age| SystemTime::now().checked_sub(age));
    delete_before(folder, before.unwrap_or(SystemTime::UNIX_EPOCH))
}

/// Deletes all segments that every ledger has, but the two newest, of which the last is empty after [`seal`].
pub fn delete_what_every_ledger_has(folder: &Path) -> Result<Remaining> {
    // As many as are kept, because older ones contain names of the past too.
    for _ in 0..upkeep::CHECKPOINTS {
        write_checkpoint(folder)?;
    }
    let expired = delete_before(folder, SystemTime::now() + Duration::from_secs(1))?;
    remaining(folder, expired.len())
}

fn delete_before(folder: &Path, before: SystemTime) -> Result<Vec<Expired>> {
    upkeep::delete_old(folder, before).context("cannot delete the journal's old files")
}

/// What a folder has.
pub fn remaining(folder: &Path, deleted: usize) -> Result<Remaining> {
    let segments = inventory::take(folder).context("the journal cannot be read")?.segments;
    let cursors = cursor::list(folder).context("the journal cannot be read")?;
    let last = segments.last().map_or(0, |last| last.first.saturating_sub(1));
    let behind = cursors.iter().filter(|cursor| cursor.position.is_none_or(|place| place.number < last)).count();
    // Two stay in any case: that of the event, and the present one.
    let why = (segments.len() > 2 && behind > 0).then(|| {
        let all = cursors.len();
        format!(
            "{behind} of {all} ledgers have not read them yet; bring those up to date, or delete their `.cursor` files"
        )
    });
    Ok(Remaining {
        deleted,
        kept: segments.len(),
        oldest_record: segments.first().map_or(0, |segment| segment.first),
        why,
    })
}

/// A folder without a journal.
pub fn nothing_recorded(folder: &Path) -> CommandError {
    CommandError::new(Kind::Journal, format!("{}: nothing was ever recorded here: check the path", folder.display()))
}
