//! This process's part in an instance of RRAS.

use rasadmin_journal::Instance;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, TryLockError};

/// The instance's lock can be released while a call is inside.
#[derive(Debug, Default)]
pub struct Membership {
    instance: Mutex<Option<Instance>>,
    left: AtomicBool,
}

impl Membership {
    /// Does something with the instance, if it is joined. If this process leaves meanwhile, the instance is let go
    /// afterwards.
    pub fn with<T>(&self, work: impl FnOnce(&mut Option<Instance>) -> T) -> T {
        let done = work(&mut self.instance.lock().unwrap_or_else(PoisonError::into_inner));
        if self.has_left() {
            self.leave();
        }
        done
    }

    /// From now on the process belongs to no instance and appends nothing. This does not wait: if a call has the
    /// instance at this moment, that call releases the lock.
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

#[cfg(test)]
mod tests {
    use super::*;
    use rasadmin_journal::{Journal, Options, lives_in};
    use std::time::{Duration, Instant};

    #[test]
    fn a_call_that_has_the_instance_lets_it_go_if_this_process_has_left_meanwhile() {
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
