//! The ledger of a torture run: processes update it all the time and are killed.

#[path = "../../rasadmin-ledger/tests/support/rows.rs"]
mod rows;

use crate::paths::{journal_in, ledger_in};
use rasadmin_engine::Name;
use rasadmin_ledger::ingest::IngestSummary;
use rasadmin_ledger::sqlite::{Create, Sqlite};
use std::path::Path;
use std::time::{Duration, Instant};

pub use rows::first_difference;

/// The subcommand of a process that ingests.
pub const INGEST: &str = "ingest";

/// Ingests the journal into a ledger, as a command does before it reads. No kill may leave a ledger that does not match
/// its journal.
pub fn ingest(folder: &Path, ledger: &Path) -> Result<(), String> {
    let deadline = Instant::now() + Duration::from_secs(20);
    let opened = Sqlite::open(ledger, Create::Yes, true, deadline);
    let brought = opened.and_then(|mut ledger| ledger.ingest(&journal_in(folder), &Name::new("TORTURE"), &mut |_| {}));
    let IngestSummary { gaps, reread, unknown, unreadable, cursor_not_written, .. } =
        brought.map_err(|e| e.to_string())?;
    match cursor_not_written {
        Some(e) => Err(format!("the ledger's cursor cannot be written: {e}")),
        None if reread || gaps + unknown + unreadable > 0 => Err(format!(
            "the ledger does not fit the journal: read again: {reread}, gaps: {gaps}, unknown: {unknown}, unreadable: \
             {unreadable}"
        )),
        None => Ok(()),
    }
}

/// Ingests repeatedly until the process kills itself after so many microseconds.
pub fn until_killed(folder: &Path, after: u64) -> Result<(), String> {
    crate::worker::kill_after(after);
    loop {
        ingest(folder, &ledger_in(folder))?;
    }
}

/// Returns every row.
pub fn rows(ledger: &Path) -> Result<Vec<String>, String> {
    rows::rows(ledger).map_err(|e| format!("{}: {e}", ledger.display()))
}

/// Returns the rows of a ledger that is newly made from the whole journal, without a kill.
pub fn newly_made(folder: &Path) -> Result<Vec<String>, String> {
    let own = tempfile::tempdir().map_err(|e| e.to_string())?;
    let ledger = own.path().join("new.db");
    ingest(folder, &ledger)?;
    rows(&ledger)
}
