//! Where a session is in an order.

use super::{By, Order, Seen};
use rasadmin_ledger::RowId;
use rasadmin_ledger::report::SessionKey;
use rasadmin_policy::{Millis, Name};
use std::cmp::Reverse;

/// The ranks of an order.
pub struct Ranks<'s> {
    pub order: Order,
    pub seen: &'s Seen,
    pub now: Millis,
}

/// A rank: the least comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// By the user, and by the begin.
    User(Name, Name, Millis, RowId),
    UserTurned(Reverse<(Name, Name, Millis, RowId)>),
    /// By a value; of equal ones the first or the latest session first.
    Value(i64, RowId),
    /// What is not known comes last in both directions: the latest first.
    Unknown(Reverse<(Millis, RowId)>),
}

impl Rank {
    /// Whether it says more than that a value is not known.
    pub const fn is_of_a_value(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }
}

/// The value that stands for one that is not known.
const UNKNOWN: i64 = i64::MIN;

impl Ranks<'_> {
    pub fn of(&self, key: &SessionKey) -> Rank {
        match (self.order.by, &key.user) {
            (By::User, Some((domain, name))) => {
                let of = (domain.clone(), name.clone(), key.start, key.id);
                if self.order.is_turned { Rank::UserTurned(Reverse(of)) } else { Rank::User(of.0, of.1, of.2, of.3) }
            }
            (By::User, None) => Rank::Unknown(Reverse((key.start, key.id))),
            _ => self.place(self.value(key), key.id),
        }
    }

    /// Where a value is in an order of values.
    pub fn place(&self, value: i64, id: RowId) -> Rank {
        match value {
            UNKNOWN => Rank::Unknown(Reverse((0, id))),
            value if self.order.is_ascending() => Rank::Value(value, id),
            value => Rank::Value(value.saturating_neg(), id.saturating_neg()),
        }
    }

    /// What says where a session is in a list that goes on later: its value. While it is connected, its duration grows as
    /// those of all who are connected do, so there it is its begin, below zero.
    pub fn cursor(&self, key: &SessionKey) -> i64 {
        match key.stop {
            None if self.order.by == By::Duration => key.start.saturating_neg(),
            _ => self.value(key),
        }
    }

    /// How many of these sessions, which are in this order, come before the end of a page that ended with a session. None if
    /// the session is gone, and its cursor does not say where it was.
    pub fn after(&self, keys: &[SessionKey], cursor: i64, id: RowId) -> Option<usize> {
        let value = match cursor {
            begin if self.order.by == By::Duration && begin < 0 => self.now.saturating_add(begin).max(0),
            value => value,
        };
        let place = self.place(value, id);
        match keys.iter().position(|key| key.id == id) {
            Some(at) if self.order.by == By::User || self.cursor(&keys[at]) == cursor => Some(at + 1),
            None if self.order.by == By::User || !place.is_of_a_value() => None,
            // The page ended where the session was then, and not where it is now.
            _ => Some(keys.partition_point(|key| self.of(key) <= place)),
        }
    }

    /// The value that a session is sorted by. That of the order of the users is the begin.
    pub fn value(&self, key: &SessionKey) -> i64 {
        let seen = key.live.as_ref().and_then(|key| self.seen.get(key));
        let octets = |way: usize| {
            let octets = seen.map_or(key.octets[way], |seen| Some(seen.octets[way]));
            octets.map(|octets| i64::try_from(octets).unwrap_or(i64::MAX))
        };
        let value = match self.order.by {
            By::Began | By::User => Some(key.start),
            By::Ended => Some(key.stop.unwrap_or(Millis::MAX)),
            By::Duration => Some(key.stop.unwrap_or(self.now).saturating_sub(key.start).max(0)),
            By::Received => octets(0),
            By::Sent => octets(1),
            By::Heard => seen.and_then(|seen| seen.heard),
        };
        value.unwrap_or(UNKNOWN)
    }
}
