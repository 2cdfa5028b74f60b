//! `--assume all`: the scenario under every assumption that can be made about RRAS, one at a time.

use super::answer::Answer;
use super::watch::child;
use super::{Arguments, set};
use crate::error::{CommandError, Exit, Kind, Result};
use crate::format::{count, shown, texts};
use crate::output::Output;
use crate::supervised::{DLL_DIED, Outcome};
use rasadmin_host::assumptions::{Assumption, Assumptions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The variable that names the one assumption that a child makes.
const READING: &str = "RASADMIN_HOST_READING";

/// The scenario under every assumption.
#[derive(Serialize, JsonSchema)]
pub struct Readings {
    /// The assumptions of the scenario and of the command line, with which the others are compared.
    compared_with: Assumed,
    /// One entry for each other assumption.
    readings: Vec<Reading>,
}

/// The scenario under one assumption.
#[derive(Serialize, JsonSchema)]
struct Reading {
    /// The assumption, such as `ikev2-link=not-called`.
    assumed: String,
    /// How it went.
    #[serde(flatten)]
    result: Assumed,
    /// The sessions that end differently.
    differences: Vec<Difference>,
}

/// How the scenario went under an assumption.
#[derive(Serialize, JsonSchema, Clone, Default)]
struct Assumed {
    /// The exit code of the run.
    exit_code: u8,
    /// What is wrong: expectations that are not met, and addresses that two users had at once. If a DLL ended its process,
    /// what it did.
    faults: Vec<String>,
}

/// A session that ends differently.
#[derive(Serialize, JsonSchema)]
struct Difference {
    /// The session's label.
    session: String,
    /// Its result with the usual assumptions.
    usually: String,
    /// Its result under this assumption.
    here: String,
}

/// What is read of a child's answer.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Played {
    faults: Vec<String>,
    outcomes: Vec<PlayedOutcome>,
    died: Option<PlayedDeath>,
    failure: Option<PlayedFailure>,
}

#[derive(Deserialize)]
struct PlayedOutcome {
    session: String,
    became: String,
    refused: Option<String>,
    cut: Option<String>,
    ipv4: Option<String>,
}

#[derive(Deserialize)]
struct PlayedDeath {
    message: String,
}

#[derive(Deserialize)]
struct PlayedFailure {
    message: String,
}

/// The assumptions of a child that plays one reading.
pub fn of_environment(mut assumptions: Assumptions) -> Result<Assumptions> {
    if let Some(assumed) = std::env::var(READING).ok().filter(|assumed| !assumed.is_empty()) {
        set(&mut assumptions, &assumed)?;
    }
    Ok(assumptions)
}

/// Whether this process plays one of several readings, so that its answer is for the parent.
pub fn is_one() -> bool {
    std::env::var_os(READING).is_some()
}

/// Plays all of them.
pub fn run(arguments: &Arguments, out: &mut Output) -> Result {
    if arguments.keep.folder().is_some() || arguments.trace.is_some() {
        return Err(CommandError::usage("--assume all plays the scenario many times: leave out --keep and --trace"));
    }
    let (base, usual) = play(arguments, "")?;
    if base.exit_code == 2 {
        return Ok(Exit::Code(2));
    }
    let mut readings = Vec::new();
    for &assumption in Assumption::ALL {
        for value in assumption.values() {
            let assumed = format!("{}={value}", assumption.name());
            let mut assumptions = arguments.assumed(Assumptions::default())?;
            let before = assumptions;
            set(&mut assumptions, &assumed)?;
            if assumptions == before {
                continue;
            }
            let (result, outcomes) = play(arguments, &assumed)?;
            readings.push(Reading { assumed, result, differences: differences(&usual, &outcomes) });
        }
    }
    let codes = readings.iter().map(|reading| reading.result.exit_code).chain([base.exit_code]);
    let code = codes.max().unwrap_or_default().min(DLL_DIED);
    let all = Readings { compared_with: base, readings };
    if arguments.json {
        out.json(&Answer::Readings(Box::new(all)))?;
    } else {
        write!(out, "{}", all.text(arguments))?;
    }
    Ok(Exit::Code(code))
}

/// How it went, and what became of each session.
fn play(arguments: &Arguments, assumed: &str) -> Result<(Assumed, BTreeMap<String, String>)> {
    let child = child(arguments, &[(READING, assumed.into())])?;
    let (exit_code, death) = match &child.outcome {
        Outcome::Finished(code) => (*code, None),
        Outcome::Died(death) => {
            let paths = arguments.dlls.paths()?.0;
            let dll = death.dll().and_then(|dll| paths.get(dll)).map_or_else(|| "a DLL".into(), |path| shown(path));
            (DLL_DIED, Some(format!("{dll}, {}: {}", death.place(), death.summary())))
        }
    };
    // What keeps it from being played at all is the same for every reading.
    if exit_code == 2 {
        child.pass_on_messages();
    }
    let answer = child.answer();
    let played: Played = match (&death, exit_code) {
        (None, 0 | 1 | DLL_DIED) => serde_json::from_slice(&answer)
            .map_err(|e| CommandError::new(Kind::System, format!("the answer of a run cannot be read: {e}")))?,
        _ => Played::default(),
    };
    let mut faults = played.faults;
    faults.extend(death);
    faults.extend(played.died.map(|died| died.message));
    faults.extend(played.failure.map(|failure| failure.message));
    let outcomes = played.outcomes.into_iter().map(|outcome| {
        let why = outcome.refused.or(outcome.cut).map(|why| format!(": {why}")).unwrap_or_default();
        let address = outcome.ipv4.map(|address| format!(", {address}")).unwrap_or_default();
        (outcome.session, format!("{}{address}{why}", outcome.became))
    });
    Ok((Assumed { exit_code, faults }, outcomes.collect()))
}

fn differences(usual: &BTreeMap<String, String>, outcomes: &BTreeMap<String, String>) -> Vec<Difference> {
    let of = |outcomes: &BTreeMap<String, String>, session: &String| {
        outcomes.get(session).cloned().unwrap_or_else(|| "not reached".into())
    };
    let all = usual.keys().filter(|session| of(usual, session) != of(outcomes, session));
    all.map(|session| Difference { session: session.clone(), usually: of(usual, session), here: of(outcomes, session) })
        .collect()
}

impl Readings {
    fn text(&self, arguments: &Arguments) -> String {
        let name = arguments.scenario.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let mut out = format!("{name} under {}, one at a time\n\n", count(self.readings.len(), "assumption"));
        let new_faults = |reading: &Reading| {
            let usual = &self.compared_with.faults;
            reading.result.faults.iter().filter(|fault| !usual.contains(fault)).cloned().collect::<Vec<_>>()
        };
        let rows = self.readings.iter().map(|reading| {
            let faults = new_faults(reading).len();
            let word = |n: usize| if n == 0 { "-".to_owned() } else { n.to_string() };
            vec![reading.assumed.clone(), word(reading.differences.len()), word(faults)]
        });
        out.push_str(&texts(&["assumed", "sessions that end differently", "new faults"], rows));
        out.push('\n');
        for reading in &self.readings {
            let faults = new_faults(reading);
            if reading.differences.is_empty() && faults.is_empty() {
                continue;
            }
            out.push_str(&format!("\n{}\n", reading.assumed));
            for Difference { session, usually, here } in reading.differences.iter().take(3) {
                out.push_str(&format!("  {session}: {here}\n    usually: {usually}\n"));
            }
            if reading.differences.len() > 3 {
                out.push_str(&format!("  … and {} more\n", reading.differences.len() - 3));
            }
            faults.iter().take(3).for_each(|fault| out.push_str(&format!("  {fault}\n")));
            if faults.len() > 3 {
                out.push_str(&format!("  … and {} more\n", faults.len() - 3));
            }
        }
        if !self.compared_with.faults.is_empty() {
            out.push_str("\nwith the usual assumptions, too:\n");
            self.compared_with.faults.iter().take(5).for_each(|fault| out.push_str(&format!("  {fault}\n")));
        }
        rasadmin_text::printable_lines(&out).into_owned()
    }
}
