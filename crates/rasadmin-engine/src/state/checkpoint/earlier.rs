//! Checkpoints of the version before: they have no counters, and no sessions that are to be disconnected.

use super::{Checkpoint, Head, VERSION};
use crate::state::addresses;
use crate::state::lease::Lease;
use crate::state::session::{Closed, Session};
use crate::state::table::Table;
use crate::state::usage::UseOf;
use serde::Deserialize;

/// A checkpoint of version 3.
#[derive(Debug, Deserialize)]
pub struct EarlierCheckpoint {
    head: Head,
    addresses: addresses::Parts,
    sessions: Table<Session>,
    closed: Table<Closed>,
    leases: Table<Lease>,
    owed: Table<Lease>,
    uses: Table<UseOf>,
}

impl EarlierCheckpoint {
    /// The version that it has.
    pub const VERSION: u32 = 3;

    /// The same state as a checkpoint of the present version; `None` if it has another version.
    pub fn upgraded(self) -> Option<Checkpoint> {
        let Self { head, addresses, sessions, closed, leases, owed, uses } = self;
        let version = head.version;
        let (head, counted) = (Head { version: VERSION, ..head }, Table::default());
        let to_disconnect = Table::default();
        let upgraded = Checkpoint { head, addresses, sessions, closed, leases, owed, uses, counted, to_disconnect };
        (version == Self::VERSION).then_some(upgraded)
    }
}
