//! Attempts to disconnect sessions.

use crate::state::Failing;
use rasadmin_engine::{Id, Mono, State};
use std::collections::{HashMap, VecDeque};

/// How long after the first attempt the next one is made, in milliseconds: RRAS may need a moment. The pause grows with
/// each attempt, up to [`RARELY`] times this.
const AGAIN: u64 = 10_000;
const RARELY: u32 = 30;

/// After so many attempts without success, `status` says so.
const MANY: u32 = 3;

/// How many sessions that were disconnected are remembered after their ends.
const REMEMBERED: usize = 64;

/// Perhaps RRAS has just disconnected it, and its hangup is about to come.
pub const NOT_LISTED: &str = "RRAS does not list it";

/// The attempts for sessions that are still live.
#[derive(Debug, Default)]
pub struct Tries {
    all: HashMap<Id, Try>,
    /// The last sessions that RRAS was asked to disconnect, and that have ended.
    ended: VecDeque<Id>,
}

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
        self.all.get(&session).is_none_or(|one| now.since(one.last) >= pause(one))
    }

    /// One was made.
    pub fn note(&mut self, session: Id, now: Mono, refused: Option<String>) {
        let count = self.all.get(&session).map_or(0, |one| one.count).saturating_add(1);
        self.all.insert(session, Try { count, last: now, refused });
    }

    /// The next attempt is due at once.
    pub fn begin_anew(&mut self, session: Id) {
        self.all.remove(&session);
    }

    /// Why RRAS was not asked at the last attempt; None if it was, or if there was none.
    pub fn refused(&self, session: Id) -> Option<&String> {
        self.all.get(&session).and_then(|one| one.refused.as_ref())
    }

    /// Was there an attempt?
    pub fn has(&self, session: Id) -> bool {
        self.all.contains_key(&session)
    }

    /// Forgets sessions that have ended.
    pub fn forget_ended(&mut self, state: &State) {
        let Self { all, ended } = self;
        all.retain(|session, one| {
            let live = state.session(*session).is_some();
            if !live && one.refused.is_none() {
                ended.push_back(*session);
            }
            live
        });
        ended.drain(..ended.len().saturating_sub(REMEMBERED));
    }

    /// Was RRAS asked to disconnect this session, which has ended since?
    pub fn has_ended(&self, session: Id) -> bool {
        self.ended.contains(&session)
    }

    /// Sessions that are still there after several attempts.
    pub fn failing(&self) -> Vec<Failing> {
        const DONE: &str = "RRAS says that it is done, but no hangup came";
        let failing = self.all.iter().filter(|(_, one)| one.count >= MANY);
        let text = |one: &Try| one.refused.clone().unwrap_or_else(|| DONE.to_owned());
        let mut failing: Vec<Failing> =
            failing.map(|(session, one)| Failing { session: *session, tries: one.count, why: text(one) }).collect();
        failing.sort_by_key(|failing| failing.session);
        failing
    }
}
