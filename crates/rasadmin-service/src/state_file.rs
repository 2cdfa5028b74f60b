//! The state on disk: two files in the journal's folder, which are written in turn. Each has a number, and the one with
//! the higher number counts. A reader finds a whole state at any time, and so it does after a crash: a file that is half
//! written is not valid, and the other one still is. (Windows cannot replace a file that somebody has open, so a rename
//! would fail now and then.)

use crate::state::State;
use rasadmin_rights::private::{foreign, only_ours};
use serde::{Deserialize, Serialize};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The names of the files.
pub const FILES: [&str; 2] = ["service-state-0.json", "service-state-1.json"];

#[derive(Serialize, Deserialize)]
struct Numbered {
    number: u64,
    state: State,
}

/// Writes states.
#[derive(Debug)]
pub struct StateFile {
    folder: PathBuf,
    number: u64,
}

impl StateFile {
    /// In the journal's folder. Returns the last state of an earlier process too.
    pub fn open(folder: &Path) -> (Self, Option<State>) {
        let last = newest(folder);
        let number = last.as_ref().map_or(0, |last| last.number);
        (Self { folder: folder.to_owned(), number }, last.map(|last| last.state))
    }

    /// Writes a state.
    ///
    /// # Errors
    ///
    /// If it cannot be written. The last one stays.
    pub fn write(&mut self, state: &State) -> io::Result<()> {
        let number = self.number + 1;
        let text = serde_json::to_vec(&Numbered { number, state: state.clone() })?;
        let path = self.folder.join(FILES[usize::from(number % 2 == 1)]);
        let mut options = std::fs::OpenOptions::new();
        let opened = only_ours(options.write(true).create(true).truncate(true)).open(&path);
        let written = opened.and_then(|mut file| file.write_all(&text));
        written.map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?;
        self.number = number;
        Ok(())
    }
}

/// The last state that was written to a journal's folder; None if there is none.
pub fn read(folder: &Path) -> Option<State> {
    newest(folder).map(|numbered| numbered.state)
}

fn newest(folder: &Path) -> Option<Numbered> {
    let one = |name: &&str| {
        let path = folder.join(name);
        let text = std::fs::read(&path).ok().filter(|_| foreign(&path).is_none())?;
        serde_json::from_slice::<Numbered>(&text).ok()
    };
    FILES.iter().filter_map(one).max_by_key(|numbered| numbered.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(started: i64) -> State {
        State { started, ..State::default() }
    }

    #[test]
    fn the_last_state_is_read_also_if_the_next_one_is_half_written() {
        let folder = tempfile::tempdir().unwrap();
        let (mut file, before) = StateFile::open(folder.path());
        assert_eq!((before, read(folder.path())), (None, None));
        for number in 1..=5 {
            file.write(&started(number)).unwrap();
            assert_eq!(read(folder.path()).unwrap().started, number);
        }
        // The sixth goes to the first file.
        let text = std::fs::read(folder.path().join(FILES[0])).unwrap();
        std::fs::write(folder.path().join(FILES[0]), &text[..text.len() / 2]).unwrap();
        assert_eq!(read(folder.path()).unwrap().started, 5);
        let (mut file, before) = StateFile::open(folder.path());
        assert_eq!(before, Some(started(5)));
        file.write(&started(6)).unwrap();
        assert_eq!(read(folder.path()), Some(started(6)));
    }
}
