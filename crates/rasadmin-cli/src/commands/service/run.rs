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
    /// Ask the RRAS behind this socket, such as that of `rasadmin host run --serve-rras` (not on Windows)
    #[arg(long, value_name = "SOCKET")]
    rras: Option<PathBuf>,
    /// With --rras: how many seconds of the day pass per second, as given to `rasadmin host run --speed`
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86_400), requires = "rras")]
    speed: u32,
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
    let rras = rras(&arguments)?;
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
    rasadmin_service::run(&file, &computer, rras, &stop, &log, || ()).map_err(not_started)?;
    Ok(Exit::Success)
}

/// How long an answer of RRAS may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// This server's RRAS; None if there is none here.
#[cfg(windows)]
fn rras(arguments: &Arguments) -> Result<Option<Beside>> {
    if arguments.rras.is_some() {
        return Err(CommandError::usage("--rras is not for Windows: leave it out, and this server's RRAS is asked"));
    }
    system_rras()
}

/// This server's RRAS; None if mprapi.dll cannot be used.
#[cfg(windows)]
fn system_rras() -> Result<Option<Beside>> {
    match rasadmin_rras::Mprapi::system() {
        Ok(rras) => watched(rras, None),
        Err(error) => {
            warning!("{error}; the duties that need it are left out");
            Ok(None)
        }
    }
}

/// The RRAS behind the socket, if one is named: this system itself has none.
#[cfg(unix)]
fn rras(arguments: &Arguments) -> Result<Option<Beside>> {
    arguments.rras.as_ref().map_or(Ok(None), |path| watched(rasadmin_rras::Socket::new(path), Some(arguments.speed)))
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
