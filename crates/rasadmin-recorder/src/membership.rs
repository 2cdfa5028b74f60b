//! This process's part in an instance of RRAS.

use rasadmin_journal::Instance;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// The instance's lock can be released while a call is inside.
#[derive(Debug, Default)]
pub struct Membership {
    instance: Mutex<Option<Instance>>,
    left: AtomicBool,
}

impl Membership {
    /// The instance, if it is joined.
    pub fn own(&self) -> MutexGuard<'_, Option<Instance>> {
        self.instance.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the process belongs to no instance and appends nothing. This does not wait: if a call is joining at
    /// this moment, that call releases the lock.
    pub fn leave(&self) {
        self.left.store(true, Ordering::SeqCst);
        match self.instance.try_lock() {
            Ok(mut own) => *own = None,
            Err(TryLockError::Poisoned(poisoned)) => *poisoned.into_inner() = None,
            Err(TryLockError::WouldBlock) => {}
        }
    }

    /// Has it left for good?
    pub fn has_left(&self) -> bool {
        self.left.load(Ordering::SeqCst)
    }
}
