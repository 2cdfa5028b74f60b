//! A stranger who locks the run's ledger: a process of its own, because locks within one process are no locks.

use rasadmin_host::runner::Stranger;
use rusqlite::{Connection, OpenFlags};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The hidden subcommand of that process.
pub const SUBCOMMAND: &str = "__lock-ledger";

/// What the process says when it has the lock.
const LOCKED: &str = "locked";

/// How long it waits for a callback that is writing.
const PATIENCE: Duration = Duration::from_secs(10);

/// Arguments of that process.
#[derive(clap::Args)]
pub struct Arguments {
    ledger: PathBuf,
}

/// That process: locks the ledger until its standard input ends.
pub fn lock(arguments: Arguments) -> Result<u8, String> {
    let failed = |e: rusqlite::Error| format!("{}: cannot lock the ledger: {e}", arguments.ledger.display());
    // One that is not there is not made.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection = Connection::open_with_flags(&arguments.ledger, flags).map_err(failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    connection.execute_batch("BEGIN EXCLUSIVE").map_err(failed)?;
    println!("{LOCKED}");
    let _ = std::io::stdout().flush();
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    // The lock ends with the connection.
    Ok(0)
}

/// The host's side.
pub struct LedgerLock {
    ledger: PathBuf,
    holder: Mutex<Option<Child>>,
}

impl LedgerLock {
    /// Of the ledger in the run's folder.
    pub fn new(folder: &Path) -> Self {
        Self { ledger: folder.join("rasadmin.db"), holder: Mutex::default() }
    }
}

impl Stranger for LedgerLock {
    fn lock(&self) -> Result<(), String> {
        let own = std::env::current_exe().map_err(|e| format!("cannot find this program: {e}"))?;
        let mut command = Command::new(own);
        command.arg(SUBCOMMAND).arg(&self.ledger).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|e| format!("cannot run this program again: {e}"))?;
        let mut said = String::new();
        let read = child.stdout.take().map(|out| BufReader::new(out).read_line(&mut said));
        if !matches!(read, Some(Ok(_))) || said.trim_end() != LOCKED {
            end(child);
            return Err("the ledger could not be locked".into());
        }
        if let Some(earlier) = self.holder.lock().unwrap_or_else(PoisonError::into_inner).replace(child) {
            end(earlier);
        }
        Ok(())
    }

    fn unlock(&self) -> Result<(), String> {
        if let Some(child) = self.holder.lock().unwrap_or_else(PoisonError::into_inner).take() {
            end(child);
        }
        Ok(())
    }
}

/// The lock must not outlive the run.
impl Drop for LedgerLock {
    fn drop(&mut self) {
        let _ = self.unlock();
    }
}

fn end(mut child: Child) {
    drop(child.stdin.take());
    let _ = child.wait();
}
