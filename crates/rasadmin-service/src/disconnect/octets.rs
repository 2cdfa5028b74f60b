//! Octets that the monitor has seen and no record has. Quotas of live sessions count them.

use super::Disconnector;
use rasadmin_engine::effect::DayUse;
use rasadmin_engine::event::Reading;
use rasadmin_engine::state::Session;
use rasadmin_engine::{Id, Identity, Stamp, State};
use std::collections::BTreeMap;
use std::sync::PoisonError;

/// What one look has read, and when it began.
pub type Readings = (Stamp, Vec<Reading>);

impl Disconnector {
    /// How many octets of a user are not recorded.
    pub(super) fn unrecorded(&self, state: &State, user: &Identity) -> u64 {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let more = |session: &Session| {
            let [input, output] = seen.get(&session.id).map_or([0, 0], |watched| watched.counted.octets);
            let known = known(state, session);
            input.saturating_sub(known[0]).saturating_add(output.saturating_sub(known[1]))
        };
        state.of_user(user).map(more).fold(0, u64::saturating_add)
    }

    /// The same, as looks to record.
    pub(super) fn readings(&self, state: &State, user: &Identity) -> Vec<Readings> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut looks: BTreeMap<(u64, i64), Readings> = BTreeMap::new();
        for session in state.of_user(user) {
            let Some(watched) = seen.get(&session.id) else { continue };
            let reading = Reading { session: session.id, counted: watched.counted, alive: None };
            let at = watched.listed;
            looks.entry((at.mono.0, at.time)).or_insert_with(|| (at, Vec::new())).1.push(reading);
        }
        looks.into_values().collect()
    }
}

/// Those that say more than what is on record. The monitor may have recorded a later look meanwhile.
pub fn still_new(readings: Vec<Reading>, state: &State) -> Vec<Reading> {
    let is_new = |reading: &Reading| {
        let Some(session) = state.session(reading.session) else { return false };
        let (known, read) = (known(state, session), reading.counted.octets);
        read != known && read[0] >= known[0] && read[1] >= known[1]
    };
    let mut readings = readings;
    readings.retain(is_new);
    readings
}

fn known(state: &State, session: &Session) -> [u64; 2] {
    let of: Id = session.id;
    state.counted(of).map_or_else(|| DayUse::octets(&session.used), |counted| counted.octets)
}
