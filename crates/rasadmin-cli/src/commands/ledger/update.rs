//! `rasadmin ledger update`.

use crate::context::ContextArguments;
use crate::error::{Exit, Result, WithContext};
use crate::format::{count, grouped, records};
use crate::output::Output;
use crate::{bring_in, journal_files, warning};
use clap::Args;
use rasadmin_ledger::ForgetCounts;
use rasadmin_policy::config::file::Durability;
use schemars::JsonSchema;
use serde::Serialize;

/// Bring the journal into the ledger, and delete old files of the journal
///
/// Every command that reads the ledger brings it up to date first. This one is for a daily schedule, because it also
/// keeps the journal short: it deletes each of its files once every ledger has read it and it is a week old.
#[derive(Args)]
#[command(after_long_help = "\
Example:
  rasadmin ledger update")]
pub struct Arguments {
    #[command(flatten)]
    context: ContextArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was brought in.
#[derive(Default, Serialize, JsonSchema)]
pub struct Answer {
    /// The ledger's file.
    ledger: String,
    /// The journal's folder.
    journal: String,
    /// How many records were brought in.
    records: u64,
    /// The number of the last record that the ledger has now. `null`: there is no journal yet.
    last_record: Option<u64>,
    /// How often records were missing.
    gaps: u64,
    /// Whether the journal was read again from its oldest record, because the ledger did not match it.
    read_again: bool,
    /// How many parts of records a newer version wrote, which this command does not know.
    unknown: u64,
    /// How many records could not be read.
    unreadable: u64,
    /// What was forgotten because an administrator had purged or anonymised it.
    forgotten: ForgetCounts,
    /// The checkpoint that was written.
    checkpoint: Option<String>,
    /// The journal's files that were deleted.
    deleted: Vec<String>,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.context.open()?;
    let journal = context.journal()?;
    let durable = context.config.durability == Durability::Fsync;
    let brought = bring_in::bring_in(journal, &context.ledger, &context.server(), durable, true);
    let brought = brought.context("the ledger cannot be brought up to date")?;
    let mut answer = Answer {
        ledger: context.ledger.display().to_string(),
        journal: journal.display().to_string(),
        ..Answer::default()
    };
    let Some(brought) = brought else {
        if arguments.json {
            out.json(&answer)?;
        } else {
            let folder = &answer.journal;
            writeln!(out, "{folder}: this folder has no journal yet: start Remote Access with the DLL")?;
        }
        return Ok(Exit::Success);
    };
    for warning in brought.warnings() {
        warning!("{warning}");
    }
    let checkpoint = journal_files::checkpoint_if_due(journal).unwrap_or_else(|error| {
        warning!("{error}");
        None
    });
    let deleted = journal_files::delete_old(journal, &context.config)?;
    if arguments.json {
        answer.records = brought.records;
        answer.last_record = brought.position.map(|place| place.number);
        answer.gaps = brought.gaps;
        answer.read_again = brought.reread;
        answer.unknown = brought.unknown;
        answer.unreadable = brought.unreadable;
        answer.forgotten = brought.forgotten;
        answer.checkpoint = checkpoint.map(|(path, _)| path.display().to_string());
        answer.deleted = deleted.iter().map(|segment| segment.path.display().to_string()).collect();
        out.json(&answer)?;
        return Ok(Exit::Success);
    }
    let last = brought.position.map_or(0, |place| place.number);
    writeln!(
        out,
        "{}: {} brought in, up to record {}",
        context.ledger.display(),
        records(brought.records),
        grouped(last)
    )?;
    if let Some((path, _)) = checkpoint {
        writeln!(out, "a checkpoint was written: {}", path.display())?;
    }
    if let (Some(first), Some(last)) = (deleted.first(), deleted.last()) {
        let files = count(deleted.len(), "file");
        writeln!(out, "deleted from the journal: {files}, records {} to {}", grouped(first.first), grouped(last.last))?;
    }
    Ok(Exit::Success)
}
