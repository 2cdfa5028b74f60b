//! How long calls took, until a record takes the times along. A call's own record is written before the call returns, so
//! its time goes into a later one.

use rasadmin_engine::callback::{Callback, Took};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// No more calls wait for a record: while nothing can be recorded, the earliest times are kept.
const MOST: usize = 64;

/// The times that no record has yet.
#[derive(Debug, Default)]
pub struct CallTimes(Mutex<Vec<Took>>);

impl CallTimes {
    /// A call has returned.
    pub fn add(&self, callback: Callback, took: Duration) {
        self.put_back([Took(callback, u32::try_from(took.as_micros()).unwrap_or(u32::MAX))]);
    }

    /// Takes all of them.
    pub fn take(&self) -> Vec<Took> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// They are in no record after all.
    pub fn put_back(&self, times: impl IntoIterator<Item = Took>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MOST.saturating_sub(all.len());
        all.extend(times.into_iter().take(room));
    }
}
