//! The scratch folder of a run. DLLs under test find their configuration, journal and log there, never those of the
//! machine.
//!
//! A marker file says what the folder is. Environment variables name the folder to the DLLs. Since a process sets these
//! safely only for another, the DLLs run in a child process. The folder is deleted afterwards, or kept for inspection.
//! rasadmin.dll obeys the variables below; other DLLs may, too.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The name of the marker file.
pub const MARKER: &str = "rasadmin-scratch";

/// The variable that names the folder to rasadmin.dll, which then uses no other.
pub const SCRATCH_VARIABLE: &str = "RASADMIN_SCRATCH";

/// The variable that names the file of [`crate::clock`]. rasadmin.dll obeys it if it has a scratch folder.
pub const CLOCK_VARIABLE: &str = "RASADMIN_CLOCK";

/// The name of the clock's file in the folder.
pub const CLOCK_FILE: &str = "clock";

/// A configuration that allows everyone and records everything.
pub const AUDIT_ONLY: &str = "default.action = \"allow\"\n";

const MARKER_TEXT: &str = "rasadmin host or rasadmin check made this folder for a test run, and may write to it.\n\
                           No real user was involved. Delete the folder when you no longer need it.\n";

/// A scratch folder.
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
    /// It has files in it and no marker, so it may be in use for something else.
    NotScratch(PathBuf),
    /// It cannot be created or written to.
    Io(PathBuf, io::Error),
}

impl fmt::Display for ScratchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotScratch(folder) => write!(
                f,
                "{}: the folder is neither empty nor from an earlier test run (it has no file `{MARKER}`): name another",
                folder.display()
            ),
            Self::Io(folder, e) => write!(f, "cannot use the scratch folder {}: {e}", folder.display()),
        }
    }
}

impl std::error::Error for ScratchError {}

impl Scratch {
    /// Creates a temporary folder, which is deleted when this value is dropped.
    ///
    /// # Errors
    /// If the folder cannot be created or written to.
    pub fn temporary() -> Result<Self, ScratchError> {
        let made = tempfile::Builder::new().prefix("rasadmin-scratch-").tempdir();
        let folder = made.map_err(|e| ScratchError::Io(std::env::temp_dir(), e))?;
        write_marker(folder.path())?;
        Ok(Self(Kind::Temporary(folder)))
    }

    /// Uses a folder that is kept. It must be new, empty, or have the marker. In the last case the files of earlier runs
    /// stay, and this run adds to them. Only their clock is deleted, because it would stand still.
    ///
    /// # Errors
    /// If the folder may be in use for something else, or cannot be created or written to.
    pub fn keep(folder: &Path) -> Result<Self, ScratchError> {
        let failed = |e| ScratchError::Io(folder.to_owned(), e);
        let folder = std::path::absolute(folder).map_err(failed)?;
        if !is_marked(&folder) {
            std::fs::create_dir_all(&folder).map_err(failed)?;
            if std::fs::read_dir(&folder).map_err(failed)?.next().is_some() {
                return Err(ScratchError::NotScratch(folder));
            }
            write_marker(&folder)?;
        }
        match std::fs::remove_file(folder.join(CLOCK_FILE)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed(e)),
            _ => Ok(Self(Kind::Kept(folder))),
        }
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        match &self.0 {
            Kind::Temporary(folder) => folder.path(),
            Kind::Kept(folder) => folder,
        }
    }

    /// The path of its configuration.
    pub fn config(&self) -> PathBuf {
        self.path().join("rasadmin.toml")
    }

    /// The variables for the environment of a process that runs DLLs. Every DLL that uses the SDK's log obeys
    /// RASADMIN_LOG.
    pub fn environment(&self) -> [(&'static str, OsString); 4] {
        [
            (SCRATCH_VARIABLE, self.path().into()),
            (CLOCK_VARIABLE, self.path().join(CLOCK_FILE).into()),
            ("RASADMIN_CONFIG", self.config().into()),
            ("RASADMIN_LOG", self.path().join("rasadmin.log").into()),
        ]
    }
}

/// Whether the folder has the marker.
pub fn is_marked(folder: &Path) -> bool {
    folder.join(MARKER).is_file()
}

fn write_marker(folder: &Path) -> Result<(), ScratchError> {
    std::fs::write(folder.join(MARKER), MARKER_TEXT).map_err(|e| ScratchError::Io(folder.to_owned(), e))
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
        assert_eq!(scratch.environment()[0], (SCRATCH_VARIABLE, path.clone().into()));
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
