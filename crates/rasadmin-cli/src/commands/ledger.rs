//! `rasadmin ledger`: commands that look after the ledger.

pub mod backup;
pub mod check;
pub mod update;

use crate::error::Result;
use crate::output::Output;
use clap::{Args, Subcommand};

/// Bring the ledger up to date, back it up, check it
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Update(update::Arguments),
    Backup(backup::Arguments),
    Check(check::Arguments),
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    match arguments.command {
        Command::Update(arguments) => update::run(arguments, out),
        Command::Backup(arguments) => backup::run(arguments, out),
        Command::Check(arguments) => check::run(arguments, out),
    }
}
