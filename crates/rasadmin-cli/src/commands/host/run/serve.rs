//! `--serve-rras`: other processes ask for the RRAS of the run.

mod socket;

use super::Arguments;
use crate::error::Result;
use crate::output::note;
use rasadmin_host::Service;
use rasadmin_host::outcome::RunSummary;
use rasadmin_host::outside::{Outside, View};
use rasadmin_host::runner::{self, RunOptions};
use rasadmin_host::scenario::Scenario;
use rasadmin_host::scratch::CLOCK_FILE;
use std::path::PathBuf;

/// The socket on which other processes ask.
pub struct Served {
    socket: socket::Socket,
    speed: u32,
    pause: Option<PathBuf>,
}

/// Says what can run beside the day.
pub fn say_how_to_ask(arguments: &Arguments) {
    let (Some(socket), Some(kept)) = (&arguments.serve_rras, arguments.keep.folder()) else { return };
    let (kept, socket, speed) = (kept.display(), socket.display(), arguments.speed);
    let clock = if cfg!(windows) { "$env:RASADMIN_CLOCK = '" } else { "RASADMIN_CLOCK=" };
    let then = if cfg!(windows) { "'; " } else { " " };
    let separator = std::path::MAIN_SEPARATOR;
    note(format_args!(
        "the day is played at {speed} times its speed; beside it, you can run\n  \
         {clock}{kept}{separator}{CLOCK_FILE}{then}rasadmin service run --config {kept}{separator}rasadmin.toml --rras \
         {socket} --speed {speed}"
    ));
}

impl Served {
    /// Listens, if that was asked for.
    pub fn bind(arguments: &Arguments) -> Result<Option<Self>> {
        let (speed, pause) = (arguments.speed, arguments.pause_while.clone());
        let bind = |path: &PathBuf| Ok(Self { socket: socket::Socket::bind(path)?, speed, pause });
        arguments.serve_rras.as_ref().map(bind).transpose()
    }

    /// Plays the day in real time, and answers meanwhile.
    pub fn run(&self, service: &Service, scenario: &Scenario, options: RunOptions<'_>) -> RunSummary {
        let serve = |view: &dyn View| self.socket.serve(view);
        let outside = Outside { speed: self.speed, pause: self.pause.as_deref(), serve: &serve };
        let options = RunOptions { outside: Some(outside), ..options };
        runner::run(service, scenario, options)
    }
}
