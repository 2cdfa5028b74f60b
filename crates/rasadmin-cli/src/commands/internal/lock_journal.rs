//! A process that holds the lock of a run's journal, for scenarios with `lock-journal`. The host cannot do that itself,
//! because a process does not lock itself out.

use crate::error::{CommandError, Exit, Kind, Result};
use crate::output::Output;
use rasadmin_host::runner::JournalLocker;
use rasadmin_journal::{Journal, Options};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The name of the hidden subcommand.
pub const NAME: &str = "__lock-journal";

/// What the process prints when it has the lock.
const LOCKED: &str = "locked";

/// How long it waits for a callback that is recording.
const PATIENCE: Duration = Duration::from_secs(10);

/// The journal's folder.
#[derive(clap::Args)]
pub struct Arguments {
    journal: PathBuf,
}

/// Holds the lock until its standard input ends.
pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let folder = arguments.journal;
    let failed = |e: rasadmin_journal::Error| {
        CommandError::new(Kind::Journal, format!("{}: cannot lock the journal: {e}", folder.display()))
    };
    // Opening a journal would make a missing one.
    if !folder.is_dir() {
        let missing = format!("{}: this folder has no journal to lock: start the DLL first", folder.display());
        return Err(CommandError::new(Kind::Journal, missing));
    }
    let deadline = Instant::now() + PATIENCE;
    let journal = Journal::open(&folder, Options::default(), deadline).map_err(failed)?;
    let _guard = journal.lock(deadline).map_err(failed)?;
    writeln!(out, "{LOCKED}")?;
    // The host waits for this line.
    out.flush()?;
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    Ok(Exit::Success)
}

/// The host's side: starts and ends that process.
pub struct JournalLock {
    journal: PathBuf,
    holder: Mutex<Option<Child>>,
}

impl JournalLock {
    /// For the journal in the run's folder.
    pub fn new(folder: &Path) -> Self {
        Self { journal: folder.join("journal"), holder: Mutex::default() }
    }
}

impl JournalLocker for JournalLock {
    fn lock(&self) -> std::result::Result<(), String> {
        let own = std::env::current_exe().map_err(|e| format!("cannot find this program: {e}"))?;
        let mut command = Command::new(own);
        command.arg(NAME).arg(&self.journal).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|e| format!("cannot run this program again: {e}"))?;
        let mut line = String::new();
        let read = child.stdout.take().map(|out| BufReader::new(out).read_line(&mut line));
        if !matches!(read, Some(Ok(_))) || line.trim_end() != LOCKED {
            end(child);
            return Err("the journal could not be locked".into());
        }
        if let Some(earlier) = self.holder.lock().unwrap_or_else(PoisonError::into_inner).replace(child) {
            end(earlier);
        }
        Ok(())
    }

    fn unlock(&self) -> std::result::Result<(), String> {
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
