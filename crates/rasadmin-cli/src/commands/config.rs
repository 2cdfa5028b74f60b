//! `rasadmin config`: check, show or make a configuration.

mod answers;
pub mod check;
pub mod new;
pub mod schema;
pub mod show;

use crate::error::Result;
use crate::output::Output;
use clap::{Args, Subcommand};

/// Check, show or make a configuration
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Arguments),
    Show(show::Arguments),
    Schema(schema::Arguments),
    New(new::Arguments),
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    match arguments.command {
        Command::Check(arguments) => check::run(arguments, out),
        Command::Show(arguments) => show::run(arguments, out),
        Command::Schema(arguments) => schema::run(arguments, out),
        Command::New(arguments) => new::run(arguments, out),
    }
}
