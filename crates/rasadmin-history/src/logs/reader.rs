//! Reads the records of a file.

use super::detect::{Format, format_of};
use super::dts;
use super::dts::Events;
use super::fault::{Fault, Unreadable};
use super::input::Input;
use super::lines::Lines;
use super::plain::{Kind, Records};
use super::record::{Record, Unsettled};
use jiff::tz::TimeZone;
use rasadmin_policy::Millis;
use std::cell::Cell;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// How many lines are examined to detect the format.
const LOOKED_AT: usize = 100;

/// How much later than the beginning of the next log a record of this one may be: RADIUS repeats records, and some come
/// late.
const OVERLAP: Millis = 3_600_000;

/// Reads a file's records, one by one.
pub struct Reader {
    file: PathBuf,
    zone: Option<TimeZone>,
    format: Format,
    source: Source,
    octets: Rc<Cell<u64>>,
    /// When a later log of the same computer begins.
    next_log: Option<Millis>,
}

enum Source {
    Records(Box<Records>),
    Events(Box<Events>),
}

/// A record or what is wrong with it, with its line.
pub type Found = (u64, Result<Record, Fault>);

impl Reader {
    /// Opens a log and detects its format. Returns `None` if it has no lines.
    pub fn open(file: &Path, zone: Option<TimeZone>) -> Result<Option<Self>, Unreadable> {
        let input = Input::open(file).map_err(|e| Unreadable::io(file, &e))?;
        Self::new(file, input, zone)
    }

    /// As [`open`](Self::open), if it is already open.
    pub(super) fn new(file: &Path, mut input: Input, zone: Option<TimeZone>) -> Result<Option<Self>, Unreadable> {
        let Some(format) = Self::format_of(file, &mut input)? else { return Ok(None) };
        let (bytes, octets) = input.read();
        Self::of(file, format, bytes, octets, zone).map(Some)
    }

    /// A reader of only the beginning of a log, which is then still to be read.
    pub(super) fn of_head(file: &Path, input: &mut Input, zone: Option<TimeZone>) -> Result<Option<Self>, Unreadable> {
        let Some(format) = Self::format_of(file, input)? else { return Ok(None) };
        let head = io::Cursor::new(input.head().to_vec());
        Self::of(file, format, head, Rc::default(), zone).map(Some)
    }

    /// The format of an open log; `None` if it has no lines. It is an error if it is no log.
    fn format_of(file: &Path, input: &mut Input) -> Result<Option<Format>, Unreadable> {
        let what = match detect(input.head()).map_err(|e| Unreadable::io(file, &e))? {
            None if input.is_zeros_after_head().map_err(|e| Unreadable::io(file, &e))? => return Ok(None),
            None => {
                "it begins with 256 KiB of zeros, so its format cannot be recognised: remove the zeros at its \
                 beginning, or leave the file out"
            }
            Some(Some(format)) => return Ok(Some(format)),
            Some(None) if input.head().starts_with(b"PK\x03\x04") => {
                "it is a ZIP archive: unpack it, and name the logs"
            }
            Some(None) => {
                "it is not a log of RRAS or NPS: none of its first lines is a record in the database-compatible, DTS or \
                 IAS format"
            }
        };
        Err(Unreadable::file(file, what.to_owned()))
    }

    fn of(
        file: &Path,
        format: Format,
        bytes: impl Read + 'static,
        octets: Rc<Cell<u64>>,
        zone: Option<TimeZone>,
    ) -> Result<Self, Unreadable> {
        let lines = Lines::new(bytes).map_err(|e| Unreadable::io(file, &e))?;
        let source = match format {
            Format::Dts => Source::Events(Box::new(Events::new(lines))),
            Format::Odbc => Source::Records(Box::new(Records::new(Kind::Odbc, lines))),
            Format::Ias => Source::Records(Box::new(Records::new(Kind::Ias, lines))),
        };
        Ok(Self { file: file.to_owned(), zone, format, source, octets, next_log: None })
    }

    /// A later log of the same computer begins then. So nothing more will be written to this one, and its last line is a
    /// record or a fault, and not left.
    pub(super) fn set_next_log(&mut self, begins: Millis) {
        self.next_log = Some(begins);
        self.set_finished(true);
    }

    fn set_finished(&mut self, finished: bool) {
        match &mut self.source {
            Source::Records(records) => records.set_finished(finished),
            Source::Events(events) => events.set_finished(finished),
        }
    }

    /// The file's format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The number of octets read so far.
    pub fn octets(&self) -> u64 {
        self.octets.get()
    }

    /// What was left at the end of the file, because it may still be written. Ask for it after [`Reader::read`] has
    /// returned `None`.
    pub fn unfinished(&self) -> Option<Fault> {
        let (line, how) = match &self.source {
            Source::Events(events) => (events.unfinished()?, "the last event has no end"),
            Source::Records(records) => records.unfinished()?,
        };
        let what = format!("{how}: it may still be written, so it is left for the next import");
        Some(self.fault(line, what))
    }

    /// Reads the next record; `None` at the end of the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or if the record needs a time zone and none is known.
    pub fn read(&mut self) -> Result<Option<Found>, Unreadable> {
        let found = self.find().map_err(|e| Unreadable::io(&self.file, &e))?;
        let Some((line, record)) = found else { return Ok(None) };
        let mut record = match record {
            Ok(record) => record,
            Err(what) => return Ok(Some((line, Err(self.fault(line, what))))),
        };
        let settled = record.settle(self.zone.as_ref());
        if let (Some(next), Some(time)) = (self.next_log, record.time)
            && time > next.saturating_add(OVERLAP)
        {
            // The computer writes both logs, such as one for each month and one for each day.
            self.next_log = None;
            self.set_finished(false);
        }
        match settled {
            // Requests and challenges need no time.
            Err(unsettled) if matches!(record.packet_type, Some(3 | 4)) => match unsettled {
                Unsettled::ZoneMissing => Err(Unreadable::time_zone_missing(&self.file, line)),
                Unsettled::Fault(what) => Ok(Some((line, Err(self.fault(line, what.to_owned()))))),
            },
            _ => Ok(Some((line, Ok(record)))),
        }
    }

    /// Makes a fault in this file.
    pub fn fault(&self, line: u64, what: String) -> Fault {
        Fault { file: self.file.clone(), line, what }
    }

    fn find(&mut self) -> io::Result<Option<(u64, Result<Record, String>)>> {
        match &mut self.source {
            Source::Events(events) => {
                Ok(events.next()?.map(|(line, event)| (line, event.and_then(|event| dts::record(&event)))))
            }
            Source::Records(records) => records.next(),
        }
    }
}

/// Detects the format from the beginning of a file. `None` if it has no lines; `Some(None)` if none of its first lines is a
/// record.
fn detect(head: &[u8]) -> io::Result<Option<Option<Format>>> {
    let mut lines = Lines::new(io::Cursor::new(head.to_vec()))?;
    let (mut line, mut any) = (String::new(), false);
    for _ in 0..LOOKED_AT {
        if lines.next(&mut line)?.is_none() {
            break;
        }
        any |= !line.trim().is_empty();
        if let Some(format) = format_of(&line) {
            return Ok(Some(Some(format)));
        }
    }
    Ok(any.then_some(None))
}
