//! `rasadmin host`: drive admin DLLs as RRAS does.

mod ledger_summary;
pub mod replay;
pub mod run;
mod windows_dll;

use crate::error::Result;
use crate::output::Output;
use clap::{Args, Subcommand};

/// Drive admin DLLs as RRAS does
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Arguments),
    Replay(replay::Arguments),
}

/// Runs the subcommand.
pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    match arguments.command {
        Command::Run(arguments) => run::run(arguments, out),
        Command::Replay(arguments) => replay::run(arguments, out),
    }
}
