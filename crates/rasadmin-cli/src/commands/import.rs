//! `rasadmin import`: the logs of RRAS and NPS as history.

mod batch;
mod files;

use crate::bring_in;
use crate::context::ContextArguments;
use crate::error::{CommandError, Exit, Kind, OrCommandError, Result};
use crate::format::count;
use crate::output::Output;
use crate::warning;
use batch::{Batch, Done, Target};
use clap::Args;
use files::{FileAnswer, GapAnswer, SkippedAnswer};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::tz::TimeZone;
use rasadmin_history::logs::{self, Fault, LogCounts, Reading, Summary};
use rasadmin_ledger::report::Reader;
use rasadmin_ledger::sqlite::{Create, Sqlite};
use rasadmin_policy::config;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Bring logs of RRAS or NPS into the ledger, as history
///
/// Reads the database-compatible (ODBC), the DTS and the IAS format (docs/logs.md). Imported sessions are marked as
/// such, and do not count in limits and quotas. Attempts that NPS refused become decisions, with NPS's reason. Importing
/// the same log again changes nothing. Files may be compressed with gzip. A file that cannot be read and invalid lines
/// are skipped with a warning; the exit code is still 0.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin import C:\\Windows\\System32\\LogFiles\\IN*.log
  rasadmin import --time-zone Europe/Berlin --dry-run archive
  ssh nps1 cat /logs/IN2611.log.gz | rasadmin import -
  rasadmin import --ledger history.db --create --json IN2611.log")]
pub struct Arguments {
    /// The logs: files, folders, patterns such as IN*.log, or - for standard input; they are read in the order of their
    /// first records
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    context: ContextArguments,
    /// The time zone of the servers' clocks, as IANA names it, like Europe/Berlin [default: the configuration's]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Import nothing if a file cannot be read, instead of skipping it
    #[arg(long)]
    strict: bool,
    /// Make the ledger if it does not exist
    #[arg(long)]
    create: bool,
    /// Read and compare, but write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How long a transaction may wait for others.
const WAIT: Duration = Duration::from_secs(30);

/// What was read, and what became of it.
#[derive(Serialize, JsonSchema)]
pub struct Answer {
    /// The logs.
    files: Vec<FileAnswer>,
    /// The files that could not be read, or not to their end.
    skipped: Vec<SkippedAnswer>,
    /// The days that no file covers, between the first and the last, in the time zone of --time-zone or the configuration.
    gaps: Vec<GapAnswer>,
    /// How many records they have.
    records: u64,
    /// How many lines were invalid, and skipped.
    malformed: u64,
    /// The first of those lines.
    faults: Vec<FaultAnswer>,
    /// The last lines that were left for the next import, because they may still be written.
    unfinished: Vec<FaultAnswer>,
    /// How many sessions the logs have.
    sessions: u64,
    /// How many of them the ledger did not have.
    new: u64,
    /// How many the ledger had, and these logs completed or corrected: with their end, with a later time at which they were
    /// last seen, or with more octets, a longer time or the cause of the same end.
    completed: u64,
    /// How many the ledger had already.
    already_there: u64,
    /// How many of the new ones reports leave out, because rasadmin itself recorded on their server at that time.
    hidden: u64,
    /// How many sessions the ledger had without their end that a restart (Accounting-On or -Off) in these logs ended; 0
    /// with --dry-run.
    ended_by_restarts: u64,
    /// How many have no end in the logs.
    without_end: u64,
    /// How many records are an Access-Accept.
    accepts: u64,
    /// How many records are an Access-Reject: attempts that NPS refused.
    rejects: u64,
    /// How many of these attempts the ledger did not have.
    rejects_new: u64,
    /// How many of these attempts the ledger had already.
    rejects_already_there: u64,
    /// How many records were repetitions, and left out.
    repeated: u64,
    /// How many accounting records and Access-Rejects were of switches and wireless networks, and left out.
    elsewhere: u64,
    /// How many records were accounting of a rejected Class, and left out.
    not_admitted: u64,
    /// How many records were others: requests, challenges, restarts.
    others: u64,
    /// How many records have a local time that comes twice, because the clocks went back.
    ambiguous_times: u64,
    /// How many records have a local time that does not exist in the time zone.
    nonexistent_times: u64,
    /// Whether nothing was written because of --dry-run.
    dry_run: bool,
}

/// A line that was skipped or left.
#[derive(Serialize, JsonSchema)]
struct FaultAnswer {
    /// The log.
    file: String,
    /// The line, from 1.
    line: u64,
    /// Why.
    what: String,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let zone = arguments.time_zone.as_deref().map(config::time_zone).transpose().or_error(Kind::Usage)?;
    let context = arguments.context.open()?;
    let zone = zone.or_else(|| context.config.named_zone().cloned());
    if !arguments.dry_run {
        // It also makes the ledger of a server that has recorded something.
        bring_in::before_reading(&context)?;
    }
    let mut target = target(&arguments, &context.ledger)?;
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes}  {msg}") {
        bar.set_style(style);
    }
    let mut batch = Batch::default();
    let mut step = 0u64;
    let mut progress = |done: u64, all: u64| {
        step += 1;
        if step % 4_096 == 1 {
            bar.set_length(all);
            bar.set_position(done);
        }
    };
    let reading = Reading { zone: zone.as_ref(), strict: arguments.strict };
    let summary = logs::read(&arguments.files, reading, &mut progress, &mut |item| {
        batch.add(item, &context.config.domains);
        if batch.is_full() {
            batch.write(&mut target)?;
        }
        Ok::<_, CommandError>(())
    });
    bar.finish_and_clear();
    let summary = summary?;
    let done = batch.finish(&mut target)?;
    let zone = zone.unwrap_or_else(|| context.config.zone.clone());
    print(out, &arguments, &summary, &done, &zone)?;
    Ok(Exit::Success)
}

fn target(arguments: &Arguments, ledger: &Path) -> Result<Target> {
    let there = ledger.exists();
    if !there && !arguments.create {
        let missing = format!("{}: this file does not exist", ledger.display());
        let error = format!("{missing}: check the path, or make a new ledger with --create");
        return Err(CommandError::new(Kind::Ledger, error));
    }
    let reader = there.then(|| Reader::open(ledger)).transpose()?;
    if arguments.dry_run {
        return Ok(Target::Compare(reader.map(Box::new)));
    }
    let create = if arguments.create { Create::Yes } else { Create::No };
    let ledger = Sqlite::open(ledger, create, false, Instant::now() + WAIT)?;
    Ok(Target::Ledger(Box::new(ledger)))
}

fn print(out: &mut Output, arguments: &Arguments, summary: &Summary, done: &Done, zone: &TimeZone) -> Result<()> {
    warn_of_faults(summary);
    let seen = summary.counts;
    let (counts, refused) = (done.sessions, done.refusals);
    if arguments.json {
        let path = |path: &Path| path.display().to_string();
        let (skipped, gaps) = files::skipped_and_gaps(summary, zone);
        let fault = |f: &Fault| FaultAnswer { file: path(&f.file), line: f.line, what: f.what.clone() };
        return out.json(&Answer {
            files: summary.files.iter().map(FileAnswer::from).collect(),
            skipped,
            gaps,
            records: seen.records,
            malformed: summary.malformed,
            faults: summary.faults.iter().map(fault).collect(),
            unfinished: summary.unfinished.iter().map(fault).collect(),
            sessions: seen.sessions,
            new: counts.new,
            completed: counts.completed,
            already_there: counts.already_there,
            hidden: counts.hidden,
            ended_by_restarts: done.ended_by_restarts,
            without_end: seen.without_end,
            accepts: seen.accepts,
            rejects: seen.rejects,
            rejects_new: refused.new,
            rejects_already_there: refused.already_there,
            repeated: seen.repeated,
            elsewhere: seen.elsewhere,
            not_admitted: seen.not_admitted,
            others: seen.others,
            ambiguous_times: seen.twice,
            nonexistent_times: seen.never,
            dry_run: arguments.dry_run,
        });
    }
    files::print(out, summary, zone)?;
    writeln!(out, "\n{} read, {} invalid", count(seen.records, "record"), count(summary.malformed, "line"))?;
    let would = if arguments.dry_run { " (nothing was written: --dry-run)" } else { "" };
    writeln!(out, "{}{would}:", count(seen.sessions, "session"))?;
    let rows = [
        (counts.new, "new"),
        (counts.completed, "already there: completed or corrected"),
        (counts.already_there, "already there: unchanged"),
        (seen.without_end, "of all these have no end in the logs"),
    ];
    for (n, what) in rows {
        writeln!(out, "  {n:>9}  {what}")?;
    }
    if counts.hidden > 0 {
        let why = "of the new ones left out of reports: rasadmin itself recorded on their server at that time";
        writeln!(out, "  {:>9}  {why}", counts.hidden)?;
    }
    if done.ended_by_restarts > 0 {
        writeln!(
            out,
            "  {:>9}  more already there, and now ended by a restart of their server",
            done.ended_by_restarts
        )?;
    }
    if seen.rejects > 0 {
        writeln!(out, "{} that NPS refused{would}:", count(seen.rejects, "attempt"))?;
        writeln!(out, "  {:>9}  new", refused.new)?;
        writeln!(out, "  {:>9}  already there: unchanged", refused.already_there)?;
    }
    let rest = [
        (seen.accepts, "Access-Accept"),
        (seen.not_admitted, "accounting of a rejected Class: left out"),
        (seen.repeated, "repeated: left out"),
        (seen.elsewhere, "of switches and wireless networks: left out"),
        (seen.others, "others: requests, challenges, restarts"),
    ];
    let rest: Vec<_> = rest.into_iter().filter(|&(n, _)| n > 0).collect();
    if !rest.is_empty() {
        writeln!(out, "other records:")?;
    }
    for (n, what) in rest {
        writeln!(out, "  {n:>9}  {what}")?;
    }
    Ok(())
}

/// Warns of the files and lines that were skipped, and of those that were left.
pub fn warn_of_faults(summary: &Summary) {
    files::warn_of_skipped(summary);
    for unfinished in &summary.unfinished {
        warning!("{unfinished}");
    }
    let LogCounts { twice, never, .. } = summary.counts;
    if twice > 0 {
        let records = count(twice, "record");
        warning!("{records} with a local time that comes twice, because the clocks went back: see docs/logs.md, Times");
    }
    if never > 0 {
        let records = count(never, "record");
        warning!("{records} with a local time that does not exist in this time zone: check --time-zone");
    }
    for fault in &summary.faults {
        warning!("{fault}");
    }
    let more = summary.malformed - summary.faults.len() as u64;
    if more > 0 {
        warning!("… and {more} more invalid lines");
    }
}
