//! How the sessions of an instance that has ended are closed. State and ledger both use this.

use super::session::Session;
use crate::Millis;
use crate::effect::{ClosedBy, Day, DayUse, InstanceBegan, SessionEnded, Usage};
use crate::now::{Id, Stamp};

/// The end of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// Its end.
    pub ended: SessionEnded,
    /// Its use by days. Without a user it is not counted.
    pub days: Vec<DayUse>,
}

/// A live session, as far as its closing depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Open<'a> {
    /// Its identifier.
    pub id: Id,
    /// When it began.
    pub began: Stamp,
    /// When a returning client replaced it in the counts.
    pub replaced: Option<Stamp>,
    /// Its use as reported so far.
    pub used: &'a [DayUse],
}

impl<'a> From<&'a Session> for Open<'a> {
    fn from(session: &'a Session) -> Self {
        let replaced = session.replaced.map(|replaced| replaced.at);
        Self { id: session.id, began: session.began, replaced, used: &session.used }
    }
}

/// Closes a session of the earlier instance. The session ends when that instance was last seen, and never later than
/// now. It lasted as long as the earlier instance's own clock says, whatever the time of day did.
pub fn closing_of(session: &Open<'_>, new: &InstanceBegan) -> Closing {
    // A session that a returning client left behind did not last longer than that.
    let replaced = session.replaced;
    let last = replaced.filter(|at| new.last.is_none_or(|last| at.mono < last.mono)).or(new.last);
    let seconds = last.map_or(0, |last| last.seconds_since(session.began));
    let stop = last.map_or(session.began.time, |last| last.time).min(new.at.time);
    let millis = Millis::try_from(seconds).unwrap_or(0).saturating_mul(1000);
    let start = if session.began.time <= stop { session.began.time } else { stop.saturating_sub(millis) };
    let octets = DayUse::octets(session.used);
    let usage = Usage { seconds, input_octets: octets[0], output_octets: octets[1], ..Usage::default() };
    let at = Stamp { time: stop, mono: new.at.mono };
    let days = split(stop.saturating_sub(millis), stop, &new.days, session.used);
    let (session, by, octets_exact) = (session.id, ClosedBy::InstanceEnded, None);
    Closing { ended: SessionEnded { session, start, at, by, usage, octets_exact, cause: None }, days }
}

/// Splits the time between two moments by days. Octets remain on the days on which they were seen.
fn split(from: Millis, to: Millis, days: &[Day], seen: &[DayUse]) -> Vec<DayUse> {
    let mut all: Vec<DayUse> = seen.iter().map(|day| DayUse { seconds: 0, ..*day }).collect();
    for (index, day) in days.iter().enumerate() {
        let end = days.get(index + 1).map_or(to, |next| next.begins).min(to);
        let begin = if index == 0 { from } else { day.begins.max(from) };
        let seconds = u64::try_from((end - begin) / 1000).unwrap_or(0);
        if seconds == 0 {
            continue;
        }
        match all.iter_mut().find(|other| other.labels == day.labels) {
            Some(other) => other.seconds = seconds,
            None => all.push(DayUse { labels: day.labels, seconds, input_octets: 0, output_octets: 0 }),
        }
    }
    all
}
