//! Work that takes too long or fails is not tried again at every call.

use rasadmin_engine::Mono;

/// How long to wait before trying again after a failure: milliseconds.
const REST: u64 = 10_000;

/// Work that may be pausing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff(Option<Mono>);

impl Backoff {
    /// Pauses from now on, for a while.
    pub fn pause(&mut self, now: Mono) {
        self.0 = Some(now.after(REST));
    }

    /// Ends the pause.
    pub fn resume(&mut self) {
        self.0 = None;
    }

    /// Is it pausing now?
    pub fn is_paused(&self, now: Mono) -> bool {
        self.0.is_some_and(|until| now < until)
    }
}
