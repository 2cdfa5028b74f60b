//! The state made anew of checkpoint and records, with what waits decided on it.

use super::{Store, Whose};
use crate::{codec, present};
use rasadmin_engine::{Event, Now, State, decide, decide_late};
use rasadmin_journal::Error;

impl Store {
    /// The journal is locked, so it is the same to its end. The answers of what waits stand; its effects touch only what
    /// began before it.
    pub(super) fn rebuild(&mut self, whose: Whose<'_>) -> Result<(), Error> {
        let present = present::read(&self.folder)?;
        let (state, checkpoint) = present.map_or((State::new(), 0), |present| (present.state, present.checkpoint));
        self.state = state;
        self.checkpoint = checkpoint;
        self.state.derive(whose.config);
        let here = whose.here(self.token);
        for one in self.waiting.take() {
            let waited = one.waited();
            let record = match waited.event {
                Event::InstanceStarted { .. } => {
                    decide(&self.state, &here, &waited.event, &Now { at: waited.at, random: waited.random })
                }
                _ => decide_late(&self.state, &here, &waited),
            };
            self.state.apply(&record);
            if let Ok(payload) = codec::encode(&record) {
                self.waiting.put_back(record, payload);
            }
        }
        self.stale = false;
        Ok(())
    }
}
