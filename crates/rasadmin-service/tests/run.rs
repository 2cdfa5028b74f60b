//! The service from its start to its end, while its configuration changes.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_policy::Name;
use rasadmin_service::{NotStarted, Stop, run, state_file};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use support::{Lines, PATIENCE, log};

struct Running {
    folder: tempfile::TempDir,
    lines: Lines,
    stop: Arc<Stop>,
    thread: JoinHandle<Result<(), NotStarted>>,
}

impl Running {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ((log, lines), stop) = (log(), Arc::new(Stop::default()));
        configure(folder.path(), "first", "");
        let (file, asked) = (folder.path().join("rasadmin.toml"), stop.clone());
        let thread = std::thread::spawn(move || run(&file, &Name::new("VPN1"), None, &asked, &log, || ()));
        let running = Self { folder, lines, stop, thread };
        running.until("journal `first`", || running.runs("first"));
        running
    }

    fn journal(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Is it the journal that is served?
    fn runs(&self, journal: &str) -> bool {
        state_file::read(&self.journal(journal)).is_some_and(|state| state.stopped.is_none())
    }

    fn says(&self, text: &str) -> usize {
        self.lines.lock().unwrap().iter().filter(|line| line.contains(text)).count()
    }

    fn until(&self, what: &str, is: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is() {
            assert!(
                Instant::now() < deadline && !self.thread.is_finished(),
                "{what}: {:#?}",
                self.lines.lock().unwrap()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn end(self) -> Vec<String> {
        self.stop.request();
        self.thread.join().unwrap().unwrap();
        self.lines.lock().unwrap().clone()
    }
}

fn configure(folder: &Path, journal: &str, more: &str) {
    let text = format!(
        "time_zone = \"UTC\"\ndefault_domain = \"CORP\"\ndefault.action = \"allow\"\njournal.folder = \"{journal}\"\n{more}"
    );
    std::fs::write(folder.join("rasadmin.toml"), text).unwrap();
}

#[test]
fn a_journal_that_cannot_be_used_does_not_end_a_service_that_runs() {
    let running = Running::new();
    // A file has the name of the folder.
    std::fs::write(running.journal("second"), "").unwrap();
    configure(running.folder.path(), "second", "");
    let waits = "warning: the rasadmin service cannot start its duties again: the journal's folder cannot be used: ";
    running.until(waits, || running.says(waits) == 1);
    assert!(!running.runs("first"), "that one is no longer served");
    // It is tried again at once when the file changes.
    configure(running.folder.path(), "third", "");
    running.until("journal `third`", || running.runs("third"));
    let lines = running.end();
    assert_eq!(lines.last().unwrap(), "the rasadmin service has stopped");
}

#[test]
fn a_service_that_cannot_start_again_still_stops() {
    let running = Running::new();
    std::fs::write(running.journal("second"), "").unwrap();
    configure(running.folder.path(), "second", "");
    running.until("it waits", || running.says("cannot start its duties again") == 1);
    let lines = running.end();
    assert_eq!(lines.last().unwrap(), "the rasadmin service has stopped");
}

#[test]
fn the_lock_is_held_while_the_duties_of_the_same_journal_start_again() {
    let running = Running::new();
    // Who takes the lock writes the number of its process here.
    let lock = running.journal("first").join(rasadmin_journal::SERVICE);
    std::fs::write(&lock, "as it was").unwrap();
    configure(running.folder.path(), "first", "[service.retention]\nenabled = false\n");
    running.until("it starts again", || running.says("duties: follow") == 2);
    assert_eq!(std::fs::read_to_string(&lock).unwrap(), "as it was");
    running.end();
}
