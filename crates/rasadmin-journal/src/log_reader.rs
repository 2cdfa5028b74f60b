//! Reads from segment to segment. The lock holder and a follower read the same way; only the lock holder mends.

use crate::error::Error;
use crate::folder::Survey;
use crate::frame::GAP_SPAN;
use crate::header::{Header, Read};
use crate::kernel;
use crate::position::{Item, Position, Record};
use crate::segment::{Access, Segment};
use crate::walk::{Step, Walk};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The segments as one sequence of records, and how far it was read.
#[derive(Debug)]
pub struct LogReader {
    pub folder: PathBuf,
    access: Access,
    /// The segments that existed when the folder was examined.
    pub chain: Vec<Header>,
    pub walk: Walk,
    /// The previous segment, if it was read here.
    pub previous: Option<(Arc<Segment>, Header)>,
    /// Was it read to the end once? Before that, a record with different contents in two segments is not an error,
    /// because opening again would not help: the later one counts.
    pub settled: bool,
    /// Where to leave the current segment although it has more records: a later segment in use follows this record.
    /// That segment was written later, because the rest here could not be synced.
    left_at: Option<(u64, u32)>,
    /// Was the previous segment left early?
    left_early: bool,
    /// The next segment, opened early, because another user may later prevent that.
    pub next: Option<Arc<Segment>>,
    /// The last record that the reader got.
    pub applied: Position,
}

/// The number of earlier segments in which a record is searched: so many syncs must have failed in a row.
const BEHIND: usize = 8;

/// Why reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Nothing was written here yet.
    Tail,
    /// Not a complete record, or not yet.
    Bad,
    /// The segment ended, and the next one has not begun.
    Ended,
    /// The next segment follows a record that is not here: its number and checksum.
    Hole { last: u64, crc: u32 },
}

enum Next {
    NotReady,
    Hole { last: u64, crc: u32 },
    Ready(Arc<Segment>, Header),
}

impl LogReader {
    /// Starts at the beginning of the oldest segment; None if there is no segment.
    pub fn new(folder: &Path, access: Access, survey: &Survey) -> Result<Option<Self>, Error> {
        let Some(first) = survey.chain.first() else { return Ok(None) };
        let Some(segment) = Segment::open(folder, first.ordinal, access)? else { return Ok(None) };
        let (walk, applied) = (Walk::new(Arc::new(segment), *first), before(first));
        let (chain, folder) = (survey.chain.clone(), folder.to_owned());
        let (previous, next) = (None, None);
        let mut log = Self {
            folder,
            access,
            chain,
            walk,
            previous,
            settled: false,
            left_at: None,
            left_early: false,
            next,
            applied,
        };
        log.left_at = log.find_left_at()?;
        Ok(Some(log))
    }

    /// The position before the oldest record.
    pub fn beginning(&self) -> Position {
        before(self.chain.first().unwrap_or(&self.walk.header))
    }

    /// Moves to a position, so that the record after it is read next. Returns false, without moving, if the journal
    /// does not have it.
    pub fn start_at(&mut self, position: &Position) -> Result<bool, Error> {
        let Some(candidate) = self.chain.iter().rposition(|header| header.last <= position.number) else {
            return Ok(false);
        };
        // Only the segment before may have it, if it could not be synced and its records were not all written again.
        for index in (candidate.saturating_sub(1)..=candidate).rev() {
            let header = &self.chain[index];
            let Some(segment) = Segment::open(&self.folder, header.ordinal, self.access)? else { continue };
            let mut walk = Walk::new(Arc::new(segment), *header);
            // A journal that was begun as a new one continues the numbers of another.
            let begun_as_new = header.predecessor.is_nil() && position.number == header.last;
            if position.journal != header.journal && !begun_as_new {
                continue;
            }
            while walk.number < position.number && matches!(walk.step()?, Step::Record | Step::Gap) {}
            if walk.number == position.number && walk.crc == position.crc {
                self.applied = Position { journal: header.journal, segment: header.segment, ..*position };
                let before = index.checked_sub(1).map(|before| self.chain[before]);
                let before = before.filter(|before| before.segment == header.predecessor);
                self.walk = walk;
                (self.previous, self.next) = (None, None);
                if let Some(before) = before {
                    let segment = Segment::open(&self.folder, before.ordinal, self.access)?;
                    self.previous = segment.map(|segment| (Arc::new(segment), before));
                }
                self.left_early = self.previous.is_some();
                self.left_at = self.find_left_at()?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Passes everything that follows to the reader, and says why it stopped.
    pub fn read(&mut self, reader: &mut dyn FnMut(Item<'_>)) -> Result<Stop, Error> {
        loop {
            if let Some(stop) = self.read_some(usize::MAX, reader)? {
                return Ok(stop);
            }
        }
    }

    /// Like `read`, but stops after so many records, and then returns None.
    pub fn read_some(&mut self, most: usize, reader: &mut dyn FnMut(Item<'_>)) -> Result<Option<Stop>, Error> {
        let mut records = 0;
        loop {
            if records == most {
                return Ok(None);
            }
            if self.left_at == Some((self.walk.number, self.walk.crc)) {
                self.left_at = None;
                if let Next::Ready(segment, header) = self.look_at_next(true)? {
                    self.enter(segment, header)?;
                    self.left_early = true;
                    continue;
                }
            }
            let stop = match self.walk.step()? {
                Step::Record => {
                    self.give_record(reader)?;
                    records += 1;
                    continue;
                }
                Step::Gap => {
                    self.give_gap(reader);
                    continue;
                }
                Step::End => Stop::Ended,
                Step::Zero => Stop::Tail,
                Step::Bad | Step::Unrelated(_) => Stop::Bad,
            };
            match self.look_at_next(stop == Stop::Ended)? {
                Next::NotReady => return Ok(Some(stop)),
                Next::Hole { last, crc } => return Ok(Some(Stop::Hole { last, crc })),
                Next::Ready(segment, header) => {
                    self.enter(segment, header)?;
                    self.give_gap(reader);
                }
            }
        }
    }

    /// Passes the records of the previous segment after the last record of this one to the reader, if that segment was
    /// left early. Only for the lock holder, at the end of the last segment, who writes them again there.
    pub fn read_left(&mut self, reader: &mut dyn FnMut(Item<'_>)) -> Result<(), Error> {
        if !std::mem::take(&mut self.left_early) {
            return Ok(());
        }
        let Some(mut walk) = self.behind()?.into_iter().find_map(|mut walk| {
            while walk.number < self.walk.number && matches!(walk.step(), Ok(Step::Record | Step::Gap)) {}
            let fits = (walk.number, walk.crc) == (self.walk.number, self.walk.crc);
            let more =
                fits && matches!(Walk::new(walk.segment.clone(), walk.header).goes_beyond(walk.number), Ok(true));
            more.then_some(walk)
        }) else {
            return Ok(());
        };
        self.previous = Some((walk.segment.clone(), walk.header));
        std::mem::swap(&mut walk, &mut self.walk);
        let read = loop {
            match self.walk.step() {
                Ok(Step::Record) => match self.give_record(reader) {
                    Ok(()) => {}
                    Err(error) => break Err(error),
                },
                Ok(Step::Gap) => self.give_gap(reader),
                other => break other,
            }
        };
        self.walk = walk;
        read.map(|_| ())
    }

    /// The earlier segments that may have records after the current one, newest first, each at its beginning.
    pub fn behind(&self) -> Result<Vec<Walk>, Error> {
        let (here, number) = (self.walk.header.ordinal, self.walk.number);
        let may = self.chain.iter().rev().filter(|header| header.ordinal < here && header.last <= number);
        let mut all = Vec::new();
        for header in may.take(BEHIND) {
            let segment = Segment::open(&self.folder, header.ordinal, self.access)?;
            all.extend(segment.map(|segment| Walk::new(Arc::new(segment), *header)));
        }
        Ok(all)
    }

    fn give_record(&mut self, reader: &mut dyn FnMut(Item<'_>)) -> Result<(), Error> {
        let (number, crc) = (self.walk.number, self.walk.crc);
        // After a failed sync, records are in two segments.
        if number < self.applied.number {
            return Ok(());
        }
        if number > self.applied.number {
            reader(Item::Record(Record { number, crc, payload: self.walk.payload() }));
        } else if crc != self.applied.crc && self.settled {
            return Err(Error::Diverged { number });
        }
        self.applied = self.reached();
        Ok(())
    }

    /// Passes the gap between the last record that the reader got and the current position.
    fn give_gap(&mut self, reader: &mut dyn FnMut(Item<'_>)) {
        if self.walk.number > self.applied.number {
            reader(Item::Gap { first: self.applied.number + 1, last: self.walk.number });
            self.applied = self.reached();
        }
    }

    /// The current position.
    pub fn reached(&self) -> Position {
        let Header { journal, segment, .. } = self.walk.header;
        Position { journal, segment, number: self.walk.number, crc: self.walk.crc }
    }

    /// The ordinal of the segment after the current one.
    pub fn next_ordinal(&self) -> u64 {
        let here = self.walk.header.ordinal;
        self.chain.iter().map(|header| header.ordinal).find(|ordinal| *ordinal > here).unwrap_or(here + 1)
    }

    /// Continues in another segment.
    pub fn enter(&mut self, segment: Arc<Segment>, header: Header) -> Result<(), Error> {
        let walk = std::mem::replace(&mut self.walk, Walk::new(segment, header));
        self.previous = Some((walk.segment, walk.header));
        self.next = None;
        self.left_early = false;
        self.left_at = self.find_left_at()?;
        Ok(())
    }

    /// Finds `left_at`, among the segments that existed from the beginning.
    fn find_left_at(&self) -> Result<Option<(u64, u32)>, Error> {
        let here = self.walk.header.segment;
        let Some(next) = self.chain.iter().find(|header| header.predecessor == here) else { return Ok(None) };
        let Some(segment) = Segment::open(&self.folder, next.ordinal, self.access)? else { return Ok(None) };
        // Not if it begins with a gap: the current segment may have what is missing there.
        let begins = self.first_step(Arc::new(segment), *next, |after| after.last == next.last)?;
        Ok((begins == Step::Record).then_some((next.last, next.last_crc)))
    }

    /// Is the next segment in use? If the current one has no end, only a record in the next one proves it.
    fn look_at_next(&mut self, ended: bool) -> Result<Next, Error> {
        let ordinal = self.next_ordinal();
        if ended {
            // It may have been moved aside for a better one.
            self.next = self.next.take().filter(|next| kernel::is_at(&next.file, &next.path));
        }
        if self.next.is_none() {
            self.next = Segment::open(&self.folder, ordinal, self.access)?.map(Arc::new);
        }
        let Some(next) = self.next.clone() else { return Ok(Next::NotReady) };
        let header = match next.header()? {
            Read::Header(header) if header.journal == self.walk.header.journal && header.ordinal == ordinal => header,
            Read::Newer(version) => return Err(Error::NewerVersion { path: next.path.clone(), version }),
            _ => return Ok(Next::NotReady),
        };
        let later = header.last > self.walk.number;
        if header.predecessor != self.walk.header.segment {
            // A segment between them is missing.
            let known = self.chain.iter().any(|known| known.segment == header.segment);
            let fits = known && (later || self.has(header.last, header.last_crc)?);
            return Ok(if fits { Next::Ready(next, header) } else { Next::NotReady });
        }
        if !ended && !self.is_in_use(&next, header)? {
            return Ok(Next::NotReady);
        }
        if later && !ended {
            let hole = Next::Hole { last: header.last, crc: header.last_crc };
            return Ok(if self.walk.room() >= GAP_SPAN { hole } else { Next::NotReady });
        }
        Ok(if later || self.has(header.last, header.last_crc)? { Next::Ready(next, header) } else { Next::NotReady })
    }

    /// Does a segment with a header also have a record? Or does the segment after it, which names it? Then the first
    /// record was lost because several segments in a row could not be synced, and it is there.
    fn is_in_use(&self, segment: &Arc<Segment>, header: Header) -> Result<bool, Error> {
        Ok(matches!(self.first_step(segment.clone(), header, |_| true)?, Step::Record | Step::Gap))
    }

    /// The first step in a segment. If its first record cannot be read: that of a segment after it that `may` replace
    /// it.
    fn first_step(
        &self,
        mut segment: Arc<Segment>,
        mut header: Header,
        may: impl Fn(&Header) -> bool,
    ) -> Result<Step, Error> {
        loop {
            let step = Walk::new(segment, header).step()?;
            if matches!(step, Step::Record | Step::Gap) {
                return Ok(step);
            }
            let Some(after) = Segment::open(&self.folder, header.ordinal + 1, self.access)? else { return Ok(step) };
            match after.header()? {
                // The ordinal too: a chain of headers that names itself would never end.
                Read::Header(its) if its.ordinal == after.ordinal && its.predecessor == header.segment && may(&its) => {
                    (segment, header) = (Arc::new(after), its);
                }
                _ => return Ok(step),
            }
        }
    }

    /// Does the current segment have this record, up to the current position?
    fn has(&self, number: u64, crc: u32) -> Result<bool, Error> {
        if number == self.walk.number {
            return Ok(crc == self.walk.crc);
        }
        let mut walk = Walk::new(self.walk.segment.clone(), self.walk.header);
        while walk.number < number && matches!(walk.step()?, Step::Record | Step::Gap) {}
        Ok(walk.number == number && walk.crc == crc)
    }
}

/// The position before a segment's first record.
fn before(header: &Header) -> Position {
    let Header { journal, segment, last: number, last_crc: crc, .. } = *header;
    Position { journal, segment, number, crc }
}
