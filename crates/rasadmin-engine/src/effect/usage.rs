//! Usage: what a hangup reports, and what is counted by days.

use crate::now::{Id, Stamp};
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

/// What live sessions have sent and received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedSessions {
    /// When their counters were read.
    pub at: Stamp,
    /// The day to which octets go that were not counted before.
    pub labels: Labels,
    /// The sessions.
    pub sessions: Vec<CountedSession>,
}

/// What a live session has sent and received. Of each pair, the first is client to server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedSession {
    /// The session.
    pub session: Id,
    /// Octets in all.
    pub octets: [u64; 2],
    /// Frames in all.
    pub frames: [u64; 2],
    /// Are the octets exact? Otherwise there may have been more.
    pub exact: bool,
    /// The counters of octets and frames, if they are not the lower 32 bits of these sums.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counters: Option<[u32; 4]>,
}

impl DayUse {
    /// The octets of all days: client to server, then server to client.
    pub fn octets(days: &[Self]) -> [u64; 2] {
        days.iter().fold([0; 2], |sum, day| {
            [sum[0].saturating_add(day.input_octets), sum[1].saturating_add(day.output_octets)]
        })
    }
}

/// The most octets that a frame carries.
pub(crate) const FRAME: u64 = 1600;

/// Where a counter of 32 bits starts again.
pub(crate) const WRAP: u64 = 1 << 32;

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
    /// Are the octets exact, or may a counter have wrapped? The frames tell.
    pub fn is_exact(&self) -> bool {
        self.input_packets.max(self.output_packets).saturating_mul(FRAME) < WRAP
    }
}

/// Sums of seconds and octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// Seconds connected.
    pub seconds: u64,
    /// Octets received and sent.
    pub octets: u64,
}

impl Sums {
    const fn plus(self, more: Self) -> Self {
        Self { seconds: self.seconds.saturating_add(more.seconds), octets: self.octets.saturating_add(more.octets) }
    }
}

/// The sums of two periods: the latest period that was ever written, and the one written last besides it. A session
/// that began long ago or is reported late does not overwrite the first, and a clock that was ahead once does not
/// block the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accumulated {
    /// Ordered by label; `None` comes first.
    two: [Option<(i32, Sums)>; 2],
}

impl Accumulated {
    pub(crate) fn of(&self, label: i32) -> Sums {
        self.two.into_iter().flatten().find(|(of, _)| *of == label).map_or(Sums::default(), |(_, sums)| sums)
    }

    fn entry(&mut self, label: i32) -> Option<&mut Sums> {
        self.two.iter_mut().flatten().find(|(of, _)| *of == label).map(|(_, sums)| sums)
    }

    pub(crate) fn add(&mut self, label: i32, more: Sums) {
        match self.entry(label) {
            Some(sums) => *sums = sums.plus(more),
            None => {
                self.two[0] = Some((label, more));
                self.two.sort_by_key(|entry| entry.map(|(label, _)| label));
            }
        }
    }

    pub(crate) fn take(&mut self, label: i32, less: Sums) {
        if let Some(sums) = self.entry(label) {
            sums.seconds = sums.seconds.saturating_sub(less.seconds);
            sums.octets = sums.octets.saturating_sub(less.octets);
        }
    }

    pub(crate) fn forget_before(&mut self, label: i32) {
        for entry in &mut self.two {
            if entry.is_some_and(|(of, _)| of < label) {
                *entry = None;
            }
        }
    }

    /// Is a period not older than the older of the two?
    pub(crate) fn reaches(&self, label: i32) -> bool {
        self.two[0].is_none_or(|(first, _)| first <= label)
    }

    /// The periods and their sums.
    pub(crate) fn entries(self) -> impl Iterator<Item = (i32, Sums)> {
        self.two.into_iter().flatten()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.two.iter().all(Option::is_none)
    }
}
