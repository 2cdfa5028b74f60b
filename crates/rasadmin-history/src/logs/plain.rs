//! Reads the records of a log that has one per line: the database-compatible and the IAS format.

use super::fault::torn;
use super::lines::{Line, Lines};
use super::record::Record;
use super::{ias, odbc};
use std::io;

/// How the records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Each record has the same number of fields.
    Odbc,
    /// A record has as many fields as it needs.
    Ias,
}

/// A record or what is wrong with it, with its line.
pub type Found = (u64, Result<Record, String>);

/// The records of a log that has one per line.
pub struct Records {
    kind: Kind,
    lines: Lines,
    line: String,
    /// The line after the one that was read last, if it was looked at.
    ahead: Option<(u64, Line, String)>,
    /// How many fields the record before has, in the database-compatible format.
    fields: usize,
    /// Whether nothing more will be written to the file.
    finished: bool,
    /// The last line, if it may still be written, and how that shows.
    unfinished: Option<(u64, String)>,
}

impl Records {
    /// Reads from these lines.
    pub fn new(kind: Kind, lines: Lines) -> Self {
        Self { kind, lines, line: String::new(), ahead: None, fields: 0, finished: false, unfinished: None }
    }

    /// Whether nothing more will be written to the file: then its last line is a record or a fault.
    pub fn set_finished(&mut self, finished: bool) {
        self.finished = finished;
    }

    /// The last line, if it may still be written, and how that shows.
    pub fn unfinished(&self) -> Option<(u64, &str)> {
        self.unfinished.as_ref().map(|(line, how)| (*line, how.as_str()))
    }

    /// Returns the next record or fault; `None` at the end of the file.
    pub fn next(&mut self) -> io::Result<Option<Found>> {
        let Some((number, kind)) = self.advance()? else { return Ok(None) };
        let found = match kind {
            Line::TooLong => Err("the line is longer than 1 MiB".to_owned()),
            Line::Hole { at, size } => Err(torn(None, at, size)),
            Line::Text { ended } => return self.record(number, ended),
        };
        Ok(Some((number, found)))
    }

    /// What the line is that was read last.
    fn record(&mut self, number: u64, ended: bool) -> io::Result<Option<Found>> {
        if !ended && let Some(&(number, Line::Hole { at, size }, _)) = self.peek()? {
            self.ahead = None;
            return Ok(Some((number, Err(torn(Some(&self.line), at, size)))));
        }
        let (found, fields) = match self.kind {
            Kind::Odbc => match odbc::counted_record(&self.line) {
                Ok((record, fields)) => (Ok(record), fields),
                Err(what) => (Err(what), self.line.split(',').count()),
            },
            Kind::Ias => (ias::record(&self.line), 0),
        };
        if !self.finished {
            let how = if !ended {
                Some("the last line has no line end".to_owned())
            } else if fields < self.fields && self.peek()?.is_none() {
                Some(format!("the last line has {fields} fields, and the one before it {}", self.fields))
            } else {
                None
            };
            if let Some(how) = how {
                self.unfinished = Some((number, how));
                return Ok(None);
            }
        } else if !ended && (self.fields == 0 || fields < self.fields) {
            // Without a number of fields to compare, a text that was cut off looks like a whole one.
            let what = "it is cut off: it has no line end, and its server went on in another log".to_owned();
            return Ok(Some((number, Err(what))));
        }
        if found.is_ok() {
            self.fields = fields;
        }
        Ok(Some((number, found)))
    }

    /// Reads the next line that is not blank.
    fn advance(&mut self) -> io::Result<Option<(u64, Line)>> {
        if let Some((number, kind, line)) = self.ahead.take() {
            self.line = line;
            return Ok(Some((number, kind)));
        }
        next(&mut self.lines, &mut self.line)
    }

    /// The next line that is not blank, without using it.
    fn peek(&mut self) -> io::Result<Option<&(u64, Line, String)>> {
        if self.ahead.is_none() {
            let mut line = String::new();
            self.ahead = next(&mut self.lines, &mut line)?.map(|(number, kind)| (number, kind, line));
        }
        Ok(self.ahead.as_ref())
    }
}

fn next(lines: &mut Lines, line: &mut String) -> io::Result<Option<(u64, Line)>> {
    while let Some(kind) = lines.next(line)? {
        if !matches!(kind, Line::Text { .. }) || !line.trim().is_empty() {
            return Ok(Some((lines.number(), kind)));
        }
    }
    Ok(None)
}
