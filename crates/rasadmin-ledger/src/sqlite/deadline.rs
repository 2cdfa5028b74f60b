//! Waits for locks until an absolute deadline. SQLite's own busy timeout applies to each statement, and can be
//! exceeded.

use crate::interrupt;
use std::cell::Cell;
use std::time::{Duration, Instant};

thread_local! {
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// The deadline applies until this is dropped.
pub struct Guard(Option<Instant>);

/// Makes this thread wait until `deadline` at most.
pub fn until(deadline: Instant) -> Guard {
    Guard(DEADLINE.replace(Some(deadline)))
}

impl Drop for Guard {
    fn drop(&mut self) {
        DEADLINE.set(self.0);
    }
}

/// SQLite's busy handler: returns whether to try again.
pub fn wait(_: i32) -> bool {
    let left = DEADLINE.get().is_some_and(|deadline| Instant::now() < deadline) && !interrupt::requested();
    if left {
        std::thread::sleep(Duration::from_micros(500));
    }
    left
}
