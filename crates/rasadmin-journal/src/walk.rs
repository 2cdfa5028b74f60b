//! Reads one segment, frame by frame.

use crate::error::Error;
use crate::frame::{self, Frame, HEAD, Kind, Seen};
use crate::header::{FIRST, Header};
use crate::segment::Segment;
use std::sync::Arc;

/// The bytes to read first when checking for new records. Doubled after each success, up to [`CHUNK`].
const LOOK: usize = 512;
/// The most bytes to read at once, except for a longer record.
const CHUNK: usize = 64 * 1024;

/// A position in a segment, with what was read there.
#[derive(Debug)]
pub struct Walk {
    pub segment: Arc<Segment>,
    pub header: Header,
    /// The offset at which the next frame is expected.
    pub at: u64,
    /// The number and the checksum of the last record.
    pub number: u64,
    pub crc: u32,
    /// The offset of the last record's frame.
    frame_at: u64,
    buffer: Vec<u8>,
    /// The bytes to read next.
    look: usize,
    /// The offset of the buffer's first byte in the file.
    start: u64,
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A record: see [`Walk::payload`].
    Record,
    /// Records are missing, up to the current number.
    Gap,
    /// The end of the segment.
    End,
    /// Nothing was written here.
    Zero,
    /// Not a complete frame.
    Bad,
    /// A complete frame that does not continue the last one.
    Unrelated(Frame),
}

impl Walk {
    /// Starts at the beginning of a segment.
    pub fn new(segment: Arc<Segment>, header: Header) -> Self {
        let (number, crc) = (header.last, header.last_crc);
        Self { segment, header, at: FIRST, number, crc, frame_at: FIRST, buffer: Vec::new(), look: LOOK, start: FIRST }
    }

    /// Takes one step. At `Zero`, `Bad`, `Unrelated` and `End` the position does not change.
    pub fn step(&mut self) -> Result<Step, Error> {
        let frame = match self.look()? {
            Seen::Whole(frame) => frame,
            Seen::Zero => return Ok(Step::Zero),
            Seen::Bad | Seen::Short(_) => return Ok(Step::Bad),
        };
        let follows = match frame.kind {
            Kind::Record => self.number.checked_add(1) == Some(frame.number),
            Kind::End => frame.number == self.number,
            Kind::Gap => frame.number > self.number,
        };
        if frame.previous != self.crc || !follows {
            return Ok(Step::Unrelated(frame));
        }
        let (step, crc) = match frame.kind {
            Kind::Record => (Step::Record, frame.crc),
            Kind::Gap => (Step::Gap, frame.resumes),
            Kind::End => return Ok(Step::End),
        };
        (self.number, self.crc) = (frame.number, crc);
        self.frame_at = self.at;
        self.at += frame.span();
        Ok(step)
    }

    /// Is there a record after this number?
    pub fn goes_beyond(mut self, number: u64) -> Result<bool, Error> {
        while self.number <= number && matches!(self.step()?, Step::Record | Step::Gap) {}
        Ok(self.number > number)
    }

    /// The payload of the record that the last step read.
    pub fn payload(&self) -> &[u8] {
        let frame = self.frame();
        let length = frame::u32_at(frame, 4) as usize;
        frame.get(HEAD..HEAD.saturating_add(length)).unwrap_or_default()
    }

    /// The whole frame of that record.
    pub fn frame(&self) -> &[u8] {
        let (Some(from), Some(to)) = (self.in_buffer(self.frame_at), self.in_buffer(self.at)) else { return &[] };
        self.buffer.get(from..to).unwrap_or_default()
    }

    /// Discards what was read ahead, because somebody wrote.
    pub fn forget(&mut self) {
        self.buffer.clear();
        self.start = self.at;
    }

    /// Moves past a record of `span` bytes that the caller wrote here.
    pub fn advance(&mut self, span: u64, number: u64, crc: u32) {
        self.at += span;
        (self.number, self.crc) = (number, crc);
        self.forget();
    }

    /// The bytes from here to the end of the segment.
    pub fn room(&self) -> u64 {
        self.header.size.saturating_sub(self.at)
    }

    fn ahead(&self) -> &[u8] {
        self.in_buffer(self.at).and_then(|from| self.buffer.get(from..)).unwrap_or_default()
    }

    /// The index in the buffer of an offset in the file.
    fn in_buffer(&self, at: u64) -> Option<usize> {
        at.checked_sub(self.start).and_then(|offset| usize::try_from(offset).ok())
    }

    fn look(&mut self) -> Result<Seen, Error> {
        let seen = frame::see(self.ahead(), self.room());
        if matches!(seen, Seen::Whole(_)) {
            return Ok(seen);
        }
        // What was read ahead may have been incomplete then.
        self.fill(self.look)?;
        let mut seen = frame::see(self.ahead(), self.room());
        if let Seen::Short(whole) = seen {
            self.fill(whole.max(self.look))?;
            seen = frame::see(self.ahead(), self.room());
        }
        self.look = if matches!(seen, Seen::Whole(_)) { (self.look * 2).min(CHUNK) } else { LOOK };
        if matches!(seen, Seen::Short(_)) {
            // The file is shorter than the segment.
            return Ok(if self.ahead().iter().all(|byte| *byte == 0) { Seen::Zero } else { Seen::Bad });
        }
        Ok(seen)
    }

    fn fill(&mut self, wanted: usize) -> Result<(), Error> {
        // If the read fails, the buffer must not contain bytes of another offset.
        self.forget();
        if wanted <= CHUNK {
            self.buffer.resize(wanted, 0);
            let read = self.segment.read(self.at, &mut self.buffer);
            self.buffer.truncate(*read.as_ref().unwrap_or(&0));
            return read.map(|_| ());
        }
        self.buffer = self.segment.read_to(self.at, self.at.saturating_add(wanted as u64))?;
        Ok(())
    }
}
