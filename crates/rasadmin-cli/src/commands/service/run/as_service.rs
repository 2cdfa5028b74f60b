//! The service as the Service Control Manager starts it: without a console, so its lines go into a file.

use super::{not_started, system_rras};
use crate::error::{CommandError, Exit, Kind, Result};
use crate::{output, times};
use jiff::tz::TimeZone;
use rasadmin_messages::Message;
use rasadmin_policy::config;
use rasadmin_service::{Log, LogFile, NotDispatched, Stop, dispatch};
use rasadmin_system::places;
use rasadmin_system::system_log::SystemLog;
use rasadmin_text::printable_lines;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub fn run(file: PathBuf) -> Result {
    let dispatched = dispatch(move |stop, ready| serve(&file, stop, ready));
    dispatched.map(|()| Exit::Success).map_err(|why| match why {
        NotDispatched::NotAService => {
            CommandError::usage("`--as-service` is for the Service Control Manager, which did not start this process")
                .hint(
                    "`rasadmin service run` runs the service here; `Start-Service rasadmin` starts the registered one",
                )
        }
        NotDispatched::Refused(error) => CommandError::new(Kind::System, error),
    })
}

/// The exit code: that of `rasadmin service run`.
fn serve(file: &Path, stop: &Stop, ready: &dyn Fn()) -> u32 {
    let computer = places::server_name();
    // If the configuration is not valid, `run` reports it.
    let zone = config::for_computer(&computer).read(file).map_or(TimeZone::UTC, |(config, _)| config.zone);
    let path = places::service_log_file();
    // What would go to standard error, which a service does not have.
    output::messages_to(path.clone());
    let opened = LogFile::open(&path);
    let failed = opened.as_ref().err().map(ToString::to_string);
    let mut log_file = opened.ok();
    let log = Arc::new(Log::new(SystemLog::open(), move |line| {
        if let Some(log_file) = &mut log_file {
            log_file.line(&printable_lines(&format!("{}  {line}", times::show(times::now(), &zone))));
        }
    }));
    if let Some(error) = failed {
        log.emit(&Message::LogNotOpened { file: &path.display(), error: &error });
    }
    let ran = system_rras(None)
        .and_then(|rras| rasadmin_service::run(file, &computer, rras, stop, &log, ready).map_err(not_started));
    match ran {
        Ok(()) => 0,
        Err(error) => {
            log.emit(&Message::ServiceNotStarted { error: &error });
            error.exit_code().into()
        }
    }
}
