//! The configuration, the journal and the ledger of this call.

use crate::error::{AS_ADMINISTRATOR, CommandError, Kind, OrCommandError, Result, WithContext};
use crate::{bring_in, clock, warning};
use clap::Args;
use jiff::tz::TimeZone;
use rasadmin_engine::Id;
use rasadmin_ledger::report::{Reader, SessionRow};
use rasadmin_policy::Name;
use rasadmin_policy::config::{self, Config};
use rasadmin_system::places;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The options that name a configuration, a journal and a ledger.
#[derive(Args, Clone, Debug, Default)]
pub struct ContextArguments {
    /// Use this configuration instead of the one that the DLL on this computer would find
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read this ledger, such as a backup, instead of the configuration's; nothing is brought into it
    #[arg(long, value_name = "FILE")]
    pub ledger: Option<PathBuf>,
    /// Read this journal's folder instead of the configuration's
    #[arg(long, value_name = "FOLDER")]
    pub journal: Option<PathBuf>,
}

/// The option for the time zone of what is read and shown. Days of quotas and hours of rules stay the configuration's.
#[derive(Args, Clone, Debug, Default)]
pub struct ZoneArguments {
    /// The time zone of the times that you type and see, as IANA names it, like Europe/Berlin [default: the
    /// configuration's, or UTC]
    #[arg(long, value_name = "ZONE")]
    pub time_zone: Option<String>,
}

impl ZoneArguments {
    /// The zone that is named; `None` if none is.
    pub fn named(&self) -> Result<Option<TimeZone>> {
        self.time_zone.as_deref().map(config::time_zone).transpose().or_error(Kind::Usage).context("--time-zone")
    }

    /// The zone that is named, or the configuration's.
    pub fn or(&self, config: &Config) -> Result<TimeZone> {
        Ok(self.named()?.unwrap_or_else(|| config.zone.clone()))
    }
}

/// A valid configuration, and the journal and the ledger that belong to it.
pub struct Context {
    /// `None`: only a ledger was named, and there is no configuration.
    pub file: Option<PathBuf>,
    pub config: Arc<Config>,
    /// The time zone of the times that are typed and shown.
    pub zone: TimeZone,
    /// `None`: only a ledger was named.
    pub journal: Option<PathBuf>,
    pub ledger: PathBuf,
    /// Whether the ledger is made from the journal: both are the configuration's. Otherwise the ledger may be a backup,
    /// or another server's, and commands that read it bring nothing into it.
    pub belong_together: bool,
}

impl ContextArguments {
    /// The configuration's file, as the DLL would find it.
    pub fn file(&self) -> Result<PathBuf> {
        match &self.config {
            Some(path) => absolute(path),
            None => config::find(&places::config_places(None)).map_err(|e| {
                CommandError::new(Kind::Configuration, e)
                    .hint("create one with `rasadmin config new`, name one with --config, or name only a ledger with --ledger")
            }),
        }
    }

    /// The configuration, its journal and its ledger. If the configuration is broken, it warns and uses the last good
    /// one, as the DLL does.
    pub fn open(&self) -> Result<Context> {
        let ledger = self.ledger.as_deref().map(absolute).transpose()?;
        let file = match (self.file(), &ledger) {
            (Ok(file), _) => Some(file),
            (Err(_), Some(_)) if self.config.is_none() => None,
            (Err(e), _) => return Err(e),
        };
        let config = match &file {
            Some(file) => {
                let (config, broken) =
                    config::for_computer(&places::server_name()).read(file).map_err(|e| unusable(file, e))?;
                if let Some(errors) = broken {
                    warning!("the configuration is broken; the last good one is used instead:\n{errors}");
                }
                config
            }
            None => audit_only()?,
        };
        let own_ledger = ledger.as_ref().is_none_or(|ledger| *ledger == config.ledger);
        let named = self.journal.as_deref().map(absolute).transpose()?;
        let own_journal = named.as_ref().is_none_or(|journal| *journal == config.journal);
        let journal = named.or_else(|| (own_ledger && file.is_some()).then(|| config.journal.clone()));
        let ledger = ledger.unwrap_or_else(|| config.ledger.clone());
        let belong_together = file.is_some() && own_ledger && own_journal;
        if file.is_some() {
            clock::use_clock_of_run(&config)?;
        }
        let zone = config.zone.clone();
        Ok(Context { file, config: Arc::new(config), zone, journal, ledger, belong_together })
    }
}

impl Context {
    /// With the times in another time zone, if one is named.
    pub fn in_zone(mut self, zone: &ZoneArguments) -> Result<Self> {
        self.zone = zone.or(&self.config)?;
        Ok(self)
    }

    /// Fails if the ledger is not made from the journal that is named.
    fn refuse_other_journal(&self) -> Result<()> {
        let is_other = self.journal.is_some() && self.ledger == self.config.ledger && !self.belong_together;
        if is_other { Err(other_journal(&self.ledger)) } else { Ok(()) }
    }

    /// As [`reader`](Self::reader), for a change that the journal alone can take: a ledger that is missing or damaged
    /// must not stop it. Then it warns.
    pub fn reader_if_usable(&self) -> Result<Option<Reader>> {
        self.refuse_other_journal()?;
        Ok(self.reader().inspect_err(|e| warning!("the ledger cannot be used: {e}")).ok())
    }

    /// The ledger, for reading. If both are the configuration's, the journal's new records are brought into it first.
    pub fn reader(&self) -> Result<Reader> {
        self.refuse_other_journal()?;
        bring_in::before_reading(self)?;
        if !self.ledger.exists() {
            let missing = format!("{}: the ledger does not exist yet", self.ledger.display());
            return Err(CommandError::new(
                Kind::Ledger,
                format!("{missing}: start Remote Access with the DLL, or import logs with `rasadmin import --create`"),
            ));
        }
        Ok(Reader::open(&self.ledger)?)
    }

    /// The server's journal.
    pub fn journal(&self) -> Result<&Path> {
        self.journal.as_deref().ok_or_else(|| {
            let missing = format!("{}: no journal belongs to this ledger", self.ledger.display());
            CommandError::new(Kind::Journal, missing).hint("name the journal with --journal, or leave --ledger out")
        })
    }

    /// The name of the server, if its journal does not contain it.
    pub fn server(&self) -> Name {
        self.config.server.clone().unwrap_or_else(places::server_name)
    }
}

/// A ledger must not get another server's records.
fn other_journal(ledger: &Path) -> CommandError {
    let what = format!("{}: this ledger is made from another journal", ledger.display());
    CommandError::usage(what).hint(
        "name the ledger of that journal with --ledger (`rasadmin ledger update --journal FOLDER --ledger FILE` makes it)",
    )
}

/// The error for a file that this user may not read. It is not missing, and may well be valid.
pub fn may_not_be_read(file: &Path) -> Option<String> {
    let denied = std::fs::File::open(file).err().filter(|e| e.kind() == std::io::ErrorKind::PermissionDenied)?;
    Some(format!("{}: you may not read it ({denied}); {AS_ADMINISTRATOR}", file.display()))
}

/// A configuration's file that may not be read, is missing, or is not valid.
fn unusable(file: &Path, errors: config::ConfigErrors) -> CommandError {
    if let Some(denied) = may_not_be_read(file) {
        return CommandError::new(Kind::Configuration, denied);
    }
    if file.exists() {
        return not_valid(errors);
    }
    CommandError::new(
        Kind::Configuration,
        format!("{}: the configuration does not exist: check the path", file.display()),
    )
}

/// A configuration that cannot be used, with everything that is wrong with it.
pub fn not_valid(errors: config::ConfigErrors) -> CommandError {
    CommandError::new(Kind::Configuration, format!("the configuration is not valid:\n{errors}"))
}

/// A configuration that allows everyone: for a ledger or a journal without one.
pub fn audit_only() -> Result<Config> {
    let none = &mut |_: &str| Err("there is none".to_owned());
    Ok(config::parse("", "default.action = \"allow\"\n", Path::new(""), none)?)
}

/// A path that does not depend on the current folder.
pub fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|e| CommandError::file(path, e))
}

/// The ledger's row of a session; `None` if the ledger lacks it or cannot be read.
pub fn session_row(ledger: Option<&Reader>, id: Id) -> Option<SessionRow> {
    ledger?.session(&id.to_string()).ok()?.ok()?
}
