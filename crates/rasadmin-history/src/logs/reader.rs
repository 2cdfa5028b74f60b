//! Reads the records of a file.

use super::detect::{Format, format_of};
use super::dts::Events;
use super::fault::{Fault, Unreadable};
use super::lines::{Line, Lines};
use super::record::Record;
use super::{dts, ias, odbc};
use jiff::tz::TimeZone;
use std::cell::Cell;
use std::fs::File;
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
    /// How many fields the record before has, in the database-compatible format.
    fields: usize,
    /// The last line, if it may still be written, and how that shows.
    unfinished: Option<(u64, &'static str)>,
    octets: Rc<Cell<u64>>,
}

enum Source {
    Lines(Lines),
    Events(Box<Events>),
}

/// Counts the bytes that are read.
struct Counting(File, Rc<Cell<u64>>);

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        self.1.set(self.1.get() + count as u64);
        Ok(count)
    }
}

/// A record or what is wrong with it, with its line.
pub type Found = (u64, Result<Record, Fault>);

impl Reader {
    /// Opens a log and detects its format. Returns `None` if it has no lines.
    pub fn open(file: &Path, zone: Option<TimeZone>) -> Result<Option<Self>, Unreadable> {
        let failed = |e: io::Error| Unreadable::io(file, &e);
        if file.is_dir() {
            return Err(Unreadable {
                file: file.to_owned(),
                what: "it is a directory; name the files in it".to_owned(),
            });
        }
        let Some(format) = detect(file).map_err(failed)? else { return Ok(None) };
        let Some(format) = format else {
            let what =
                "it is not a log of RRAS or NPS: none of its first lines is a record in the database-compatible, \
                        DTS or IAS format"
                    .to_owned();
            return Err(Unreadable { file: file.to_owned(), what });
        };
        let octets = Rc::new(Cell::new(0));
        let lines = Lines::new(Counting(File::open(file).map_err(failed)?, Rc::clone(&octets))).map_err(failed)?;
        let lines = match format {
            Format::Dts => Source::Events(Box::new(Events::new(lines))),
            Format::Odbc | Format::Ias => Source::Lines(lines),
        };
        Ok(Some(Self {
            file: file.to_owned(),
            zone,
            format,
            lines,
            line: String::new(),
            fields: 0,
            unfinished: None,
            octets,
        }))
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
        let (line, how) = match &self.lines {
            Source::Events(events) => (events.unfinished()?, "the last event has no end"),
            Source::Lines(_) => self.unfinished?,
        };
        let what = format!("{how}: it may still be written, so it is left for the next import");
        Some(self.fault(line, what))
    }

    /// Reads the next record; `None` at the end of the file.
    pub fn read(&mut self) -> Result<Option<Found>, Unreadable> {
        let found = self.find().map_err(|e| Unreadable::io(&self.file, &e))?;
        Ok(found.map(|(line, record)| {
            let settled = record.and_then(|mut record| match record.settle(self.zone.as_ref()) {
                // Requests and challenges need no time.
                Err(what) if matches!(record.packet_type, Some(3 | 4)) => Err(what),
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
                let number = lines.number();
                if kind == Line::TooLong {
                    return Ok(Some((number, Err("the line is longer than 1 MiB".to_owned()))));
                }
                if self.line.trim().is_empty() {
                    continue;
                }
                if !lines.ended() {
                    self.unfinished = Some((number, "the last line has no line end"));
                    return Ok(None);
                }
                if self.format == Format::Ias {
                    return Ok(Some((number, ias::record(&self.line))));
                }
                let found = odbc::counted_record(&self.line);
                let fields = found.as_ref().map_or_else(|_| self.line.split(',').count(), |(_, fields)| *fields);
                if fields < self.fields && lines.is_at_end()? {
                    self.unfinished = Some((number, "the last line has fewer fields than the one before it"));
                    return Ok(None);
                }
                if found.is_ok() {
                    self.fields = fields;
                }
                return Ok(Some((number, found.map(|(record, _)| record))));
            },
        }
    }
}

/// Detects the format of a file. `None` if the file has no lines; `Some(None)` if none of its first lines is a record.
fn detect(file: &Path) -> io::Result<Option<Option<Format>>> {
    let mut lines = Lines::new(File::open(file)?)?;
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
