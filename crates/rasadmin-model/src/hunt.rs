//! Runs one plan after another until the time or the steps are used up, or a fault is found.

use crate::product::Engine;
use crate::run::{Failure, Plan, run};
use crate::shrink::shrink;
use std::time::{Duration, Instant};

/// The options, as the usage shows them.
pub const OPTIONS: &str = "[--steps N] [--minutes N] [--seed S] [--run-length N] [--replay SEED [--whole]] [--all]";

/// A hunt for faults.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// The number of steps, at least.
    pub steps: u64,
    /// The duration, instead of the steps.
    pub minutes: Option<u64>,
    /// The seed of the first run; each further run takes the next number.
    pub seed: u64,
    /// The number of steps in a run.
    pub length: usize,
    /// Only the run of this seed.
    pub replay: Option<u64>,
    /// Print a failing run as it is, without reducing it first.
    pub whole: bool,
    /// Continue after a finding.
    pub all: bool,
    /// Makes the plan for a seed and a number of steps.
    pub plan: fn(u64, usize) -> Plan,
}

impl Hunt {
    /// Reads [`OPTIONS`] from a command line.
    ///
    /// # Errors
    ///
    /// If there is an unknown option, or a number is missing.
    pub fn with(mut self, words: &[&str]) -> Result<Self, String> {
        let mut words = words.iter();
        while let Some(&word) = words.next() {
            let mut number = || -> Result<u64, String> {
                let text = words.next().ok_or_else(|| format!("{word} needs a number"))?;
                text.parse().map_err(|error| format!("`{text}` is not a valid number: {error}"))
            };
            match word {
                "--steps" => self.steps = number()?,
                "--minutes" => self.minutes = Some(number()?),
                "--seed" => self.seed = number()?,
                "--run-length" => self.length = usize::try_from(number()?).map_err(|error| error.to_string())?,
                "--replay" => self.replay = Some(number()?),
                "--whole" => self.whole = true,
                "--all" => self.all = true,
                _ => return Err(format!("there is no option `{word}`; the options are {OPTIONS}")),
            }
        }
        Ok(self)
    }

    /// Runs, and returns a summary for people.
    ///
    /// # Errors
    ///
    /// The finding, as text for people.
    pub fn run<E: Engine + ?Sized>(&self, engine: &E) -> Result<String, String> {
        if let Some(seed) = self.replay {
            let plan = (self.plan)(seed, self.length);
            return match run(engine, &plan, false) {
                Ok(summary) => Ok(format!("seed {seed}: nothing found in {} steps", summary.steps)),
                Err(_) => Err(reported(engine, &plan, self.whole)),
            };
        }
        let started = Instant::now();
        let end = self.minutes.map(|minutes| started + Duration::from_secs(60 * minutes));
        let (mut steps, mut events, mut connections, mut runs, mut found) = (0, 0, 0, 0_u64, Vec::new());
        while end.map_or(steps < self.steps, |end| Instant::now() < end) {
            let seed = self.seed.wrapping_add(runs);
            let plan = (self.plan)(seed, self.length);
            runs += 1;
            match run(engine, &plan, false) {
                Ok(summary) => {
                    steps += summary.steps;
                    events += summary.events;
                    connections += summary.connections;
                }
                Err(failure) if self.all => {
                    steps += failure.at as u64;
                    found.push((seed, failure));
                }
                Err(_) => return Err(reported(engine, &plan, false)),
            }
        }
        let seconds = started.elapsed().as_secs_f64();
        let rate = steps as f64 / seconds.max(0.001);
        let text = format!(
            "{runs} runs, {steps} steps, {events} events, {connections} connections, {seconds:.1} s, {rate:.0} steps a \
             second"
        );
        if found.is_empty() { Ok(text) } else { Err(format!("{text}\n{}", summed_up(&found))) }
    }
}

/// The report on a failing plan, which is reduced unless `whole`.
fn reported<E: Engine + ?Sized>(engine: &E, plan: &Plan, whole: bool) -> String {
    let least = if whole { plan.clone() } else { shrink(engine, plan) };
    let Err(failure) = run(engine, &least, true) else { return "it failed once, and did not fail again".to_owned() };
    let Failure { finding, trace, scenario, .. } = *failure;
    format!(
        "seed {}, cut down to {} of {} steps\n{}\n{:?}\n\n{scenario}\n\n{}: {}",
        plan.seed,
        least.steps.len(),
        plan.steps.len(),
        trace.join("\n"),
        least.switches,
        finding.oracle,
        finding.what
    )
}

/// The findings by oracle, with their seeds.
fn summed_up(found: &[(u64, Box<Failure>)]) -> String {
    let mut kinds: Vec<(&str, Vec<u64>)> = Vec::new();
    for (seed, failure) in found {
        match kinds.iter_mut().find(|(oracle, _)| *oracle == failure.finding.oracle) {
            Some((_, seeds)) => seeds.push(*seed),
            None => kinds.push((failure.finding.oracle, vec![*seed])),
        }
    }
    let line = |(oracle, seeds): &(&str, Vec<u64>)| {
        let some: Vec<_> = seeds.iter().take(20).map(u64::to_string).collect();
        format!("{:>6} {oracle} (--replay {})", seeds.len(), some.join(", "))
    };
    format!("found:\n{}", kinds.iter().map(line).collect::<Vec<_>>().join("\n"))
}
