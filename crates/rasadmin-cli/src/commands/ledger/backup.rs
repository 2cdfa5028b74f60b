//! `rasadmin ledger backup`.

use crate::context::{ContextArguments, absolute};
use crate::error::{Exit, Result};
use crate::output::Output;
use crate::times;
use clap::Args;
use rasadmin_ledger::upkeep::Upkeep;
use std::path::PathBuf;

/// Copy the ledger to a new file, while Remote Access runs
///
/// When the command ends, the copy is complete, checked and on disk. To restore it, stop the rasadmin service, put the
/// copy in the ledger's place, delete the files `-wal` and `-shm` beside it, and start the service again. You need not
/// stop Remote Access. What was recorded since the copy was made is brought in again.
#[derive(Args)]
#[command(after_long_help = "\
Example:
  rasadmin ledger backup D:\\backup\\rasadmin-2026-11-23.db")]
pub struct Arguments {
    /// The new file
    #[arg(value_name = "FILE")]
    to: PathBuf,
    #[command(flatten)]
    context: ContextArguments,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.context.open()?;
    let to = absolute(&arguments.to)?;
    // A missing ledger has an error of its own, which says what to do.
    context.reader()?;
    let mut ledger = Upkeep::open(&context.ledger)?;
    ledger.backup(&to)?;
    let size = std::fs::metadata(&to).map(|file| file.len()).unwrap_or(0);
    writeln!(out, "{}: copied to {} ({}), checked", context.ledger.display(), to.display(), times::octets(size))?;
    Ok(Exit::Success)
}
