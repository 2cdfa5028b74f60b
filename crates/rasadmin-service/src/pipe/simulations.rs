//! Candidate configurations that are simulated over the past: one at a time, on a thread of its own, because it may take
//! minutes. Clients start it and ask how far it is, so it takes none of their seats.

mod running;

use crate::current::Current;
use crate::duty::Fault;
use crate::monitor::Clock;
use crate::runner::{bug, works_for_duty};
use crate::settings::Settings;
use rasadmin_pipe::{Caller, Mistake, Refusal, Simulation, Why};
use rasadmin_policy::Millis;
use rasadmin_policy::config::{Config, ConfigErrors, NotCompiled};
use running::Running;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// How long a result is kept.
const KEPT: Duration = Duration::from_secs(60 * 60);

/// How long to wait for a simulation that has to stop. It needs a few milliseconds, unless a disk does not answer.
const STOPPING: Duration = Duration::from_secs(5);

/// The part of the past that is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// Report attempts from this time on.
    pub since: Option<Millis>,
    /// Simulate only attempts before this time.
    pub until: Option<Millis>,
}

/// The simulation that runs, or has ended lately.
pub(super) struct Simulations {
    settings: Arc<Settings>,
    config: Arc<Current>,
    /// Held while a candidate is compiled: with long lists, that takes time and memory.
    compiling: Mutex<()>,
    latest: Mutex<Option<Arc<Running>>>,
    /// The service stops, or its pipe does.
    closed: AtomicBool,
}

impl Simulations {
    pub fn new(settings: Arc<Settings>, config: Arc<Current>) -> Self {
        let (compiling, latest, closed) = Default::default();
        Self { settings, config, compiling, latest, closed }
    }

    /// Starts one. Returns its number.
    pub fn start(&self, text: &str, part: Part, clock: &Clock) -> Result<u64, Refusal> {
        if let (Some(since), Some(until)) = (part.since, part.until)
            && since >= until
        {
            return Err(Refusal::new(Why::Invalid, "the time ends before it begins"));
        }
        // A candidate with mistakes is refused with them, even if another one is running.
        let candidate = Arc::new(self.compile(text)?);
        let mut latest = self.latest();
        self.require_free(latest.as_deref())?;
        let now = clock().time;
        // The time makes numbers that are not used again after a restart of the service.
        let after = latest.as_ref().map_or(0, |latest| latest.number + 1);
        let running = Arc::new(Running::new(after.max(u64::try_from(now).unwrap_or(0))));
        let (of_thread, ledger) = (running.clone(), self.settings.ledger.clone());
        let thread = std::thread::Builder::new().name("simulation".to_owned());
        let spawned = thread.spawn(move || {
            works_for_duty();
            of_thread.end(ended(&of_thread, || running::simulate(&ledger, &candidate, part, now, &of_thread)));
        });
        spawned.map_err(|error| {
            Refusal::new(Why::Unavailable, format_args!("the system starts no thread: {error}; try again"))
        })?;
        let number = running.number;
        *latest = Some(running);
        Ok(number)
    }

    /// How far one is.
    pub fn state(&self, number: u64) -> Result<Simulation, Refusal> {
        self.find(number).map(|running| running.state())
    }

    /// Stops one. Returns whether it was running.
    pub fn stop(&self, number: u64, caller: &Caller) -> Result<bool, Refusal> {
        let running = self.find(number)?;
        Ok(running.stop(&format!("{} has stopped it", caller.account)))
    }

    /// Forgets a result that is too old.
    pub fn forget(&self, now: Instant) {
        let mut latest = self.latest();
        let ended = latest.as_ref().and_then(|running| running.ended_at());
        if ended.is_some_and(|ended| now.saturating_duration_since(ended) >= KEPT) {
            *latest = None;
        }
    }

    /// Stops everything, and starts nothing more.
    fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        // A start that has the lock is over when it is free; later ones see that it is closed.
        let running = self.latest().clone();
        if let Some(running) = running {
            running.stop("the service stops");
            running.wait(STOPPING);
        }
    }

    /// Refuses if one runs, or nothing more may start.
    fn require_free(&self, latest: Option<&Running>) -> Result<(), Refusal> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(stopping());
        }
        let Some(running) = latest.filter(|latest| latest.ended_at().is_none()) else { return Ok(()) };
        let number = running.number;
        let what = format_args!("a simulation runs already, with number {number}: wait until it ends, or stop it");
        Err(Refusal::new(Why::Unavailable, what))
    }

    /// Compiles a candidate. Reads no file: the lists are those of the configuration in force.
    fn compile(&self, text: &str) -> Result<Config, Refusal> {
        let _one_at_a_time = match self.compiling.try_lock() {
            Ok(lock) => lock,
            Err(TryLockError::Poisoned(lock)) => lock.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let what = "another candidate is being checked: try again in a few seconds";
                return Err(Refusal::new(Why::Unavailable, what));
            }
        };
        let mut goes_on = || !self.closed.load(Ordering::Relaxed);
        let compiled = self.config.get().bundle.compile_candidate("candidate", text, &mut goes_on);
        compiled.map_err(|why| match why {
            NotCompiled::Mistakes(errors) => faulty(&errors),
            NotCompiled::Stopped => stopping(),
        })
    }

    fn find(&self, number: u64) -> Result<Arc<Running>, Refusal> {
        let found = self.latest().clone().filter(|latest| latest.number == number);
        found.ok_or_else(|| {
            let kept = "a result is kept for an hour, until the next simulation starts, or until the service stops";
            Refusal::new(Why::Invalid, format_args!("simulation {number} does not exist: {kept}"))
        })
    }

    fn latest(&self) -> MutexGuard<'_, Option<Arc<Running>>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The simulations of a pipe. They end with it.
pub(super) struct CloseOnDrop(pub Arc<Simulations>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn stopping() -> Refusal {
    Refusal::new(Why::Unavailable, "the service stops: try again when it runs")
}

/// How a simulation has ended.
fn ended(running: &Running, simulate: impl FnOnce() -> Result<Simulation, Fault>) -> Simulation {
    // Nothing that a panic left half done is used again.
    let failed = match catch_unwind(AssertUnwindSafe(simulate)) {
        Ok(Ok(finished)) => return finished,
        Ok(Err(fault)) => fault,
        Err(panic) => return failed(&bug(&*panic)),
    };
    match running.why_stopped() {
        Some(why) => Simulation::Stopped { why },
        None => self::failed(&failed),
    }
}

fn failed(Fault { what, remedy }: &Fault) -> Simulation {
    Simulation::Failed { why: rasadmin_text::printable(&format!("{what}; {remedy}")).into_owned() }
}

/// The mistakes of a candidate, as a refusal.
fn faulty(errors: &ConfigErrors) -> Refusal {
    let printable = |text: &str| rasadmin_text::printable(text).into_owned();
    let mistakes: Vec<_> = errors
        .mistakes()
        .iter()
        .map(|mistake| {
            let (line, column) = errors.position(mistake);
            Mistake { line, column, what: printable(&mistake.what), help: printable(&mistake.help) }
        })
        .collect();
    let first = mistakes.first();
    let first = first.map(|first| format!("; line {}, column {}: {}", first.line, first.column, first.what));
    let all = mistakes.len() + errors.more();
    let text = format!("the candidate is not valid: {all} {}", if all == 1 { "mistake" } else { "mistakes" });
    let refusal = Refusal::new(Why::Invalid, text + &first.unwrap_or_default());
    Refusal { mistakes, more_mistakes: errors.more(), ..refusal }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished() -> Simulation {
        Simulation::Finished { answer: serde_json::Value::Null, more_users: 0 }
    }

    fn simulations() -> Simulations {
        let none = &mut |_: &str| Err("none".to_owned());
        let text = "default_domain = 'CORP'\ndefault.action = 'allow'\n";
        let Ok(config) = rasadmin_policy::config::parse("c", text, std::path::Path::new("/f"), none) else {
            panic!("a configuration that is valid")
        };
        let settings = Arc::new(Settings::of(&config, &"VPN1".into()));
        Simulations::new(settings, Arc::new(Current::new(Arc::new(config))))
    }

    fn fault() -> Fault {
        Fault::new("the disk\u{1b} is gone", "look at it")
    }

    #[test]
    fn a_panic_is_a_bug_and_nothing_else() {
        let running = Running::new(1);
        let ended = |running: &Running| ended(running, || panic!("a test"));
        let bug = "a bug in rasadmin: a test; report it with this text";
        assert_eq!(ended(&running), Simulation::Failed { why: bug.to_owned() });
        // Also if somebody has stopped it before.
        running.stop("X has stopped it");
        assert_eq!(ended(&running), Simulation::Failed { why: bug.to_owned() });
    }

    #[test]
    fn what_fails_after_a_stop_was_stopped() {
        let running = Running::new(1);
        let why = r"the disk\u{1b} is gone; look at it".to_owned();
        assert_eq!(ended(&running, || Err(fault())), Simulation::Failed { why });
        assert!(running.stop("X has stopped it"));
        running.stop("Y has stopped it");
        assert_eq!(ended(&running, || Err(fault())), Simulation::Stopped { why: "X has stopped it".to_owned() });
        assert_eq!(ended(&running, || Ok(finished())), finished(), "it was done before it saw the request");
    }

    /// A simulation that ends only if it is stopped.
    #[test]
    fn the_end_of_the_pipe_stops_what_runs_and_starts_nothing_more() {
        let simulations = Arc::new(simulations());
        let running = Arc::new(Running::new(7));
        *simulations.latest() = Some(running.clone());
        let thread = std::thread::spawn(move || {
            while running.why_stopped().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            running.end(ended(&running, || Err(fault())));
        });
        let of_pipe = CloseOnDrop(simulations.clone());
        assert_eq!(simulations.state(7), Ok(Simulation::Running { done: 0, all: 0 }));
        drop(of_pipe);
        assert_eq!(simulations.state(7), Ok(Simulation::Stopped { why: "the service stops".to_owned() }));
        let part = Part { since: None, until: None };
        let clock: Clock = Box::new(|| unreachable!());
        let refused = simulations.start("default.action = \"allow\"", part, &clock).map_err(|refusal| refusal.why);
        assert_eq!(refused, Err(Why::Unavailable));
        assert!(thread.join().is_ok());
    }

    #[test]
    fn a_result_is_kept_for_an_hour() {
        let simulations = simulations();
        let running = Arc::new(Running::new(7));
        *simulations.latest() = Some(running.clone());
        let later = || Instant::now() + KEPT;
        simulations.forget(later());
        assert!(simulations.state(7).is_ok(), "it runs");
        running.end(finished());
        simulations.forget(Instant::now());
        assert_eq!(simulations.state(7), Ok(finished()));
        simulations.forget(later());
        assert_eq!(simulations.state(7).map_err(|refusal| refusal.why), Err(Why::Invalid));
    }
}
