//! The journal for the lock holder.

use crate::error::Error;
use crate::folder;
use crate::frame::{self, END_SPAN};
use crate::header::FIRST;
use crate::journal::{Ahead, Broken, Inner, Journal, sync_failed_before};
use crate::log_reader::Stop;
use crate::position::{Item, Position};
use crate::segment::{Access, Segment};
use std::sync::{Arc, MutexGuard};

/// Holds the journal's lock until it is dropped.
#[derive(Debug)]
pub struct Guard<'a> {
    pub(crate) journal: &'a Journal,
    pub(crate) inner: MutexGuard<'a, Inner>,
    caught_up: bool,
}

/// The result of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The number of the first record.
    pub first: u64,
    /// The position of the last record.
    pub last: Position,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.journal.unlock();
    }
}

impl<'a> Guard<'a> {
    pub(crate) fn new(journal: &'a Journal, inner: MutexGuard<'a, Inner>) -> Self {
        Self { journal, inner, caught_up: false }
    }

    /// Passes everything that others have appended to `reader`, in order, each item once. Mends what a crash left
    /// behind.
    ///
    /// # Errors
    /// [`Error::Diverged`], permanently; [`Error::NewerVersion`] if a newer program has begun a segment; [`Error::Io`],
    /// [`Error::Full`], [`Error::Sync`]: items that `reader` got stay valid, the rest follows the next time.
    pub fn catch_up(&mut self, mut reader: impl FnMut(Item<'_>)) -> Result<(), Error> {
        loop {
            let stop = self.inner.log.read(&mut reader).map_err(|error| self.note(error))?;
            match stop {
                Stop::Ended => self.begin_next()?,
                Stop::Tail if self.inner.settled => break,
                Stop::Tail | Stop::Bad | Stop::Hole { .. } => {
                    if !self.mend(stop)? {
                        break;
                    }
                }
            }
        }
        let fresh = !self.inner.log.settled;
        if fresh {
            self.abandon()?;
        }
        (self.inner.settled, self.inner.log.settled) = (true, true);
        self.inner.log.read_left(&mut reader).map_err(|error| self.note(error))?;
        self.complete(fresh)?;
        self.caught_up = true;
        Ok(())
    }

    /// The position of the last record.
    pub fn position(&self) -> Position {
        self.inner.log.applied
    }

    /// Appends records, all or none, and returns their numbers. They are not on disk yet: see [`Journal::sync`]. A
    /// later [`Guard::catch_up`] does not return them.
    ///
    /// All of them must fit in one segment. If the last sync of the current segment failed, it is closed first, and its
    /// records are written again.
    ///
    /// # Errors
    /// [`Error::Size`], [`Error::Behind`], [`Error::Full`]: nothing was recorded. [`Error::Io`]: nothing was recorded
    /// as far as the caller must assume; records that were written after all come in a later `catch_up`.
    /// [`Error::Replaced`] if a new segment was due. [`Error::Sync`] if several segments in a row could not be synced:
    /// nothing was recorded.
    pub fn append(&mut self, payloads: &[&[u8]]) -> Result<Appended, Error> {
        if !self.caught_up {
            return Err(Error::Behind);
        }
        let span = self.span(payloads)?;
        if self.inner.failed == Some(self.inner.log.walk.header.segment) {
            self.rewrite()?;
        }
        for _ in 0..2 {
            if span + END_SPAN > self.inner.log.walk.room() {
                self.roll()?;
            }
        }
        if span + END_SPAN > self.inner.log.walk.room() {
            // The next segment is full at once with records that could not be synced in the current one, twice.
            return Err(sync_failed_before(&self.inner.log.walk.segment.path));
        }
        let inner = &mut *self.inner;
        let walk = &mut inner.log.walk;
        if walk.number.checked_add(payloads.len() as u64).is_none() {
            // Only a forged file can bring a journal to this number.
            let source = std::io::Error::other("its record numbers are used up; move the journal's folder aside");
            return Err(Error::new("append to", &walk.segment.path, source));
        }
        let first = walk.number.saturating_add(1);
        let (mut number, mut crc) = (walk.number, walk.crc);
        inner.buffer.clear();
        for payload in payloads {
            number += 1;
            crc = frame::record(&mut inner.buffer, crc, number, payload);
        }
        let at = walk.at;
        if let Err(error) = walk.segment.write(at, &inner.buffer) {
            // Some of them may be complete in the file. The caller learns that none was recorded, so they should not be
            // found later.
            let _ = walk.segment.fill(at, at + span);
            walk.forget();
            inner.settled = false;
            self.caught_up = false;
            return Err(error);
        }
        walk.advance(span, number, crc);
        inner.log.applied = inner.log.reached();
        // If this fails, it is tried again, at the latest when the segment is needed.
        let _ = self.write_ahead(self.journal.options.portion);
        Ok(Appended { first, last: self.inner.log.applied })
    }

    fn span(&self, payloads: &[&[u8]]) -> Result<u64, Error> {
        let most = self.journal.options.segment - FIRST - END_SPAN;
        let all: u64 = payloads.iter().map(|payload| frame::span(payload.len())).sum();
        let empty = payloads.iter().any(|payload| payload.is_empty());
        if empty || all > most {
            let length = if empty { 0 } else { payloads.iter().map(|payload| payload.len()).sum() };
            return Err(Error::Size { length, most: most - frame::HEAD as u64 });
        }
        Ok(all)
    }

    /// Writes part of the next segment's space, if some is missing.
    pub(crate) fn write_ahead(&mut self, bytes: u64) -> Result<(), Error> {
        let size = self.journal.options.segment;
        let next = self.open_next()?;
        if self.inner.ahead.ordinal != next.ordinal {
            self.inner.ahead = Ahead { ordinal: next.ordinal, length: next.length()?, synced: 0, named: false };
        }
        let length = self.inner.ahead.length;
        if length < size {
            let to = size.min(length.saturating_add(bytes));
            next.fill(length, to)?;
            self.inner.ahead.length = to;
        }
        Ok(())
    }

    /// Opens the next segment's file. Anything else with its name is moved aside.
    pub(crate) fn open_next(&mut self) -> Result<Arc<Segment>, Error> {
        if let Some(next) = &self.inner.log.next {
            return Ok(next.clone());
        }
        let (ordinal, folder) = (self.inner.log.next_ordinal(), self.inner.log.folder.clone());
        let next = match Segment::open(&folder, ordinal, Access::Write)? {
            Some(next) => next,
            None => {
                let path = crate::segment::path(&folder, ordinal);
                if std::fs::symlink_metadata(&path).is_ok() {
                    let moved = folder::move_aside(&path, &folder::why_not_ours(&path))?;
                    self.inner.notices.push(moved);
                }
                Segment::create(&folder, ordinal)?
            }
        };
        let next = Arc::new(next);
        self.inner.log.next = Some(next.clone());
        Ok(next)
    }

    /// Remembers an error that is permanent.
    pub(crate) fn note(&mut self, error: Error) -> Error {
        if let Error::Diverged { number } = error {
            self.inner.broken = Some(Broken::Diverged(number));
        }
        error
    }
}
