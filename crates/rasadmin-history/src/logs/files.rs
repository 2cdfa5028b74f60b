//! Reads several files, in the order of the times of their first records.

use super::Format;
use super::fault::{Fault, Unreadable};
use super::join::{Joiner, LogCounts, LogItem};
use super::reader::Reader;
use jiff::tz::TimeZone;
use std::path::PathBuf;

/// A summary of what was read.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// The files in the order in which they were read, each with its format; `None` if the file is empty.
    pub files: Vec<(PathBuf, Option<Format>)>,
    /// The counts of records and sessions.
    pub counts: LogCounts,
    /// How many lines were not valid records.
    pub malformed: u64,
    /// The first faults.
    pub faults: Vec<Fault>,
    /// The last lines that were left, because they may still be written.
    pub unfinished: Vec<Fault>,
}

/// Reports progress: octets read, and octets in total.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// How many faults are kept to be shown.
const KEPT: usize = 10;

/// Reads the files and passes each session to `item` as soon as it is over, each refused attempt too, and those without an end last. `zone`
/// is the time zone of the servers' clocks, for records without Event-Timestamp.
///
/// # Errors
///
/// If a file cannot be read, or if `item` returns an error.
pub fn read<E: From<Unreadable>>(
    files: &[PathBuf],
    zone: Option<&TimeZone>,
    progress: Progress<'_>,
    item: &mut dyn FnMut(LogItem) -> Result<(), E>,
) -> Result<Summary, E> {
    let mut summary = Summary::default();
    let order = in_order(files, zone)?;
    let size = |file: &PathBuf| std::fs::metadata(file).map_or(0, |m| m.len());
    let total = order.iter().map(|(_, file)| size(file)).sum();
    let (mut joiner, mut out, mut before) = (Joiner::new(), Vec::new(), 0);
    for (_, file) in order {
        let Some(mut reader) = Reader::open(&file, zone.cloned())? else {
            summary.files.push((file, None));
            continue;
        };
        summary.files.push((file.clone(), Some(reader.format())));
        while let Some((line, found)) = reader.read()? {
            let fault = match found {
                Ok(record) => {
                    joiner.push(&record, reader.format(), &mut out).err().map(|what| reader.fault(line, what))
                }
                Err(fault) => Some(fault),
            };
            if let Some(fault) = fault {
                summary.malformed += 1;
                if summary.faults.len() < KEPT {
                    summary.faults.push(fault);
                }
            }
            progress(before + reader.octets(), total);
            for one in out.drain(..) {
                item(one)?;
            }
        }
        summary.unfinished.extend(reader.unfinished());
        before += size(&file);
    }
    summary.counts = joiner.finish(&mut out);
    for one in out.drain(..) {
        item(one)?;
    }
    Ok(summary)
}

/// Sorts the files by the times of their first records. A file is read once, however often it is named.
fn in_order(files: &[PathBuf], zone: Option<&TimeZone>) -> Result<Vec<(i64, PathBuf)>, Unreadable> {
    let mut order: Vec<(i64, PathBuf)> = Vec::new();
    for file in files {
        if order.iter().any(|(_, known)| known == file) {
            continue;
        }
        let mut first = i64::MAX;
        if let Some(mut reader) = Reader::open(file, zone.cloned())? {
            while let Some((_, found)) = reader.read()? {
                if let Some(time) = found.ok().and_then(|record| record.time) {
                    first = time;
                    break;
                }
            }
        }
        order.push((first, file.clone()));
    }
    order.sort_by_key(|&(time, _)| time);
    Ok(order)
}
