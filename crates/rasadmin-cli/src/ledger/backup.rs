//! `rasadmin ledger backup`.

use crate::here::{Here, absolute};
use crate::times;
use clap::Args;
use rasadmin_ledger::upkeep::Upkeep;
use std::path::PathBuf;

/// Copy the ledger to a new file, while Remote Access runs
///
/// The copy is consistent, checked, and on disk when the command ends. To restore it, put it in the ledger's place and
/// delete the files `-wal` and `-shm` beside it. You need not stop Remote Access. The next command brings in what was
/// recorded since the copy was made.
///
/// Example:
///   rasadmin ledger backup D:\backup\rasadmin-2026-11-23.db
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The new file
    #[arg(value_name = "FILE")]
    to: PathBuf,
    #[command(flatten)]
    here: Here,
}

pub fn backup(arguments: Arguments) -> Result<u8, String> {
    let place = arguments.here.open()?;
    let to = absolute(&arguments.to)?;
    // A missing ledger has an error of its own, which says what to do.
    place.reader()?;
    let mut ledger = Upkeep::open(&place.ledger).map_err(|e| e.to_string())?;
    ledger.backup(&to).map_err(|e| e.to_string())?;
    let size = std::fs::metadata(&to).map(|file| file.len()).unwrap_or(0);
    println!("{}: copied to {} ({}), checked", place.ledger.display(), to.display(), times::octets(size));
    Ok(0)
}
