//! Whether somebody has changed the ledger since the last look, without asking what.

use super::Reader;
use crate::queries::sqlite_only::DATA_VERSION;
use crate::{Error, ErrorKind};
use std::path::Path;
use std::time::SystemTime;

/// What the ledger was at one look of a [`Reader`]. Two looks of the same reader differ if another process has changed the
/// ledger between them. Those of different readers say nothing about each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    commits: i64,
    file: File,
}

/// Which file has the ledger's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct File {
    #[cfg(unix)]
    identity: Option<(u64, u64)>,
    /// Of a ledger that is read as a file that nobody changes.
    written: Option<(u64, Option<SystemTime>)>,
    /// The length of that ledger's write-ahead log.
    log: Option<u64>,
}

impl Version {
    /// Whether the reader of `before` must be opened again to see what there is now: its file was replaced, or it reads
    /// the file as one that nobody changes.
    #[must_use]
    pub fn needs_new_reader(&self, before: &Self) -> bool {
        self.file != before.file
    }
}

impl Reader {
    /// What the ledger is now. This costs far less than a query.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn version(&self) -> Result<Version, Error> {
        let commits = self.database.one(DATA_VERSION, &[], |row| row.get(0))?.unwrap_or(0);
        Ok(Version { commits, file: File::of(self.database.path(), self.at_rest.is_some()) })
    }

    /// Checks that the file is as it was when this reader was opened, if the reader takes it for one that nobody changes:
    /// what it has read of another may be partly old and partly new. Other readers notice changes by themselves.
    ///
    /// # Errors
    /// If it is not.
    pub fn check_rest(&self) -> Result<(), Error> {
        let path = self.database.path();
        match self.at_rest {
            Some(opened) if File::of(path, true) != opened => {
                Err(Error::new(ErrorKind::Locked, path, "it was changed while it was read"))
            }
            _ => Ok(()),
        }
    }
}

impl File {
    pub(super) fn of(path: &Path, at_rest: bool) -> Self {
        let metadata = |path: &Path| std::fs::metadata(path).ok();
        let of_itself = metadata(path);
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        Self {
            #[cfg(unix)]
            identity: of_itself.as_ref().map(|file| {
                use std::os::unix::fs::MetadataExt;
                (file.dev(), file.ino())
            }),
            written: of_itself.filter(|_| at_rest).map(|file| (file.len(), file.modified().ok())),
            log: metadata(log.as_ref()).filter(|_| at_rest).map(|log| log.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::queries::sqlite_only::SET_SCHEMA_VERSION;
    use crate::sqlite::{Create, Sqlite};
    use std::time::{Duration, Instant};

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    fn writer(path: &Path) -> Sqlite {
        Sqlite::open(path, Create::Yes, true, soon()).unwrap()
    }

    /// Writes something that changes nothing.
    fn write(writer: &mut Sqlite) {
        writer.transact(soon(), false, |database| database.set(SET_SCHEMA_VERSION)).unwrap();
    }

    #[test]
    fn it_differs_after_somebody_has_written_and_only_then() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let mut writer = writer(&path);
        let reader = Reader::open(&path).unwrap();
        let before = reader.version().unwrap();
        assert_eq!(reader.version().unwrap(), before);
        reader.counts().unwrap();
        assert_eq!(reader.version().unwrap(), before, "reading changes nothing");
        write(&mut writer);
        let after = reader.version().unwrap();
        assert_ne!(after, before);
        assert_eq!(reader.version().unwrap(), after);
        assert!(!after.needs_new_reader(&before));
    }

    #[cfg(unix)] // On Windows an open file cannot be replaced.
    #[test]
    fn another_file_in_its_place_needs_a_new_reader() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        drop(writer(&path));
        let reader = Reader::open(&path).unwrap();
        let before = reader.version().unwrap();
        std::fs::rename(&path, folder.path().join("away.db")).unwrap();
        let without = reader.version().unwrap();
        assert!(without.needs_new_reader(&before));
        drop(writer(&path));
        let replaced = reader.version().unwrap();
        assert!(replaced.needs_new_reader(&before) && replaced.needs_new_reader(&without));
    }

    /// A reader without the right to write beside the ledger would never see a change.
    #[test]
    fn one_that_was_at_rest_needs_a_new_reader_when_somebody_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        drop(writer(&path));
        let reader = Reader::try_open(&path, Some(File::of(&path, true))).unwrap();
        let before = reader.version().unwrap();
        assert_eq!(reader.version().unwrap(), before);
        reader.check_rest().unwrap();
        let mut writer = writer(&path);
        write(&mut writer);
        assert!(reader.version().unwrap().needs_new_reader(&before));
        assert_eq!(reader.check_rest().unwrap_err().kind, ErrorKind::Locked);
    }
}
