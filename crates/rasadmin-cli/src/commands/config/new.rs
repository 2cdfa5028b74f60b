//! `rasadmin config new`: a configuration from a few answers.

use super::answers::Answers;
use crate::context::absolute;
use crate::error::{AS_ADMINISTRATOR, CommandError, Exit, Result};
use crate::output::Output;
use clap::Args;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Make a configuration from a few answers
///
/// On a terminal, asks for everything that no option gives. Without a terminal, leaves it out and names the options.
/// The result is checked before it is written, and an existing file is never overwritten. `examples/rasadmin.toml`
/// explains every key.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin config new
  rasadmin config new --one-session --no-pptp --time-zone Europe/Berlin \\
      --domain CORP --output rasadmin.toml")]
pub struct Arguments {
    /// Write to this file; `-` prints it [default: the file that the DLL on this computer reads]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The time zone of office hours and quotas: `Europe/Berlin`
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// The domain of users whose name has none
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// Allow each user one session at a time
    #[arg(long)]
    one_session: bool,
    /// Allow only SSTP and IKEv2
    #[arg(long)]
    no_pptp: bool,
    /// Give everyone an address of this network: `10.20.16.0/24`
    #[arg(long, value_name = "NETWORK")]
    pool: Option<String>,
    /// Allow only users of this domain
    #[arg(long, value_name = "DOMAIN")]
    only_domain: Option<String>,
    /// Do not ask, even on a terminal
    #[arg(long)]
    no_questions: bool,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let asks = !arguments.no_questions && std::io::stdin().is_terminal();
    let output = match &arguments.output {
        Some(path) if path.as_os_str() == "-" => None,
        Some(path) => Some(new_file(path)?),
        None => {
            let folder = rasadmin_system::places::data_folder().unwrap_or_default();
            Some(new_file(&folder.join("rasadmin.toml"))?)
        }
    };
    let mut answers = Answers {
        time_zone: arguments.time_zone,
        domain: arguments.domain,
        one_session: arguments.one_session,
        modern_tunnels: arguments.no_pptp,
        pool: arguments.pool,
        only_domain: arguments.only_domain,
    };
    // Before the questions, so that no answer is lost.
    let wrong = answers.wrong_options();
    if !wrong.is_empty() {
        return Err(CommandError::usage(wrong.join("\n")));
    }
    if asks {
        answers.ask()?;
    } else if !arguments.no_questions {
        let options = answers.left_out().join(", ");
        if !options.is_empty() {
            return Err(CommandError::usage("nothing was written: there is no terminal to ask on")
                .hint(format!("add what you want of {options}; --no-questions leaves out the rest")));
        }
    }
    let text = answers.text();
    let shown = output.as_deref().unwrap_or(Path::new("rasadmin.toml"));
    answers
        .check(shown)
        .map_err(|errors| CommandError::usage(format!("these answers make an invalid configuration:\n{errors}")))?;
    let Some(path) = output else {
        write!(out, "{text}")?;
        return Ok(Exit::Success);
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| not_written(folder, "the folder cannot be made", &e))?;
    }
    let written = std::fs::File::create_new(&path).and_then(|mut file| {
        // What is half written must not stay.
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).inspect_err(|_| {
            let _ = std::fs::remove_file(&path); // The first error is the one to report.
        })
    });
    written.map_err(|e| not_written(&path, "it cannot be written", &e))?;
    writeln!(out, "{}: written and checked", path.display())?;
    writeln!(out, "\nnext: rasadmin explain --config {} --user SOMEBODY", path.display())?;
    Ok(Exit::Success)
}

fn not_written(path: &Path, what: &str, error: &std::io::Error) -> CommandError {
    let failed = CommandError::file(path, format!("{what}: {error}"));
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            failed.hint(format!("{AS_ADMINISTRATOR}, or name another file with --output"))
        }
        _ => failed,
    }
}

/// A file that must not exist yet.
fn new_file(path: &Path) -> Result<PathBuf> {
    let path = absolute(path)?;
    if path.exists() {
        return Err(CommandError::file(&path, "it exists already, and is not overwritten: name another file"));
    }
    Ok(path)
}
