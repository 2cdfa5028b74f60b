//! Reading without the lock.

use crate::error::Error;
use crate::folder;
use crate::kernel;
use crate::log_reader::{LogReader, Stop};
use crate::position::{Item, Position};
use crate::segment::{Access, Segment};
use std::path::Path;
use std::sync::Arc;

/// Reads a journal that others write. It takes no lock, and writes, makes and moves nothing.
///
/// It often comes upon a record that is being written at this moment. It then stops before it, as at the end, and goes
/// on the next time. A record that is damaged stops it too, until somebody who appends has quarantined it.
#[derive(Debug)]
pub struct Follower {
    log: LogReader,
    stop: Option<Stop>,
}

impl Follower {
    /// Opens the journal of a folder, at its oldest record. None: nothing was ever appended there, as far as this crate
    /// knows the format, or there is no such folder.
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

    /// Goes to a place: what follows it comes next. False if the journal does not have it: it was restored, or another
    /// journal's.
    ///
    /// # Errors
    /// If a segment cannot be read.
    pub fn start_at(&mut self, position: &Position) -> Result<bool, Error> {
        self.log.start_at(position)
    }

    /// The place before the oldest record that the folder had when it was opened.
    pub fn beginning(&self) -> Position {
        self.log.beginning()
    }

    /// The last record that was read.
    pub fn position(&self) -> Position {
        self.log.applied
    }

    /// Gives `reader` all that follows, in order, each once.
    ///
    /// # Errors
    /// [`Error::NewerVersion`] at a segment whose format is not known; [`Error::Io`]; [`Error::Diverged`].
    pub fn read(&mut self, mut reader: impl FnMut(Item<'_>)) -> Result<(), Error> {
        self.stop = Some(self.log.read(&mut reader)?);
        self.log.settled = true;
        Ok(())
    }

    /// The same, up to so many records. True: there may be more.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_some(&mut self, most: usize, mut reader: impl FnMut(Item<'_>)) -> Result<bool, Error> {
        let stop = self.log.read_some(most, &mut reader)?;
        self.log.settled |= stop.is_some();
        self.stop = stop;
        Ok(stop.is_none())
    }

    /// Did the last reading stop before something that is no record? It may be one that was being written at that moment,
    /// or what a crash has left, or damage: whoever appends next finds out, and mends it.
    pub fn is_before_damage(&self) -> bool {
        matches!(self.stop, Some(Stop::Bad | Stop::Hole { .. }))
    }

    /// Is the segment that is being read still the one that its path names? To be asked now and then: of one that was
    /// deleted or replaced nothing new is ever read.
    ///
    /// # Errors
    /// [`Error::Replaced`].
    pub fn check(&self) -> Result<(), Error> {
        let Segment { file, path, .. } = &*self.log.walk.segment;
        if kernel::is_at(file, path) { Ok(()) } else { Err(Error::Replaced(path.clone())) }
    }

    /// What was read is on disk when this returns: a ledger calls it before it moves its cursor past these records.
    ///
    /// # Errors
    /// [`Error::Sync`], or [`Error::Io`] if the segment cannot be opened for writing, which Windows wants for it.
    pub fn sync(&self) -> Result<(), Error> {
        let previous = self.log.previous.as_ref().map(|(segment, _)| segment);
        for segment in previous.into_iter().chain([&self.log.walk.segment]).map(Arc::as_ref) {
            let Some(folder) = segment.path.parent() else { continue };
            // Deleted: then it was brought in long ago.
            let Some(writable) = Segment::open(folder, segment.ordinal, Access::Write)? else { continue };
            writable.sync()?;
        }
        Ok(())
    }
}
