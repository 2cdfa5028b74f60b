//! Now, on the clocks of a server's records.

use crate::error::{CommandError, Kind, Result};
use rasadmin_engine::{Mono, Now, Stamp};
use rasadmin_policy::Millis;
use rasadmin_policy::config::Config;
use rasadmin_rights::private::is_scratch;
use rasadmin_system::clock::{Clock, VARIABLE};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

/// How long to wait for the append lock to find out whether Remote Access runs.
const PATIENCE: Duration = Duration::from_millis(500);

/// Whether a process with the DLL is alive that records in this journal.
pub fn is_recording(journal: &Path) -> bool {
    rasadmin_journal::lives_in(journal, PATIENCE).unwrap_or(false)
}

/// A time of day, with the monotonic clock that goes with it. `last` is the moment of the journal's last record. While
/// Remote Access runs, both share this machine's clock. Otherwise the machine may have been restarted since, or the
/// journal may be that of a scratch run: then the records' own clock is assumed to have advanced with the time of day.
pub fn at(journal: Option<&Path>, last: Option<Stamp>, time: Millis) -> Stamp {
    let known = last.filter(|_| !journal.is_some_and(is_recording)).unwrap_or_else(of_this_machine);
    let shift = time.saturating_sub(known.time);
    Stamp { time, mono: Mono(known.mono.0.saturating_add_signed(shift)) }
}

/// Now, for what an administrator changes.
pub fn now(journal: &Path, last: Option<Stamp>) -> Result<Now> {
    let random = rasadmin_recorder::random().map_err(|e| {
        CommandError::new(Kind::System, format!("the system has no random numbers: {e}")).hint("nothing was changed")
    })?;
    Ok(Now { at: at(Some(journal), last, of_this_machine().time), random })
}

/// Now, on both clocks of this machine; of a scratch run, those of the run.
pub fn of_this_machine() -> Stamp {
    let (time, mono) = OF_RUN.get().unwrap_or(&Clock::of(None)).now();
    Stamp { time, mono: Mono(mono) }
}

/// The clock of the scratch run whose configuration this process uses.
static OF_RUN: OnceLock<Clock> = OnceLock::new();

/// If the environment names the clock of a run, this process uses it from now on.
///
/// # Errors
/// If the configuration is not that of a run, or the clock cannot be read. On a server, a time that is wrong would delete
/// what is not old, or let a block end too early.
pub fn use_clock_of_run(config: &Config) -> Result<()> {
    let Some(file) = std::env::var_os(VARIABLE).filter(|file| !file.is_empty()).map(PathBuf::from) else {
        return Ok(());
    };
    if !config.journal.parent().is_some_and(is_scratch) {
        let what = format!("{VARIABLE} names the clock of a run, and this configuration is a server's");
        return Err(CommandError::usage(what).hint(format!("remove the environment variable {VARIABLE}")));
    }
    let clock = Clock::read(&file).map_err(|why| {
        CommandError::file(&file, format!("the clock of a run, which {VARIABLE} names, cannot be read: {why}"))
    })?;
    let _ = OF_RUN.set(clock);
    Ok(())
}
