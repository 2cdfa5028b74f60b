//! How `monitor` asks RRAS: never under the journal's lock, and not again soon after a slow answer.
#![allow(clippy::unwrap_used)]

mod support;
#[path = "support/watching.rs"]
mod watching;

use rasadmin_policy::Name;
use rasadmin_rras::{Failure, Instance, Operation, Scripted};
use rasadmin_service::state::Report;
use rasadmin_service::{Current, Duty, Monitor, Settings, Turn};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use watching::{Busy, Case, GIB, monitor};

#[test]
fn rras_is_never_asked_while_the_journal_is_locked() {
    let mut case = Case::new();
    case.begin(1, "alice");
    let journal = rasadmin_journal::Journal::open(&case.scene.path(), Default::default(), support::soon()).unwrap();
    *case.rras.meanwhile.lock().unwrap() = Some(Box::new(move || {
        drop(journal.lock(Instant::now() + Duration::from_millis(1)).unwrap());
    }));
    case.received(1, GIB);
    case.step();
    assert!(case.rras.meanwhile.lock().unwrap().is_none());
}

/// Makes the next list take some time, after which `then` happens. Returns how long it takes.
fn takes_long(rras: &Busy, then: impl FnOnce(&Scripted) + Send + 'static) -> Arc<Mutex<Duration>> {
    let took = Arc::new(Mutex::new(Duration::ZERO));
    let (scripted, noted) = (rras.scripted.clone(), took.clone());
    *rras.meanwhile.lock().unwrap() = Some(Box::new(move || {
        let began = Instant::now();
        std::thread::sleep(Duration::from_millis(60));
        *noted.lock().unwrap() = began.elapsed();
        then(&scripted);
    }));
    took
}

#[test]
fn after_a_long_look_rras_is_left_alone_five_times_as_long_whatever_came_of_it() {
    let mut case = Case::new();
    case.begin(1, "alice");
    // The time between two looks must be no reason for the pause.
    let clock = case.clock.clone();
    let monitor = monitor(&case.scene, &case.rras, &case.clock).at_speed(1000);
    case.monitor = monitor.with_clock(Box::new(move || *clock.lock().unwrap()));
    let mut look = |fails: Option<Failure>, then: fn(&Scripted)| {
        let failing = fails.map(|failure| (Operation::Connections, failure)).into_iter().collect();
        case.rras.scripted.change(|script| script.failing = failing);
        let took = takes_long(&case.rras, then);
        case.wait(5);
        let turn = Turn { now: case.scene.now().at.time, stop: &case.stop, log: &case.log };
        let pause = case.monitor.step(&turn);
        let Report::Monitor(report) = case.monitor.report() else { panic!("another duty's report") };
        let least = *took.lock().unwrap() * 5;
        assert!(least >= Duration::from_millis(300) && case.monitor.rest() >= least, "{:?}", case.monitor.rest());
        (pause.map(|pause| pause >= least).map_err(|fault| fault.what), report.running)
    };
    assert_eq!(look(None, |_| ()), (Ok(true), true), "a complete look");
    assert_eq!(look(Some(Failure::NotRunning), |_| ()), (Ok(true), false), "RRAS stopped");
    let another = |scripted: &Scripted| {
        scripted.change(|script| script.instance = Some(Instance { process: 800, created: 2 }));
    };
    assert_eq!(look(None, another), (Ok(true), false), "another instance");
    // After a fault, the runner asks the duty how long to wait.
    let (failed, _) = look(Some(Failure::Changed), |_| ());
    assert!(failed.unwrap_err().starts_with("cannot list RRAS's connections"));
}

#[test]
fn without_rras_or_a_journal_it_waits() {
    let mut case = Case::new();
    case.rras.scripted.change(|script| script.instance = None);
    assert!(!case.step().running);
    case.rras.scripted.change(|script| script.instance = Some(Instance { process: 700, created: 1 }));
    assert!(case.step().running);
    let empty = tempfile::tempdir().unwrap();
    let settings =
        Settings { journal: empty.path().to_owned(), ..Settings::of(&case.scene.config, &Name::new("VPN1")) };
    let current = Arc::new(Current::new(case.scene.config.clone()));
    case.monitor = Monitor::new(Arc::new(settings), current, Arc::new(case.rras.clone()), None);
    assert!(!case.try_step().unwrap().running);
}

#[test]
fn a_call_that_goes_on_hanging_is_one_fault() {
    let mut case = Case::new();
    let mut hung_for = |seconds| {
        let since = Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap();
        let failing = vec![(Operation::Connections, Failure::Hung { since })];
        case.rras.scripted.change(|script| script.failing = failing);
        case.try_step().unwrap_err()
    };
    let first = hung_for(31);
    assert_eq!(first, hung_for(95));
    assert_eq!(first.what, "cannot list RRAS's connections: a call to RRAS has not returned");
}
