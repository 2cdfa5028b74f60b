//! The dashboard as the Service Control Manager starts it: without a console, so its lines go into a file.

use super::{Arguments, Lines, own_folder};
use crate::error::{CommandError, Exit, Kind, Result};
use crate::output;
use rasadmin_service::{LogFile, NotDispatched, Stop, dispatch};
use rasadmin_text::printable_lines;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub fn run(arguments: Arguments, file: PathBuf) -> Result {
    let dispatched = dispatch(move |stop, ready| serve(&arguments, &file, stop, ready));
    dispatched.map(|()| Exit::Success).map_err(|why| match why {
        NotDispatched::NotAService => {
            CommandError::usage("`--as-service` is for the Service Control Manager, which did not start this process")
                .hint("`rasadmin serve` serves the dashboard here")
        }
        NotDispatched::Refused(error) => CommandError::new(Kind::System, error),
    })
}

/// The exit code: that of `rasadmin serve`.
fn serve(arguments: &Arguments, file: &Path, stop: &Stop, ready: &dyn Fn()) -> u32 {
    let path = own_folder(file).join("rasadmin-net.log");
    // What would go to standard error, which a service does not have.
    output::messages_to(path.clone());
    // Without a log, it is served all the same: Windows shows whether it runs.
    let log = LogFile::open(&path).ok().map(Mutex::new);
    let lines: Lines = Arc::new(move |line| {
        if let Some(log) = &log {
            log.lock().unwrap_or_else(PoisonError::into_inner).line(&printable_lines(line));
        }
    });
    match super::serve(arguments, file, || stop.is_requested(), &lines, ready) {
        Ok(()) => 0,
        Err(error) => {
            lines(&format!("{}  error: {error}", crate::times::show(crate::times::now(), &jiff::tz::TimeZone::UTC)));
            error.exit_code().into()
        }
    }
}
