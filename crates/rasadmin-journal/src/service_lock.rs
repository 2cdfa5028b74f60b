//! The lock of the rasadmin service: one process serves a journal at a time, and others can see whether one does.
//!
//! The holder locks one byte of a file, which the system releases when the process ends, however it ends. The file also
//! names the process, for messages.

use crate::error::{Context, Error};
use crate::folder;
use crate::kernel::{self, Mode};
use crate::notice::Notice;
use crate::owner;
use crate::wait;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The name of the file.
pub const FILE: &str = "service.lock";

/// The byte that is locked: far behind the text, because Windows cannot read what is locked.
const BYTE: u64 = 1 << 30;

/// How long to wait for the lock. A process that looks whether it is held has it for a moment.
const PATIENCE: Duration = Duration::from_millis(500);

/// The lock, for as long as this value lives.
#[derive(Debug)]
pub struct ServiceLock {
    file: File,
    path: PathBuf,
}

/// The result of an attempt to take the lock.
#[derive(Debug)]
pub enum Taken {
    /// This process has it.
    Ours(ServiceLock, Vec<Notice>),
    /// Another process has it.
    Held(Holder),
}

/// The process that holds the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its number; None if the file does not say.
    pub process: Option<u32>,
}

impl ServiceLock {
    /// Takes the lock of the journal in a folder. If the folder is missing, it is created for administrators only.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Full`].
    pub fn take(folder: &Path) -> Result<Taken, Error> {
        rasadmin_rights::private::make_folder(folder).when("make", folder)?;
        let path = folder.join(FILE);
        let mut notices = Vec::new();
        let mut file = folder::open_or_make(&path, &mut notices)?;
        let locked = wait::until(Instant::now() + PATIENCE, || {
            Ok(kernel::try_lock(&file, BYTE, Mode::Exclusive).when("lock", &path)?.then_some(()))
        });
        match locked {
            Ok(()) => {}
            Err(Error::Locked) => return Ok(Taken::Held(Holder { process: named(&mut file) })),
            Err(error) => return Err(error),
        }
        let own = format!("{}\n", std::process::id());
        file.set_len(0).when("write", &path)?;
        file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(own.as_bytes())).when("write", &path)?;
        Ok(Taken::Ours(Self { file, path }, notices))
    }

    /// Does the file still have its name? If it was moved or deleted, another process can take the lock of the new file.
    pub fn is_in_place(&self) -> bool {
        kernel::is_at(&self.file, &self.path)
    }
}

/// Which process serves the journal in a folder? None: no process does. Does not wait, and changes nothing. If the file
/// cannot be opened for writing, which locking needs, the process that it names counts if it is alive.
///
/// # Errors
/// If the file exists and cannot be read.
pub fn service_of(folder: &Path) -> Result<Option<Holder>, Error> {
    let path = folder.join(FILE);
    if !std::fs::symlink_metadata(&path).is_ok_and(|of| of.is_file()) || owner::foreign(&path).is_some() {
        return Ok(None);
    }
    if let Ok(mut file) = File::options().read(true).write(true).open(&path) {
        // Shared, so that two processes that look do not see each other.
        if kernel::try_lock(&file, BYTE, Mode::Shared).when("lock", &path)? {
            return Ok(None);
        }
        return Ok(Some(Holder { process: named(&mut file) }));
    }
    let process = named(&mut File::open(&path).when("open", &path)?);
    Ok(process.filter(|process| kernel::created(*process).is_some()).map(|process| Holder { process: Some(process) }))
}

fn named(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(64).read_to_string(&mut text).ok()?;
    text.lines().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(folder: &Path) -> ServiceLock {
        match ServiceLock::take(folder).unwrap() {
            Taken::Ours(lock, notices) => {
                assert_eq!(notices, []);
                lock
            }
            Taken::Held(holder) => panic!("{holder:?}"),
        }
    }

    #[test]
    fn one_holder_at_a_time_whom_others_can_see() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("journal");
        assert_eq!(service_of(&folder).unwrap(), None, "there is no folder");
        let lock = take(&folder);
        let own = Holder { process: Some(std::process::id()) };
        assert_eq!(service_of(&folder).unwrap(), Some(own));
        assert!(matches!(ServiceLock::take(&folder).unwrap(), Taken::Held(holder) if holder == own));
        assert!(lock.is_in_place());
        drop(lock);
        assert_eq!(service_of(&folder).unwrap(), None);
        drop(take(&folder));
    }

    /// On Windows a file that is open like this can be renamed too, but not under Wine.
    #[cfg(unix)]
    #[test]
    fn a_lock_whose_file_was_moved_is_not_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let lock = take(folder.path());
        std::fs::rename(folder.path().join(FILE), folder.path().join("elsewhere")).unwrap();
        assert!(!lock.is_in_place());
        assert_eq!(service_of(folder.path()).unwrap(), None);
    }
}
