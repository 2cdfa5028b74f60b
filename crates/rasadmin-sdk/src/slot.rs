//! The DLL's one instance: who is inside it, and how it begins and ends.
//!
//! RRAS unloads the DLL once MprAdminTerminateDll has returned. A call that is still inside by then runs on in memory
//! that is gone; one that is inside while terminate shuts a library down uses what is no more. So each call is counted:
//! terminate lets no further one in, waits for those inside, and if they do not come back in time it keeps the DLL in
//! memory for good.

use crate::calls_inside::{CallsInside, Inside};
use crate::{AdminDll, Environment, library};
use mprapi::FunctionId;
use mprapi::abi::{ERROR_BUSY, NO_ERROR};
use std::cell::Cell;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long terminate waits for the calls inside, its own turn included.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// The DLL's one instance: none before initialise and from the beginning of terminate. A DLL has one slot.
#[derive(Debug)]
pub struct Slot<D> {
    state: Mutex<State<D>>,
    /// A call has left while a change waited for it, or a change is over.
    moved: Condvar,
}

#[derive(Debug)]
struct State<D> {
    /// Shared with the calls inside.
    dll: Option<Arc<D>>,
    /// Initialise or terminate runs.
    changing: bool,
    /// Those of an earlier life too: it is the code that they are in.
    inside: Inside,
}

/// What a thread is doing in the DLL.
#[derive(Clone, Copy)]
struct Own {
    calls: usize,
    changing: bool,
}

thread_local! {
    // Without a destructor, so that it keeps no image mapped.
    static OWN: Cell<Own> = const { Cell::new(Own { calls: 0, changing: false }) };
}

/// Initialise or terminate is still running: on another thread beyond the deadline, or further up on this one.
#[derive(Debug)]
pub(crate) struct Busy;

impl<D: AdminDll> Slot<D> {
    /// An empty slot.
    #[allow(clippy::new_without_default)] // It is for one static.
    pub const fn new() -> Self {
        let state = State { dll: None, changing: false, inside: Inside::NOBODY };
        Self { state: Mutex::new(state), moved: Condvar::new() }
    }

    /// A call comes in; None if there is no instance, or not any more. It never waits for initialise or terminate.
    /// Whoever gets the instance lets go of it before the call leaves.
    pub(crate) fn enter(&self, function: FunctionId) -> Option<(Call<'_, D>, Arc<D>)> {
        let mut state = self.state();
        let dll = state.dll.clone()?;
        state.inside.enter(function);
        drop(state);
        OWN.set(Own { calls: OWN.get().calls + 1, ..OWN.get() });
        Some((Call { slot: self, function }, dll))
    }

    /// A second initialise is a no-op that returns 0. Panics are the caller's to catch.
    pub(crate) fn initialize(&self, environment: &Environment, patience: Duration) -> Result<u32, Busy> {
        let _turn = self.turn(Instant::now() + patience)?;
        if self.state().dll.is_some() {
            return Ok(NO_ERROR);
        }
        Ok(match D::initialize(environment) {
            Ok(dll) => {
                self.state().dll = Some(Arc::new(dll));
                NO_ERROR
            }
            Err(error) => error.tell(),
        })
    }

    /// One terminate ends it, however often it was initialised. NO_ERROR: no call is inside. ERROR_BUSY: there are, and
    /// the DLL stays in memory. Panics are the caller's to catch.
    pub(crate) fn terminate(&self, patience: Duration) -> Result<u32, Busy> {
        let deadline = Instant::now() + patience;
        let _turn = self.turn(deadline)?;
        let mut state = self.state();
        let Some(dll) = state.dll.take() else {
            return Ok(NO_ERROR);
        };
        // A call that ends its own DLL cannot be waited for: it goes on when this has returned.
        let own = OWN.get().calls;
        let state = self.wait(state, deadline, |state| state.inside.total() > own);
        let inside = state.inside.list();
        drop(state);
        if inside.is_empty() {
            dll.terminate();
            return Ok(NO_ERROR);
        }
        let kept = library::pin();
        dll.terminate_among_calls(&CallsInside { inside, kept });
        Ok(ERROR_BUSY)
    }

    /// Waits until no other initialise or terminate runs.
    fn turn(&self, deadline: Instant) -> Result<Turn<'_, D>, Busy> {
        if OWN.get().changing {
            return Err(Busy);
        }
        let mut state = self.wait(self.state(), deadline, |state| state.changing);
        if state.changing {
            return Err(Busy);
        }
        state.changing = true;
        drop(state);
        OWN.set(Own { changing: true, ..OWN.get() });
        Ok(Turn(self))
    }
}

impl<D> Slot<D> {
    fn state(&self) -> MutexGuard<'_, State<D>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits as long as `busy` holds, until the deadline at most. Looking and falling asleep are one step under the lock,
    /// and whoever changes what is looked at holds it: no wake-up is lost.
    fn wait<'a>(
        &self,
        mut state: MutexGuard<'a, State<D>>,
        deadline: Instant,
        busy: impl Fn(&State<D>) -> bool,
    ) -> MutexGuard<'a, State<D>> {
        while busy(&state) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.moved.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state
    }
}

/// A call that is inside, until this is dropped.
pub(crate) struct Call<'a, D> {
    slot: &'a Slot<D>,
    function: FunctionId,
}

impl<D> Drop for Call<'_, D> {
    fn drop(&mut self) {
        OWN.set(Own { calls: OWN.get().calls - 1, ..OWN.get() });
        let mut state = self.slot.state();
        state.inside.leave(self.function);
        if state.changing {
            self.slot.moved.notify_all();
        }
    }
}

/// Initialise or terminate, while it runs: dropped also where it panics.
struct Turn<'a, D>(&'a Slot<D>);

impl<D> Drop for Turn<'_, D> {
    fn drop(&mut self) {
        OWN.set(Own { changing: false, ..OWN.get() });
        self.0.state().changing = false;
        self.0.moved.notify_all();
    }
}
