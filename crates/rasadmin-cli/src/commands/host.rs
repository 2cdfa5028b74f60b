//! `rasadmin host`: drive admin DLLs as RRAS does.

pub mod assumptions;
pub mod judge;
mod ledger_summary;
pub mod replay;
pub mod run;
mod windows_dll;

use crate::error::{CommandError, Result};
use crate::output::Output;
use clap::{Args, Subcommand};
use std::path::Path;

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

/// The process of the DLLs has no standard input, as a service has none.
fn not_standard_input(file: &Path) -> Result<()> {
    if ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].iter().any(|stdin| file == Path::new(stdin)) {
        let message = format!("{}: the DLLs' process has no standard input: write it to a file", file.display());
        return Err(CommandError::usage(message));
    }
    Ok(())
}
