//! Lets a thread that works on a ledger stop soon, in the middle of a statement that would take minutes.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    static STOP: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// From now on, this thread's work on a ledger ends soon after `stop` becomes true. A statement, or a wait for another
/// process, fails ([`ErrorKind::Interrupted`](crate::ErrorKind)). Ingestion stops after its present batch and returns what
/// it has ingested. What was committed stays, and the rest is rolled back.
pub fn when(stop: Arc<AtomicBool>) {
    STOP.set(Some(stop));
}

/// Must this thread stop?
pub(crate) fn requested() -> bool {
    STOP.with_borrow(|stop| stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed)))
}
