//! Reduces a failing sequence to the steps that are needed.

use crate::product::Engine;
use crate::run::{Plan, run};

/// Returns the plan with as few steps as still lead to a finding of the same kind.
pub fn shrink<E: Engine + ?Sized>(engine: &E, plan: &Plan) -> Plan {
    let Err(first) = run(engine, plan, false) else { return plan.clone() };
    let fails = |plan: &Plan| run(engine, plan, false).is_err_and(|other| other.finding.oracle == first.finding.oracle);
    let mut least = plan.clone();
    least.steps.truncate(first.at + 1);
    // The expensive checks find it sooner if they are made more often.
    for interval in [1, 10, 100] {
        let often = Plan { interval, ..least.clone() };
        if fails(&often) {
            least = often;
            break;
        }
    }
    let mut chunk = least.steps.len().div_ceil(2).max(1);
    loop {
        let (mut at, mut cut) = (0, false);
        while at < least.steps.len() {
            let mut fewer = least.clone();
            fewer.steps.drain(at..(at + chunk).min(least.steps.len()));
            if fails(&fewer) {
                least = fewer;
                cut = true;
            } else {
                at += chunk;
            }
        }
        if chunk == 1 && !cut {
            return least;
        }
        if !cut {
            chunk = chunk.div_ceil(2);
        }
    }
}
