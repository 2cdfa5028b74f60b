//! `rasadmin host`: drive admin DLLs as RRAS does.

use clap::{Args, Subcommand};

/// Drive admin DLLs as RRAS does
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(crate::run::Arguments),
    Replay(crate::replay::Arguments),
}

/// Runs the subcommand; the exit code, or why it could not do its work.
pub fn host(arguments: Arguments) -> Result<u8, String> {
    match arguments.command {
        Command::Run(arguments) => crate::run::run(arguments),
        Command::Replay(arguments) => crate::replay::replay(arguments),
    }
}
