//! Reading from segment to segment. A lock holder and a follower read the same way; only the former mends.

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
pub struct Tape {
    pub folder: PathBuf,
    access: Access,
    /// Segments that were there when the folder was looked at.
    chain: Vec<Header>,
    pub walk: Walk,
    /// The segment before, if it was read here.
    pub previous: Option<(Arc<Segment>, Header)>,
    /// The next one, open since early: a stranger may keep us from opening it later.
    pub next: Option<Arc<Segment>>,
    /// The last record that the reader was given.
    pub applied: Position,
}

/// Why reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Nothing was written there yet.
    Tail,
    /// Something stands there that is no record, or not yet.
    Bad,
    /// The segment ended, and the next was not begun.
    Ended,
    /// The next segment was begun after a record that is not here: its number and checksum.
    Hole { last: u64, crc: u32 },
}

enum Next {
    NotBegun,
    Hole { last: u64, crc: u32 },
    Begun(Arc<Segment>, Header),
}

impl Tape {
    /// At the beginning of the oldest segment; None if there is none.
    pub fn new(folder: &Path, access: Access, survey: &Survey) -> Result<Option<Self>, Error> {
        let Some(first) = survey.chain.first() else { return Ok(None) };
        let Some(segment) = Segment::open(folder, first.ordinal, access)? else { return Ok(None) };
        let (walk, applied) = (Walk::new(Arc::new(segment), *first), before(first));
        let (chain, folder) = (survey.chain.clone(), folder.to_owned());
        Ok(Some(Self { folder, access, chain, walk, previous: None, next: None, applied }))
    }

    /// The place before the oldest record that is here.
    pub fn beginning(&self) -> Position {
        before(self.chain.first().unwrap_or(&self.walk.header))
    }

    /// Goes to a place, so that what follows is read next. False, and no move, if the journal does not have it.
    pub fn start_at(&mut self, place: &Position) -> Result<bool, Error> {
        let Some(candidate) = self.chain.iter().rposition(|header| header.last <= place.number) else {
            return Ok(false);
        };
        // The segment before may have the record too, and more after it: if it could not be synced, and its records
        // were not all written again.
        for header in &self.chain[candidate.saturating_sub(1)..=candidate] {
            let Some(segment) = Segment::open(&self.folder, header.ordinal, self.access)? else { continue };
            let mut walk = Walk::new(Arc::new(segment), *header);
            // A journal that was begun anew continues another one's numbers.
            let anew = header.predecessor.is_nil() && place.number == header.last;
            if place.journal != header.journal && !anew {
                continue;
            }
            while walk.number < place.number && matches!(walk.step()?, Step::Record | Step::Gap) {}
            if walk.number == place.number && walk.crc == place.crc {
                self.walk = walk;
                (self.previous, self.next) = (None, None);
                self.applied = Position { journal: header.journal, segment: header.segment, ..*place };
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Gives the reader what follows, and says why it went no further.
    pub fn read(&mut self, reader: &mut dyn FnMut(Item<'_>)) -> Result<Stop, Error> {
        loop {
            let stop = match self.walk.step()? {
                Step::Record => {
                    self.give_record(reader)?;
                    continue;
                }
                Step::Gap => {
                    self.give_gap(reader);
                    continue;
                }
                Step::End => Stop::Ended,
                Step::Zero => Stop::Tail,
                Step::Bad | Step::Stranger(_) => Stop::Bad,
            };
            match self.look_at_next(stop == Stop::Ended)? {
                Next::NotBegun => return Ok(stop),
                Next::Hole { last, crc } => return Ok(Stop::Hole { last, crc }),
                Next::Begun(segment, header) => {
                    self.enter(segment, header);
                    self.give_gap(reader);
                }
            }
        }
    }

    fn give_record(&mut self, reader: &mut dyn FnMut(Item<'_>)) -> Result<(), Error> {
        let (number, crc) = (self.walk.number, self.walk.crc);
        // After a sync that failed, records stand in two segments.
        if number < self.applied.number {
            return Ok(());
        }
        if number > self.applied.number {
            reader(Item::Record(Record { number, crc, payload: self.walk.payload() }));
        } else if crc != self.applied.crc {
            return Err(Error::Diverged { number });
        }
        self.applied = self.reached();
        Ok(())
    }

    /// What is missing between the last record that was given and where the walk is.
    fn give_gap(&mut self, reader: &mut dyn FnMut(Item<'_>)) {
        if self.walk.number > self.applied.number {
            reader(Item::Gap { first: self.applied.number + 1, last: self.walk.number });
            self.applied = self.reached();
        }
    }

    /// The place where the walk is.
    pub fn reached(&self) -> Position {
        let Header { journal, segment, .. } = self.walk.header;
        Position { journal, segment, number: self.walk.number, crc: self.walk.crc }
    }

    /// The ordinal of the segment after the present one.
    pub fn next_ordinal(&self) -> u64 {
        let here = self.walk.header.ordinal;
        self.chain.iter().map(|header| header.ordinal).find(|ordinal| *ordinal > here).unwrap_or(here + 1)
    }

    /// Goes on in another segment.
    pub fn enter(&mut self, segment: Arc<Segment>, header: Header) {
        let walk = std::mem::replace(&mut self.walk, Walk::new(segment, header));
        self.previous = Some((walk.segment, walk.header));
        self.next = None;
    }

    /// Is the next segment in use? If the present one has no end, only a record in the next one says so.
    fn look_at_next(&mut self, ended: bool) -> Result<Next, Error> {
        let ordinal = self.next_ordinal();
        if ended {
            // It may have been moved aside for a better one.
            self.next = self.next.take().filter(|next| kernel::is_at(&next.file, &next.path));
        }
        if self.next.is_none() {
            self.next = Segment::open(&self.folder, ordinal, self.access)?.map(Arc::new);
        }
        let Some(next) = self.next.clone() else { return Ok(Next::NotBegun) };
        let header = match next.header()? {
            Read::Header(header) if header.journal == self.walk.header.journal && header.ordinal == ordinal => header,
            Read::Newer(version) => return Err(Error::NewerVersion { path: next.path.clone(), version }),
            _ => return Ok(Next::NotBegun),
        };
        let later = header.last > self.walk.number;
        if header.predecessor != self.walk.header.segment {
            // One between them is missing.
            let known = self.chain.iter().any(|known| known.segment == header.segment);
            let fits = known && (later || self.has(header.last, header.last_crc)?);
            return Ok(if fits { Next::Begun(next, header) } else { Next::NotBegun });
        }
        if !ended && !matches!(Walk::new(next.clone(), header).step()?, Step::Record | Step::Gap) {
            return Ok(Next::NotBegun);
        }
        if later && !ended {
            let hole = Next::Hole { last: header.last, crc: header.last_crc };
            return Ok(if self.walk.room() >= GAP_SPAN { hole } else { Next::NotBegun });
        }
        Ok(if later || self.has(header.last, header.last_crc)? { Next::Begun(next, header) } else { Next::NotBegun })
    }

    /// Does the present segment have this record, up to where the walk is?
    fn has(&self, number: u64, crc: u32) -> Result<bool, Error> {
        if number == self.walk.number {
            return Ok(crc == self.walk.crc);
        }
        let mut walk = Walk::new(self.walk.segment.clone(), self.walk.header);
        while walk.number < number && matches!(walk.step()?, Step::Record | Step::Gap) {}
        Ok(walk.number == number && walk.crc == crc)
    }
}

/// The place before a segment's first record.
fn before(header: &Header) -> Position {
    let Header { journal, segment, last: number, last_crc: crc, .. } = *header;
    Position { journal, segment, number, crc }
}
