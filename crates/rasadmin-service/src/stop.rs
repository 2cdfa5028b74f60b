//! The request to stop, for which threads can wait.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A request to stop. Once made, it stays.
#[derive(Debug, Default)]
pub struct Stop {
    requested: Arc<AtomicBool>,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Stop {
    /// Asks everyone who waits to stop.
    pub fn request(&self) {
        let _held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.requested.store(true, Ordering::Relaxed);
        self.changed.notify_all();
    }

    /// Was it requested?
    pub fn is_requested(&self) -> bool {
        self.requested.load(Ordering::Relaxed)
    }

    /// Waits for this time, or until a stop is requested. Returns whether one is.
    pub fn wait(&self, time: Duration) -> bool {
        let held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.changed.wait_timeout_while(held, time, |()| !self.is_requested());
        self.is_requested()
    }

    /// The flag itself, for those who only look.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        self.requested.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_is_woken() {
        let stop = Arc::new(Stop::default());
        assert!(!stop.wait(Duration::ZERO));
        let (waits, began) = std::sync::mpsc::channel();
        let waiting = std::thread::spawn({
            let stop = stop.clone();
            move || {
                waits.send(()).unwrap();
                stop.wait(Duration::from_secs(3600))
            }
        });
        began.recv().unwrap();
        // It nearly always waits by then. If not, it finds the request, and this shows less.
        std::thread::sleep(Duration::from_millis(20));
        stop.request();
        assert!(waiting.join().unwrap());
        assert!(stop.wait(Duration::from_secs(3600)) && stop.flag().load(Ordering::Relaxed));
    }
}
