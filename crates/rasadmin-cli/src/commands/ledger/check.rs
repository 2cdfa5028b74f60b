//! `rasadmin ledger check`.

use crate::context::{Context, ContextArguments};
use crate::error::{Exit, Result};
use crate::format::count;
use crate::output::Output;
use crate::present;
use clap::Args;
use rasadmin_ledger::ErrorKind;
use rasadmin_ledger::report::{LedgerCounts, Reader};
use schemars::JsonSchema;
use serde::Serialize;
use std::path::Path;

/// Check the ledger: its file, its contents, and whether it agrees with the journal
///
/// If something is wrong, the exit code is 1, and the command says what to do.
#[derive(Args)]
#[command(after_long_help = "\
Example:
  rasadmin ledger check")]
pub struct Arguments {
    #[command(flatten)]
    context: ContextArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Serialize, JsonSchema)]
pub struct Answer {
    /// The ledger's file.
    ledger: String,
    /// What is wrong. Empty: nothing.
    faults: Vec<String>,
    /// How much is in it. Null if it is too damaged to be read.
    counts: Option<LedgerCounts>,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.context.open()?;
    let (faults, counts) = match look(&context) {
        Ok((faults, counts)) => (faults, Some(counts)),
        // That it is damaged is what was asked.
        Err(e) if is_damaged(&context.ledger) => (vec![e.to_string()], None),
        Err(e) => return Err(e),
    };
    let exit = Exit::no_if(!faults.is_empty());
    if arguments.json {
        out.json(&Answer { ledger: context.ledger.display().to_string(), faults, counts })?;
        return Ok(exit);
    }
    if let Some(counts) = counts.filter(|_| faults.is_empty()) {
        let sessions = count(counts.sessions + counts.imported_sessions, "session");
        writeln!(
            out,
            "{}: no fault found: {sessions} ({} live, {} imported), {}",
            context.ledger.display(),
            counts.live_sessions,
            counts.imported_sessions,
            count(counts.decisions, "decision")
        )?;
    } else {
        writeln!(out, "{}: faults found:", context.ledger.display())?;
        for fault in &faults {
            writeln!(out, "  {fault}")?;
        }
        writeln!(
            out,
            "\nKeep a copy of the ledger as it is. Then restore a backup (`rasadmin ledger backup --help` says how). If you \
             have none, move the ledger away: the next command makes a new one from what the journal still has."
        )?;
    }
    if let Some(lost) = counts.map(|counts| counts.lost_events).filter(|lost| *lost > 0) {
        writeln!(out, "lost while the journal could not be written: {}", count(lost, "event"))?;
    }
    Ok(exit)
}

/// What is wrong with it, and how much is in it.
fn look(context: &Context) -> Result<(Vec<String>, LedgerCounts)> {
    let reader = context.reader()?;
    let mut faults = reader.faults()?;
    if let Some(present) = present::read(context)? {
        faults.extend(reader.differences(&present.state)?);
    }
    Ok((faults, reader.counts()?))
}

/// Whether a ledger cannot be read because it is damaged.
fn is_damaged(ledger: &Path) -> bool {
    match Reader::open(ledger).and_then(|reader| reader.quick_check()) {
        Ok(faults) => !faults.is_empty(),
        Err(e) => e.kind == ErrorKind::Corrupt,
    }
}
