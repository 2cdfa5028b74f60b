//! What was read, file by file: a table for people, the same for programs, and the days that are missing between files.

use crate::error::Result;
use crate::format::grouped;
use crate::output::Output;
use crate::table::{number, text};
use crate::{times, warning};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rasadmin_history::logs::{FileSummary, Format, Gap, STANDARD_INPUT, Summary};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::HashSet;
use std::path::Path;

/// A log.
#[derive(Serialize, JsonSchema)]
pub struct FileAnswer {
    /// The file; `-` is standard input.
    file: String,
    /// Its format: `odbc`, `dts`, `ias`. `null`: it is empty.
    format: Option<&'static str>,
    /// How many valid records it has.
    records: u64,
    /// How many lines were invalid, and skipped.
    malformed: u64,
    /// The time of the earliest record of an RRAS server.
    first: Option<String>,
    /// The time of the latest one.
    last: Option<String>,
    /// The RRAS servers of its records; at most 20 are listed.
    servers: Vec<String>,
}

/// A file that was skipped.
#[derive(Serialize, JsonSchema)]
pub struct SkippedAnswer {
    /// The file, the folder or the pattern.
    file: String,
    /// Why it could not be read, or not to its end.
    what: String,
}

/// Whole days on which a computer wrote no record, between files that have some.
#[derive(Serialize, JsonSchema)]
pub struct GapAnswer {
    /// The computer that wrote the logs: an RRAS server, or an NPS.
    server: String,
    /// The first of these days.
    from: String,
    /// The last of these days.
    to: String,
}

impl From<&FileSummary> for FileAnswer {
    fn from(file: &FileSummary) -> Self {
        let time = |time| Timestamp::from_millisecond(time).ok().map(|time| time.to_string());
        let period = file.period();
        Self {
            file: file.file.display().to_string(),
            format: file.format.map(Format::name),
            records: file.records,
            malformed: file.malformed,
            first: period.and_then(|(first, _)| time(first)),
            last: period.and_then(|(_, last)| time(last)),
            servers: file.servers.iter().map(|server| server.name.clone()).collect(),
        }
    }
}

/// The answers for programs: what was skipped, and the gaps.
pub fn skipped_and_gaps(summary: &Summary, zone: &TimeZone) -> (Vec<SkippedAnswer>, Vec<GapAnswer>) {
    let skipped = summary.skipped.iter();
    let skipped =
        skipped.map(|one| SkippedAnswer { file: one.file.display().to_string(), what: one.what.clone() }).collect();
    let gaps = summary.gaps(zone).into_iter();
    let gaps = gaps.map(|gap| GapAnswer { server: gap.server, from: gap.from.to_string(), to: gap.to.to_string() });
    (skipped, gaps.collect())
}

/// Warns of the files that were skipped, and of those of which only the beginning was read.
pub fn warn_of_skipped(summary: &Summary) {
    for one in &summary.skipped {
        if one.records == 0 {
            warning!("skipped: {one}");
        } else {
            warning!("read in part: {one}; if the file is damaged, the last of these may be wrong: see docs/logs.md");
        }
    }
}

/// Prints the table and the gaps.
pub fn print(out: &mut Output, summary: &Summary, zone: &TimeZone) -> Result<()> {
    let columns = [
        text("file", 0),
        text("format", 3),
        number("records", 1),
        number("invalid", 2),
        text("first", 1),
        text("last", 1),
        text("servers", 4),
    ];
    let only_names = names_differ(summary);
    let rows = summary.files.iter().map(|file| {
        let period = file.period();
        let mut servers = file.servers.iter().map(|server| server.name.as_str()).collect::<Vec<_>>().join(", ");
        if file.more_servers {
            servers += ", …";
        }
        vec![
            shown(&file.file, only_names),
            file.format.map_or("empty", Format::name).to_owned(),
            grouped(file.records),
            if file.malformed > 0 { grouped(file.malformed) } else { String::new() },
            period.map(|(first, _)| times::show(first, zone)).unwrap_or_default(),
            period.map(|(_, last)| times::show(last, zone)).unwrap_or_default(),
            servers,
        ]
    });
    out.table(&columns, rows.collect())?;
    if summary.files.iter().any(|file| file.period().is_some()) {
        writeln!(out, "\n  {}", times::zone_name(zone))?;
    }
    let gaps = summary.gaps(zone);
    if !gaps.is_empty() {
        writeln!(out)?;
    }
    for gap in &gaps {
        writeln!(out, "  no log of {} for {}", rasadmin_text::printable(&gap.server), days(gap))?;
    }
    Ok(())
}

fn shown(file: &Path, only_name: bool) -> String {
    if file.as_os_str() == STANDARD_INPUT {
        return "standard input".to_owned();
    }
    let name = file.file_name().filter(|_| only_name);
    name.map_or_else(|| file.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Whether the names tell the files apart, without their folders.
fn names_differ(summary: &Summary) -> bool {
    let mut known = HashSet::new();
    summary.files.iter().all(|file| known.insert(file.file.file_name()))
}

/// `3 March 2026`, `3 to 5 March 2026`, `28 February to 3 March 2026`, `31 December 2025 to 2 January 2026`.
fn days(gap: &Gap) -> String {
    let Gap { from, to, .. } = *gap;
    let written = |date: Date, format: &str| date.strftime(format).to_string();
    let last = written(to, "%-d %B %Y");
    match from {
        _ if from == to => last,
        _ if (from.year(), from.month()) == (to.year(), to.month()) => format!("{} to {last}", from.day()),
        _ if from.year() == to.year() => format!("{} to {last}", written(from, "%-d %B")),
        _ => format!("{} to {last}", written(from, "%-d %B %Y")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_people_do() {
        let shown = |from: (i16, i8, i8), to: (i16, i8, i8)| {
            let date = |(year, month, day)| Date::constant(year, month, day);
            days(&Gap { server: String::new(), from: date(from), to: date(to) })
        };
        assert_eq!(shown((2026, 3, 3), (2026, 3, 3)), "3 March 2026");
        assert_eq!(shown((2026, 3, 3), (2026, 3, 5)), "3 to 5 March 2026");
        assert_eq!(shown((2026, 2, 28), (2026, 3, 5)), "28 February to 5 March 2026");
        assert_eq!(shown((2025, 12, 31), (2026, 1, 2)), "31 December 2025 to 2 January 2026");
    }
}
