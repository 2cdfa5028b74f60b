//! Reads the journal without its lock.

use crate::error::Error;
use crate::folder;
use crate::kernel;
use crate::log_reader::{LogReader, Stop};
use crate::position::{Item, Position};
use crate::segment::{Access, Segment};
use std::path::Path;
use std::sync::Arc;

/// Follows a journal that others write. It takes no lock, and writes, creates and renames nothing.
///
/// It often reaches a record that is just being written. It then stops before it, as at the end, and continues the next
/// time. A damaged record stops it too, until a process that appends has quarantined it.
#[derive(Debug)]
pub struct Follower {
    log: LogReader,
    stop: Option<Stop>,
}

impl Follower {
    /// Opens the journal in a folder, at its oldest record. Returns None if there is no such folder, or nothing was
    /// ever appended there in a format that this crate knows.
    ///
    /// # Errors
    /// If the folder or its files cannot be read.
    pub fn open(folder: &Path) -> Result<Option<Self>, Error> {
        if std::fs::symlink_metadata(folder).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            return Ok(None);
        }
        let survey = folder::survey(folder)?;
        Ok(LogReader::new(folder, Access::Read, &survey)?.map(|log| Self { log, stop: None }))
    }

    /// Moves to a position, so that the record after it is read next. Returns false if the journal does not have it,
    /// because the journal was restored or replaced.
    ///
    /// # Errors
    /// If a segment cannot be read.
    pub fn start_at(&mut self, position: &Position) -> Result<bool, Error> {
        self.log.start_at(position)
    }

    /// The position before the oldest record that the folder had when it was opened.
    pub fn beginning(&self) -> Position {
        self.log.beginning()
    }

    /// The last record that was read.
    pub fn position(&self) -> Position {
        self.log.applied
    }

    /// Passes everything that follows to `reader`, in order, each item once.
    ///
    /// # Errors
    /// [`Error::NewerVersion`] at a segment of an unknown format; [`Error::Io`]; [`Error::Diverged`].
    pub fn read(&mut self, mut reader: impl FnMut(Item<'_>)) -> Result<(), Error> {
        self.stop = Some(self.log.read(&mut reader)?);
        self.log.settled = true;
        Ok(())
    }

    /// Like [`read`](Self::read), but stops after so many records. Returns true if there may be more.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_some(&mut self, most: usize, mut reader: impl FnMut(Item<'_>)) -> Result<bool, Error> {
        let stop = self.log.read_some(most, &mut reader)?;
        self.log.settled |= stop.is_some();
        self.stop = stop;
        Ok(stop.is_none())
    }

    /// Did the last read stop before something that is not a record? It may be a record that was being written, or
    /// damage. The next process that appends will mend it.
    pub fn is_before_damage(&self) -> bool {
        matches!(self.stop, Some(Stop::Bad | Stop::Hole { .. }))
    }

    /// Checks that the path of the current segment still names the open file. Call this now and then: a segment that
    /// was deleted or replaced never gets new records.
    ///
    /// # Errors
    /// [`Error::Replaced`].
    pub fn check(&self) -> Result<(), Error> {
        let Segment { file, path, .. } = &*self.log.walk.segment;
        if kernel::is_at(file, path) { Ok(()) } else { Err(Error::Replaced(path.clone())) }
    }

    /// Syncs what was read. A ledger calls this before it moves its cursor past these records.
    ///
    /// # Errors
    /// [`Error::Sync`]; [`Error::Io`] if the segment cannot be opened for writing, which Windows requires.
    pub fn sync(&self) -> Result<(), Error> {
        let previous = self.log.previous.as_ref().map(|(segment, _)| segment);
        for segment in previous.into_iter().chain([&self.log.walk.segment]).map(Arc::as_ref) {
            let Some(folder) = segment.path.parent() else { continue };
            // It was deleted, so every ledger read it long ago.
            let Some(writable) = Segment::open(folder, segment.ordinal, Access::Write)? else { continue };
            writable.sync()?;
        }
        Ok(())
    }
}
