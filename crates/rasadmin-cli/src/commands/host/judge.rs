//! `rasadmin host judge`: a trace against the unproven facts about RRAS.

mod answer;

use crate::error::{CommandError, Exit, Kind, Result};
use crate::format::count;
use crate::output::Output;
pub use answer::Answer;
use clap::Args;
use rasadmin_host::judge::{Judgement, Verdict, judge};
use rasadmin_text::printable;
use std::path::PathBuf;

/// Compare a trace with the unproven facts about RRAS: which does it confirm, which does it contradict?
///
/// The trace comes from examples/recorder on a real server (docs/field-test.md says how), or from
/// `rasadmin host run --trace`. The ids are those of docs/rras-behaviour.md. For each point, the answer lists the numbers
/// of the calls that show it.
#[derive(Args)]
#[command(after_long_help = "\
Example:
  rasadmin host judge --anonymous rasadmin.trace

Exit codes: 0 the trace was read; 2 it cannot be read, or is not a trace.")]
pub struct Arguments {
    /// The trace
    trace: PathBuf,
    /// Leave out all names, addresses and paths, so that the answer can be sent to others
    #[arg(long)]
    anonymous: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The verdicts, in the order of the text.
const ORDER: [Verdict; 5] =
    [Verdict::Contradicted, Verdict::Mixed, Verdict::Confirmed, Verdict::NotSeen, Verdict::CannotShow];

/// Judges the trace.
pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let (header, calls) = rasadmin_trace::read_trace(&arguments.trace).map_err(|error| {
        let damaged = error.line > 1;
        let error = CommandError::new(Kind::File, error);
        // The recorder writes whole lines, but two of them overwrite each other's.
        if damaged { error.hint("if two processes have written it, take one trace of each") } else { error }
    })?;
    let judgements = judge(&header, &calls);
    if arguments.json {
        out.json(&Answer::new(calls.len(), &judgements, arguments.anonymous))?;
        return Ok(Exit::Success);
    }
    let number = |verdict| judgements.iter().filter(|judgement| judgement.verdict() == verdict).count();
    let name = match arguments.anonymous {
        true => "a trace".to_owned(),
        false => printable(&arguments.trace.to_string_lossy()).into_owned(),
    };
    let version = env!("CARGO_PKG_VERSION");
    writeln!(out, "{name}, {}, judged by rasadmin {version}", count(calls.len(), "call"))?;
    let numbers: Vec<_> =
        ORDER.iter().filter(|v| number(**v) > 0).map(|v| format!("{} {}", number(*v), v.text())).collect();
    writeln!(out, "{}", numbers.join("; "))?;
    for verdict in ORDER {
        let mut about = judgements.iter().filter(|judgement| judgement.verdict() == verdict).peekable();
        if about.peek().is_some() {
            writeln!(out, "\n{}", verdict.text().to_uppercase())?;
        }
        for judgement in about {
            write_judgement(judgement, arguments.anonymous, out)?;
        }
    }
    Ok(Exit::Success)
}

fn write_judgement(judgement: &Judgement, anonymous: bool, out: &mut Output) -> Result<()> {
    let point = judgement.point;
    writeln!(out, "  {} ({})", point.name, point.ids.join(", "))?;
    writeln!(out, "    {}", point.statement)?;
    for seen in &judgement.seen {
        let mark = if seen.confirms { "yes" } else { "no" };
        let value = seen.value.map(|value| format!(" ({value})")).unwrap_or_default();
        writeln!(out, "    {mark:3}  {}{value}: {}", seen.what, count(seen.times, "time"))?;
        for example in &seen.examples {
            let calls: Vec<_> = example.calls.iter().map(u64::to_string).collect();
            let detail = match anonymous || example.detail.is_empty() {
                true => String::new(),
                false => format!(": {}", printable(&example.detail)),
            };
            let noun = if calls.len() == 1 { "call" } else { "calls" };
            writeln!(out, "           {noun} {}{detail}", calls.join(", "))?;
        }
        if seen.times > seen.examples.len() {
            writeln!(out, "           …")?;
        }
    }
    if judgement.seen.is_empty() {
        writeln!(out, "    →  {}", point.how)?;
    }
    Ok(())
}
