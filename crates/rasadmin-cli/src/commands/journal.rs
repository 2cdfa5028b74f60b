//! `rasadmin journal`: what the DLL has recorded.

pub mod check;
pub mod seal;
pub mod show;

use crate::context::{ContextArguments, absolute, audit_only};
use crate::error::{CommandError, Kind, Result};
use crate::output::Output;
use clap::{Args, Subcommand};
use rasadmin_policy::config::Config;
use std::path::PathBuf;
use std::sync::Arc;

/// Look at the journal: every event as the DLL recorded it
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

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    match arguments.command {
        Command::Show(arguments) => show::run(arguments, out),
        Command::Check(arguments) => check::run(arguments, out),
        Command::Seal(arguments) => seal::run(arguments, out),
    }
}

/// The options that name a journal.
#[derive(Args, Clone, Debug, Default)]
struct JournalArguments {
    /// Use this configuration instead of the one that the DLL on this computer would find
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Read this journal's folder instead of the configuration's
    #[arg(long, value_name = "FOLDER")]
    journal: Option<PathBuf>,
}

/// A journal's folder, and the configuration that goes with it.
struct JournalContext {
    folder: PathBuf,
    config: Arc<Config>,
}

impl JournalArguments {
    fn open(&self) -> Result<JournalContext> {
        let arguments = ContextArguments { config: self.config.clone(), ..Default::default() };
        let folder = self.journal.as_deref().map(absolute).transpose()?;
        let config = match (arguments.open(), &folder) {
            (Ok(context), _) => context.config,
            (Err(_), Some(_)) if self.config.is_none() => Arc::new(audit_only()?),
            (Err(e), _) => return Err(e),
        };
        let folder = folder.unwrap_or_else(|| config.journal.clone());
        if !folder.is_dir() {
            let missing = format!("{}: this folder has no journal", folder.display());
            let error = format!("{missing}: start Remote Access with the DLL, or name another folder with --journal");
            return Err(CommandError::new(Kind::Journal, error));
        }
        Ok(JournalContext { folder, config })
    }
}
