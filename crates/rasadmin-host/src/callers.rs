//! The calls that are inside a DLL, so that it is not unloaded while they run.

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
    admission: Admission,
    inside: Vec<FunctionId>,
}

/// Which calls may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Admission {
    All,
    /// The service is stopping: MprAdminTerminateDll only.
    TerminateOnly,
    /// The DLL is being unloaded.
    None,
}

impl Callers {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State { admission: Admission::All, inside: Vec::new() }), left: Condvar::new() }
    }

    /// Begins a call, which ends when the returned value is dropped. Returns None if the call may no longer be made.
    pub(crate) fn enter(&self, function: FunctionId) -> Option<Caller<'_>> {
        let mut state = self.state();
        let allowed = match state.admission {
            Admission::All => true,
            Admission::TerminateOnly => function == FunctionId::TerminateDll,
            Admission::None => false,
        };
        allowed.then(|| state.inside.push(function)).map(|()| Caller { callers: self, function })
    }

    /// Allows no further calls, except MprAdminTerminateDll.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        if state.admission == Admission::All {
            state.admission = Admission::TerminateOnly;
        }
    }

    /// Waits until no call is inside, but no longer than the deadline. Returns the functions that are still inside.
    pub(crate) fn wait(&self, deadline: Instant) -> Vec<FunctionId> {
        self.wait_for_all(deadline).inside.clone()
    }

    /// As [`wait`](Self::wait), then allows no further calls at all.
    pub(crate) fn shut(&self, deadline: Instant) -> Vec<FunctionId> {
        self.close();
        let mut state = self.wait_for_all(deadline);
        state.admission = Admission::None;
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

/// One call. It counts as inside until this is dropped.
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
