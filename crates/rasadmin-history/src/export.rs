//! Exports the ledger's sessions for other programs, one by one, in the order in which they began.

mod csv;
mod dts;
mod jsonl;
mod radacct;

pub use csv::Csv;
pub use dts::Dts;
pub use jsonl::Jsonl;
pub use radacct::{NasAddresses, Radacct, Sql};

use jiff::Timestamp;
use rasadmin_ledger::report::SessionRow;
use rasadmin_policy::Millis;
use std::io;

/// A format that sessions are exported in.
pub trait Export {
    /// Writes the next session. Sessions must come in the order of their start. Returns whether it was written: the
    /// RADIUS formats leave out connections that never became a session.
    fn session(&mut self, session: SessionRow) -> io::Result<bool>;

    /// Writes what comes after the last session.
    fn finish(&mut self) -> io::Result<()>;
}

/// Was the user connected? RADIUS accounting begins with the first link. RRAS may report none of an IKEv2 connection,
/// which then counts when it has ended: before, its link may still be rejected, and nothing would end what was exported.
fn was_established(session: &SessionRow) -> bool {
    session.established.is_some() || session.billed
}

/// Converts a time. A time out of the calendar's range becomes the nearest one within it.
fn time(millis: Millis) -> Timestamp {
    let nearest = if millis < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(millis).unwrap_or(nearest)
}

/// Formats a time according to RFC 3339, with milliseconds.
fn rfc_3339(millis: Millis) -> String {
    format!("{:.3}", time(millis))
}
