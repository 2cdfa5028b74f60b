//! Moving from one segment to the next.

use crate::error::Error;
use crate::folder;
use crate::frame::{self, END_SPAN, GAP_SPAN};
use crate::guard::Guard;
use crate::header::{self, FIRST, Header, Read};
use crate::journal::Ahead;
use crate::kernel;
use crate::position::Position;
use crate::segment::{self, Segment};
use crate::walk::{Step, Walk};
use std::sync::Arc;

/// The length of a gap that covers no bytes but its own.
const LEAST_GAP: u32 = GAP_SPAN as u32;

impl Guard<'_> {
    /// Ends the current segment and begins the next one: before segments are deleted, or to copy the old ones.
    ///
    /// # Errors
    /// As for [`Guard::append`].
    pub fn seal(&mut self) -> Result<(), Error> {
        if self.inner.log.walk.at == FIRST { Ok(()) } else { self.roll() }
    }

    /// Closes the current segment if its sync failed, and writes its records that may not be on disk again to the next
    /// segment: other processes' records too, with the same numbers. Returns the position of the last, for [`sync`].
    ///
    /// [`sync`]: crate::Journal::sync
    ///
    /// # Errors
    /// As for [`Guard::append`]. It can be tried again.
    pub fn rewrite(&mut self) -> Result<Position, Error> {
        if self.inner.failed == Some(self.inner.log.walk.header.segment) {
            self.prepare_next()?;
            // For those who have this segment open. If this fails, the next segment's first record informs them.
            let _ = self.write_end();
            self.begin_next()?;
            self.complete(false)?;
        }
        Ok(self.inner.log.applied)
    }

    /// Begins the next segment, because the current one is full.
    pub(crate) fn roll(&mut self) -> Result<(), Error> {
        let journal = self.journal;
        journal.check(&mut self.inner)?;
        // What may fail for lack of space comes first: then nothing has happened yet.
        self.prepare_next()?;
        self.step("prepared");
        self.write_end()?;
        self.step("ended");
        self.begin_next()?;
        self.complete(false)
    }

    fn write_end(&mut self) -> Result<(), Error> {
        let walk = &self.inner.log.walk;
        if walk.room() < END_SPAN {
            return Ok(());
        }
        walk.segment.write(walk.at, &frame::end(walk.crc, walk.number))
    }

    /// Syncs the current segment, which has ended, and begins the next one. If a sync has failed, the next segment's
    /// first record follows the last one that is on disk.
    pub(crate) fn begin_next(&mut self) -> Result<(), Error> {
        let next = self.prepare_next()?;
        let inner = &mut *self.inner;
        let walk = &inner.log.walk;
        let here = walk.header;
        let mut from = (walk.number, walk.crc);
        // It is not synced again: a second sync may succeed although the data is gone.
        let failed = inner.failed == Some(here.segment);
        if failed || self.journal.options.durable && walk.segment.sync().is_err() {
            inner.failed = Some(here.segment);
            from = inner.synced.max((here.last, here.last_crc));
        } else if self.journal.options.durable {
            inner.synced = inner.synced.max(from);
        }
        self.step("synced");
        let header = Header {
            journal: here.journal,
            segment: folder::random()?,
            predecessor: here.segment,
            ordinal: next.ordinal,
            size: next.length()?.min(u64::from(u32::MAX)) & !7,
            last: from.0,
            last_crc: from.1,
        };
        let mut block = [0; FIRST as usize];
        block[..header::LENGTH].copy_from_slice(&header.encode());
        next.write(0, &block)?;
        self.step("begun");
        self.inner.failed = None;
        self.inner.log.enter(next.clone(), header)?;
        if self.journal.options.durable && next.sync().is_err() {
            self.inner.failed = Some(header.segment);
        }
        self.step("entered");
        Ok(())
    }

    /// The next segment, with all its space written and nothing in it.
    fn prepare_next(&mut self) -> Result<Arc<Segment>, Error> {
        let (here, folder) = (self.inner.log.walk.header, self.inner.log.folder.clone());
        // At least as large as the current one, whose records it may have to take.
        let size = self.journal.options.segment.max(here.size);
        self.inner.log.next = self.inner.log.next.take().filter(|next| kernel::is_at(&next.file, &next.path));
        let mut next = self.open_next()?;
        if !unused(&next, &here)? {
            self.inner.log.next = None;
            let moved = folder::move_aside(&next.path, "it does not continue the segment before");
            self.inner.notices.push(moved?);
            next = self.open_next()?;
        }
        let length = next.length()?;
        next.fill(length, size)?;
        let known = self.inner.ahead.ordinal == next.ordinal;
        let (synced, named) = if known { (self.inner.ahead.synced, self.inner.ahead.named) } else { (0, false) };
        self.inner.ahead = Ahead { ordinal: next.ordinal, length: size.max(length), synced, named };
        if self.journal.options.durable && synced < size {
            if let Err(Error::Sync(failed)) = next.sync() {
                return Err(Error::Io(failed));
            }
            self.inner.ahead.synced = size.max(length);
        }
        if self.journal.options.durable && !named {
            segment::sync_names(&folder)?;
            self.inner.ahead.named = true;
        }
        Ok(next)
    }

    /// Writes the records that the segment before has and this one lacks: after a failed sync, or if the process that
    /// did this before was killed.
    ///
    /// `fresh`: no caller has a state yet that would be wrong if a record is missing here.
    pub(crate) fn complete(&mut self, fresh: bool) -> Result<(), Error> {
        let (number, upto) = (self.inner.log.walk.number, self.inner.log.applied.number);
        if number >= upto {
            return Ok(());
        }
        let log = &self.inner.log;
        let (after, crc) = ((number, log.walk.crc), log.applied.crc);
        let copied = match &log.previous {
            Some((segment, header)) => copy(Walk::new(segment.clone(), *header), after, upto)?,
            None => None,
        };
        let room = log.walk.room();
        let whole = copied.filter(|copied| copied.last == (upto, crc));
        let bytes = match whole.filter(|copied| copied.bytes.len() as u64 + END_SPAN <= room) {
            Some(copied) => copied.bytes,
            None if !fresh => return Err(self.note(Error::Diverged { number: number + 1 })),
            // Each of the two has lost other records. What was read was read; the journal continues after it.
            None => {
                if room < GAP_SPAN + END_SPAN {
                    self.write_end()?;
                    self.begin_next()?;
                }
                frame::gap(after.1, LEAST_GAP, upto, crc)
            }
        };
        let inner = &mut *self.inner;
        let walk = &mut inner.log.walk;
        walk.segment.write(walk.at, &bytes)?;
        walk.advance(bytes.len() as u64, upto, crc);
        inner.log.applied = inner.log.reached();
        self.step("copied");
        Ok(())
    }

    /// For tests: the state of the folder is one that a crash can leave.
    #[cfg(not(test))]
    #[allow(clippy::unused_self)]
    fn step(&self, _what: &str) {}

    #[cfg(test)]
    fn step(&self, what: &str) {
        crate::tests::hooks::step(&self.inner.log.folder, what);
    }
}

/// Is the segment free of records? It may have a header, written by a process that was killed when it began the
/// segment.
///
/// The file is read in pieces, because somebody may have put a file there that is larger than the memory.
pub(crate) fn unused(segment: &Segment, before: &Header) -> Result<bool, Error> {
    match segment.header()? {
        Read::Unused => {}
        Read::Header(header) if header.predecessor == before.segment => {}
        Read::Header(_) | Read::Newer(_) | Read::Bad => return Ok(false),
    }
    let mut piece = [0; 64 * 1024];
    let mut at = FIRST;
    loop {
        let length = segment.read(at, &mut piece)?;
        if piece[..length].iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        if length < piece.len() {
            return Ok(true);
        }
        at += length as u64;
    }
}

/// Frames that were copied.
#[derive(Default)]
pub(crate) struct Copied {
    pub bytes: Vec<u8>,
    /// The number and the checksum of the last one.
    pub last: (u64, u32),
}

/// Copies the frames after record `after` up to number `upto`, as far as they exist; None if record `after` is missing.
pub(crate) fn copy(mut source: Walk, after: (u64, u32), upto: u64) -> Result<Option<Copied>, Error> {
    while source.number < after.0 && matches!(source.step()?, Step::Record | Step::Gap) {}
    let mut bytes = Vec::new();
    if source.number > after.0 {
        // A gap there covers it.
        bytes.extend(frame::gap(after.1, LEAST_GAP, source.number, source.crc));
    } else if (source.number, source.crc) != after {
        return Ok(None);
    }
    while source.number < upto {
        let before = source.crc;
        match source.step()? {
            Step::Record => bytes.extend(source.frame()),
            Step::Gap => bytes.extend(frame::gap(before, LEAST_GAP, source.number, source.crc)),
            _ => break,
        }
    }
    Ok(Some(Copied { bytes, last: (source.number, source.crc) }))
}
