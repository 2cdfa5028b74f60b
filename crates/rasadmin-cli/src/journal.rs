//! `rasadmin journal`: what the DLL has recorded.

mod check;
mod seal;
mod show;
pub mod tidy;

use crate::here::{self, absolute};
use clap::{Args, Subcommand};
use rasadmin_policy::config::Config;
use std::path::PathBuf;
use std::sync::Arc;

/// Look at the journal: every event that the DLL has recorded, as it was recorded
///
/// The journal is a folder that the DLL appends to; the ledger is made from it. To ask about users, sessions and
/// addresses, use the other commands: they read the ledger.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Show(show::Arguments),
    Check(check::Arguments),
    Seal(seal::Arguments),
}

pub fn journal(arguments: Arguments) -> Result<u8, String> {
    match arguments.command {
        Command::Show(arguments) => show::show(arguments),
        Command::Check(arguments) => check::check(arguments),
        Command::Seal(arguments) => seal::seal(arguments),
    }
}

/// Where the journal is.
#[derive(Args, Clone, Debug, Default)]
struct Where {
    /// The configuration; without it, the one that the DLL on this computer would find
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The journal's folder, if it is not the configuration's
    #[arg(long, value_name = "FOLDER")]
    journal: Option<PathBuf>,
}

/// A journal's folder, and the configuration that it is read under.
struct Place {
    folder: PathBuf,
    config: Arc<Config>,
}

impl Where {
    fn open(&self) -> Result<Place, String> {
        let here = here::Here { config: self.config.clone(), ..Default::default() };
        let folder = self.journal.as_deref().map(absolute).transpose()?;
        let config = match (here.open(), &folder) {
            (Ok(place), _) => place.config,
            (Err(_), Some(_)) if self.config.is_none() => Arc::new(here::audit_only()?),
            (Err(e), _) => return Err(e),
        };
        let folder = folder.unwrap_or_else(|| config.journal.clone());
        if !folder.is_dir() {
            return Err(format!(
                "{}: this folder has no journal: start Remote Access with the DLL, or name another folder with --journal",
                folder.display()
            ));
        }
        Ok(Place { folder, config })
    }
}
