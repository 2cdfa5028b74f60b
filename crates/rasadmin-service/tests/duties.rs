//! The duties on a journal that a recorder writes, and what happens to one of them when another fails.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_ledger::sqlite::{Create, Sqlite};
use rasadmin_policy::Millis;
use rasadmin_service::state::{DutyName, DutyState, FollowReport, Report, State};
use rasadmin_service::{Duty, Fault, Follow, Log, NewDuty, Service, Settings, Turn, state_file};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};
use support::{CONFIG, PATIENCE, Scene, dump, lock, log, settings, soon};

fn start(settings: &Settings, duties: Vec<NewDuty>, log: &Arc<Log>) -> Service {
    Service::start(settings, lock(&settings.journal), duties, 1, log).unwrap()
}

fn follow(settings: &Arc<Settings>) -> NewDuty {
    let settings = settings.clone();
    NewDuty { name: DutyName::Follow, make: Box::new(move |_| Box::new(Follow::new(settings.clone()))) }
}

/// Waits until the state on disk is as expected.
fn until(service: &mut Service, journal: &Path, expected: impl Fn(&State) -> bool) -> State {
    let deadline = Instant::now() + PATIENCE;
    loop {
        service.tick();
        let state = state_file::read(journal).unwrap();
        if expected(&state) {
            return state;
        }
        assert!(Instant::now() < deadline, "{state:#?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn of(state: &State, name: DutyName) -> &DutyState {
    state.duties.iter().find(|duty| duty.report.duty() == name).unwrap()
}

fn followed(state: &State) -> &FollowReport {
    match &of(state, DutyName::Follow).report {
        Report::Follow(report) => report,
        other => panic!("{other:?}"),
    }
}

fn visit(scene: &Scene, handle: u64) {
    let port = format!("VPN0-{handle}");
    let given = scene.begin(handle, &format!("u{}", handle % 7), &port).unwrap();
    scene.wait(60);
    scene.end(handle, &format!("u{}", handle % 7), &port, &given);
}

fn last_record(scene: &Scene) -> u64 {
    rasadmin_recorder::present::read(&scene.config.journal).unwrap().unwrap().position.number
}

#[test]
fn records_come_into_the_ledger_as_they_are_recorded() {
    let scene = Scene::new(CONFIG);
    let (settings, (log, _)) = (settings(&scene), log());
    let mut service = start(&settings, vec![follow(&settings)], &log);
    for handle in 1..=30 {
        visit(&scene, handle);
        if handle % 10 == 0 {
            let last = last_record(&scene);
            until(&mut service, &settings.journal, |state| followed(state).record == Some(last));
        }
    }
    assert_eq!(scene.ingest().records, 0, "a command finds nothing left");
    // After each segment there is a checkpoint, from which the DLL starts. Old ones are deleted.
    for handle in 31..=34 {
        scene.tool().seal().unwrap();
        visit(&scene, handle);
        let last = last_record(&scene);
        until(&mut service, &settings.journal, |state| followed(state).record == Some(last));
    }
    assert_eq!(service.stop(), []);
    let present = rasadmin_recorder::present::read(&settings.journal).unwrap().unwrap();
    assert!(present.checkpoint > 0, "a checkpoint after the segment");
    let names = std::fs::read_dir(&settings.journal).unwrap().map(|entry| entry.unwrap().path());
    let checkpoints = names.filter(|path| path.extension().is_some_and(|extension| extension == "checkpoint")).count();
    assert_eq!(checkpoints, rasadmin_recorder::upkeep::CHECKPOINTS);
    let at_once = scene.path().join("at-once.db");
    let mut whole = Sqlite::open(&at_once, Create::Yes, false, soon()).unwrap();
    whole.ingest(&settings.journal, &settings.server, &mut |_| {}).unwrap();
    assert_eq!(dump(&settings.ledger), dump(&at_once));
    let state = state_file::read(&settings.journal).unwrap();
    assert!(state.stopped.is_some() && state.process == std::process::id(), "{state:#?}");
}

#[test]
fn it_waits_for_a_journal_that_does_not_exist_yet() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new(CONFIG);
    let elsewhere = Settings { journal: folder.path().join("journal"), ..(*settings(&scene)).clone() };
    let (elsewhere, (log, lines)) = (Arc::new(elsewhere), log());
    let mut service = start(&elsewhere, vec![follow(&elsewhere)], &log);
    // It looks in vain first.
    until(&mut service, &elsewhere.journal, |state| !state.duties.is_empty());
    visit(&scene, 1);
    let last = last_record(&scene);
    for entry in std::fs::read_dir(&scene.config.journal).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, elsewhere.journal.join(path.file_name().unwrap())).unwrap();
    }
    let state = until(&mut service, &elsewhere.journal, |state| followed(state).record == Some(last));
    assert_eq!(of(&state, DutyName::Follow).fault, None);
    assert_eq!(service.stop(), []);
    assert_eq!(*lines.lock().unwrap(), Vec::<String>::new());
}

/// Says when a step begins.
struct Announced(Follow, Sender<()>);

impl Duty for Announced {
    fn step(&mut self, turn: &Turn<'_>) -> Result<Duration, Fault> {
        let _ = self.1.send(());
        self.0.step(turn)
    }

    fn report(&self) -> Report {
        self.0.report()
    }
}

/// A command that imports or purges may hold it for long.
#[test]
fn a_service_that_waits_for_a_locked_ledger_stops() {
    let scene = Scene::new(CONFIG);
    let (settings, (log, lines)) = (settings(&scene), log());
    visit(&scene, 1);
    scene.ingest();
    let other = rusqlite::Connection::open(&settings.ledger).unwrap();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    visit(&scene, 2);
    for _ in 0..3 {
        let (sender, began) = channel();
        let its = settings.clone();
        let make = move |_| Box::new(Announced(Follow::new(its.clone()), sender.clone())) as Box<dyn Duty>;
        let duty = NewDuty { name: DutyName::Follow, make: Box::new(make) };
        let service = start(&settings, vec![duty], &log);
        began.recv().unwrap();
        assert_eq!(service.stop(), []);
    }
    assert_eq!(*lines.lock().unwrap(), Vec::<String>::new(), "that it was interrupted is not a fault");
    drop(other);
    assert!(scene.ingest().records > 0, "nothing was lost");
}

/// Panics at each step.
struct Broken;

impl Duty for Broken {
    fn step(&mut self, _: &Turn<'_>) -> Result<Duration, Fault> {
        panic!("this duty is broken");
    }

    fn report(&self) -> Report {
        Report::new(DutyName::Retention)
    }
}

#[test]
fn a_duty_that_panics_is_tried_again_and_stops_no_other() {
    let scene = Scene::new(CONFIG);
    let (settings, (log, lines)) = (settings(&scene), log());
    let broken = NewDuty { name: DutyName::Retention, make: Box::new(|_| Box::new(Broken)) };
    let mut service = start(&settings, vec![broken, follow(&settings)], &log);
    let tries = |state: &State| of(state, DutyName::Retention).fault.as_ref().map_or(0, |fault| fault.tries);
    let state = until(&mut service, &settings.journal, |state| tries(state) >= 2);
    let fault = of(&state, DutyName::Retention).fault.as_ref().unwrap();
    assert!(fault.what.contains("this duty is broken") && fault.remedy.contains("report"), "{fault:?}");
    visit(&scene, 1);
    let last = last_record(&scene);
    until(&mut service, &settings.journal, |state| followed(state).record == Some(last));
    assert_eq!(service.stop(), []);
    let failed: Vec<_> = lines.lock().unwrap().iter().filter(|line| line.contains("broken")).cloned().collect();
    assert_eq!(failed.len(), 1, "once, however often it fails: {failed:#?}");
    assert!(
        failed[0].starts_with("warning: a duty of the rasadmin service does not work: retention: a bug"),
        "{failed:?}"
    );
}

#[test]
fn a_ledger_that_cannot_be_used_is_a_fault_until_it_can() {
    let scene = Scene::new(CONFIG);
    let (settings, (log, lines)) = (settings(&scene), log());
    std::fs::create_dir(&settings.ledger).unwrap();
    visit(&scene, 1);
    let mut service = start(&settings, vec![follow(&settings)], &log);
    let fails = |state: &State| of(state, DutyName::Follow).fault.clone();
    let state = until(&mut service, &settings.journal, |state| fails(state).is_some());
    assert!(fails(&state).unwrap().what.contains("there is a folder with the ledger's name"), "{state:#?}");
    std::fs::remove_dir(&settings.ledger).unwrap();
    let last = last_record(&scene);
    until(&mut service, &settings.journal, |state| followed(state).record == Some(last) && fails(state).is_none());
    assert_eq!(service.stop(), []);
    let lines = lines.lock().unwrap();
    assert_eq!(lines.last().unwrap(), "a duty of the rasadmin service works again: follow", "{lines:#?}");
}

#[test]
fn a_state_that_cannot_be_written_is_reported_once_and_stops_nothing() {
    let scene = Scene::new(CONFIG);
    let (settings, (log, lines)) = (settings(&scene), log());
    let in_the_way = settings.journal.join(state_file::FILES[1]);
    std::fs::create_dir(&in_the_way).unwrap();
    let mut service = start(&settings, vec![follow(&settings)], &log);
    service.tick();
    service.tick();
    let warnings = lines.lock().unwrap().iter().filter(|line| line.contains(state_file::FILES[1])).count();
    assert_eq!((warnings, state_file::read(&settings.journal)), (1, None));
    std::fs::remove_dir(&in_the_way).unwrap();
    let last = last_record(&scene);
    service.tick();
    until(&mut service, &settings.journal, |state| followed(state).record == Some(last));
    assert_eq!(service.stop(), []);
}

/// An earlier process was killed, and its state stays on disk.
#[test]
fn a_duty_continues_with_the_report_of_an_earlier_process() {
    struct Kept(Option<Report>);
    impl Duty for Kept {
        fn step(&mut self, _: &Turn<'_>) -> Result<Duration, Fault> {
            Ok(Duration::from_secs(3600))
        }

        fn report(&self) -> Report {
            let Some(Report::Retention(mut report)) = self.0.clone() else { panic!("it has no report") };
            report.segments += 1;
            Report::Retention(report)
        }
    }
    let scene = Scene::new(CONFIG);
    let (settings, (log, _)) = (settings(&scene), log());
    let segments = |state: &State| match &of(state, DutyName::Retention).report {
        Report::Retention(report) => report.segments,
        other => panic!("{other:?}"),
    };
    for expected in 1..=3 {
        let kept = NewDuty { name: DutyName::Retention, make: Box::new(|start| Box::new(Kept(start.last))) };
        let mut service = start(&settings, vec![kept], &log);
        until(&mut service, &settings.journal, |state| segments(state) == expected);
        assert_eq!(service.stop(), []);
    }
    let started: Millis = state_file::read(&settings.journal).unwrap().started;
    assert_eq!(started, 1);
}
