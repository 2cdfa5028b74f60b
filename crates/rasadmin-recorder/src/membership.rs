//! This process's membership in a service instance.

use rasadmin_journal::Instance;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, TryLockError};

/// Membership in a service instance, which can end while a call is running.
#[derive(Debug, Default)]
pub struct Membership {
    instance: Mutex<Option<Instance>>,
    left: AtomicBool,
}

impl Membership {
    /// Runs `work` with the instance, if this process has joined one. If the process leaves meanwhile, the instance's
    /// lock is released afterwards.
    pub fn with<T>(&self, work: impl FnOnce(&mut Option<Instance>) -> T) -> T {
        let done = work(&mut self.instance.lock().unwrap_or_else(PoisonError::into_inner));
        if self.has_left() {
            self.leave();
        }
        done
    }

    /// Leaves the instance for good: the process appends nothing more. This does not wait. If a call is using the
    /// instance, that call releases the lock.
    pub fn leave(&self) {
        self.left.store(true, Ordering::SeqCst);
        match self.instance.try_lock() {
            Ok(mut own) => *own = None,
            Err(TryLockError::Poisoned(poisoned)) => *poisoned.into_inner() = None,
            Err(TryLockError::WouldBlock) => {}
        }
    }

    /// Has this process left?
    pub fn has_left(&self) -> bool {
        self.left.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rasadmin_journal::{Journal, Options, lives_in};
    use std::time::{Duration, Instant};

    #[test]
    fn a_call_that_uses_the_instance_releases_it_if_the_process_has_left_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let journal = Journal::open(folder.path(), Options::default(), deadline).unwrap();
        let membership = Membership::default();
        let join = || Some(journal.lock(deadline).unwrap().join_instance("one", "1").unwrap());
        membership.with(|own| *own = join());
        let lives = || lives_in(folder.path(), Duration::from_secs(10)).unwrap();
        assert!(lives());
        // As when a call looks at it, or is joining.
        membership.with(|_| membership.leave());
        assert!(!lives());
        membership.with(|own| *own = join());
        assert!(!lives());
    }
}
