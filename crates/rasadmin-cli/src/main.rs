//! `rasadmin`: the administrator's command.
#![forbid(unsafe_code)]
// Printing goes through `output`, which reports a full disk and a closed pipe.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod ask_service;
mod block_subject;
mod bring_in;
mod clock;
mod commands;
mod confirm;
mod context;
mod disconnecting;
mod error;
mod filter;
mod format;
mod help;
mod hidden;
mod interrupt;
mod journal_files;
mod live;
mod output;
mod present;
mod reason;
mod record;
mod retention;
#[cfg(test)]
mod schemas;
mod scratch;
mod setup;
mod style;
mod supervised;
mod table;
mod times;

use clap::{ArgMatches, FromArgMatches, Parser, Subcommand};
use commands::*;
use error::{CommandError, Kind, OrCommandError, Result};
use output::Output;
use std::process::ExitCode;
use supervised::Inside;

/// Administer the VPN users of Windows RRAS servers
///
/// rasadmin.dll decides and records on the server. This command installs it, explains what it decides, shows who is and
/// was connected, and tries out changes. It also checks and drives RAS administration DLLs of any vendor.
///
/// If you name no configuration, rasadmin uses the one that the DLL on this computer would find. It looks in this
/// order: RASADMIN_CONFIG, the registry value HKLM\SOFTWARE\rasadmin\ConfigPath, %ProgramData%\rasadmin\rasadmin.toml
/// (/etc/rasadmin/rasadmin.toml).
#[derive(Parser)]
#[command(name = "rasadmin", version, max_term_width = 100)]
#[command(
    after_long_help = "A table fits the terminal: columns without room are left out, and named below it. Elsewhere it \
                  has every column, unless the variable COLUMNS says how wide it may be.\n\nExit codes: 0 all is well; \
                  1 the answer is no: a check failed, a user would be denied, nobody had the address, the user is \
                  unknown, something would change, or there is nothing to do; 2 the command could not do its work. For \
                  an empty list, the code is 0."
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
    Top(top::Arguments),
    Sessions(sessions::Arguments),
    Addresses(addresses::Arguments),
    WhoHad(who_had::Arguments),
    Users(users::Arguments),
    User(user::Arguments),
    Usage(usage::Arguments),
    Decisions(decisions::Arguments),
    Blocks(blocks::Arguments),
    Report(report::Arguments),
    Replay(replay::Arguments),
    Block(block::Arguments),
    Unblock(unblock::Arguments),
    Release(release::Arguments),
    Disconnect(disconnect::Arguments),
    Close(close::Arguments),
    Purge(purge::Arguments),
    Anonymise(anonymise::Arguments),
    Ledger(ledger::Arguments),
    Journal(journal::Arguments),
    Service(service::Arguments),
    Metrics(metrics::Arguments),
    Serve(serve::Arguments),
    Dashboard(dashboard::Arguments),
    Import(import::Arguments),
    Export(export::Arguments),
    Completions(completions::Arguments),
    Check(check::Arguments),
    Host(host::Arguments),
    #[command(name = internal::check_child::NAME, hide = true)]
    CheckChild(internal::check_child::Arguments),
    #[command(name = internal::address_process::NAME, hide = true)]
    AddressProcess(internal::address_process::Arguments),
    #[command(name = internal::lock_journal::NAME, hide = true)]
    LockJournal(internal::lock_journal::Arguments),
}

fn main() -> ExitCode {
    // An administrator may have downloaded it into a folder where others put files too.
    rasadmin_system::library_search::system_folder_only();
    std::panic::set_hook(Box::new(report_own_fault));
    let matches = match help::command().try_get_matches() {
        Ok(matches) => matches,
        Err(e) => return ExitCode::from(not_understood(&e)),
    };
    let json = wants_json(&matches);
    let prepared = Cli::from_arg_matches(&matches)
        .map_err(|e| CommandError::usage(e.render()))
        .and_then(|cli| output(&cli.command).map(|(out, inside)| (cli.command, out, inside)));
    let (command, mut out, inside) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            print_error(&error, json);
            return ExitCode::from(error.exit_code());
        }
    };
    let ended = run(command, &mut out).and_then(|exit| out.flush().map(|()| exit));
    let code = match ended {
        Ok(exit) => exit.code(),
        Err(error) => {
            // What was found out before it happened is worth reading.
            let _ = out.flush();
            print_error(&error, json);
            error.exit_code()
        }
    };
    if let Some((inside, answer)) = inside {
        inside.finish(code, &answer.take());
    }
    ExitCode::from(code)
}

/// Where the answer goes. A process that runs DLLs leaves it to its parent to pass it on.
fn output(command: &Command) -> Result<(Output, Option<(Inside, output::Answer)>)> {
    let inside = match command {
        Command::Host(_) => Inside::of_environment(),
        _ => None,
    };
    let Some(inside) = inside else { return Ok((Output::standard(), None)) };
    inside.join().or_error(Kind::System)?;
    output::messages_to(inside.messages());
    let (out, answer) = Output::to_memory();
    Ok((out, Some((inside, answer))))
}

fn run(command: Command, out: &mut Output) -> Result {
    match command {
        Command::Addresses(arguments) => addresses::run(arguments, out),
        Command::Anonymise(arguments) => anonymise::run(arguments, out),
        Command::Block(arguments) => block::run(arguments, out),
        Command::Blocks(arguments) => blocks::run(arguments, out),
        Command::Check(arguments) => check::run(arguments, out),
        Command::Close(arguments) => close::run(arguments, out),
        Command::Completions(arguments) => completions::run(arguments, out),
        Command::Config(arguments) => config::run(arguments, out),
        Command::Dashboard(arguments) => dashboard::run(arguments, out),
        Command::Decisions(arguments) => decisions::run(arguments, out),
        Command::Disconnect(arguments) => disconnect::run(arguments, out),
        Command::Explain(arguments) => explain::run(arguments, out),
        Command::Export(arguments) => export::run(arguments, out),
        Command::Host(arguments) => host::run(arguments, out),
        Command::Import(arguments) => import::run(arguments, out),
        Command::Install(arguments) => install::run(arguments, out),
        Command::Journal(arguments) => journal::run(arguments, out),
        Command::Ledger(arguments) => ledger::run(arguments, out),
        Command::Metrics(arguments) => metrics::run(arguments, out),
        Command::Purge(arguments) => purge::run(arguments, out),
        Command::Release(arguments) => release::run(arguments, out),
        Command::Replay(arguments) => replay::run(arguments, out),
        Command::Report(arguments) => report::run(arguments, out),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Service(arguments) => service::run(arguments),
        Command::Sessions(arguments) => sessions::run(arguments, out),
        Command::Status(arguments) => status::run(arguments, out),
        Command::Top(arguments) => top::run(arguments, out),
        Command::Unblock(arguments) => unblock::run(arguments, out),
        Command::Uninstall(arguments) => uninstall::run(arguments, out),
        Command::Usage(arguments) => usage::run(arguments, out),
        Command::User(arguments) => user::run(arguments, out),
        Command::Users(arguments) => users::run(arguments, out),
        Command::WhoHad(arguments) => who_had::run(arguments, out),
        Command::CheckChild(arguments) => internal::check_child::run(arguments),
        Command::AddressProcess(arguments) => internal::address_process::run(arguments),
        Command::LockJournal(arguments) => internal::lock_journal::run(arguments, out),
    }
}

/// Help and version go to standard output, errors of usage to standard error.
fn not_understood(error: &clap::Error) -> u8 {
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        let text = error.to_string();
        let text = text.trim_end();
        print_error(&CommandError::usage(text.strip_prefix("error: ").unwrap_or(text)), true);
        return 2;
    }
    let text = error.to_string();
    if error.use_stderr() && text.contains(|c| c != '\n' && rasadmin_text::is_unsafe(c)) {
        // It quotes the arguments.
        output::note(format_args!("{}", text.trim_end()));
        return 2;
    }
    let shown = error.print();
    if error.use_stderr() {
        return 2;
    }
    match shown.map_err(|e| CommandError::output(&e)) {
        Ok(()) => 0,
        Err(error) => {
            print_error(&error, false);
            error.exit_code()
        }
    }
}

/// Whether the subcommand has the option `--json`, and was given it.
fn wants_json(matches: &ArgMatches) -> bool {
    match matches.subcommand() {
        Some((_, inner)) => wants_json(inner),
        None => matches.try_get_one::<bool>("json").ok().flatten().is_some_and(|json| *json),
    }
}

fn print_error(error: &CommandError, json: bool) {
    if error.kind() == Kind::ClosedPipe {
        return;
    }
    if json {
        output::note(format_args!("{}", error.to_json()));
    } else {
        output::note(format_args!("error: {error}"));
    }
}

/// No panic reaches a person as one.
fn report_own_fault(info: &std::panic::PanicHookInfo<'_>) {
    if rasadmin_service::is_duty() {
        // The service goes on, and reports the duty's fault.
        let location = info.location().map(ToString::to_string).unwrap_or_default();
        output::note(format_args!("warning: a duty of the service has panicked ({location})"));
        return;
    }
    top::restore();
    let what = info.payload_as_str().unwrap_or("for an unknown reason");
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    output::note(format_args!(
        "error: this is a bug in rasadmin ({location}): {what}\nReport it, with the command that you gave."
    ));
    // In a process that runs DLLs, the parent passes the message on.
    rasadmin_host::supervise::finish(2, 0);
    std::process::exit(2);
}
