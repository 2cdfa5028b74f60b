//! `rasadmin journal seal`.

use super::JournalArguments;
use crate::error::{Exit, Result, WithContext};
use crate::format::grouped;
use crate::journal_files;
use crate::output::Output;
use clap::Args;
use rasadmin_recorder::admin::AdminJournal;
use schemars::JsonSchema;
use serde::Serialize;

/// End the journal's current file, and write a checkpoint
///
/// The next record begins a new file. The earlier files no longer change, so you can copy them, and the checkpoint lets
/// the DLL start without reading them. You can run this while Remote Access runs.
#[derive(Args)]
#[command(after_long_help = "\
Example:
  rasadmin journal seal")]
pub struct Arguments {
    #[command(flatten)]
    journal: JournalArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was written.
#[derive(Serialize, JsonSchema)]
pub struct Answer {
    /// The journal's folder.
    journal: String,
    /// The number of the last record in it.
    last_record: u64,
    /// The checkpoint's file.
    checkpoint: String,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.journal.open()?;
    let tool = AdminJournal::open(&context.folder, &context.config).context("the journal cannot be written")?;
    let mut tool = tool.ok_or_else(|| journal_files::nothing_recorded(&context.folder))?;
    journal_files::seal(&mut tool)?;
    let (checkpoint, last_record) = journal_files::write_checkpoint(&context.folder)?;
    let answer = Answer {
        journal: context.folder.display().to_string(),
        last_record,
        checkpoint: checkpoint.display().to_string(),
    };
    if arguments.json {
        out.json(&answer)?;
        return Ok(Exit::Success);
    }
    let Answer { journal, checkpoint, .. } = answer;
    let last = grouped(last_record);
    writeln!(out, "{journal}: the file ends with record {last}; the checkpoint is {checkpoint}")?;
    Ok(Exit::Success)
}
