//! Usage: what a hangup reports, and what is counted by days.

use crate::state::Accumulated;
use crate::{Identity, Millis};
use serde::{Deserialize, Serialize};

/// A day of the calendar, with its week and its month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// The first moment, in milliseconds since 1970, UTC.
    pub begins: Millis,
    /// Its numbers.
    pub labels: Labels,
}

/// The numbers of a day, of its week and of its month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Labels {
    /// Days since 1970-01-01 of the configured time zone's calendar.
    pub day: i32,
    /// The number of the week's Monday.
    pub week: i32,
    /// The number of the first day of its month.
    pub month: i32,
}

/// What was used on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayUse {
    /// Which day.
    pub labels: Labels,
    /// Seconds connected.
    pub seconds: u64,
    /// Octets, client to server.
    pub input_octets: u64,
    /// Octets, server to client.
    pub output_octets: u64,
}

/// A user's use in the present day, week and month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UseCarried {
    /// The user.
    pub user: Identity,
    /// For the day, the week and the month.
    pub sums: [Accumulated; 3],
}

/// A session's usage, as a hangup reports it. The counters have 32 bits and wrap at 4 GiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Seconds.
    pub seconds: u64,
    /// Octets, client to server (Acct-Input-Octets).
    pub input_octets: u64,
    /// Octets, server to client (Acct-Output-Octets).
    pub output_octets: u64,
    /// Frames, client to server.
    pub input_packets: u64,
    /// Frames, server to client.
    pub output_packets: u64,
}

impl Usage {
    /// Are the octets exact, or may a counter have wrapped? A frame carries at most 1,600 octets.
    pub fn is_exact(&self) -> bool {
        self.input_packets.max(self.output_packets).saturating_mul(1600) < 1 << 32
    }
}
