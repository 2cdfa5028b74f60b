//! Time and random bytes. The caller passes them in, so that a call can be repeated.

use crate::{Family, Millis};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Milliseconds of the machine's monotonic clock, which all its processes share. It never goes backwards. It starts
/// again when the machine starts, so it has a meaning within one instance only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mono(pub u64);

impl Mono {
    /// Milliseconds from an earlier moment to this one; 0 if the other one is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This many milliseconds later.
    pub const fn after(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

/// A moment on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The time of day in milliseconds since 1970, UTC: for people, calendars and hours. It may go backwards.
    pub time: Millis,
    /// The monotonic time: for order, timeouts and durations.
    pub mono: Mono,
}

impl Stamp {
    /// Whole seconds from an earlier moment to this one.
    pub const fn seconds_since(self, earlier: Self) -> u64 {
        self.mono.since(earlier.mono) / 1000
    }
}

/// The time of a call, and its random bytes.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// The time.
    pub at: Stamp,
    /// Sixteen random bytes, from which the record's identifiers are made.
    pub random: [u8; 16],
}

impl Now {
    /// A session's identifier: a UUIDv7, so identifiers sort by time, and are unique although handles repeat.
    pub(crate) fn session_id(&self) -> Id {
        let mut tail = [0; 10];
        tail.copy_from_slice(&self.random[..10]);
        let millis = u64::try_from(self.at.time).unwrap_or(0);
        Id(uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid().as_u128())
    }

    /// A lease's identifier. One call begins at most one lease of each family.
    pub(crate) fn lease_id(&self, family: Family) -> Id {
        let id = uuid::Builder::from_random_bytes(self.random).into_uuid().as_u128();
        Id(id ^ u128::from(family == Family::Ipv6))
    }
}

/// An identifier of a session, a lease or an instance: a UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u128);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        uuid::Uuid::from_u128(self.0).fmt(f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Id {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        uuid::Uuid::parse_str(text).map(|id| Self(id.as_u128()))
    }
}

/// As text in formats for people, as sixteen bytes in a checkpoint.
impl Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.collect_str(self) } else { self.0.to_be_bytes().serialize(to) }
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            from.deserialize_str(Text)
        } else {
            <[u8; 16]>::deserialize(from).map(|bytes| Self(u128::from_be_bytes(bytes)))
        }
    }
}

/// Reads an identifier without copying its text.
struct Text;

impl serde::de::Visitor<'_> for Text {
    type Value = Id;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a UUID")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Id, E> {
        text.parse().map_err(E::custom)
    }
}

/// A process of an instance: a random number of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Process(pub u64);
