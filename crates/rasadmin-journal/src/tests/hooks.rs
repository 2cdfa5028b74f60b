//! Hooks for tests in the production code: injected faults, and callbacks.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::thread::LocalKey;

type Look = Box<dyn FnMut(&Path, &str)>;

type Hear = Box<dyn FnMut(&Path, bool)>;

thread_local! {
    static FAILS: Cell<Option<u64>> = const { Cell::new(None) };
    static READ_FAILS: Cell<Option<u64>> = const { Cell::new(None) };
    static WRITES: RefCell<Vec<(u64, usize)>> = const { RefCell::new(Vec::new()) };
    static SYNCED: RefCell<Option<Hear>> = const { RefCell::new(None) };
    static LOOK: RefCell<Option<Look>> = const { RefCell::new(None) };
}

/// Syncs of the segment with this ordinal fail on this thread, once.
pub fn fail_sync(ordinal: u64) {
    FAILS.set(Some(ordinal));
}

pub fn sync_fails(ordinal: u64) -> bool {
    take(&FAILS, ordinal)
}

/// Uses up the fault if it is for this segment.
fn take(fault: &'static LocalKey<Cell<Option<u64>>>, ordinal: u64) -> bool {
    let fails = fault.get() == Some(ordinal);
    if fails {
        fault.set(None);
    }
    fails
}

/// The next read of the segment with this ordinal fails on this thread.
pub fn fail_read(ordinal: u64) {
    READ_FAILS.set(Some(ordinal));
}

pub fn read_fails(ordinal: u64) -> bool {
    take(&READ_FAILS, ordinal)
}

/// The next write to the segment with this ordinal on this thread fails after so many bytes. Several faults are used in
/// turn.
pub fn fail_write(ordinal: u64, after: usize) {
    WRITES.with_borrow_mut(|writes| writes.push((ordinal, after)));
}

pub fn write_fails(ordinal: u64) -> Option<usize> {
    WRITES.with_borrow_mut(|writes| {
        let first = writes.first().copied().filter(|(of, _)| *of == ordinal)?;
        writes.remove(0);
        Some(first.1)
    })
}

/// Calls `hear` for each sync on this thread, with whether it succeeded. Only the power-cut tests, on Unix, use it.
#[cfg(unix)]
pub fn on_sync(hear: impl FnMut(&Path, bool) + 'static) {
    SYNCED.set(Some(Box::new(hear)));
}

pub fn synced(path: &Path, done: bool) {
    if let Some(mut hear) = SYNCED.take() {
        hear(path, done);
        SYNCED.set(Some(hear));
    }
}

/// Calls `look` with the folder after each step of a roll on this thread.
pub fn watch(look: impl FnMut(&Path, &str) + 'static) {
    LOOK.set(Some(Box::new(look)));
}

pub fn step(folder: &Path, what: &str) {
    let look = LOOK.take();
    if let Some(mut look) = look {
        look(folder, what);
        LOOK.set(Some(look));
    }
}
