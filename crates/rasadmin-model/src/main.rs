//! `cargo xtask torture --model`: plays run after run until time or steps are over, or something is found.

use rasadmin_model::{Failure, Plan, Real, run, shrink};
use std::process::ExitCode;
use std::time::{Duration, Instant};

const HELP: &str =
    "usage: rasadmin-model [--steps N] [--minutes N] [--seed S] [--run-length N] [--replay SEED] [--all]";

/// What is run.
struct Options {
    steps: u64,
    minutes: Option<u64>,
    seed: u64,
    length: usize,
    replay: Option<u64>,
    all: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match options(&arguments).and_then(|options| hunt(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn options(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options { steps: 10_000_000, minutes: None, seed: 1, length: 4000, replay: None, all: false };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut number = || -> Result<u64, String> {
            let text = words.next().ok_or_else(|| format!("{word} needs a number\n{HELP}"))?;
            text.parse().map_err(|error| format!("`{text}` is no number: {error}"))
        };
        match word.as_str() {
            "--steps" => options.steps = number()?,
            "--minutes" => options.minutes = Some(number()?),
            "--seed" => options.seed = number()?,
            "--run-length" => options.length = usize::try_from(number()?).map_err(|error| error.to_string())?,
            "--replay" => options.replay = Some(number()?),
            "--all" => options.all = true,
            _ => return Err(format!("unknown: {word}\n{HELP}")),
        }
    }
    Ok(options)
}

fn hunt(options: &Options) -> Result<(), String> {
    if let Some(seed) = options.replay {
        let plan = Plan::new(seed, options.length);
        return match run(&Real, &plan, false) {
            Ok(summary) => {
                println!("seed {seed}: nothing found in {} steps", summary.steps);
                Ok(())
            }
            Err(_) => Err(told(&plan)),
        };
    }
    let started = Instant::now();
    let end = options.minutes.map(|minutes| started + Duration::from_secs(60 * minutes));
    let (mut steps, mut events, mut connections, mut runs, mut found) = (0, 0, 0, 0_u64, Vec::new());
    loop {
        let over = end.map_or(steps >= options.steps, |end| Instant::now() >= end);
        if over {
            break;
        }
        let seed = options.seed.wrapping_add(runs);
        let plan = Plan::new(seed, options.length);
        runs += 1;
        match run(&Real, &plan, false) {
            Ok(summary) => {
                steps += summary.steps;
                events += summary.events;
                connections += summary.connections;
            }
            Err(failure) if options.all => {
                steps += failure.at as u64;
                found.push((seed, failure));
            }
            Err(_) => return Err(told(&plan)),
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let rate = steps as f64 / seconds.max(0.001);
    println!(
        "{runs} runs, {steps} steps, {events} events, {connections} connections, {seconds:.1} s, {rate:.0} steps a second"
    );
    if found.is_empty() {
        return Ok(());
    }
    Err(summed_up(&found))
}

/// A failing plan, cut down, as people read it.
fn told(plan: &Plan) -> String {
    let least = shrink(&Real, plan);
    let Err(failure) = run(&Real, &least, true) else { return "it fails once, and not again".to_owned() };
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

/// What was found, by oracle, with the seeds that show it.
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
