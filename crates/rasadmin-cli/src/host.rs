//! `rasadmin host`: drive admin DLLs as RRAS does.

mod replay;
pub mod run;
pub mod stranger;
mod told;

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

/// Runs the subcommand; the exit code, or why it could not do its work.
pub fn host(arguments: Arguments) -> Result<u8, String> {
    match arguments.command {
        Command::Run(arguments) => run::run(arguments),
        Command::Replay(arguments) => replay::replay(arguments),
    }
}
