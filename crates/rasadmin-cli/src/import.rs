//! `rasadmin import`: the logs of RRAS and NPS as history.

use crate::bring_in;
use crate::here::Here;
use crate::output::count;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use rasadmin_history::import::imported;
use rasadmin_history::logs::{self, Format, Summary};
use rasadmin_ledger::imported::{ImportCounts, ImportedSession};
use rasadmin_ledger::report::Reader;
use rasadmin_ledger::sqlite::{Create, Sqlite};
use rasadmin_policy::config;
use serde_json::json;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Take the logs that an RRAS or NPS server already has into the ledger, as history
///
/// Read are the database-compatible (ODBC), the DTS and the IAS format: docs/logs.md. An imported session is marked, and
/// counts in no limit and no quota. Importing the same log again changes nothing. A line that is no record is counted,
/// shown with its number, and passed over: exit code 0 all the same.
///
/// Examples:
///   rasadmin import C:\Windows\System32\LogFiles\IN2611.log
///   rasadmin import --time-zone Europe/Berlin --dry-run logs/IN*.log
///   rasadmin import --ledger history.db --create --json IN2611.log
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The logs; they are read in the order of their first records
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    here: Here,
    /// The zone of the servers' clocks, as IANA names it, like Europe/Berlin; else the configuration's
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Make the ledger if it is not there
    #[arg(long)]
    create: bool,
    /// Read and compare, but write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Sessions that are written at once.
const BATCH: usize = 1_000;
/// How long a transaction may wait for others.
const WAIT: Duration = Duration::from_secs(30);

/// Where the sessions go.
enum Target {
    Ledger(Box<Sqlite>),
    Compare(Option<Reader>),
}

impl Target {
    fn take(&mut self, batch: &mut Vec<ImportedSession>) -> Result<ImportCounts, String> {
        let counts = match self {
            Self::Ledger(ledger) => ledger.import(batch, WAIT),
            Self::Compare(Some(reader)) => reader.compare(batch),
            Self::Compare(None) => Ok(ImportCounts { new: batch.len() as u64, ..ImportCounts::default() }),
        };
        batch.clear();
        counts.map_err(|e| e.to_string())
    }
}

/// Imports; exit code 0 also if some lines were no records.
pub fn import(arguments: Arguments) -> Result<u8, String> {
    let zone = arguments.time_zone.as_deref().map(config::time_zone).transpose()?;
    let place = arguments.here.open()?;
    let zone = zone.or_else(|| place.config.named_zone().cloned());
    if !arguments.dry_run {
        // It also makes the ledger of a server that has recorded something.
        bring_in::before_reading(&place)?;
    }
    let mut target = target(&arguments, &place.ledger)?;
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes}  {msg}") {
        bar.set_style(style);
    }
    let (mut batch, mut counts) = (Vec::with_capacity(BATCH), ImportCounts::default());
    let mut step = 0u64;
    let mut progress = |done: u64, all: u64| {
        step += 1;
        if step % 4_096 == 1 {
            bar.set_length(all);
            bar.set_position(done);
        }
    };
    let summary = logs::read(&arguments.files, zone.as_ref(), &mut progress, &mut |session| {
        batch.push(imported(&session, &place.config.domains));
        if batch.len() >= BATCH {
            counts += target.take(&mut batch)?;
        }
        Ok::<_, String>(())
    });
    bar.finish_and_clear();
    let summary = summary?;
    counts += target.take(&mut batch)?;
    tell(&arguments, &summary, counts);
    Ok(0)
}

fn target(arguments: &Arguments, ledger: &std::path::Path) -> Result<Target, String> {
    let there = ledger.exists();
    if !there && !arguments.create {
        return Err(format!(
            "{}: this file does not exist: check the path, or make a new ledger with --create",
            ledger.display()
        ));
    }
    let reader = there.then(|| Reader::open(ledger)).transpose().map_err(|e| e.to_string())?;
    if arguments.dry_run {
        return Ok(Target::Compare(reader));
    }
    let create = if arguments.create { Create::Yes } else { Create::No };
    let ledger = Sqlite::open(ledger, create, false, Instant::now() + WAIT).map_err(|e| e.to_string())?;
    Ok(Target::Ledger(Box::new(ledger)))
}

fn tell(arguments: &Arguments, summary: &Summary, counts: ImportCounts) {
    let seen = summary.counts;
    for fault in &summary.faults {
        eprintln!("warning: {fault}");
    }
    let more = summary.malformed - summary.faults.len() as u64;
    if more > 0 {
        eprintln!("warning: … and {more} more lines are no records");
    }
    if arguments.json {
        let files = summary
            .files
            .iter()
            .map(|(file, format)| json!({ "file": file.display().to_string(), "format": format.map(Format::name) }));
        let faults = summary
            .faults
            .iter()
            .map(|f| json!({ "file": f.file.display().to_string(), "line": f.line, "what": f.what }));
        let value = json!({
            "files": files.collect::<Vec<_>>(), "records": seen.records, "malformed": summary.malformed,
            "faults": faults.collect::<Vec<_>>(), "sessions": seen.sessions, "new": counts.new,
            "completed": counts.completed, "already_there": counts.already_there, "without_end": seen.without_end,
            "accepts": seen.accepts, "rejects": seen.rejects, "repeated": seen.repeated, "elsewhere": seen.elsewhere,
            "not_admitted": seen.not_admitted, "others": seen.others, "dry_run": arguments.dry_run,
        });
        println!("{value:#}");
        return;
    }
    for (file, format) in &summary.files {
        let format = format.map_or("empty", Format::title);
        println!("{}: {format}", file.display());
    }
    println!("\n{} read, {} malformed", count(seen.records, "record"), count(summary.malformed, "line"));
    let would = if arguments.dry_run { " (nothing was written: --dry-run)" } else { "" };
    println!("{}{would}:", count(seen.sessions, "session"));
    let rows = [
        (counts.new, "new"),
        (counts.completed, "already there, and now with their end"),
        (counts.already_there, "already there: unchanged"),
        (seen.without_end, "of all of these without an end in the logs"),
    ];
    for (n, what) in rows {
        println!("  {n:>9}  {what}");
    }
    let rest = [
        (seen.accepts, "Access-Accept"),
        (seen.rejects, "Access-Reject: attempts, no sessions"),
        (seen.not_admitted, "accounting of a rejected Class: left out"),
        (seen.repeated, "repeated: left out"),
        (seen.elsewhere, "of switches and wireless networks: left out"),
        (seen.others, "others: requests, challenges, restarts"),
    ];
    let rest: Vec<_> = rest.into_iter().filter(|&(n, _)| n > 0).collect();
    if !rest.is_empty() {
        println!("records that are no sessions:");
    }
    for (n, what) in rest {
        println!("  {n:>9}  {what}");
    }
}
