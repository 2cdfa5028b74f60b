//! The steps of `follow`, one at a time.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::counters::Counted;
use rasadmin_engine::effect::Usage;
use rasadmin_engine::{Mono, Stamp};
use rasadmin_service::monitor::{Seen, Watched};
use rasadmin_service::state::{FollowReport, Report};
use rasadmin_service::{Duty, Follow, Log, Settings, Stop, Turn};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{CONFIG, Lines, PATIENCE, Scene, log, settings};

struct Case {
    scene: Scene,
    duty: Follow,
    seen: Seen,
    stop: Stop,
    log: Arc<Log>,
    lines: Lines,
}

impl Case {
    fn new() -> Self {
        let scene = Scene::new(CONFIG);
        let seen = Seen::default();
        let duty = Follow::new(settings(&scene)).sampling(seen.clone());
        let (log, lines) = log();
        Self { scene, duty, seen, stop: Stop::default(), log, lines }
    }

    fn visit(&self, handle: u64) {
        let port = format!("VPN0-{handle}");
        let given = self.scene.begin(handle, "alice", &port).unwrap();
        self.scene.wait(60);
        self.scene.end(handle, "alice", &port, &given);
    }

    /// A step at a time of day.
    fn step(&mut self, now: i64) -> FollowReport {
        self.duty.step(&Turn { now, stop: &self.stop, log: &self.log }).unwrap();
        let Report::Follow(report) = self.duty.report() else { panic!("another duty's report") };
        report
    }

    /// The monitor looks some minutes after the start: the session of this handle has received so much.
    fn look(&self, handle: u64, minute: i64, received: u64) {
        let session = self.scene.present().by_handle(handle).unwrap().id;
        let usage = Usage { input_octets: received, output_octets: 1, ..Usage::default() };
        let listed = Stamp { time: support::MONDAY + minute * 60_000, mono: Mono(0) };
        let watched = Watched { listed, counted: Counted::first(&usage, Mono(0)), heard: None };
        self.seen.lock().unwrap().insert(session, watched);
    }

    /// Octets over time: session, minute and sum of each row.
    fn octets(&self) -> String {
        let minute = format!("(time - {}) / 60000", support::MONDAY);
        let sql = format!("SELECT session, {minute}, input_octets FROM session_octets ORDER BY session, time");
        support::ask(&self.scene.config.ledger, &sql)
    }

    fn warnings(&self) -> usize {
        self.lines.lock().unwrap().iter().filter(|line| line.contains("gave a warning")).count()
    }

    /// Steps until something is so.
    fn until(&mut self, expected: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !expected(self) {
            assert!(Instant::now() < deadline, "{:#?}", self.duty.report());
            self.step(0);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn sessions(&self) -> String {
        support::ask(&self.scene.config.ledger, "SELECT count(*) FROM sessions")
    }

    /// Waits until the duty has closed the ledger: then its write-ahead log is gone.
    fn until_closed(&mut self) {
        let log = self.scene.config.ledger.with_extension("db-wal");
        assert!(log.exists(), "it is open");
        self.until(|_| !log.exists());
    }
}

#[test]
fn a_warning_that_comes_with_every_record_is_given_once_an_hour() {
    let mut case = Case::new();
    let hour = 60 * 60 * 1000;
    for (handle, now) in [(1, 0), (2, 1), (3, hour - 1)] {
        case.scene.append_bytes(b"no record");
        case.visit(handle);
        let report = case.step(now);
        let (time, warning) = report.warning.unwrap();
        assert!(time == 0 && warning.contains("1 record could not be read"), "{time}: {warning}");
        assert_eq!(case.warnings(), 1);
    }
    case.scene.append_bytes(b"no record");
    assert_eq!(case.step(hour).warning.unwrap().0, hour);
    assert_eq!(case.warnings(), 2);
}

#[test]
fn the_next_look_comes_within_a_second_whatever_the_last_one_found() {
    let mut case = Case::new();
    let pause = |case: &mut Case| case.duty.step(&Turn { now: 0, stop: &case.stop, log: &case.log }).unwrap();
    let nothing_new = {
        case.visit(1);
        let brought_in = pause(&mut case);
        assert_eq!(case.sessions(), "1");
        assert!(brought_in <= Duration::from_secs(1), "{brought_in:?} after a record");
        pause(&mut case)
    };
    assert!(nothing_new <= Duration::from_secs(1), "{nothing_new:?} without a record");
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = Settings { journal: folder.path().join("journal"), ..(*settings(&case.scene)).clone() };
    case.duty = Follow::new(Arc::new(elsewhere));
    let no_journal = pause(&mut case);
    assert!(no_journal <= Duration::from_secs(1), "{no_journal:?} without a journal");
}

#[test]
fn an_idle_ledger_that_is_deleted_is_made_again() {
    let mut case = Case::new();
    case.visit(1);
    case.step(0);
    assert_eq!(case.sessions(), "1");
    case.until_closed();
    std::fs::remove_file(&case.scene.config.ledger).unwrap();
    let ledger = case.scene.config.ledger.clone();
    case.until(|_| ledger.exists());
    assert_eq!(case.sessions(), "1");
}

/// Windows lets nobody delete a file that SQLite has open.
#[cfg(unix)]
#[test]
fn a_ledger_that_is_deleted_while_it_is_open_is_made_again() {
    let mut case = Case::new();
    case.visit(1);
    case.step(0);
    let ledger = case.scene.config.ledger.clone();
    assert!(ledger.with_extension("db-wal").exists(), "it is open");
    for extension in ["db", "db-wal", "db-shm"] {
        std::fs::remove_file(ledger.with_extension(extension)).unwrap();
    }
    case.until(|_| ledger.exists());
    assert_eq!(case.sessions(), "1");
}

#[test]
fn an_idle_ledger_that_is_restored_gets_what_it_lacks() {
    let mut case = Case::new();
    case.visit(1);
    let backup = case.scene.path().join("backup.db");
    std::fs::copy(case.scene.ledger(), &backup).unwrap();
    case.visit(2);
    case.step(0);
    case.until_closed();
    assert_eq!(case.sessions(), "2");
    std::fs::copy(&backup, &case.scene.config.ledger).unwrap();
    assert_eq!(case.sessions(), "1");
    case.until(|case| case.sessions() == "2");
}

#[test]
fn an_interrupted_step_does_not_say_that_nothing_is_behind() {
    let mut case = Case::new();
    case.visit(1);
    case.step(0);
    for handle in 2..=3 {
        case.visit(handle);
    }
    case.stop.request();
    assert!(case.step(0).behind > 0);
}

#[test]
fn octets_over_time_come_from_the_looks_of_the_monitor() {
    let mut case = Case::new();
    case.scene.begin(1, "alice", "VPN0-1").unwrap();
    case.scene.begin(2, "bob", "VPN0-2").unwrap();
    for minute in 0..=10 {
        case.look(1, minute, 100 + minute as u64);
        case.look(2, minute, 7);
        case.step(0);
    }
    assert_eq!(case.octets(), "1 0 100; 1 5 105; 1 10 110; 2 0 7");
    // Another process goes on with them.
    case.duty = Follow::new(settings(&case.scene)).sampling(case.seen.clone());
    for minute in 11..=15 {
        case.look(1, minute, 100 + minute as u64);
        case.step(0);
    }
    assert_eq!(case.octets(), "1 0 100; 1 5 105; 1 10 110; 1 15 115; 2 0 7");
}

#[test]
fn octets_over_time_come_into_a_ledger_that_was_idle() {
    let mut case = Case::new();
    case.scene.begin(1, "alice", "VPN0-1").unwrap();
    case.step(0);
    case.until_closed();
    case.look(1, 0, 100);
    case.step(0);
    assert_eq!(case.octets(), "1 0 100");
    assert!(!case.scene.config.ledger.with_extension("db-wal").exists(), "and it is closed again");
}

#[test]
fn a_ledger_that_is_busy_or_cannot_be_written_only_means_fewer_octets_over_time() {
    let mut case = Case::new();
    case.scene.begin(1, "alice", "VPN0-1").unwrap();
    case.step(0);
    let other = rusqlite::Connection::open(&case.scene.config.ledger).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    case.look(1, 0, 100);
    case.step(0);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(case.octets(), "");
    case.look(1, 1, 101);
    case.step(0);
    assert_eq!(case.octets(), "1 1 101", "the next round has it");
    other.execute_batch("DROP TABLE session_octets").unwrap();
    case.look(1, 6, 106);
    case.step(0);
    case.visit(2);
    case.step(0);
    assert_eq!(case.sessions(), "2", "records still come in");
}
