//! What a connection has sent and received in truth, and what its counters of 32 bits make certain.

use crate::rras::Number;
use rasadmin_engine::effect::Usage;

/// Where RRAS's counters start again.
const WRAP: u64 = 1 << 32;

/// The most octets of a frame.
const FRAME: u64 = 1600;

/// What a connection has sent and received in truth. Of each pair, the first is client to server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Octets.
    pub octets: [u64; 2],
    frames: [u64; 2],
}

impl Traffic {
    /// Of a connection that has lasted so many seconds.
    pub fn after(of: Number, seconds: u64) -> Self {
        let octets = 1000 * (1 + of as u64 % 97) * (1 + seconds.min(1000));
        Self { octets: [octets, 2 * octets], frames: [octets / 900, octets / 500] }
    }

    /// Of one that transfers so much that its counters wrap within minutes.
    pub fn heavy_after(seconds: u64) -> Self {
        let octets = [30_000_000 * (1 + seconds), 42_000_000 * (1 + seconds)];
        Self { octets, frames: octets.map(|octets| octets / 1400) }
    }

    /// As RRAS reports it.
    pub fn counters(&self, seconds: u64) -> Usage {
        let [input_octets, output_octets] = self.octets.map(|sum| sum % WRAP);
        let [input_packets, output_packets] = self.frames.map(|sum| sum % WRAP);
        Usage { seconds, input_octets, output_octets, input_packets, output_packets }
    }

    fn since(&self, earlier: &Self) -> Self {
        let less = |now: [u64; 2], then: [u64; 2]| [now[0].saturating_sub(then[0]), now[1].saturating_sub(then[1])];
        Self { octets: less(self.octets, earlier.octets), frames: less(self.frames, earlier.frames) }
    }

    /// So few frames cannot carry as many octets as a counter holds: nothing has wrapped unseen.
    fn is_certain(&self) -> bool {
        self.frames.iter().all(|frames| frames * FRAME < WRAP)
    }
}

/// What readings of a connection's counters show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readings {
    /// The truth at the last reading: the most that the octets can be.
    pub truth: Traffic,
    /// The smallest sum that the octets must be.
    pub least: [u64; 2],
    /// No octet may be missing.
    pub certain: bool,
}

impl Readings {
    /// Of the first reading.
    pub fn first(truth: Traffic) -> Self {
        Self { truth, least: truth.octets.map(|sum| sum % WRAP), certain: truth.is_certain() }
    }

    /// With another reading.
    pub fn then(self, truth: Traffic) -> Self {
        let more = truth.since(&self.truth);
        let grown = if more.is_certain() { more.octets } else { [0; 2] };
        let least = [self.least[0] + grown[0], self.least[1] + grown[1]];
        Self { truth, least, certain: self.certain && more.is_certain() }
    }
}
