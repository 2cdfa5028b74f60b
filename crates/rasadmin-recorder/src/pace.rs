//! Work that takes too long or fails is not tried again at every call.

use rasadmin_engine::Mono;

/// How long to wait before trying again after a failure: milliseconds.
const REST: u64 = 10_000;

/// Work that may be pausing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace(Option<Mono>);

impl Pace {
    /// Pauses from now on, for a while.
    pub fn rest(&mut self, now: Mono) {
        self.0 = Some(now.after(REST));
    }

    /// Ends the pause.
    pub fn wake(&mut self) {
        self.0 = None;
    }

    /// Is it pausing now?
    pub fn rests(&self, now: Mono) -> bool {
        self.0.is_some_and(|until| now < until)
    }
}
