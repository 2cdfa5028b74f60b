//! A value on disk: two files that are written in turn. Each has a number, and the one with the higher number counts. A
//! reader finds a whole value at any time, even after a crash: a file that is half written is not valid, and the other one
//! still is. (Windows cannot replace a file that somebody has open, so a rename would fail now and then.)

use rasadmin_rights::private::{foreign, only_ours};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Numbered<T> {
    number: u64,
    state: T,
}

#[derive(Serialize)]
struct Numbering<'v, T> {
    number: u64,
    state: &'v T,
}

/// Writes values to two files of a folder.
#[derive(Debug)]
pub struct TwoFiles {
    files: [PathBuf; 2],
    number: u64,
}

impl TwoFiles {
    /// In a folder. Returns the last value of an earlier process too.
    pub fn open<T: DeserializeOwned>(folder: &Path, names: [&str; 2]) -> (Self, Option<T>) {
        let last = newest(folder, names);
        let number = last.as_ref().map_or(0, |last| last.number);
        (Self { files: names.map(|name| folder.join(name)), number }, last.map(|last| last.state))
    }

    /// Writes a value. Returns the size of its file.
    ///
    /// # Errors
    ///
    /// If it cannot be written. The last one stays.
    pub fn write<T: Serialize>(&mut self, value: &T) -> io::Result<u64> {
        let number = self.number + 1;
        let text = serde_json::to_vec(&Numbering { number, state: value })?;
        let path = &self.files[usize::from(number % 2 == 1)];
        let mut options = std::fs::OpenOptions::new();
        let opened = only_ours(options.write(true).create(true).truncate(true)).open(path);
        let written = opened.and_then(|mut file| file.write_all(&text));
        written.map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?;
        self.number = number;
        Ok(text.len() as u64)
    }
}

/// The last value that was written to a folder; None if there is none.
pub fn read<T: DeserializeOwned>(folder: &Path, names: [&str; 2]) -> Option<T> {
    newest(folder, names).map(|numbered| numbered.state)
}

fn newest<T: DeserializeOwned>(folder: &Path, names: [&str; 2]) -> Option<Numbered<T>> {
    let one = |name: &str| {
        let path = folder.join(name);
        let text = std::fs::read(&path).ok().filter(|_| foreign(&path).is_none())?;
        serde_json::from_slice::<Numbered<T>>(&text).ok()
    };
    names.into_iter().filter_map(one).max_by_key(|numbered| numbered.number)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const FILES: [&str; 2] = ["value-0.json", "value-1.json"];

    #[test]
    fn the_last_value_is_read_also_if_the_next_one_is_half_written() {
        let folder = tempfile::tempdir().unwrap();
        let (mut file, before) = TwoFiles::open::<u32>(folder.path(), FILES);
        assert_eq!((before, read::<u32>(folder.path(), FILES)), (None, None));
        for number in 1..=5 {
            file.write(&number).unwrap();
            assert_eq!(read(folder.path(), FILES), Some(number));
        }
        // The sixth goes to the first file.
        let text = std::fs::read(folder.path().join(FILES[0])).unwrap();
        std::fs::write(folder.path().join(FILES[0]), &text[..text.len() / 2]).unwrap();
        assert_eq!(read(folder.path(), FILES), Some(5));
        let (mut file, before) = TwoFiles::open(folder.path(), FILES);
        assert_eq!(before, Some(5));
        file.write(&6).unwrap();
        assert_eq!(read(folder.path(), FILES), Some(6));
    }
}
