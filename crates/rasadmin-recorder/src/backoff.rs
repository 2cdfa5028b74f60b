//! Pauses after a failure, so that failing or slow work is not tried again at every call.

use rasadmin_engine::Mono;

/// The length of a pause, in milliseconds.
const REST: u64 = 10_000;

/// Work that may be paused.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff(Option<Mono>);

impl Backoff {
    /// Starts a pause.
    pub fn pause(&mut self, now: Mono) {
        self.0 = Some(now.after(REST));
    }

    /// Ends the pause.
    pub fn resume(&mut self) {
        self.0 = None;
    }

    /// Is the work paused?
    pub fn is_paused(&self, now: Mono) -> bool {
        self.0.is_some_and(|until| now < until)
    }
}
