//! Reads the records of a file.

use super::detect::{Format, format_of};
use super::dts::Events;
use super::fault::{Fault, Unreadable};
use super::input::Input;
use super::lines::{Line, Lines};
use super::record::Record;
use super::{dts, ias, odbc};
use jiff::tz::TimeZone;
use rasadmin_policy::Millis;
use std::cell::Cell;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// How many lines are examined to detect the format.
const LOOKED_AT: usize = 100;

/// Reads a file's records, one by one.
pub struct Reader {
    file: PathBuf,
    zone: Option<TimeZone>,
    format: Format,
    lines: Source,
    line: String,
    octets: Rc<Cell<u64>>,
}

enum Source {
    Lines(Lines),
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
    pub(super) fn new(file: &Path, input: Input, zone: Option<TimeZone>) -> Result<Option<Self>, Unreadable> {
        let Some(format) = Self::format_of(file, &input)? else { return Ok(None) };
        let (bytes, octets) = input.read();
        Self::of(file, format, bytes, octets, zone).map(Some).map_err(|e| Unreadable::io(file, &e))
    }

    /// The format of an open log; `None` if it has no lines. It is an error if it is no log.
    pub(super) fn format_of(file: &Path, input: &Input) -> Result<Option<Format>, Unreadable> {
        let what = match detect(input.head()).map_err(|e| Unreadable::io(file, &e))? {
            None => return Ok(None),
            Some(Some(format)) => return Ok(Some(format)),
            Some(None) if input.head().starts_with(b"PK\x03\x04") => {
                "it is a ZIP archive: unpack it, and name the logs"
            }
            Some(None) => {
                "it is not a log of RRAS or NPS: none of its first lines is a record in the database-compatible, DTS or \
                 IAS format"
            }
        };
        Err(Unreadable { file: file.to_owned(), what: what.to_owned() })
    }

    fn of(
        file: &Path,
        format: Format,
        bytes: impl Read + 'static,
        octets: Rc<Cell<u64>>,
        zone: Option<TimeZone>,
    ) -> io::Result<Self> {
        let lines = Lines::new(bytes)?;
        let lines = match format {
            Format::Dts => Source::Events(Box::new(Events::new(lines))),
            Format::Odbc | Format::Ias => Source::Lines(lines),
        };
        Ok(Self { file: file.to_owned(), zone, format, lines, line: String::new(), octets })
    }

    /// The time of the first record in the beginning of a log, which is then still to be read. `None` if it has none.
    pub(super) fn first_time(file: &Path, input: &Input, zone: Option<&TimeZone>) -> io::Result<Option<Millis>> {
        let Some(Some(format)) = detect(input.head())? else { return Ok(None) };
        let head = io::Cursor::new(input.head().to_vec());
        let mut reader = Self::of(file, format, head, Rc::default(), zone.cloned())?;
        while let Some((_, found)) = reader.find()? {
            if let Ok(mut record) = found
                && record.settle(zone).is_ok()
                && record.time.is_some()
            {
                return Ok(record.time);
            }
        }
        Ok(None)
    }

    /// The file's format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The number of octets read so far.
    pub fn octets(&self) -> u64 {
        self.octets.get()
    }

    /// Reads the next record; `None` at the end of the file.
    pub fn read(&mut self) -> Result<Option<Found>, Unreadable> {
        let found = self.find().map_err(|e| Unreadable::io(&self.file, &e))?;
        Ok(found.map(|(line, record)| {
            let settled = record.and_then(|mut record| match record.settle(self.zone.as_ref()) {
                // Only accounting records need a time.
                Err(what) if record.packet_type == Some(4) => Err(what),
                _ => Ok(record),
            });
            (line, settled.map_err(|what| self.fault(line, what)))
        }))
    }

    /// Makes a fault in this file.
    pub fn fault(&self, line: u64, what: String) -> Fault {
        Fault { file: self.file.clone(), line, what }
    }

    fn find(&mut self) -> io::Result<Option<(u64, Result<Record, String>)>> {
        match &mut self.lines {
            Source::Events(events) => {
                Ok(events.next()?.map(|(line, event)| (line, event.and_then(|event| dts::record(&event)))))
            }
            Source::Lines(lines) => loop {
                let Some(kind) = lines.next(&mut self.line)? else { return Ok(None) };
                let record = match kind {
                    Line::TooLong => Err("the line is longer than 1 MiB".to_owned()),
                    Line::Text if self.line.trim().is_empty() => continue,
                    Line::Text if self.format == Format::Ias => ias::record(&self.line),
                    Line::Text => odbc::record(&self.line),
                };
                return Ok(Some((lines.number(), record)));
            },
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
