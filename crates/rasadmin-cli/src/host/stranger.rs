//! A stranger who holds the lock of the run's journal. It is a process of its own, because a process does not lock
//! itself out.

use rasadmin_host::runner::JournalLocker;
use rasadmin_journal::{Journal, Options};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The hidden subcommand of that process.
pub const SUBCOMMAND: &str = "__lock-journal";

/// What the process says when it has the lock.
const LOCKED: &str = "locked";

/// How long it waits for a callback that is recording.
const PATIENCE: Duration = Duration::from_secs(10);

/// Arguments of that process.
#[derive(clap::Args)]
pub struct Arguments {
    journal: PathBuf,
}

/// That process: holds the lock until its standard input ends.
pub fn lock(arguments: Arguments) -> Result<u8, String> {
    let failed = |e: rasadmin_journal::Error| format!("{}: cannot lock the journal: {e}", arguments.journal.display());
    // One that is not there is not made.
    if !arguments.journal.is_dir() {
        return Err(format!(
            "{}: this folder has no journal to lock: start the DLL first",
            arguments.journal.display()
        ));
    }
    let deadline = Instant::now() + PATIENCE;
    let journal = Journal::open(&arguments.journal, Options::default(), deadline).map_err(failed)?;
    let _guard = journal.lock(deadline).map_err(failed)?;
    println!("{LOCKED}");
    let _ = std::io::stdout().flush();
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    Ok(0)
}

/// The host's side.
pub struct JournalLock {
    journal: PathBuf,
    holder: Mutex<Option<Child>>,
}

impl JournalLock {
    /// Of the journal in the run's folder.
    pub fn new(folder: &Path) -> Self {
        Self { journal: folder.join("journal"), holder: Mutex::default() }
    }
}

impl JournalLocker for JournalLock {
    fn lock(&self) -> Result<(), String> {
        let own = std::env::current_exe().map_err(|e| format!("cannot find this program: {e}"))?;
        let mut command = Command::new(own);
        command.arg(SUBCOMMAND).arg(&self.journal).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|e| format!("cannot run this program again: {e}"))?;
        let mut said = String::new();
        let read = child.stdout.take().map(|out| BufReader::new(out).read_line(&mut said));
        if !matches!(read, Some(Ok(_))) || said.trim_end() != LOCKED {
            end(child);
            return Err("the journal could not be locked".into());
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
impl Drop for JournalLock {
    fn drop(&mut self) {
        let _ = self.unlock();
    }
}

fn end(mut child: Child) {
    drop(child.stdin.take());
    let _ = child.wait();
}
