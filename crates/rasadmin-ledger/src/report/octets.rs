//! How much of a sum of octets is known.

/// How reliable a sum of octets is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OctetsAre {
    /// The octets of every session are known.
    Exact,
    /// There may have been more.
    LowerBound,
    /// The octets of no session are known: the sum is zero because there was nothing to add.
    Unknown,
}

/// What is known of the octets in one direction. RRAS and its logs may report one direction and not the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Direction {
    /// Do the octets of a session count here?
    some_count: bool,
    /// Are those of a session not known?
    some_are_unknown: bool,
    /// May those of a session be too low?
    some_are_too_low: bool,
}

impl Direction {
    /// Takes a session's octets into account. Returns what to add to the sum: known octets count if the session `ended`
    /// in the period, and unknown ones leave every period unknown in which it was connected. `least`: they may be too low.
    pub(super) fn add(&mut self, octets: Option<u64>, ended: bool, least: bool) -> u64 {
        match octets {
            None => self.some_are_unknown = true,
            Some(_) if !ended => {}
            Some(octets) => {
                self.some_count = true;
                self.some_are_too_low |= least;
                return octets;
            }
        }
        0
    }

    /// How reliable the sum is. Without any session, the sum is zero and exact.
    pub const fn are(self) -> OctetsAre {
        match self {
            Self { some_are_unknown: true, some_count: false, .. } => OctetsAre::Unknown,
            Self { some_are_unknown: true, .. } | Self { some_are_too_low: true, .. } => OctetsAre::LowerBound,
            _ => OctetsAre::Exact,
        }
    }
}
