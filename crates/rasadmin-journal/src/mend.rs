//! Mends what a crash or a failing disk left after the last record. Done by the lock holder.

use crate::error::Error;
use crate::folder::{self, ASIDE};
use crate::frame::{self, Frame, GAP_SPAN, Kind, Seen};
use crate::guard::Guard;
use crate::journal::Inner;
use crate::log_reader::Stop;
use crate::notice::Notice;
use crate::roll::{Copied, copy, unused};
use crate::segment::{self, Access, Segment};
use rasadmin_rights::private::only_ours;
use std::path::PathBuf;

impl Guard<'_> {
    /// Examines everything after the last record. If there is a later record, the bytes between are quarantined, and
    /// this returns true: reading continues. Everything else is erased, so that it can never be mistaken for a record.
    pub(crate) fn mend(&mut self, stop: Stop) -> Result<bool, Error> {
        let walk = &self.inner.log.walk;
        let (at, number) = (walk.at, walk.number);
        let bytes = walk.segment.read_to(at, walk.header.size)?;
        let found = find(&bytes, walk.room());
        if let Some((offset, frame)) = found
            && offset >= GAP_SPAN
        {
            let (length, last, resumes) = match frame.kind {
                Kind::Record => (offset, frame.number.saturating_sub(1), frame.previous),
                Kind::End => (offset, frame.number, frame.previous),
                Kind::Gap => (offset + frame.span(), frame.number, frame.resumes),
            };
            if last > number {
                if self.restore(length, last, resumes)? {
                    return Ok(true);
                }
                self.quarantine(&bytes, length, last, resumes)?;
                return Ok(true);
            }
        }
        if let Stop::Hole { last, crc } = stop {
            // None of it is here, but the next segment follows it.
            let length = self.inner.log.walk.room();
            self.quarantine(&bytes, length, last, crc)?;
            return Ok(true);
        }
        self.clear(&bytes, found.is_some())?;
        Ok(false)
    }

    /// Restores missing records from an earlier segment whose sync had failed, as far as it has them. Returns true if
    /// there were any. The records are identical, and at the same distances from each other.
    fn restore(&mut self, length: u64, last: u64, resumes: u32) -> Result<bool, Error> {
        let after = (self.inner.log.walk.number, self.inner.log.walk.crc);
        let mut best = Vec::new();
        for source in self.inner.log.behind()? {
            let Some(Copied { bytes, last: reached }) = copy(source, after, last)? else { continue };
            let whole = reached == (last, resumes) && bytes.len() as u64 == length;
            // What is still missing then needs room for its gap.
            let part = reached.0 < last && bytes.len() as u64 + GAP_SPAN <= length;
            if (whole || part) && bytes.len() > best.len() {
                best = bytes;
            }
        }
        if best.is_empty() {
            return Ok(false);
        }
        let walk = &mut self.inner.log.walk;
        walk.segment.write(walk.at, &best)?;
        walk.forget();
        walk.segment.sync()?;
        Ok(true)
    }

    /// Replaces `length` bytes with a gap.
    fn quarantine(&mut self, bytes: &[u8], length: u64, last: u64, resumes: u32) -> Result<(), Error> {
        let bad = bytes.get(..usize::try_from(length).unwrap_or(usize::MAX)).unwrap_or(bytes);
        let saved = self.save(bad);
        let walk = &mut self.inner.log.walk;
        let (at, first, path) = (walk.at, walk.number + 1, walk.segment.path.clone());
        // It is less than the size of a segment.
        let span = u32::try_from(length).unwrap_or(u32::MAX);
        walk.segment.write(at, &frame::gap(walk.crc, span, last, resumes))?;
        walk.forget();
        // The records after the gap are read, and more are appended to them, so a power cut must not lose the gap.
        walk.segment.sync()?;
        self.inner.notices.push(Notice::Quarantined { path, at, length, first, last, saved });
        Ok(())
    }

    fn clear(&mut self, bytes: &[u8], stale: bool) -> Result<(), Error> {
        let Some(last) = bytes.iter().rposition(|byte| *byte != 0) else { return Ok(()) };
        let saved = if stale { self.save(&bytes[..=last]) } else { None };
        let walk = &mut self.inner.log.walk;
        let (at, path) = (walk.at, walk.segment.path.clone());
        walk.segment.fill(at, at + last as u64 + 1)?;
        walk.forget();
        // Otherwise a power cut could restore some of it after what is appended now, or join the beginning of an erased
        // record with the end of its replacement, if both end alike.
        walk.segment.sync()?;
        if stale {
            self.inner.notices.push(Notice::Stale { path, at, saved });
        } else {
            self.inner.notices.push(Notice::Torn { path, at });
        }
        Ok(())
    }

    /// Moves aside the segments after the end of the journal. Their first records are lost, so reading never reached
    /// them, and new records will take their numbers. If they stayed, they could become valid again after a new segment
    /// that replaces the one they follow.
    pub(crate) fn abandon(&mut self) -> Result<(), Error> {
        let Inner { log, notices, .. } = &mut *self.inner;
        let here = log.walk.header;
        let behind = log.chain.iter().filter(|header| header.ordinal > here.ordinal);
        let behind: Vec<_> = behind.map(|header| header.ordinal).collect();
        if behind.is_empty() {
            return Ok(());
        }
        log.next = None;
        // Newest first, so that a crash meanwhile leaves no hole among the remaining ones.
        for ordinal in behind.into_iter().rev() {
            let Some(segment) = Segment::open(&log.folder, ordinal, Access::Read)? else { continue };
            let used = !unused(&segment, &here)?;
            let Segment { file, path, .. } = segment;
            drop(file);
            if used {
                notices.push(folder::move_aside(&path, "its first record cannot be read, so nothing leads to it")?);
            }
        }
        // Otherwise a power cut could bring them back.
        segment::sync_names(&log.folder)?;
        log.chain.retain(|header| header.ordinal <= here.ordinal);
        Ok(())
    }

    /// Saves bytes for a later investigation.
    fn save(&self, bytes: &[u8]) -> Option<PathBuf> {
        let log = &self.inner.log;
        let mark = folder::random().ok()?.simple().to_string();
        let name = format!("{ASIDE}{}-{:010}.bytes-{}", &mark[..8], log.walk.header.ordinal, log.walk.at);
        let path = log.folder.join(name);
        let mut options = std::fs::File::options();
        let mut file = only_ours(options.write(true).create_new(true)).open(&path).ok()?;
        std::io::Write::write_all(&mut file, bytes).ok()?;
        Some(path)
    }
}

/// Finds the first complete frame at any possible offset.
fn find(bytes: &[u8], room: u64) -> Option<(u64, Frame)> {
    (0..bytes.len()).step_by(8).find_map(|offset| {
        if bytes[offset] == 0 {
            return None;
        }
        match frame::see(&bytes[offset..], room - offset as u64) {
            Seen::Whole(frame) => Some((offset as u64, frame)),
            _ => None,
        }
    })
}
