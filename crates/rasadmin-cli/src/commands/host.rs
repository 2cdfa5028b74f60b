//! `rasadmin host`: drive admin DLLs as RRAS does.

pub mod assumptions;
pub mod judge;
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
    Judge(judge::Arguments),
    Assumptions(assumptions::Arguments),
}

/// Runs the subcommand.
pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    match arguments.command {
        Command::Run(arguments) => run::run(arguments, out),
        Command::Replay(arguments) => replay::run(arguments, out),
        Command::Judge(arguments) => judge::run(arguments, out),
        Command::Assumptions(arguments) => assumptions::run(arguments, out),
    }
}
