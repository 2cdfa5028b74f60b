//! Faults and looks that tests put into the production code.

use std::cell::{Cell, RefCell};
use std::path::Path;

type Look = Box<dyn FnMut(&Path, &str)>;

thread_local! {
    static FAILS: Cell<Option<u64>> = const { Cell::new(None) };
    static LOOK: RefCell<Option<Look>> = const { RefCell::new(None) };
}

/// Syncs of the segment with this ordinal fail on this thread, once.
pub fn fail_sync(ordinal: u64) {
    FAILS.set(Some(ordinal));
}

pub fn sync_fails(ordinal: u64) -> bool {
    let fails = FAILS.get() == Some(ordinal);
    if fails {
        FAILS.set(None);
    }
    fails
}

/// `look` sees the folder after each step of a roll on this thread.
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
