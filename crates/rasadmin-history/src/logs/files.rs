//! Reads several files, in the order of the times of their first records.

use super::fault::{Unreadable, UnreadableKind};
use super::input::Input;
use super::item::LogItem;
use super::join::Joiner;
use super::reader::Reader;
use super::sources;
use super::summary::{FileSummary, Summary};
use jiff::tz::TimeZone;
use rasadmin_policy::Millis;
use std::collections::HashMap;
use std::path::PathBuf;

/// How logs are read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading<'a> {
    /// The time zone of the servers' clocks, for records without Event-Timestamp.
    pub zone: Option<&'a TimeZone>,
    /// Whether a file that cannot be read is an error. It is skipped otherwise, unless no file can be read.
    pub strict: bool,
}

/// Reports progress: octets read, and octets in total.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// How many faults are kept to be shown.
const KEPT: usize = 10;

/// A file in the order of reading.
struct Ordered {
    first: Millis,
    file: PathBuf,
    size: u64,
    /// A pipe or standard input, which cannot be opened again.
    open: Option<Input>,
    /// The computer that wrote it, folded; empty if no record says.
    writer: String,
    /// When a later file of the same computer begins.
    next: Option<Millis>,
}

/// Reads the named files, folders and patterns, and passes each session to `item` as soon as it is over, each refused
/// attempt too, and the sessions without an end last.
///
/// # Errors
///
/// If `item` returns an error; if a time zone is needed and none is known; if no file can be read, or, if this is strict,
/// one of them. What is found only while a file is read, such as damage, comes after items of the files before it. So
/// does the need of a time zone in a pipe, which can be read only once; files are read for it before the first item.
pub fn read<E: From<Unreadable>>(
    named: &[PathBuf],
    reading: Reading<'_>,
    progress: Progress<'_>,
    item: &mut dyn FnMut(LogItem) -> Result<(), E>,
) -> Result<Summary, E> {
    let (order, skipped) = in_order(named, reading)?;
    let mut summary = Summary { skipped, ..Summary::default() };
    let total = order.iter().map(|one| one.size).sum();
    let (mut joiner, mut out, mut before) = (Joiner::new(), Vec::new(), 0);
    for Ordered { file, size, open, next, .. } in order {
        let mut of_file = FileSummary { file: file.clone(), ..FileSummary::default() };
        let read = (|| -> Result<Result<(), E>, Unreadable> {
            let input = open.map_or_else(|| Input::open(&file), Ok).map_err(|e| Unreadable::io(&file, &e))?;
            let Some(mut reader) = Reader::new(&file, input, reading.zone.cloned())? else { return Ok(Ok(())) };
            if let Some(next) = next {
                reader.set_next_log(next);
            }
            of_file.format = Some(reader.format());
            while let Some((line, found)) = reader.read()? {
                let fault = match found {
                    Ok(record) => {
                        of_file.record(&record);
                        joiner.push(&record, reader.format(), &mut out).err().map(|what| reader.fault(line, what))
                    }
                    Err(fault) => Some(fault),
                };
                if let Some(fault) = fault {
                    of_file.malformed += 1;
                    if summary.faults.len() < KEPT {
                        summary.faults.push(fault);
                    }
                }
                progress(before + reader.octets(), total);
                for one in out.drain(..) {
                    if let Err(e) = item(one) {
                        return Ok(Err(e));
                    }
                }
            }
            summary.unfinished.extend(reader.unfinished());
            Ok(Ok(()))
        })();
        before += size;
        summary.malformed += of_file.malformed;
        let (records, empty) = (of_file.records, of_file.format.is_none());
        match read {
            Ok(done) => {
                done?;
                summary.files.push(of_file);
            }
            Err(mut unreadable) if unreadable.kind == UnreadableKind::TimeZoneMissing => {
                unreadable.what += "; what came before this line has already been read and passed on: run \
                                    the command again with the time zone";
                return Err(unreadable.into());
            }
            Err(unreadable) if reading.strict => return Err(unreadable.into()),
            Err(mut unreadable) => {
                if !empty {
                    unreadable.records = records;
                    unreadable.what = format!("after {records} records: {}", unreadable.what);
                    summary.files.push(of_file);
                }
                summary.skipped.push(unreadable);
            }
        }
    }
    summary.counts = joiner.finish(&mut out);
    for one in out.drain(..) {
        item(one)?;
    }
    Ok(summary)
}

/// Opens the files and sorts them by the times of their first records; and what cannot be read. Pipes come where their
/// beginning says, like files.
fn in_order(named: &[PathBuf], reading: Reading<'_>) -> Result<(Vec<Ordered>, Vec<Unreadable>), Unreadable> {
    let (files, mut skipped) = sources::find(named);
    let mut order = Vec::new();
    for file in files {
        match ordered(file, reading.zone) {
            Ok(one) => order.push(one),
            Err(unreadable) if unreadable.kind == UnreadableKind::TimeZoneMissing => return Err(unreadable),
            Err(unreadable) => skipped.push(unreadable),
        }
    }
    if (reading.strict || order.is_empty()) && !skipped.is_empty() {
        let mut first = skipped.swap_remove(0);
        if !skipped.is_empty() {
            first.what += &format!(" (and {} more cannot be read)", skipped.len());
        }
        return Err(first);
    }
    order.sort_by_key(|one| one.first);
    let mut latest = HashMap::new();
    for one in order.iter_mut().rev().filter(|one| !one.writer.is_empty()) {
        one.next = latest.get(&one.writer).copied();
        latest.entry(one.writer.clone()).or_insert(one.first);
    }
    Ok((order, skipped))
}

fn ordered(file: PathBuf, zone: Option<&TimeZone>) -> Result<Ordered, Unreadable> {
    let mut input = Input::open(&file).map_err(|e| Unreadable::io(&file, &e))?;
    let size = std::fs::metadata(&file).map_or(0, |found| found.len());
    let (reader, open) = if input.regular {
        (Reader::new(&file, input, zone.cloned())?, None)
    } else {
        (Reader::of_head(&file, &mut input, zone.cloned())?, Some(input))
    };
    let (mut first, mut writer) = (i64::MAX, String::new());
    if let Some(mut reader) = reader {
        // Without a time zone, all is read, to see whether one is needed before anything is imported.
        while first == i64::MAX || zone.is_none() {
            match reader.read() {
                Ok(Some((_, Ok(record)))) => {
                    first = first.min(record.time.unwrap_or(i64::MAX));
                    if writer.is_empty() {
                        writer = record.computer.to_uppercase();
                    }
                }
                Ok(Some((_, Err(_)))) => {}
                // What is before the damage is read.
                Err(unreadable) if unreadable.kind == UnreadableKind::File => break,
                Err(unreadable) => return Err(unreadable),
                Ok(None) => break,
            }
        }
    }
    Ok(Ordered { first, size, open, file, writer, next: None })
}
