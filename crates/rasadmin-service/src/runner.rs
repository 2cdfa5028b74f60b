//! Runs one duty on a thread of its own, until it is asked to stop.

use crate::board::{Board, News};
use crate::duty::{Duty, DutyStart, Fault, NewDuty, Turn};
use crate::log::Log;
use crate::state::Report;
use crate::stop::Stop;
use rasadmin_messages::Message;
use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// The pause after the first failure. It doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

thread_local! {
    static IS_DUTY: Cell<bool> = const { Cell::new(false) };
}

/// Does this thread run a duty, or work for one? A panic on it does not end the process.
pub fn is_duty() -> bool {
    IS_DUTY.get()
}

/// Marks this thread as one that works for a duty.
pub fn works_for_duty() {
    IS_DUTY.set(true);
}

/// Everything that the thread needs.
pub struct Runner {
    pub new: NewDuty,
    pub board: Arc<Board>,
    pub stop: Arc<Stop>,
    pub log: Arc<Log>,
}

impl Runner {
    /// Until it is asked to stop.
    pub fn run(&self) {
        works_for_duty();
        rasadmin_ledger::interrupt::when(self.stop.flag());
        let (mut duty, mut failures) = (None, 0);
        while !self.stop.is_requested() {
            let (pause, fault) = self.take_turn(&mut duty, failures);
            if self.stop.is_requested() && fault.is_some() {
                // Most likely it has failed because it was interrupted.
                break;
            }
            failures = if fault.is_some() { failures + 1 } else { 0 };
            self.note(duty.as_deref(), fault);
            self.stop.wait(pause);
        }
    }

    /// One step. Returns the pause after it, and what went wrong.
    fn take_turn(&self, duty: &mut Option<Box<dyn Duty>>, failures: u32) -> (Duration, Option<Fault>) {
        let (pause, fault) = match self.step(duty) {
            Ok(pause) => (pause, None),
            Err(fault) => (pause_after(failures), Some(fault)),
        };
        (pause.max(duty.as_ref().map_or(Duration::ZERO, |duty| duty.rest())), fault)
    }

    /// One step. After a panic the duty is made anew, because its memory may be wrong.
    fn step(&self, duty: &mut Option<Box<dyn Duty>>) -> Result<Duration, Fault> {
        let turn = Turn { now: now(), stop: &self.stop, log: &self.log };
        let name = self.new.name;
        let start = || DutyStart { last: self.board.report(name), board: self.board.clone(), log: self.log.clone() };
        let done = catch_unwind(AssertUnwindSafe(|| duty.get_or_insert_with(|| (self.new.make)(start())).step(&turn)));
        done.unwrap_or_else(|panic| {
            *duty = None;
            Err(bug(&*panic))
        })
    }

    fn note(&self, duty: Option<&dyn Duty>, fault: Option<Fault>) {
        let name = self.new.name;
        let report = duty.map(Duty::report).or_else(|| self.board.report(name));
        let report = report.unwrap_or_else(|| Report::new(name));
        match self.board.ended(report, fault.clone(), now()) {
            News::None => {}
            News::Works => self.log.emit(&Message::DutyWorks { duty: &name.name() }),
            News::Fails => {
                if let Some(Fault { what, remedy }) = &fault {
                    self.log.emit(&Message::DutyFailed { duty: &name.name(), error: what, remedy });
                }
            }
        }
    }
}

/// What a panic was, as a fault.
pub fn bug(panic: &(dyn Any + Send)) -> Fault {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    Fault::new(format!("a bug in rasadmin: {text}"), "report it with this text")
}

/// The time of day.
pub fn now() -> rasadmin_policy::Millis {
    jiff::Timestamp::now().as_millisecond()
}

fn pause_after(failures: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(failures)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{DutyName, State};

    /// Fails each time, and needs a rest.
    struct Tired(Duration);

    impl Duty for Tired {
        fn step(&mut self, _: &Turn<'_>) -> Result<Duration, Fault> {
            Err(Fault::new("it took long", "wait"))
        }

        fn rest(&self) -> Duration {
            self.0
        }

        fn report(&self) -> Report {
            Report::new(DutyName::Monitor)
        }
    }

    #[test]
    fn a_duty_that_failed_is_not_tried_again_before_it_has_rested() {
        let pause = |rest: u64, failures| {
            let make = move |_| Box::new(Tired(Duration::from_secs(rest))) as Box<dyn Duty>;
            let runner = Runner {
                new: NewDuty { name: DutyName::Monitor, make: Box::new(make) },
                board: Arc::new(Board::new(State::default())),
                stop: Arc::default(),
                log: Arc::new(Log::new(None, |_| ())),
            };
            let (pause, fault) = runner.take_turn(&mut None, failures);
            assert_eq!(fault.map(|fault| fault.what).as_deref(), Some("it took long"));
            pause.as_secs()
        };
        assert_eq!([pause(150, 0), pause(150, 9), pause(0, 0), pause(3, 9)], [150, 150, 1, 60]);
    }

    #[test]
    fn pauses_grow_and_have_a_limit() {
        let seconds = |failures| pause_after(failures).as_secs();
        assert_eq!([0, 1, 2, 5, 6, 100, u32::MAX].map(seconds), [1, 2, 4, 32, 60, 60, 60]);
    }
}
