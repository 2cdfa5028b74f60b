//! `rasadmin ledger`: commands that look after the ledger.

mod backup;
mod check;
mod update;

use clap::{Args, Subcommand};

/// Look after the ledger
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

pub fn ledger(arguments: Arguments) -> Result<u8, String> {
    match arguments.command {
        Command::Update(arguments) => update::update(arguments),
        Command::Backup(arguments) => backup::backup(arguments),
        Command::Check(arguments) => check::check(arguments),
    }
}
