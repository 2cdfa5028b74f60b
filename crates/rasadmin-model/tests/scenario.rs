//! What was cut down prints as a scenario that the host understands, wherever the scenario language has words for it.
#![allow(clippy::unwrap_used)]

use rasadmin_engine::{Context, Effect, Event, Now, Record, State};
use rasadmin_model::{Engine, Plan, run, shrink};

/// No connection is ever hung up.
struct NoHangups;

impl Engine for NoHangups {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let mut record = rasadmin_engine::decide(state, context, event, now);
        if matches!(event, Event::Hangup(_)) {
            record.effects.retain(|effect| !matches!(effect, Effect::SessionEnded(_)));
        }
        record
    }
}

#[test]
fn a_short_sequence_is_a_scenario() {
    let (mut understood, mut longest) = (0, 0);
    for seed in 1..40 {
        let plan = Plan::new(seed, 400);
        if run(&NoHangups, &plan, false).is_ok() {
            continue;
        }
        let least = shrink(&NoHangups, &plan);
        let failure = run(&NoHangups, &least, true).unwrap_err();
        longest = longest.max(least.steps.len());
        if failure.scenario.starts_with("no scenario") {
            continue;
        }
        if let Err(error) = rasadmin_host::scenario::Scenario::parse("model.scenario", &failure.scenario) {
            panic!("seed {seed}: {error}\n{}", failure.scenario);
        }
        understood += 1;
    }
    assert!(understood > 3, "only {understood} of them");
    // A connection that comes up and ends takes no more than some steps.
    assert!(longest < 40, "{longest} steps are left of one");
}
