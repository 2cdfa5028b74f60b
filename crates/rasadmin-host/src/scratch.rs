//! A rehearsal is not the service: the DLLs that are driven find a configuration, a journal and a log of their own, and
//! never those of the machine.
//!
//! A folder holds them. It bears a mark, a file that says what it is, and it is named to the DLLs in the environment,
//! which a process can only give to another: so DLLs are driven in a child process. It is thrown away afterwards, or
//! kept to look at. Our product heeds the variables below; other DLLs may.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The file that marks a folder as scratch.
pub const MARK: &str = "rasadmin-scratch";

/// Names the folder to our product, which then uses no other.
pub const VARIABLE: &str = "RASADMIN_SCRATCH";

/// Names the file of [`crate::clock`]. Our product heeds it where there is a scratch folder.
pub const CLOCK: &str = "RASADMIN_CLOCK";

/// The file in the folder that [`CLOCK`] names.
const CLOCK_FILE: &str = "clock";

/// A configuration by which everyone is allowed and everything recorded.
pub const AUDIT_ONLY: &str = "default.action = \"allow\"\n";

const WHAT_IT_IS: &str = "This folder is a rehearsal's: rasadmin host or rasadmin check made it, and may write into it.\n\
                          What is in it happened to no user. Delete the folder when you are done with it.\n";

/// The folder.
#[derive(Debug)]
pub struct Scratch(Kind);

#[derive(Debug)]
enum Kind {
    Temporary(TempDir),
    Kept(PathBuf),
}

/// Why a folder cannot be used.
#[derive(Debug)]
pub enum ScratchError {
    /// It could be somebody's real one: it has something in it, and no mark.
    NotScratch(PathBuf),
    /// It cannot be made or written.
    Io(PathBuf, io::Error),
}

impl fmt::Display for ScratchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotScratch(folder) => write!(
                f,
                "{}: it is neither empty nor a rehearsal's folder (there is no file `{MARK}` in it): name another",
                folder.display()
            ),
            Self::Io(folder, e) => write!(f, "no scratch folder {}: {e}", folder.display()),
        }
    }
}

impl std::error::Error for ScratchError {}

impl Scratch {
    /// A folder that is deleted when this is dropped.
    pub fn temporary() -> Result<Self, ScratchError> {
        let made = tempfile::Builder::new().prefix("rasadmin-scratch-").tempdir();
        let folder = made.map_err(|e| ScratchError::Io(std::env::temp_dir(), e))?;
        mark(folder.path())?;
        Ok(Self(Kind::Temporary(folder)))
    }

    /// A folder that stays. It does not exist, is empty, or bears the mark: then what earlier runs left in it stays,
    /// and this run adds to it. Only their clock is deleted: it would stand still.
    pub fn keep(folder: &Path) -> Result<Self, ScratchError> {
        let failed = |e| ScratchError::Io(folder.to_owned(), e);
        let folder = std::path::absolute(folder).map_err(failed)?;
        if !is_marked(&folder) {
            std::fs::create_dir_all(&folder).map_err(failed)?;
            if std::fs::read_dir(&folder).map_err(failed)?.next().is_some() {
                return Err(ScratchError::NotScratch(folder));
            }
            mark(&folder)?;
        }
        match std::fs::remove_file(folder.join(CLOCK_FILE)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed(e)),
            _ => Ok(Self(Kind::Kept(folder))),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        match &self.0 {
            Kind::Temporary(folder) => folder.path(),
            Kind::Kept(folder) => folder,
        }
    }

    /// Its configuration.
    pub fn config(&self) -> PathBuf {
        self.path().join("rasadmin.toml")
    }

    /// What a process that drives DLLs must have in its environment. The log's variable is heeded by every DLL that
    /// uses our SDK's.
    pub fn environment(&self) -> [(&'static str, OsString); 4] {
        [
            (VARIABLE, self.path().into()),
            (CLOCK, self.path().join(CLOCK_FILE).into()),
            ("RASADMIN_CONFIG", self.config().into()),
            ("RASADMIN_LOG", self.path().join("rasadmin.log").into()),
        ]
    }
}

/// Does the folder bear the mark?
pub fn is_marked(folder: &Path) -> bool {
    folder.join(MARK).is_file()
}

fn mark(folder: &Path) -> Result<(), ScratchError> {
    std::fs::write(folder.join(MARK), WHAT_IT_IS).map_err(|e| ScratchError::Io(folder.to_owned(), e))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_temporary_one_is_marked_and_goes() {
        let scratch = Scratch::temporary().unwrap();
        let path = scratch.path().to_owned();
        assert!(is_marked(&path));
        assert_eq!(scratch.environment()[0], (VARIABLE, path.clone().into()));
        drop(scratch);
        assert!(!path.exists());
    }

    #[test]
    fn one_to_keep_is_new_empty_or_marked() {
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path().join("a/b");
        drop(Scratch::keep(&new).unwrap());
        assert!(is_marked(&new));
        std::fs::write(new.join("rasadmin.db"), "of an earlier run").unwrap();
        Scratch::keep(&new).unwrap();
        assert_eq!(std::fs::read_to_string(new.join("rasadmin.db")).unwrap(), "of an earlier run");
        let empty = folder.path().join("empty");
        std::fs::create_dir(&empty).unwrap();
        Scratch::keep(&empty).unwrap();
        let real = folder.path().join("real");
        std::fs::create_dir(&real).unwrap();
        std::fs::write(real.join("rasadmin.db"), "somebody's").unwrap();
        let refused = Scratch::keep(&real).unwrap_err();
        assert!(matches!(&refused, ScratchError::NotScratch(path) if *path == real), "{refused}");
        assert!(!is_marked(&real));
        let file = real.join("rasadmin.db");
        assert!(matches!(Scratch::keep(&file).unwrap_err(), ScratchError::Io(..)));
    }
}
