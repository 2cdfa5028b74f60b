//! `rasadmin service run`.

#[cfg(windows)]
mod as_service;

use crate::context::ContextArguments;
use crate::error::{CommandError, Exit, Kind, Result};
use crate::{interrupt, output, times};
use clap::Args;
use rasadmin_policy::config;
use rasadmin_service::{Log, NotStarted, Stop};
use rasadmin_system::places;
use rasadmin_system::system_log::SystemLog;
use std::path::PathBuf;
use std::sync::Arc;

/// Run the service in the foreground, until Ctrl-C
///
/// It brings records into the ledger as they come, and keeps journal and ledger short: once a day it deletes what is too
/// old, checks the ledger, and backs it up. The table [service] of the configuration says what it does. A change of the
/// file takes effect within a second or two. `rasadmin status` shows each duty.
///
/// Only one service runs for a journal. It can be ended at any time, also by force: it continues where it was.
#[derive(Args)]
#[command(after_long_help = "\
Example:
  rasadmin service run

Exit codes: 0 it was asked to stop; 2 it could not do its work; 3 another
process runs the service for this journal.")]
pub struct Arguments {
    /// Use this configuration instead of the one that the DLL on this computer would find
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The Service Control Manager starts it like this
    #[cfg(windows)]
    #[arg(long, hide = true)]
    as_service: bool,
}

pub fn run(arguments: Arguments) -> Result {
    let file = ContextArguments { config: arguments.config, ..ContextArguments::default() }.file()?;
    #[cfg(windows)]
    if arguments.as_service {
        return as_service::run(file);
    }
    let computer = places::server_name();
    let (config, _) = config::for_computer(&computer).read(&file)?;
    let zone = config.zone.clone();
    let console = move |line: &str| output::line(format_args!("{}  {line}", times::show(times::now(), &zone)));
    let log = Arc::new(Log::new(SystemLog::open(), console));
    let stop = Arc::new(Stop::default());
    interrupt::on_request({
        let stop = stop.clone();
        move || stop.request()
    })?;
    rasadmin_service::run(&file, &computer, &stop, &log, || ()).map_err(not_started)?;
    Ok(Exit::Success)
}

fn not_started(why: NotStarted) -> CommandError {
    match why {
        NotStarted::Configuration(_) => CommandError::new(Kind::Configuration, why),
        NotStarted::Held { .. } => CommandError::new(Kind::AlreadyRunning, why).hint("`rasadmin status` shows it"),
        NotStarted::Journal(error) => error.into(),
        NotStarted::Thread(_) => CommandError::new(Kind::System, why),
    }
}
