//! The points at which the torture (`cargo xtask torture`) kills the process. Only compiled with the feature `torture`,
//! which the product is never built with.

use std::sync::OnceLock;

/// A point inside a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The lock is held, and nothing is appended yet. In terminate: before anything is done.
    Locked,
    /// The record is appended, and the lock is held.
    Appended,
    /// The lock is released, and nothing is synced.
    Unlocked,
    /// All work is done, and the call has not returned.
    Done,
}

/// Called at every point; it may not return.
pub static HOOK: OnceLock<fn(Point)> = OnceLock::new();

/// Calls the hook at a point.
pub(crate) fn at(point: Point) {
    if let Some(hook) = HOOK.get() {
        hook(point);
    }
}
