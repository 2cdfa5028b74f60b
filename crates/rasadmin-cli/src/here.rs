//! Which configuration, journal and ledger a command is about.

use crate::bring_in;
use clap::Args;
use rasadmin_ledger::report::Reader;
use rasadmin_policy::Name;
use rasadmin_policy::config::{self, Config};
use rasadmin_system::places;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the configuration and the ledger are.
#[derive(Args, Clone, Debug, Default)]
pub struct Here {
    /// The configuration; without it, the one that the DLL on this computer would find
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A ledger other than the configuration's, such as a backup; nothing is brought into it
    #[arg(long, value_name = "FILE")]
    pub ledger: Option<PathBuf>,
    /// The journal's folder, if it is not the configuration's
    #[arg(long, value_name = "FOLDER")]
    pub journal: Option<PathBuf>,
}

/// A configuration that is valid, and the journal and the ledger that belong to it.
pub struct Place {
    /// None: there is none, only a ledger was named.
    pub file: Option<PathBuf>,
    pub config: Arc<Config>,
    /// None: a ledger was named, and nothing is brought into it.
    pub journal: Option<PathBuf>,
    pub ledger: PathBuf,
}

impl Here {
    /// The configuration's file, as the DLL would find it.
    pub fn file(&self) -> Result<PathBuf, String> {
        match &self.config {
            Some(path) => absolute(path),
            None => config::find(&places::config_places(None))
                .map_err(|e| format!("{e}; or name the configuration with --config, the ledger with --ledger")),
        }
    }

    /// The configuration, its journal and its ledger. If the configuration is broken, it warns and uses the last good
    /// one, as the DLL does.
    pub fn open(&self) -> Result<Place, String> {
        let ledger = self.ledger.as_deref().map(absolute).transpose()?;
        let file = match (self.file(), &ledger) {
            (Ok(file), _) => Some(file),
            (Err(_), Some(_)) if self.config.is_none() => None,
            (Err(e), _) => return Err(e),
        };
        let config = match &file {
            Some(file) => {
                let (config, broken) = config::for_computer(&places::server_name())
                    .read(file)
                    .map_err(|e| format!("the configuration is not valid:\n{e}"))?;
                if let Some(errors) = broken {
                    eprintln!("warning: the configuration is broken; the last good one is used instead:\n{errors}");
                }
                config
            }
            None => audit_only()?,
        };
        let own = ledger.as_ref().is_none_or(|ledger| *ledger == config.ledger);
        let named = self.journal.as_deref().map(absolute).transpose()?;
        let journal = named.or_else(|| (own && file.is_some()).then(|| config.journal.clone()));
        let ledger = ledger.unwrap_or_else(|| config.ledger.clone());
        Ok(Place { file, config: Arc::new(config), journal, ledger })
    }
}

impl Place {
    /// The ledger, for reading. The journal's new records are brought into it first.
    pub fn reader(&self) -> Result<Reader, String> {
        bring_in::before_reading(self)?;
        if !self.ledger.exists() {
            return Err(format!(
                "{}: the ledger does not exist yet: start Remote Access with the DLL, or import logs with `rasadmin import --create`",
                self.ledger.display()
            ));
        }
        Reader::open(&self.ledger).map_err(|e| e.to_string())
    }

    /// The server's journal.
    pub fn journal(&self) -> Result<&Path, String> {
        self.journal.as_deref().ok_or_else(|| {
            format!(
                "{}: no journal belongs to this ledger; name the journal with --journal, or leave --ledger out",
                self.ledger.display()
            )
        })
    }

    /// The name of the server, if its journal does not contain it.
    pub fn server(&self) -> Name {
        self.config.server.clone().unwrap_or_else(places::server_name)
    }
}

/// Everyone is allowed: for a ledger or a journal without a configuration.
pub fn audit_only() -> Result<Config, String> {
    let none = &mut |_: &str| Err("there is none".to_owned());
    config::parse("", "default.action = \"allow\"\n", Path::new(""), none).map_err(|e| e.to_string())
}

pub fn absolute(path: &Path) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|e| format!("{}: {e}", path.display()))
}
