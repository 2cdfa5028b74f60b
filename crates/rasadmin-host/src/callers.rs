//! Who is inside a DLL, so that it is not unloaded under them.

use mprapi::FunctionId;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The calls of one DLL.
#[derive(Debug)]
pub(crate) struct Callers {
    state: Mutex<State>,
    left: Condvar,
}

#[derive(Debug)]
struct State {
    door: Door,
    inside: Vec<FunctionId>,
}

/// Which calls may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Open,
    /// The service stops: MprAdminTerminateDll only.
    Closing,
    /// It is unloaded.
    Shut,
}

impl Callers {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State { door: Door::Open, inside: Vec::new() }), left: Condvar::new() }
    }

    /// A call begins, unless it may not be made any more; it ends when what is returned is dropped.
    pub(crate) fn enter(&self, function: FunctionId) -> Option<Caller<'_>> {
        let mut state = self.state();
        let may = match state.door {
            Door::Open => true,
            Door::Closing => function == FunctionId::TerminateDll,
            Door::Shut => false,
        };
        may.then(|| state.inside.push(function)).map(|()| Caller { callers: self, function })
    }

    /// From now on no call is made but MprAdminTerminateDll.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        if state.door == Door::Open {
            state.door = Door::Closing;
        }
    }

    /// Waits until nobody is inside, until the deadline at most. Those who still are.
    pub(crate) fn wait(&self, deadline: Instant) -> Vec<FunctionId> {
        self.wait_for_all(deadline).inside.clone()
    }

    /// As [`wait`](Self::wait), and no call is made any more.
    pub(crate) fn shut(&self, deadline: Instant) -> Vec<FunctionId> {
        self.close();
        let mut state = self.wait_for_all(deadline);
        state.door = Door::Shut;
        state.inside.clone()
    }

    fn wait_for_all(&self, deadline: Instant) -> MutexGuard<'_, State> {
        let mut state = self.state();
        while !state.inside.is_empty() {
            let remaining = deadline.saturating_duration_since(Instant::now());
            if remaining.is_zero() {
                break;
            }
            state = self.left.wait_timeout(state, remaining).unwrap_or_else(PoisonError::into_inner).0;
        }
        state
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call, as long as this lives.
pub(crate) struct Caller<'a> {
    callers: &'a Callers,
    function: FunctionId,
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        let mut state = self.callers.state();
        if let Some(at) = state.inside.iter().position(|&function| function == self.function) {
            state.inside.swap_remove(at);
        }
        self.callers.left.notify_all();
    }
}
