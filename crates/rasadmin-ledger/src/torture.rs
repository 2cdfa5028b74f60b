//! Where the torture (`cargo xtask torture`) kills the process: compiled only with the feature `torture`, which the
//! product is never built with.

use std::sync::OnceLock;

/// A point inside a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// All was written, nothing is committed. Of terminate: before the ledger is closed.
    BeforeCommit,
    /// It is committed, and the callback has not returned. Of terminate: the ledger is closed.
    Committed,
}

/// Hears of every such point; it may not return.
pub static HOOK: OnceLock<fn(Point)> = OnceLock::new();

/// A point was reached.
pub(crate) fn at(point: Point) {
    if let Some(hook) = HOOK.get() {
        hook(point);
    }
}
