//! Attempts to disconnect sessions.

use crate::state::Failing;
use rasadmin_engine::{Id, Mono, State};
use std::collections::HashMap;

/// How long after the first attempt the next one is made, in milliseconds: RRAS may need a moment. The pause grows with
/// each attempt, up to [`RARELY`] times this.
const AGAIN: u64 = 10_000;
const RARELY: u32 = 30;

/// After so many attempts without success, `status` says so.
const MANY: u32 = 3;

/// Perhaps RRAS has just disconnected it, and its hangup is about to come.
pub const NOT_LISTED: &str = "RRAS does not list it";

/// The attempts for sessions that are still live.
#[derive(Debug, Default)]
pub struct Tries(HashMap<Id, Try>);

#[derive(Debug)]
struct Try {
    count: u32,
    last: Mono,
    /// Why RRAS was not asked; None if it was.
    refused: Option<String>,
}

impl Tries {
    /// Is it time for an attempt?
    pub fn is_due(&self, session: Id, now: Mono) -> bool {
        let pause = |one: &Try| AGAIN * u64::from(one.count.min(RARELY));
        self.0.get(&session).is_none_or(|one| now.since(one.last) >= pause(one))
    }

    /// One was made.
    pub fn note(&mut self, session: Id, now: Mono, refused: Option<String>) {
        let count = self.0.get(&session).map_or(0, |one| one.count).saturating_add(1);
        self.0.insert(session, Try { count, last: now, refused });
    }

    /// The next attempt is due at once.
    pub fn begin_anew(&mut self, session: Id) {
        self.0.remove(&session);
    }

    /// Why RRAS was not asked at the last attempt; None if it was, or if there was none.
    pub fn refused(&self, session: Id) -> Option<&String> {
        self.0.get(&session).and_then(|one| one.refused.as_ref())
    }

    /// Was there an attempt?
    pub fn has(&self, session: Id) -> bool {
        self.0.contains_key(&session)
    }

    /// Forgets sessions that have ended.
    pub fn forget_ended(&mut self, state: &State) {
        self.0.retain(|session, _| state.session(*session).is_some());
    }

    /// Sessions that are still there after several attempts.
    pub fn failing(&self) -> Vec<Failing> {
        const DONE: &str = "RRAS says that it is done, but no hangup came";
        let failing = self.0.iter().filter(|(_, one)| one.count >= MANY);
        let text = |one: &Try| one.refused.clone().unwrap_or_else(|| DONE.to_owned());
        let mut failing: Vec<Failing> =
            failing.map(|(session, one)| Failing { session: *session, tries: one.count, why: text(one) }).collect();
        failing.sort_by_key(|failing| failing.session);
        failing
    }
}
