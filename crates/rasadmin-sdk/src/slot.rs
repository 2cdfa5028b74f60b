//! The DLL's one instance: how it begins and ends, and which calls are inside.
//!
//! RRAS unloads the DLL once MprAdminTerminateDll has returned. A call that is still inside would go on in unloaded memory,
//! and a call that is inside while terminate shuts a library down would use what no longer exists. So every call is
//! counted. Terminate admits no further calls, waits for those inside, and keeps the DLL in memory if they do not return
//! in time.

use crate::admin_dll::AdminDll;
use crate::calls_inside::{CallCounts, CallsInside};
use crate::initialize::Environment;
use crate::library;
use mprapi::FunctionId;
use mprapi::abi::{ERROR_BUSY, NO_ERROR};
use std::cell::Cell;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long terminate waits for its own turn and for the calls inside.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

/// Holds the DLL's one instance: None before initialise, and from the beginning of terminate. A DLL has one slot.
#[derive(Debug)]
pub struct Slot<D> {
    state: Mutex<State<D>>,
    /// Signalled when a call leaves while initialise or terminate runs, and when one of these ends.
    changed: Condvar,
}

#[derive(Debug)]
struct State<D> {
    /// Shared with the calls inside.
    dll: Option<Arc<D>>,
    /// Whether initialise or terminate is running.
    changing: bool,
    /// The calls inside, including those of an earlier instance: they run in the same code.
    inside: CallCounts,
}

/// What this thread is doing in the DLL.
#[derive(Clone, Copy)]
struct ThreadState {
    calls: usize,
    changing: bool,
}

thread_local! {
    // It has no destructor, which would keep the image mapped.
    static THREAD: Cell<ThreadState> = const { Cell::new(ThreadState { calls: 0, changing: false }) };
}

/// Initialise or terminate is still running, on another thread past the deadline or further up the stack of this one.
#[derive(Debug)]
pub(crate) struct Busy;

impl<D: AdminDll> Slot<D> {
    /// An empty slot.
    #[allow(clippy::new_without_default)] // It is used for one static only.
    pub const fn new() -> Self {
        let state = State { dll: None, changing: false, inside: CallCounts::NONE };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Begins a call. Returns None if there is no instance. Never waits for initialise or terminate.
    ///
    /// The caller must drop the instance before the `Call`.
    pub(crate) fn enter(&self, function: FunctionId) -> Option<(Call<'_, D>, Arc<D>)> {
        let mut state = self.state();
        let dll = state.dll.clone()?;
        state.inside.enter(function);
        drop(state);
        THREAD.set(ThreadState { calls: THREAD.get().calls + 1, ..THREAD.get() });
        Some((Call { slot: self, function }, dll))
    }

    /// Initialises the DLL. Does nothing and returns 0 if it is initialised already. The caller must catch panics.
    pub(crate) fn initialize(&self, environment: &Environment, timeout: Duration) -> Result<u32, Busy> {
        let _turn = self.turn(Instant::now() + timeout)?;
        if self.state().dll.is_some() {
            return Ok(NO_ERROR);
        }
        Ok(match D::initialize(environment) {
            Ok(dll) => {
                self.state().dll = Some(Arc::new(dll));
                NO_ERROR
            }
            Err(error) => error.log(),
        })
    }

    /// Terminates the DLL, however often it was initialised. Returns NO_ERROR if no call is inside; otherwise ERROR_BUSY, and
    /// the DLL stays in memory. The caller must catch panics.
    pub(crate) fn terminate(&self, timeout: Duration) -> Result<u32, Busy> {
        let deadline = Instant::now() + timeout;
        let _turn = self.turn(deadline)?;
        let mut state = self.state();
        let Some(dll) = state.dll.take() else {
            return Ok(NO_ERROR);
        };
        // A call that terminates its own DLL cannot be waited for: it goes on when this returns.
        let own = THREAD.get().calls;
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

    /// Waits until no other initialise or terminate is running.
    fn turn(&self, deadline: Instant) -> Result<Turn<'_, D>, Busy> {
        if THREAD.get().changing {
            return Err(Busy);
        }
        let mut state = self.wait(self.state(), deadline, |state| state.changing);
        if state.changing {
            return Err(Busy);
        }
        state.changing = true;
        drop(state);
        THREAD.set(ThreadState { changing: true, ..THREAD.get() });
        Ok(Turn(self))
    }
}

impl<D> Slot<D> {
    fn state(&self) -> MutexGuard<'_, State<D>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while `busy` is true, but no longer than the deadline. The state is checked and changed only under the lock, which
    /// waiting releases, so no wake-up is lost.
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
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state
    }
}

/// A call. It counts as inside until this is dropped.
pub(crate) struct Call<'a, D> {
    slot: &'a Slot<D>,
    function: FunctionId,
}

impl<D> Drop for Call<'_, D> {
    fn drop(&mut self) {
        THREAD.set(ThreadState { calls: THREAD.get().calls - 1, ..THREAD.get() });
        let mut state = self.slot.state();
        state.inside.leave(self.function);
        if state.changing {
            self.slot.changed.notify_all();
        }
    }
}

/// A running initialise or terminate. It ends when this is dropped, also after a panic.
struct Turn<'a, D>(&'a Slot<D>);

impl<D> Drop for Turn<'_, D> {
    fn drop(&mut self) {
        THREAD.set(ThreadState { changing: false, ..THREAD.get() });
        self.0.state().changing = false;
        self.0.changed.notify_all();
    }
}
