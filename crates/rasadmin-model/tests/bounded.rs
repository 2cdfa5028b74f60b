//! The bounded run: fixed seeds, in every test run. `cargo xtask torture --model` goes on from there.
#![allow(clippy::unwrap_used)]

use rasadmin_model::{Plan, Real, run, shrink};

/// How many runs, and how long each is.
const RUNS: u64 = 60;
const STEPS: usize = 2000;

#[test]
fn the_engine_agrees_with_the_truth() {
    let (mut steps, mut events, mut connections) = (0, 0, 0);
    for seed in 1..=RUNS {
        let plan = Plan::new(seed, STEPS);
        match run(&Real, &plan, false) {
            Ok(summary) => {
                steps += summary.steps;
                events += summary.events;
                connections += summary.connections;
            }
            Err(_) => {
                let least = shrink(&Real, &plan);
                let failure = run(&Real, &least, true).unwrap_err();
                panic!("seed {seed}: {}\n{:?}", failure.trace.join("\n"), failure.finding);
            }
        }
    }
    // A simulation in which nothing happens finds nothing.
    assert!(steps == RUNS * STEPS as u64 && events > steps / 10 && connections > events / 20, "{events} {connections}");
}

/// Longer runs that once found something, after which the engine or the simulation was corrected. They had no looks.
#[test]
fn seeds_with_earlier_findings_find_nothing() {
    let first = [426, 7_101_743, 7_103_998, 47_000_023, 47_001_013, 47_001_053, 62_003_122];
    let later = [62_008_408, 62_008_775, 81_001_493, 81_002_385, 91_000_478];
    for seed in first.into_iter().chain(later) {
        if let Err(failure) = run(&Real, &Plan::without_looks(seed, 4000), false) {
            panic!("seed {seed}: {:?}", failure.finding);
        }
    }
}

#[test]
fn a_seed_makes_the_same_run_each_time() {
    let plan = Plan::new(7, STEPS);
    assert_eq!(run(&Real, &plan, false).unwrap(), run(&Real, &Plan::new(7, STEPS), true).unwrap());
}
