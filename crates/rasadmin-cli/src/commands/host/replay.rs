//! `rasadmin host replay`: a trace against a DLL.

use crate::commands::host::run::End;
use crate::commands::host::{not_standard_input, windows_dll};
use crate::error::{CommandError, Exit, Kind, OrCommandError, Result};
use crate::format::{count, dll_file, shown};
use crate::output::Output;
use crate::scratch::Keep;
use crate::supervised::{DLL_DIED, Inside, Outcome, run_again};
use clap::Args;
use rasadmin_host::replay::{self, ReplayReport};
use rasadmin_host::supervise::on_own_thread;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// Repeat every call of a recorded trace, and list what differs
///
/// The trace comes from `rasadmin host run --trace`, or from a real server with examples/recorder installed.
///
/// (`rasadmin replay` is something else: it evaluates a configuration against recorded decisions.)
#[derive(Args)]
#[command(after_long_help = "\
Example:
  rasadmin host replay --dll new.dll day.trace

Exit codes: 0 every answer is as recorded; 1 something differs; 2 the command
could not do its work; 3 the DLL ended its process, or did not return.")]
pub struct Arguments {
    /// The trace
    trace: PathBuf,
    /// The admin DLL to call
    #[arg(long = "dll", value_name = "FILE")]
    dll: PathBuf,
    /// The DLL of the trace that this DLL replaces; 0 is the first
    #[arg(long, default_value_t = 0, value_name = "INDEX")]
    of: usize,
    /// List at most this many differences
    #[arg(long, default_value_t = 20, value_name = "N")]
    most: usize,
    /// How long a call may take, in seconds
    #[arg(long, default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    deadline: u64,
    #[command(flatten)]
    keep: Keep,
    /// Print JSON, with every difference
    #[arg(long)]
    json: bool,
}

/// The answer for programs.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Answer {
    Replayed(Replayed),
    Died(Box<Died>),
}

/// The DLL ended its process, or did not return.
#[derive(Serialize, JsonSchema)]
pub struct Died {
    /// How many calls were begun.
    calls: u64,
    /// What happened.
    died: End,
    /// The first lines that the DLL printed.
    printed: Vec<String>,
}

/// A trace that was replayed against a DLL.
#[derive(Serialize, JsonSchema)]
pub struct Replayed {
    /// How many calls were repeated.
    calls: usize,
    /// How many calls of the trace were skipped, because they were made to other DLLs.
    skipped: usize,
    /// Every difference, in the order of the trace.
    differences: Vec<Difference>,
}

/// A call whose answer differs from the recorded one.
#[derive(Serialize, JsonSchema)]
struct Difference {
    /// The call's number in the trace.
    seq: u64,
    /// The function that was called, such as `MprAdminAcceptNewLink`.
    function: &'static str,
    /// The user or the port of the call; empty if the call carries neither in the clear.
    about: String,
    /// What was recorded, and what the answer is now.
    what: String,
}

/// Replays the trace.
pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let Some(inside) = Inside::of_environment() else {
        windows_dll::require_native(std::slice::from_ref(&arguments.dll))?;
        not_standard_input(&arguments.trace)?;
        return watch(&arguments, out);
    };
    let path = dll_file(&arguments.dll)?;
    let (header, calls) = rasadmin_trace::read_trace(&arguments.trace).or_error(Kind::File)?;
    if arguments.of >= header.dlls.len() {
        return Err(CommandError::usage(format!(
            "the trace has {}: --of {} is beyond the last",
            count(header.dlls.len(), "DLL"),
            arguments.of
        )));
    }
    inside.leave_current_directory()?;
    let replayed = on_own_thread(|| replay::replay(&path, &calls, arguments.of))
        .ok_or_else(|| CommandError::new(Kind::System, "the replay did not end"))?
        .map_err(|e| CommandError::new(Kind::Dll, format!("{}: {e}", arguments.dll.display())))?;
    let exit = Exit::no_if(!replayed.differences.is_empty());
    if arguments.json {
        out.json(&Answer::Replayed(replayed.into()))?;
    } else {
        text(&replayed, &arguments, out)?;
    }
    Ok(exit)
}

/// The parent: it has the last word, whatever the DLL does.
fn watch(arguments: &Arguments, out: &mut Output) -> Result {
    let deadline = Duration::from_secs(arguments.deadline);
    let child = run_again(&arguments.keep, None, deadline, &[], &mut |_| ())?;
    let death = match &child.outcome {
        Outcome::Finished(code) => return child.pass_on(*code, out),
        Outcome::Died(death) => death,
    };
    child.pass_on_messages();
    let died = End::new(death, std::slice::from_ref(&arguments.dll));
    if arguments.json {
        out.json(&Answer::Died(Box::new(Died { calls: death.progress.calls, died, printed: child.printed().0 })))?;
        return Ok(Exit::Code(DLL_DIED));
    }
    let dll = shown(&arguments.dll);
    let message = format!("{dll} could not take the replay to its end, {}: {death}.", death.place());
    writeln!(out, "{}\n", rasadmin_text::wrap("", &message, 80).join("\n"))?;
    writeln!(out, "  calls that were begun: {}", death.progress.calls)?;
    writeln!(out, "  find out more: rasadmin check {dll}")?;
    out.flush()?;
    child.tell_of_dlls();
    Ok(Exit::Code(DLL_DIED))
}

fn text(replayed: &ReplayReport, arguments: &Arguments, out: &mut Output) -> Result<()> {
    let differences = &replayed.differences;
    let skipped = match replayed.skipped {
        0 => String::new(),
        n => format!(" ({} to other DLLs skipped)", count(n, "call")),
    };
    writeln!(out, "{} replayed against {}{skipped}", count(replayed.calls, "call"), shown(&arguments.dll))?;
    match differences.len() {
        0 => writeln!(out, "identical: every answer is as recorded")?,
        n => writeln!(out, "{}:", count(n, "difference"))?,
    }
    for difference in differences.iter().take(arguments.most) {
        writeln!(out, "  {difference}")?;
    }
    if differences.len() > arguments.most {
        writeln!(out, "  … and {} more: --most {}", differences.len() - arguments.most, differences.len())?;
    }
    Ok(())
}

impl From<ReplayReport> for Replayed {
    fn from(replayed: ReplayReport) -> Self {
        let differences = replayed.differences.into_iter().map(|d| Difference {
            seq: d.seq,
            function: d.function.name(),
            about: d.subject,
            what: d.what,
        });
        Self { calls: replayed.calls, skipped: replayed.skipped, differences: differences.collect() }
    }
}
