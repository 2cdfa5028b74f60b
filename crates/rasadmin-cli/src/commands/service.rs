//! `rasadmin service`: the service that runs beside RRAS.

pub mod run;

use crate::error::Result;
use clap::{Args, Subcommand};

/// Run the rasadmin service beside RRAS
///
/// Neither RRAS nor rasadmin.dll needs it: if it is stopped, users are not affected.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Arguments),
}

pub fn run(arguments: Arguments) -> Result {
    match arguments.command {
        Command::Run(arguments) => run::run(arguments),
    }
}
