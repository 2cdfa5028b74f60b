//! `rasadmin`: the administrator's command.
#![forbid(unsafe_code)]

mod check;
mod host;
mod install;
mod ledger;
mod output;
mod replay;
mod run;
mod scratch;
mod setup;
mod status;
mod uninstall;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Check, drive and replay RAS administration DLLs.
#[derive(Parser)]
#[command(name = "rasadmin", version, about, long_about = None, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 all is well; 1 a check failed, RRAS would not start, or a replay differs; \
                        2 the command could not do its work.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Arguments),
    Host(host::Arguments),
    Install(install::Arguments),
    Status(status::Arguments),
    Uninstall(uninstall::Arguments),
    #[command(name = rasadmin_check::CHILD_SUBCOMMAND, hide = true)]
    CheckChild(check::ChildArguments),
    #[command(name = run::ADDRESS_PROCESS, hide = true)]
    AddressProcess(run::AddressArguments),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Check(arguments) => check::check(arguments),
        Command::Host(arguments) => host::host(arguments),
        Command::Install(arguments) => install::install(arguments),
        Command::Status(arguments) => status::status(arguments),
        Command::Uninstall(arguments) => uninstall::uninstall(arguments),
        Command::CheckChild(arguments) => Ok(check::child(arguments)),
        Command::AddressProcess(arguments) => run::address_process(arguments),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}
