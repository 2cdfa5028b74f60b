//! Keeping the journal short: ends segments, writes checkpoints, deletes what every ledger has.

use crate::error::{CommandError, Kind, Result, WithContext};
use rasadmin_journal::retain::{self, Expired, Rule};
use rasadmin_journal::{checkpoint, cursor, inventory};
use rasadmin_recorder::admin::AdminJournal;
use rasadmin_recorder::present::{self, Missing, Present};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How many checkpoints are kept: the newest may be damaged.
const CHECKPOINTS: usize = 2;

/// How long a segment stays after every ledger has it.
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

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
    let present = present::read(folder).context("cannot write a checkpoint")?;
    let present = present.ok_or_else(|| nothing_recorded(folder))?;
    let Missing { records, effects, .. } = present.missing;
    if records > 0 || effects > 0 {
        // The DLL would start from it, without what this program has left out.
        return Err(CommandError::new(
            Kind::Journal,
            "no checkpoint was written, because this command does not understand all records: use the command that came \
             with the DLL; the DLL writes a checkpoint when Remote Access stops or starts",
        ));
    }
    let path = present::write_checkpoint(folder, &present).context("cannot write a checkpoint")?;
    Ok((path, present.position.number))
}

/// Writes a checkpoint if a segment was filled since the newest one.
pub fn checkpoint_if_due(folder: &Path) -> Result<Option<(PathBuf, u64)>> {
    let Some(Present { checkpoint, .. }) = present::read(folder).context("the journal cannot be read")? else {
        return Ok(None);
    };
    let segments = inventory::take(folder).context("the journal cannot be read")?.segments;
    // The first record of the present segment, which has at least one before it.
    let filled = segments.last().is_some_and(|last| segments.len() > 1 && checkpoint + 1 < last.first);
    if filled { write_checkpoint(folder).map(Some) } else { Ok(None) }
}

/// Deletes segments that every ledger has had for a week, and old checkpoints.
pub fn delete_old(folder: &Path) -> Result<Vec<Expired>> {
    let before = SystemTime::now().checked_sub(WEEK).unwrap_or(SystemTime::UNIX_EPOCH);
    expire(folder, before)
}

/// Deletes all segments that every ledger has, but the two newest, of which the last is empty after [`seal`].
pub fn delete_what_every_ledger_has(folder: &Path) -> Result<Remaining> {
    // Two, because older ones contain names of the past too.
    for _ in 0..CHECKPOINTS {
        write_checkpoint(folder)?;
    }
    let expired = expire(folder, SystemTime::now() + Duration::from_secs(1))?;
    remaining(folder, expired.len())
}

fn expire(folder: &Path, before: SystemTime) -> Result<Vec<Expired>> {
    let expired = retain::expire(folder, Rule::Ingested { before }).context("cannot delete the journal's old files")?;
    checkpoint::prune(folder, CHECKPOINTS).context("cannot delete the journal's old files")?;
    Ok(expired)
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
