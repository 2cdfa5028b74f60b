//! Where the configuration and the log are: the DLL's own folder is one of the places, and a rehearsal has its own.
//!
//! RASADMIN_SCRATCH names the folder of a rehearsal, which bears a mark: a file `rasadmin-scratch`. Configuration,
//! ledger, last good configuration and log are there, and only there are the test doors heeded. A folder without the
//! mark may hold somebody's real ledger, and going on with the machine's own places would write a rehearsal's users
//! into them. So nothing is opened, and initialise fails, as for a RASADMIN_CONFIG that names what is not there.

use rasadmin_engine::config;
use rasadmin_messages::Message;
use rasadmin_sdk::{InitializeError, abi, library};
use rasadmin_system::places;
use std::path::{Path, PathBuf};

/// No configuration was ever good: ERROR_BAD_CONFIGURATION.
pub const CONFIG_IS_BAD: u32 = 1610;

/// What names the folder of a rehearsal.
const SCRATCH: &str = "RASADMIN_SCRATCH";

/// The file in it that says what it is.
const MARKER: &str = "rasadmin-scratch";

/// Which store this process uses.
pub enum Location {
    /// The machine's.
    Machine,
    /// A rehearsal's: the folder.
    Scratch(PathBuf),
    /// The folder was named for a rehearsal, and bears no mark.
    Unmarked(PathBuf),
}

impl Location {
    /// As the environment says.
    pub fn find() -> Self {
        match places::variable(SCRATCH) {
            None => Self::Machine,
            Some(folder) if folder.join(MARKER).is_file() => {
                // The ledger's path, which it is compared with, is absolute.
                Self::Scratch(std::path::absolute(&folder).unwrap_or(folder))
            }
            Some(folder) => Self::Unmarked(folder),
        }
    }

    /// Is it a rehearsal's?
    pub fn is_scratch(&self) -> bool {
        matches!(self, Self::Scratch(_))
    }

    /// The log. That the mark is missing is told in the machine's.
    pub fn log_file(&self) -> PathBuf {
        match self {
            Self::Scratch(folder) => folder.join("rasadmin.log"),
            Self::Machine | Self::Unmarked(_) => places::log_file(),
        }
    }

    /// The configuration: where [`config::find`] finds it, or the rehearsal's.
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

/// The configuration of a rehearsal. Its journal and its ledger must be in the same folder: it is a copy of somebody's
/// real one, which may name the real ones.
fn scratch_config(folder: &Path) -> Result<PathBuf, String> {
    let file = folder.join("rasadmin.toml");
    if !file.is_file() {
        return Err(format!(
            "{}: there is no configuration here, and {SCRATCH} names this folder: unset the variable, or name a folder \
             that `rasadmin host run --keep` made",
            file.display()
        ));
    }
    // What is wrong with a broken one is told when it is started with.
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
