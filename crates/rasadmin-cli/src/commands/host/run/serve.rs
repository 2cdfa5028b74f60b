//! `--serve-rras`: other processes ask for the RRAS of the run.

#[cfg(unix)]
mod socket;

use super::Arguments;
#[cfg(not(unix))]
use crate::error::CommandError;
use crate::error::Result;
#[cfg(unix)]
use crate::output::note;
use rasadmin_host::Service;
use rasadmin_host::outcome::RunSummary;
#[cfg(unix)]
use rasadmin_host::outside::{Outside, View};
use rasadmin_host::runner::{self, RunOptions};
use rasadmin_host::scenario::Scenario;
#[cfg(unix)]
use rasadmin_host::scratch::CLOCK_FILE;

/// The socket on which other processes ask. Empty on Windows, where they ask mprapi.dll.
pub struct Served {
    #[cfg(unix)]
    socket: socket::Socket,
    #[cfg(unix)]
    speed: u32,
}

/// Says what can run beside the day.
#[cfg(unix)]
pub fn say_how_to_ask(arguments: &Arguments) {
    let (Some(socket), Some(kept)) = (&arguments.serve_rras, arguments.keep.folder()) else { return };
    let (kept, socket, speed) = (kept.display(), socket.display(), arguments.speed);
    note(format_args!(
        "the day is played at {speed} times its speed; beside it, you can run\n  \
         RASADMIN_CLOCK={kept}/{CLOCK_FILE} rasadmin service run --config {kept}/rasadmin.toml --rras {socket} --speed \
         {speed}"
    ));
}

impl Served {
    /// Listens, if that was asked for.
    #[cfg(unix)]
    pub fn bind(arguments: &Arguments) -> Result<Option<Self>> {
        let bind = |path: &std::path::PathBuf| Ok(Self { socket: socket::Socket::bind(path)?, speed: arguments.speed });
        arguments.serve_rras.as_ref().map(bind).transpose()
    }

    /// This system has no Unix sockets.
    #[cfg(not(unix))]
    pub fn bind(arguments: &Arguments) -> Result<Option<Self>> {
        let refused = |_| Err(CommandError::usage("--serve-rras needs a Unix socket, which this system does not have"));
        arguments.serve_rras.as_ref().map_or(Ok(None), refused)
    }

    /// Plays the day in real time, and answers meanwhile.
    pub fn run(&self, service: &Service, scenario: &Scenario, options: RunOptions<'_>) -> RunSummary {
        #[cfg(unix)]
        let serve = |view: &dyn View| self.socket.serve(view);
        #[cfg(unix)]
        let options = RunOptions { outside: Some(Outside { speed: self.speed, serve: &serve }), ..options };
        runner::run(service, scenario, options)
    }
}
