//! A thread that must stop does so in the middle of what it does.

use crate::sqlite::{Create, Sqlite};
use crate::upkeep::Upkeep;
use crate::{Error, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

fn open(path: &Path, seconds: u64) -> Result<Sqlite, Error> {
    Sqlite::open(path, Create::Yes, false, Instant::now() + Duration::from_secs(seconds))
}

/// On a thread that must stop.
fn stopped<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::spawn(|| {
        crate::interrupt::when(Arc::new(AtomicBool::new(true)));
        work()
    });
    thread.join().unwrap()
}

#[test]
fn a_thread_that_must_stop_does_not_wait_for_a_locked_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(open(&path, 20).unwrap());
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    // A day, were it to wait.
    let refused = stopped(move || open(&path, 86_400).map(drop));
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Locked);
}

#[test]
fn a_long_statement_ends_and_leaves_the_ledger_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(open(&path, 20).unwrap());
    let many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
        INSERT INTO anomalies (effect, time, server, instance, what, details) SELECT i, 0, '', 0, '', '' FROM n";
    rusqlite::Connection::open(&path).unwrap().execute(many, []).unwrap();
    let copy = folder.path().join("copy.db");
    let interrupted = stopped({
        let (path, copy) = (path.clone(), copy.clone());
        move || Upkeep::open(&path)?.backup(&copy)
    });
    assert_eq!(interrupted.unwrap_err().kind, ErrorKind::Interrupted);
    let _ = std::fs::remove_file(&copy);
    Upkeep::open(&path).unwrap().backup(&copy).unwrap();
}
