//! `rasadmin service run`.

#[cfg(windows)]
mod as_service;

use crate::context::ContextArguments;
use crate::error::{CommandError, Exit, Kind, Result};
#[cfg(windows)]
use crate::warning;
use crate::{interrupt, output, times};
use clap::Args;
use rasadmin_policy::config;
use rasadmin_rights::private::is_scratch;
use rasadmin_rras::socket::Address;
use rasadmin_rras::{Rras, Watched};
use rasadmin_service::{Beside, Log, NotStarted, Stop};
use rasadmin_system::places;
use rasadmin_system::system_log::SystemLog;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Run the service in the foreground, until Ctrl-C
///
/// It brings records into the ledger as they come; it looks at RRAS's connections every five seconds; and it keeps journal
/// and ledger short: once a day it deletes what is too old, checks the ledger, and backs it up. It also answers commands such as `rasadmin metrics`, and counts for Prometheus. The table [service] of the
/// configuration says what it does. A change of the file takes effect within a second or two. `rasadmin status` shows each
/// duty.
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
    /// Ask the RRAS of `rasadmin host run --serve-rras` at this address, and not this server's
    #[arg(long, value_name = "ADDRESS")]
    rras: Option<PathBuf>,
    /// Beside a run: how many seconds of the day pass per second, as given to `rasadmin host run --speed` [default: 60 with
    /// --rras]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    speed: Option<u32>,
    /// The Service Control Manager starts it like this
    #[cfg(windows)]
    #[arg(long, hide = true)]
    as_service: bool,
}

pub fn run(arguments: Arguments) -> Result {
    let file = ContextArguments { config: arguments.config.clone(), ..ContextArguments::default() }.file()?;
    #[cfg(windows)]
    if arguments.as_service {
        return as_service::run(file);
    }
    let computer = places::server_name();
    let (config, _) = config::for_computer(&computer).read(&file)?;
    // It would look at this server's RRAS with a clock that is not the server's.
    let is_run = arguments.rras.is_some() || config.journal.parent().is_some_and(is_scratch);
    if arguments.speed.is_some() && !is_run {
        let what = "--speed is for a run of `rasadmin host run --keep`, and this configuration is a server's";
        return Err(CommandError::usage(what).hint("leave it out"));
    }
    let rras = rras(&arguments)?;
    let zone = config.zone.clone();
    let console = move |line: &str| output::line(format_args!("{}  {line}", times::show(times::now(), &zone)));
    let log = Arc::new(Log::new(SystemLog::open(), console));
    let stop = Arc::new(Stop::default());
    interrupt::on_request({
        let stop = stop.clone();
        move || stop.request()
    })?;
    rasadmin_service::run(&file, &computer, rras, &stop, &log, || ()).map_err(not_started)?;
    Ok(Exit::Success)
}

/// How long an answer of RRAS may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The RRAS that is asked; None if there is none.
fn rras(arguments: &Arguments) -> Result<Option<Beside>> {
    let Some(address) = &arguments.rras else { return system_rras(arguments.speed) };
    let address = Address::read(address).map_err(|why| {
        CommandError::usage(format!("{}: {why}", rasadmin_text::printable(&address.to_string_lossy())))
    })?;
    watched(rasadmin_rras::Socket::new(address), Some(arguments.speed.unwrap_or(60)))
}

/// This server's RRAS; None if mprapi.dll cannot be used.
#[cfg(windows)]
fn system_rras(speed: Option<u32>) -> Result<Option<Beside>> {
    match rasadmin_rras::Mprapi::system() {
        Ok(rras) => watched(rras, speed),
        Err(error) => {
            warning!("{error}; the duties that need it are left out");
            Ok(None)
        }
    }
}

/// This system has no RRAS.
#[cfg(not(windows))]
#[allow(clippy::unnecessary_wraps)] // On Windows it may fail.
const fn system_rras(_: Option<u32>) -> Result<Option<Beside>> {
    Ok(None)
}

fn watched(rras: impl Rras + 'static, speed: Option<u32>) -> Result<Option<Beside>> {
    // A panic there is a fault of the duty that asks.
    let watched = Watched::with_thread(rras, PATIENCE, rasadmin_service::works_for_duty);
    let watched = watched.map_err(|e| CommandError::new(Kind::System, format!("no thread can be started: {e}")))?;
    Ok(Some(Beside { rras: Arc::new(watched), speed }))
}

fn not_started(why: NotStarted) -> CommandError {
    match why {
        NotStarted::Configuration(_) => CommandError::new(Kind::Configuration, why),
        NotStarted::Held { .. } => CommandError::new(Kind::AlreadyRunning, why).hint("`rasadmin status` shows it"),
        NotStarted::Journal(error) => error.into(),
        NotStarted::Thread(_) => CommandError::new(Kind::System, why),
    }
}
