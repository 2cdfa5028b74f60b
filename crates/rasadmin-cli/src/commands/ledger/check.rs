//! `rasadmin ledger check`.

use crate::context::ContextArguments;
use crate::error::{Exit, Result};
use crate::output::Output;
use crate::present;
use clap::Args;
use rasadmin_ledger::report::LedgerCounts;
use schemars::JsonSchema;
use serde::Serialize;

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
    /// How much is in it.
    counts: LedgerCounts,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.context.open()?;
    let reader = context.reader()?;
    let mut faults = reader.faults()?;
    if let Some(present) = present::read(&context)? {
        faults.extend(reader.differences(&present.state)?);
    }
    let counts = reader.counts()?;
    let exit = Exit::no_if(!faults.is_empty());
    if arguments.json {
        out.json(&Answer { ledger: context.ledger.display().to_string(), faults, counts })?;
        return Ok(exit);
    }
    if faults.is_empty() {
        writeln!(
            out,
            "{}: no fault found: {} sessions ({} live, {} imported), {} decisions",
            context.ledger.display(),
            counts.sessions + counts.imported_sessions,
            counts.live_sessions,
            counts.imported_sessions,
            counts.decisions
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
    if counts.lost_events > 0 {
        writeln!(out, "{} events were lost while the journal could not be written", counts.lost_events)?;
    }
    Ok(exit)
}
