//! Mutants: the engine with one defect.
//!
//! A mutant bends what goes into `decide` or what comes out of it, so the engine itself stays free of them.

use rasadmin_engine::{Context, Event, Now, Record, State};
use rasadmin_model::{Engine, Plan, Real, run};

/// How many runs there are at most, and how long each is.
const RUNS: u64 = 60;
const STEPS: usize = 2000;

/// What the bounded run finds in a mutant; the engine itself passes the same run.
pub fn found_in(mutant: &dyn Engine, oracles: &[&str]) {
    for seed in 1..=RUNS {
        let plan = Plan::new(seed, STEPS);
        let Err(failure) = run(mutant, &plan, false) else { continue };
        // Only what the mutant has made: the run itself may know the seed as failing.
        if run(&Real, &plan, false).is_ok() && oracles.contains(&failure.finding.oracle) {
            return;
        }
    }
    panic!("{RUNS} runs of {STEPS} steps do not find it");
}

pub fn decided(state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
    rasadmin_engine::decide(state, context, event, now)
}
