//! One simulation: its progress, the request to stop it, and its end.

use super::Part;
use crate::duty::Fault;
use rasadmin_answers::replay::Answer;
use rasadmin_history::simulate::{self, Attempt, LOOK_BACK, Period, count_in_ledger, from_ledger};
use rasadmin_ledger::interrupt;
use rasadmin_ledger::report::Reader;
use rasadmin_pipe::{MOST_USERS, Simulation};
use rasadmin_policy::Millis;
use rasadmin_policy::config::Config;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// One simulation.
pub(super) struct Running {
    pub number: u64,
    stop: Arc<AtomicBool>,
    /// How many attempts are simulated, and how many there are.
    done: AtomicU64,
    all: AtomicU64,
    end: Mutex<End>,
    changed: Condvar,
}

#[derive(Default)]
struct End {
    /// By whom or why it was stopped.
    why_stopped: Option<String>,
    /// How it has ended, and when.
    ended: Option<(Instant, Simulation)>,
}

impl Running {
    pub fn new(number: u64) -> Self {
        let (stop, done, all, end, changed) = Default::default();
        Self { number, stop, done, all, end, changed }
    }

    pub fn state(&self) -> Simulation {
        self.locked().ended.as_ref().map_or_else(
            || {
                let [done, all] = [&self.done, &self.all].map(|count| count.load(Ordering::Relaxed));
                Simulation::Running { done, all }
            },
            |(_, ended)| ended.clone(),
        )
    }

    /// When it has ended; None if it runs.
    pub fn ended_at(&self) -> Option<Instant> {
        self.locked().ended.as_ref().map(|(at, _)| *at)
    }

    /// Notes how it has ended.
    pub fn end(&self, how: Simulation) {
        self.locked().ended = Some((Instant::now(), how));
        self.changed.notify_all();
    }

    /// Asks it to stop. Returns whether it was running. The first reason stays.
    pub fn stop(&self, why: &str) -> bool {
        let mut end = self.locked();
        if end.ended.is_some() {
            return false;
        }
        end.why_stopped.get_or_insert_with(|| why.to_owned());
        self.stop.store(true, Ordering::Relaxed);
        true
    }

    pub fn why_stopped(&self) -> Option<String> {
        self.locked().why_stopped.clone()
    }

    /// Waits until it has ended, but not longer than this.
    pub fn wait(&self, time: Duration) {
        drop(self.changed.wait_timeout_while(self.locked(), time, |end| end.ended.is_none()));
    }

    fn locked(&self) -> MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Simulates a candidate over a ledger. `now` is the present: live sessions count as connected until then.
pub(super) fn simulate(
    ledger: &Path,
    candidate: &Arc<Config>,
    part: Part,
    now: Millis,
    running: &Running,
) -> Result<Simulation, Fault> {
    interrupt::when(running.stop.clone());
    let attempts = attempts(ledger, part, now)?;
    running.all.store(attempts.len() as u64, Ordering::Relaxed);
    let simulated = simulate::simulate(candidate, attempts, part.since, &mut |_, _, _| {}, &mut |done| {
        running.done.store(done as u64, Ordering::Relaxed);
        if running.stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let ControlFlow::Continue(report) = simulated else { return Err(Fault::new("it was stopped", "start it again")) };
    let mut answer = Answer::new(ledger.display().to_string(), candidate, &report, None, None);
    let more_users = answer.keep_users(MOST_USERS) as u64;
    let answer = serde_json::to_value(answer).map_err(|error| Fault::new(error.to_string(), "report it"))?;
    Ok(Simulation::Finished { answer, more_users })
}

/// How many attempts a simulation may have. They are in memory, beside everything else that the service does.
const MOST_ATTEMPTS: u64 = 1_000_000;

/// Refuses what would take too much memory. A client that may only look can ask for it.
fn require_room(ledger: &Path, attempts: u64) -> Result<(), Fault> {
    if attempts <= MOST_ATTEMPTS {
        return Ok(());
    }
    let what = format!(
        "{}: there are {attempts} attempts to simulate in that time, and the service simulates at most {MOST_ATTEMPTS}",
        ledger.display()
    );
    let remedy = "name a later `since`, or run `rasadmin replay` on another computer with a copy of the ledger";
    Err(Fault::new(what, remedy))
}

/// The attempts of the past. The ledger is open only while they are read, so that it can be moved, and that what is
/// deleted from it meanwhile does not make its log longer.
fn attempts(ledger: &Path, part: Part, now: Millis) -> Result<Vec<Attempt>, Fault> {
    // What began before `since` is simulated too, as far as limits and quotas can count it.
    let from = part.since.map_or(i64::MIN / 2, |since| since.saturating_sub(LOOK_BACK));
    let period = Period { from, to: part.until.unwrap_or(i64::MAX / 2), now };
    let reader = Reader::open(ledger)?;
    require_room(ledger, count_in_ledger(&reader, period)?)?;
    let attempts = from_ledger(&reader, period)?;
    let is_asked = |attempt: &Attempt| part.since.is_none_or(|since| attempt.session.start >= since);
    if attempts.iter().any(is_asked) {
        return Ok(attempts);
    }
    let what = format!("{}: there is nothing to simulate in that time", ledger.display());
    Err(Fault::new(what, "name an earlier time; `rasadmin sessions` shows what the ledger has"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulation_that_would_be_too_large_says_what_to_do() {
        assert!(require_room(Path::new("l.db"), MOST_ATTEMPTS).is_ok());
        let Err(Fault { what, remedy }) = require_room(Path::new("l.db"), MOST_ATTEMPTS + 1) else {
            panic!("there are too many")
        };
        assert_eq!(
            what,
            "l.db: there are 1000001 attempts to simulate in that time, and the service simulates at most 1000000"
        );
        assert!(remedy.contains("a later `since`") && remedy.contains("rasadmin replay"), "{remedy}");
    }
}
