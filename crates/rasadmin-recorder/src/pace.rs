//! What takes too long or fails is not tried at every call.

use rasadmin_engine::Mono;

/// How long something that failed is left alone: milliseconds.
const REST: u64 = 10_000;

/// Something that may be resting.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace(Option<Mono>);

impl Pace {
    /// It is left alone from now on for a while.
    pub fn rest(&mut self, now: Mono) {
        self.0 = Some(now.after(REST));
    }

    /// It may be tried at once.
    pub fn wake(&mut self) {
        self.0 = None;
    }

    /// Is it left alone now?
    pub fn rests(&self, now: Mono) -> bool {
        self.0.is_some_and(|until| now < until)
    }
}
