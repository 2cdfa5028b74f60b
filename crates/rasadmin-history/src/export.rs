//! The ledger's sessions for other programs, one by one, in the order in which they began.

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

/// Where exported sessions go.
pub trait Export {
    /// The next session; they come in the order of their start. Answers whether it was written: the forms that are
    /// RADIUS's leave out what never had a link.
    fn session(&mut self, session: SessionRow) -> io::Result<bool>;

    /// What comes after the last one.
    fn finish(&mut self) -> io::Result<()>;
}

/// Did it ever have a link? RADIUS's accounting begins with one.
fn was_established(session: &SessionRow) -> bool {
    session.established.is_some()
}

/// A time; what no calendar has is the nearest that one has.
fn time(millis: Millis) -> Timestamp {
    let nearest = if millis < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(millis).unwrap_or(nearest)
}

/// As RFC 3339 writes it, with milliseconds.
fn rfc_3339(millis: Millis) -> String {
    format!("{:.3}", time(millis))
}
