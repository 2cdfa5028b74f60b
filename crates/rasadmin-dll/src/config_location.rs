//! Where configuration and log are: on the machine, or in the scratch folder of a test run.
//!
//! The environment variable RASADMIN_SCRATCH names a scratch folder, which has the marker file `rasadmin-scratch`. A
//! scratch run has its configuration, journal, ledger and log there, and only a scratch run uses the hooks for tests. A
//! folder without the marker could contain a real ledger, and using the machine's files instead would write test users
//! into them. So in both cases nothing is opened, and initialise fails, as it does if RASADMIN_CONFIG names a missing
//! file.

use rasadmin_engine::config;
use rasadmin_messages::Message;
use rasadmin_sdk::{InitializeError, abi, library};
use rasadmin_system::places;
use std::path::{Path, PathBuf};

/// The configuration has never been valid: ERROR_BAD_CONFIGURATION.
pub const CONFIG_IS_BAD: u32 = 1610;

/// The environment variable that names the scratch folder.
const SCRATCH: &str = "RASADMIN_SCRATCH";

/// The marker file in it.
const MARKER: &str = "rasadmin-scratch";

/// Where this process finds its files.
pub enum Location {
    /// In the machine's places.
    Machine,
    /// In this scratch folder.
    Scratch(PathBuf),
    /// This folder was named as the scratch folder, but has no marker.
    Unmarked(PathBuf),
}

impl Location {
    /// Reads the environment.
    pub fn find() -> Self {
        match places::variable(SCRATCH) {
            None => Self::Machine,
            Some(folder) if folder.join(MARKER).is_file() => {
                // Absolute, because it is compared with the ledger's path.
                Self::Scratch(std::path::absolute(&folder).unwrap_or(folder))
            }
            Some(folder) => Self::Unmarked(folder),
        }
    }

    /// Is this a scratch run?
    pub fn is_scratch(&self) -> bool {
        matches!(self, Self::Scratch(_))
    }

    /// Returns the log file. If the marker is missing, that is reported in the machine's log.
    pub fn log_file(&self) -> PathBuf {
        match self {
            Self::Scratch(folder) => folder.join("rasadmin.log"),
            Self::Machine | Self::Unmarked(_) => places::log_file(),
        }
    }

    /// Returns the configuration file: see [`config::find`], or the scratch folder's.
    pub fn config_file(&self) -> Result<PathBuf, InitializeError> {
        let found = match self {
            Self::Machine => {
                let beside = library::own_path().and_then(|path| path.parent().map(PathBuf::from));
                config::find(&places::config_places(beside)).map_err(|details| details.to_string())
            }
            Self::Scratch(folder) => scratch_config(folder),
            Self::Unmarked(folder) => Err(format!(
                "{SCRATCH} names {}, which is not marked as scratch: there is no file `{MARKER}` in it; a real journal \
                 could be there: unset the variable, or name a folder that `rasadmin host run --keep` made",
                folder.display()
            )),
        };
        found.map_err(|details| {
            Message::ConfigNotFound { details: &details }.emit();
            InitializeError::new(abi::ERROR_FILE_NOT_FOUND, "")
        })
    }
}

/// Returns the configuration of a scratch run. Journal and ledger must be in the same folder: the file is a copy of a
/// real configuration, which may name the real ones.
fn scratch_config(folder: &Path) -> Result<PathBuf, String> {
    let file = folder.join("rasadmin.toml");
    if !file.is_file() {
        return Err(format!(
            "{}: there is no configuration here, and {SCRATCH} names this folder: unset the variable, or name a folder \
             that `rasadmin host run --keep` made",
            file.display()
        ));
    }
    // Errors in the configuration are reported later, when it is loaded.
    match config::load(&file) {
        Ok(config) => {
            let outside = |what, key, path: &Path| {
                (path.parent() != Some(folder)).then(|| {
                    let (file, path) = (file.display(), path.display());
                    format!("{file} names the {what} {path}, which is outside the folder that {SCRATCH} names: leave `{key}` out")
                })
            };
            let journal = outside("journal", "journal.folder", &config.journal);
            let ledger = outside("ledger", "ledger.path", &config.ledger);
            journal.or(ledger).map_or(Ok(file.clone()), Err)
        }
        Err(_) => Ok(file),
    }
}
