//! The state that the duties' threads share.

use crate::duty::Fault;
use crate::state::{DutyName, DutyState, FaultState, Report, State};
use rasadmin_policy::Millis;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The present state, and whether it has changed since it was last taken.
#[derive(Debug)]
pub struct Board(Mutex<(State, bool)>);

/// What is new about a duty's fault.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    /// Nothing.
    None,
    /// It fails, or fails in another way.
    Fails,
    /// It works again.
    Works,
}

impl Board {
    pub fn new(state: State) -> Self {
        Self(Mutex::new((state, true)))
    }

    fn lock(&self) -> MutexGuard<'_, (State, bool)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present state.
    pub fn state(&self) -> State {
        self.lock().0.clone()
    }

    /// The last report of a duty.
    pub fn report(&self, name: DutyName) -> Option<Report> {
        self.lock().0.duties.iter().map(|duty| &duty.report).find(|report| report.duty() == name).cloned()
    }

    /// Notes how a duty's step has ended.
    pub fn ended(&self, report: Report, fault: Option<Fault>, now: Millis) -> News {
        let (state, changed) = &mut *self.lock();
        let Some(duty) = state.duties.iter_mut().find(|duty| duty.report.duty() == report.duty()) else {
            return News::None;
        };
        let news = match (&duty.fault, &fault) {
            (None, None) => News::None,
            (Some(before), Some(fault)) if before.what == fault.what => News::None,
            (_, Some(_)) => News::Fails,
            (Some(_), None) => News::Works,
        };
        let fault = fault.map(|Fault { what, remedy }| {
            let (since, tries) = duty.fault.as_ref().map_or((now, 0), |before| (before.since, before.tries));
            FaultState { since, tries: tries + 1, what, remedy }
        });
        let after = DutyState { report, fault };
        if *duty != after {
            *duty = after;
            *changed = true;
        }
        news
    }

    /// Changes something else.
    pub fn change(&self, change: impl FnOnce(&mut State)) {
        let (state, changed) = &mut *self.lock();
        let before = state.clone();
        change(state);
        *changed |= *state != before;
    }

    /// The state, if it has changed since the last call.
    pub fn take_change(&self) -> Option<State> {
        let (state, changed) = &mut *self.lock();
        std::mem::take(changed).then(|| state.clone())
    }

    /// Makes the next call of [`Board::take_change`] return the state again, because it was not written.
    pub fn not_written(&self) {
        self.lock().1 = true;
    }
}
