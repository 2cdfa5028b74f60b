//! What was read, file by file, and the days that no file covers.

use super::counts::LogCounts;
use super::detect::Format;
use super::fault::{Fault, Unreadable};
use super::record::Record;
use super::xml_names::unescape;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rasadmin_policy::Millis;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A summary of what was read.
#[derive(Debug, Default)]
pub struct Summary {
    /// The files in the order in which they were read.
    pub files: Vec<FileSummary>,
    /// The files that could not be read, or not to their end.
    pub skipped: Vec<Unreadable>,
    /// The counts of records and sessions.
    pub counts: LogCounts,
    /// How many lines were not valid records.
    pub malformed: u64,
    /// The first faults.
    pub faults: Vec<Fault>,
    /// The last lines that were left, because they may still be written.
    pub unfinished: Vec<Fault>,
}

/// What a file has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileSummary {
    /// The file.
    pub file: PathBuf,
    /// Its format; `None` if it is empty.
    pub format: Option<Format>,
    /// How many valid records it has.
    pub records: u64,
    /// How many lines were not valid records.
    pub malformed: u64,
    /// The RRAS servers of its records, at most [`SERVERS`], in the order of their first records.
    pub servers: Vec<ServerSummary>,
    /// Whether it has more servers than are listed.
    pub more_servers: bool,
    /// The computers that wrote it, at most [`SERVERS`]. There is rarely more than one.
    pub writers: Vec<ServerSummary>,
}

/// What a file has of a server, or of the computer that wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSummary {
    /// Its name, or its address.
    pub name: String,
    /// The earliest time of its records.
    pub first: Millis,
    /// The latest one.
    pub last: Millis,
}

/// Whole days, between two files, on which a computer wrote no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The computer: an RRAS server that writes its own log, or an NPS.
    pub server: String,
    /// The first such day.
    pub from: Date,
    /// The last one.
    pub to: Date,
}

/// How many servers of a file are listed.
pub const SERVERS: usize = 20;

impl FileSummary {
    /// Counts a valid record.
    pub(super) fn record(&mut self, record: &Record) {
        self.records += 1;
        let Some(time) = record.time else { return };
        let server = record.server();
        if record.is_of_rras() {
            self.more_servers |= !seen(&mut self.servers, record, server, time);
        }
        // A server may have several names in the records of an NPS, but a log is of one computer.
        let writer = if record.computer.is_empty() { server } else { &record.computer };
        seen(&mut self.writers, record, writer, time);
    }

    /// The times of the earliest and of the latest record of a server.
    pub fn period(&self) -> Option<(Millis, Millis)> {
        let first = self.servers.iter().map(|server| server.first).min()?;
        Some((first, self.servers.iter().map(|server| server.last).max()?))
    }
}

/// Notes a record in a list. Returns false if there is no room.
fn seen(list: &mut Vec<ServerSummary>, record: &Record, name: &str, time: Millis) -> bool {
    let unescaped = record.escaped.then(|| unescape(name));
    let name = unescaped.as_ref().map_or(name, |name| name.as_str());
    // Most records are of the same server as the one before.
    if let Some(server) = list.iter_mut().find(|server| server.name.eq_ignore_ascii_case(name)) {
        (server.first, server.last) = (server.first.min(time), server.last.max(time));
    } else if list.len() == SERVERS {
        return false;
    } else if !name.is_empty() {
        list.push(ServerSummary { name: name.to_owned(), first: time, last: time });
    }
    true
}

impl Summary {
    /// The gaps between the files of each computer, by the calendar of a time zone. A file that continues another one
    /// leaves none. A day without a record of one of an NPS's servers is not a gap: nobody may have connected.
    pub fn gaps(&self, zone: &TimeZone) -> Vec<Gap> {
        let mut servers: BTreeMap<String, (String, Vec<(Millis, Millis)>)> = BTreeMap::new();
        for server in self.files.iter().flat_map(|file| &file.writers) {
            let key = server.name.to_ascii_uppercase();
            let (_, periods) = servers.entry(key).or_insert_with(|| (server.name.clone(), Vec::new()));
            periods.push((server.first, server.last));
        }
        let date = |time| {
            let time = Timestamp::from_millisecond(time).unwrap_or(Timestamp::UNIX_EPOCH);
            zone.to_datetime(time).date()
        };
        let mut gaps = Vec::new();
        for (name, mut periods) in servers.into_values() {
            periods.sort_unstable();
            let mut until = periods.first().map_or(0, |&(_, last)| last);
            for (first, last) in periods {
                if let (Ok(from), Ok(to)) = (date(until).tomorrow(), date(first).yesterday())
                    && from <= to
                {
                    gaps.push(Gap { server: name.clone(), from, to });
                }
                until = until.max(last);
            }
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const DAY: Millis = 86_400_000;

    fn summary(files: &[&[(&str, Millis, Millis)]]) -> Summary {
        let server = |&(name, first, last): &(&str, Millis, Millis)| ServerSummary {
            name: name.to_owned(),
            first: first * DAY + 1,
            last: last * DAY + 1,
        };
        let file = |servers: &&[_]| FileSummary { writers: servers.iter().map(server).collect(), ..Default::default() };
        Summary { files: files.iter().map(file).collect(), ..Summary::default() }
    }

    fn gaps(files: &[&[(&str, Millis, Millis)]]) -> Vec<String> {
        let all = summary(files).gaps(&TimeZone::UTC);
        all.iter().map(|gap| format!("{} {} {}", gap.server, gap.from, gap.to)).collect()
    }

    #[test]
    fn whole_days_between_files_are_a_gap() {
        assert_eq!(gaps(&[&[("A", 0, 3)], &[("A", 4, 8)]]), [""; 0]);
        assert_eq!(gaps(&[&[("A", 0, 3)], &[("a", 6, 8)]]), ["A 1970-01-05 1970-01-06"]);
        // A file within another one, and files in any order.
        assert_eq!(gaps(&[&[("A", 20, 21)], &[("A", 0, 10)], &[("A", 3, 5)]]), ["A 1970-01-12 1970-01-20"]);
    }

    #[test]
    fn each_computer_has_its_own() {
        let files: [&[(&str, Millis, Millis)]; 3] = [&[("A", 0, 3), ("B", 0, 9)], &[("B", 10, 12)], &[("A", 5, 12)]];
        assert_eq!(gaps(&files), ["A 1970-01-05 1970-01-05"]);
    }
}
