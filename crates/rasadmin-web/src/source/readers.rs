//! Readers of the ledger that stay open between two pages.
//!
//! They do not stay long: on Windows a file that is open cannot be replaced, which `rasadmin ledger` and a restore do.

use super::lock;
use rasadmin_ledger::Error;
use rasadmin_ledger::report::{Reader, Version};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How many stay open.
const MOST: usize = 8;

/// How long one stays open that nobody uses.
const IDLE: Duration = Duration::from_secs(5);

/// How often a question is asked while somebody changes a ledger that is read as a file that nobody changes.
const TRIES: usize = 4;

/// Readers that nobody uses at the moment.
#[derive(Clone, Default)]
pub struct Readers(Arc<Mutex<Spare>>);

#[derive(Default)]
struct Spare {
    /// The ledger that they read.
    path: PathBuf,
    all: Vec<Kept>,
    /// Whether a thread closes those that nobody has used for a while.
    closes: bool,
}

struct Kept {
    reader: Reader,
    /// What the ledger was when it was opened.
    version: Version,
    since: Instant,
}

impl Readers {
    /// Asks a reader of this ledger. One that reads a file that was replaced meanwhile is not used again. One without the
    /// right to write takes the file for one that nobody changes; if somebody does, the question is asked again.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn ask<T>(&self, path: &Path, mut question: impl FnMut(&Reader) -> Result<T, Error>) -> Result<T, Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            let (reader, version) = match self.spare(path) {
                Some(kept) => kept,
                None => {
                    let reader = Reader::open(path)?;
                    let version = reader.version()?;
                    (reader, version)
                }
            };
            let answer = question(&reader);
            // Neither an answer nor an error says anything if the file changed under the reader.
            match reader.check_rest() {
                Err(_) if tries < TRIES => {}
                Err(changed) => return Err(changed),
                Ok(()) => {
                    let answer = answer?;
                    self.keep(path, Kept { reader, version, since: Instant::now() });
                    return Ok(answer);
                }
            }
        }
    }

    fn spare(&self, path: &Path) -> Option<(Reader, Version)> {
        loop {
            let Kept { reader, version, .. } = {
                let mut spare = lock(&self.0);
                if spare.path != path {
                    spare.all.clear();
                    path.clone_into(&mut spare.path);
                }
                spare.all.pop()?
            };
            if reader.version().is_ok_and(|now| !now.needs_new_reader(&version)) {
                return Some((reader, version));
            }
        }
    }

    fn keep(&self, path: &Path, kept: Kept) {
        let mut spare = lock(&self.0);
        if spare.path != path || spare.all.len() >= MOST {
            return;
        }
        spare.all.push(kept);
        if !std::mem::replace(&mut spare.closes, true) {
            let readers = Arc::downgrade(&self.0);
            let close = move || {
                loop {
                    std::thread::sleep(IDLE);
                    let Some(readers) = readers.upgrade() else { return };
                    if !lock(&readers).close_idle(Instant::now()) {
                        return;
                    }
                }
            };
            // Without a thread they stay open until they are used.
            spare.closes = std::thread::Builder::new().name("idle readers".to_owned()).spawn(close).is_ok();
        }
    }

    #[cfg(test)]
    fn open(&self) -> usize {
        lock(&self.0).all.len()
    }
}

impl Spare {
    /// Closes those that nobody has used for a while. False if there are no others, so that the thread ends.
    fn close_idle(&mut self, now: Instant) -> bool {
        self.all.retain(|kept| now.saturating_duration_since(kept.since) < IDLE);
        self.closes = !self.all.is_empty();
        self.closes
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rasadmin_ledger::sqlite::{Create, Sqlite};

    fn make(path: &Path) {
        drop(Sqlite::open(path, Create::Yes, false, Instant::now() + Duration::from_secs(60)).unwrap());
    }

    /// How many anomalies the ledger has.
    fn anomalies(readers: &Readers, path: &Path) -> usize {
        readers.ask(path, |reader| reader.anomalies(9)).unwrap().len()
    }

    #[test]
    fn a_reader_is_used_again_and_closed_when_nobody_has_used_it_for_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        make(&path);
        let readers = Readers::default();
        anomalies(&readers, &path);
        anomalies(&readers, &path);
        assert_eq!(readers.open(), 1);
        let now = Instant::now();
        assert!(lock(&readers.0).close_idle(now));
        assert_eq!(readers.open(), 1, "it may be used again soon");
        assert!(!lock(&readers.0).close_idle(now + IDLE), "the thread ends");
        assert_eq!(readers.open(), 0);
    }

    /// Makes a ledger, and another with an anomaly that the first one lacks.
    #[cfg(unix)]
    fn make_two(folder: &Path) -> [PathBuf; 2] {
        let both = ["ledger.db", "other.db"].map(|name| folder.join(name));
        both.iter().for_each(|path| make(path));
        let statement = "INSERT INTO anomalies (effect, time, server, instance, what, details) VALUES ('e', 1, 'VPN1', 1, 'w', 'd')";
        rusqlite::Connection::open(&both[1]).unwrap().execute(statement, []).unwrap();
        both
    }

    #[cfg(unix)] // On Windows a ledger that is open cannot be replaced.
    #[test]
    fn a_question_is_asked_again_if_the_file_changed_under_a_reader_that_cannot_see_it() {
        let folder = tempfile::tempdir().unwrap();
        let [path, other] = make_two(folder.path());
        // Without its file of shared memory, SQLite reads the ledger as an immutable file. It follows no link to it.
        std::os::unix::fs::symlink("none", folder.path().join("ledger.db-shm")).unwrap();
        let readers = Readers::default();
        assert_eq!(anomalies(&readers, &path), 0);
        for fails in [false, true] {
            let mut asked = 0;
            let found = readers.ask(&path, |reader| {
                asked += 1;
                let found = reader.anomalies(9)?.len();
                if asked == 1 {
                    let copy = folder.path().join("copy.db");
                    std::fs::copy(&other, &copy).unwrap();
                    std::fs::rename(&copy, &path).unwrap();
                }
                if fails && asked == 1 {
                    Reader::open(&folder.path().join("none.db"))?;
                }
                Ok(found)
            });
            assert_eq!((found.unwrap(), asked), (1, 2));
            assert_eq!(anomalies(&readers, &path), 1);
        }
        // It does not go on without end.
        let changed = readers.ask(&path, |_| {
            let copy = folder.path().join("copy.db");
            std::fs::copy(&other, &copy).unwrap();
            std::fs::rename(&copy, &path).unwrap();
            Ok(())
        });
        assert!(changed.unwrap_err().to_string().contains("changed while it was read"));
    }

    #[cfg(unix)] // On Windows a ledger that is open cannot be replaced.
    #[test]
    fn a_ledger_that_replaces_another_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let [path, other] = make_two(folder.path());
        let readers = Readers::default();
        assert_eq!(anomalies(&readers, &path), 0);
        std::fs::rename(&other, &path).unwrap();
        assert_eq!(anomalies(&readers, &path), 1);
    }
}
