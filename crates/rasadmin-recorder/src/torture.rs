//! Where the torture (`cargo xtask torture`) kills the process: compiled only with the feature `torture`, which the
//! product is never built with.

use std::sync::OnceLock;

/// A point inside a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The lock is held, and nothing is appended yet. Of terminate: before anything is done.
    Locked,
    /// The record is appended, and the lock is held.
    Appended,
    /// The lock is let go, and nothing is synced.
    Unlocked,
    /// All is done, and the call has not returned.
    Done,
}

/// Hears of every such point; it may not return.
pub static HOOK: OnceLock<fn(Point)> = OnceLock::new();

/// A point was reached.
pub(crate) fn at(point: Point) {
    if let Some(hook) = HOOK.get() {
        hook(point);
    }
}
