//! `rasadmin host assumptions`: what a run can assume of RRAS.

use crate::error::{Exit, Result};
use crate::output::Output;
use clap::Args;
use rasadmin_host::assumptions::Assumption;
use schemars::JsonSchema;
use serde::Serialize;

/// List the unproven facts about RRAS, and what the host can assume about them
///
/// A run chooses with `--assume hangup-order=releases-first`, a scenario with a line such as
/// `assume hangup-order=releases-first`. A DLL must work with every value: `rasadmin host run --assume all` plays them
/// all. The ids are those of docs/rras-behaviour.md.
#[derive(Args)]
#[command(after_long_help = "\
Example:
  rasadmin host assumptions --json

Exit codes: 0 always; 2 the command could not do its work.")]
pub struct Arguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// An unproven fact about RRAS.
#[derive(Serialize, JsonSchema)]
pub struct Answer {
    /// Its name in a scenario.
    name: &'static str,
    /// What is not known.
    description: &'static str,
    /// What it can be, the default first.
    values: Vec<Value>,
    /// The facts of docs/rras-behaviour.md that it is about.
    ids: &'static [&'static str],
    /// What speaks for either value.
    evidence: &'static str,
}

/// A value that can be assumed.
#[derive(Serialize, JsonSchema)]
struct Value {
    /// Its name in a scenario.
    name: &'static str,
    /// What it means.
    description: &'static str,
}

impl From<Assumption> for Answer {
    fn from(assumption: Assumption) -> Self {
        let value = |&name| Value { name, description: assumption.describe(name).unwrap_or_default() };
        Self {
            name: assumption.name(),
            description: assumption.description(),
            values: assumption.values().iter().map(value).collect(),
            ids: assumption.ids(),
            evidence: assumption.evidence(),
        }
    }
}

/// Lists them.
pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let all: Vec<Answer> = Assumption::ALL.iter().copied().map(Answer::from).collect();
    if arguments.json {
        out.json(&all)?;
        return Ok(Exit::Success);
    }
    writeln!(out, "The host assumes the first value of each, unless you or the scenario say otherwise.")?;
    for assumption in &all {
        writeln!(out, "\n{} ({})", assumption.name, assumption.ids.join(", "))?;
        writeln!(out, "  {}", assumption.description)?;
        let width = assumption.values.iter().map(|value| value.name.len()).max().unwrap_or(0);
        for value in &assumption.values {
            writeln!(out, "    {:width$}  {}", value.name, value.description)?;
        }
        writeln!(out, "  {}", assumption.evidence)?;
    }
    Ok(Exit::Success)
}
