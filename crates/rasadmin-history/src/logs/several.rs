//! Several files, in the order of their first records' times.

use super::Format;
use super::fault::{Fault, Unreadable};
use super::join::{Counts, Joiner, LogSession};
use super::reader::Reader;
use jiff::tz::TimeZone;
use std::path::PathBuf;

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// The files in the order in which they were read, each with its format; None: there is nothing in it.
    pub files: Vec<(PathBuf, Option<Format>)>,
    /// What the records were.
    pub counts: Counts,
    /// How many lines were no records.
    pub malformed: u64,
    /// The first of them.
    pub faults: Vec<Fault>,
}

/// How far it is: octets read, and octets in all.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// Faults that are kept, to be shown.
const KEPT: usize = 10;

/// Reads the files and hands over each session as soon as it is over, those without an end last. `zone` is that of the
/// servers' clocks, for records without Event-Timestamp. An error is of a file, or what `session` answers.
pub fn read<E: From<Unreadable>>(
    files: &[PathBuf],
    zone: Option<&TimeZone>,
    progress: Progress<'_>,
    session: &mut dyn FnMut(LogSession) -> Result<(), E>,
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
                session(one)?;
            }
        }
        before += size(&file);
    }
    summary.counts = joiner.finish(&mut out);
    for one in out.drain(..) {
        session(one)?;
    }
    Ok(summary)
}

/// The files with the times of their first records, sorted by them. A file is read once, however often it is named.
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
