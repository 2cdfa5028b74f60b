//! `rasadmin`: the administrator's command.
#![forbid(unsafe_code)]

mod addresses;
mod ask;
mod bring_in;
mod change;
mod check;
mod close;
mod completions;
mod config;
mod decisions;
mod explain;
mod export;
mod forget;
mod here;
mod host;
mod import;
mod install;
mod journal;
mod ledger;
mod moment;
mod output;
mod present;
mod release;
mod replay;
mod report;
mod scratch;
mod select;
mod sessions;
mod setup;
mod status;
mod table;
mod times;
mod uninstall;
mod users;

use clap::{Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;

/// Administer the VPN users of Windows RRAS servers: rules, addresses, sessions, reports
///
/// rasadmin.dll decides and records on the server; this command installs it, explains what it decides, shows who is and was
/// connected, and tries out changes. It also checks and drives RAS administration DLLs of any vendor.
///
/// Where the configuration is named by nothing else, it is the one that the DLL on this computer would find: RASADMIN_CONFIG,
/// the registry value HKLM\SOFTWARE\rasadmin\ConfigPath, %ProgramData%\rasadmin\rasadmin.toml (/etc/rasadmin/rasadmin.toml).
#[derive(Parser)]
#[command(name = "rasadmin", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 all is well; 1 the answer is no: a check failed, a user would be denied, something \
                        would change or is not there; 2 the command could not do its work."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Install(install::Arguments),
    Status(status::Arguments),
    Uninstall(uninstall::Arguments),
    Config(config::Arguments),
    Explain(explain::Arguments),
    Sessions(sessions::Arguments),
    Addresses(addresses::Arguments),
    WhoHad(addresses::WhoHadArguments),
    Users(users::Arguments),
    Usage(users::UsageArguments),
    Decisions(decisions::Arguments),
    Report(report::Arguments),
    Replay(replay::Arguments),
    Release(release::Arguments),
    Close(close::Arguments),
    Purge(forget::PurgeArguments),
    Anonymise(forget::AnonymiseArguments),
    Ledger(ledger::Arguments),
    Journal(journal::Arguments),
    Import(import::Arguments),
    Export(export::Arguments),
    Completions(completions::Arguments),
    Check(check::Arguments),
    Host(host::Arguments),
    #[command(name = rasadmin_check::CHILD_SUBCOMMAND, hide = true)]
    CheckChild(check::ChildArguments),
    #[command(name = host::run::ADDRESS_PROCESS, hide = true)]
    AddressProcess(host::run::AddressArguments),
    #[command(name = host::stranger::SUBCOMMAND, hide = true)]
    LockJournal(host::stranger::Arguments),
}

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(fault));
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Config(arguments) => config::config(arguments),
        Command::Explain(arguments) => explain::explain(arguments),
        Command::Sessions(arguments) => sessions::sessions(arguments),
        Command::Addresses(arguments) => addresses::addresses(arguments),
        Command::WhoHad(arguments) => addresses::who_had(arguments),
        Command::Users(arguments) => users::users(arguments),
        Command::Usage(arguments) => users::usage(arguments),
        Command::Decisions(arguments) => decisions::decisions(arguments),
        Command::Replay(arguments) => replay::replay(arguments),
        Command::Report(arguments) => report::report(arguments),
        Command::Release(arguments) => release::release(arguments),
        Command::Close(arguments) => close::close(arguments),
        Command::Purge(arguments) => forget::purge(arguments),
        Command::Anonymise(arguments) => forget::anonymise(arguments),
        Command::Ledger(arguments) => ledger::ledger(arguments),
        Command::Journal(arguments) => journal::journal(arguments),
        Command::Completions(arguments) => completions::completions(arguments),
        Command::Check(arguments) => check::check(arguments),
        Command::Host(arguments) => host::host(arguments),
        Command::Import(arguments) => import::import(arguments),
        Command::Export(arguments) => export::export(arguments),
        Command::Install(arguments) => install::install(arguments),
        Command::Status(arguments) => status::status(arguments),
        Command::Uninstall(arguments) => uninstall::uninstall(arguments),
        Command::CheckChild(arguments) => Ok(check::child(arguments)),
        Command::AddressProcess(arguments) => host::run::address_process(arguments),
        Command::LockJournal(arguments) => host::stranger::lock(arguments),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

/// No panic reaches a user as one. Whoever reads our output may have had enough of it (`| head`): that is no fault.
fn fault(info: &std::panic::PanicHookInfo<'_>) {
    let what = info.payload_as_str().unwrap_or("for an unknown reason");
    if what.starts_with("failed printing to stdout") {
        std::process::exit(0);
    }
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(
        std::io::stderr(),
        "error: rasadmin met a fault of its own ({place}): {what}\nplease report it, with the command that you gave"
    );
    std::process::exit(2);
}
