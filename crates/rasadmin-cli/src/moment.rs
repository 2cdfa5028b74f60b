//! The moment of a command, on the clocks that a server's records have.

use crate::here::Place;
use crate::times;
use rasadmin_engine::{Mono, Now, Stamp};
use rasadmin_ledger::instance;
use rasadmin_policy::{Millis, Name};
use rasadmin_system::monotonic;

/// A time of day, with the monotonic clock that goes with it. `last` is the moment of the server's last record. While its
/// service runs, both share this machine's clock. Otherwise the machine may have been started again since, or the ledger
/// may be of a rehearsal: then the records' own clock is taken as having gone on with the time of day.
pub fn at(place: &Place, server: &Name, last: Option<Stamp>, time: Millis) -> Stamp {
    let known = last.filter(|_| !instance::alive(&place.ledger, server).unwrap_or(false)).unwrap_or_else(here);
    let shift = time.saturating_sub(known.time);
    Stamp { time, mono: Mono(known.mono.0.saturating_add_signed(shift)) }
}

/// Now, for a change of what a server has.
pub fn now(place: &Place, server: &Name) -> Result<Now, String> {
    let state = place.reader()?.state_of(server).map_err(|away| away.to_string())?;
    of(at(place, server, state.last(), times::now()))
}

/// Now, for a change of what several servers have.
pub fn now_here() -> Result<Now, String> {
    of(here())
}

fn of(at: Stamp) -> Result<Now, String> {
    let random = rasadmin_ledger::random().map_err(|e| format!("this computer gives no random numbers: {e}"))?;
    Ok(Now { at, random })
}

/// This machine's clocks.
fn here() -> Stamp {
    Stamp { time: times::now(), mono: Mono(monotonic::milliseconds()) }
}
