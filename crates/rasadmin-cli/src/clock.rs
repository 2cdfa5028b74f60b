//! Now, on the clocks of a server's records.

use crate::error::{CommandError, Kind, Result};
use crate::times;
use rasadmin_engine::{Mono, Now, Stamp};
use rasadmin_policy::Millis;
use rasadmin_system::monotonic;
use std::path::Path;
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
    Ok(Now { at: at(Some(journal), last, times::now()), random })
}

fn of_this_machine() -> Stamp {
    Stamp { time: times::now(), mono: Mono(monotonic::milliseconds()) }
}
