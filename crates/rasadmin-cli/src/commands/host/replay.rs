//! `rasadmin host replay`: a trace against a DLL.

use crate::commands::host::windows_dll;
use crate::error::{CommandError, Exit, Kind, OrCommandError, Result};
use crate::format::{count, dll_file};
use crate::output::Output;
use crate::scratch::{self, Keep, Run};
use clap::Args;
use rasadmin_host::replay;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::PathBuf;

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
could not do its work.")]
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
    #[command(flatten)]
    keep: Keep,
    /// Print JSON, with every difference
    #[arg(long)]
    json: bool,
}

/// A trace that was replayed against a DLL.
#[derive(Serialize, JsonSchema)]
pub struct Answer {
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
    if let Run::Finished(exit) = scratch::rerun_inside(&arguments.keep, None)? {
        return Ok(exit);
    }
    let path = dll_file(&arguments.dll)?;
    windows_dll::require_native(std::slice::from_ref(&path))?;
    let (header, calls) = rasadmin_trace::read_trace(&arguments.trace).or_error(Kind::File)?;
    if arguments.of >= header.dlls.len() {
        return Err(CommandError::usage(format!(
            "the trace has {}: --of {} is beyond the last",
            count(header.dlls.len(), "DLL"),
            arguments.of
        )));
    }
    let replayed = replay::replay(&path, &calls, arguments.of)
        .map_err(|e| CommandError::new(Kind::Dll, format!("{}: {e}", arguments.dll.display())))?;
    let differences = &replayed.differences;
    let exit = Exit::no_if(!differences.is_empty());
    if arguments.json {
        let differences = differences.iter().map(|d| Difference {
            seq: d.seq,
            function: d.function.name(),
            about: d.subject.clone(),
            what: d.what.clone(),
        });
        let (calls, skipped) = (replayed.calls, replayed.skipped);
        out.json(&Answer { calls, skipped, differences: differences.collect() })?;
        return Ok(exit);
    }
    let skipped = match replayed.skipped {
        0 => String::new(),
        n => format!(" ({} to other DLLs skipped)", count(n, "call")),
    };
    writeln!(out, "{} replayed against {}{skipped}", count(replayed.calls, "call"), arguments.dll.display())?;
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
    Ok(exit)
}
