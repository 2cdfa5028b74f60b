//! A run: a seed's switches, configuration and steps.

use crate::finding::Finding;
use crate::product::Engine;
use crate::random::Random;
use crate::step::{self, Step};
use crate::switches::Switches;
use crate::world::World;

/// The number of steps from one round of the expensive checks to the next.
const INTERVAL: usize = 1000;

/// What a seed determines.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// Faults and assumptions.
    pub switches: Switches,
    /// The steps.
    pub steps: Vec<Step>,
    /// The number of steps from one round of the expensive checks to the next.
    pub interval: usize,
}

/// A run that found nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Steps.
    pub steps: u64,
    /// Events that were recorded.
    pub events: u64,
    /// Connections that were established.
    pub connections: u64,
}

/// A run that found something.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The finding.
    pub finding: Finding,
    /// The step at which it was found; the number of steps if it was found after all of them.
    pub at: usize,
    /// What happened, if a trace was requested.
    pub trace: Vec<String>,
    /// The same as a scenario, or why there is none.
    pub scenario: String,
}

impl Plan {
    /// Makes the plan of a seed.
    pub fn new(seed: u64, steps: usize) -> Self {
        Self::with(seed, steps, |switches| switches)
    }

    /// The plan for a seed against the whole product, without the faults that cannot be caused from outside.
    pub fn of_product(seed: u64, steps: usize) -> Self {
        Self::with(seed, steps, Switches::of_product)
    }

    /// The plan for a seed, without looks at RRAS's connections.
    pub fn without_looks(seed: u64, steps: usize) -> Self {
        Self::with(seed, steps, Switches::without_looks)
    }

    fn with(seed: u64, steps: usize, change: impl FnOnce(Switches) -> Switches) -> Self {
        let mut random = Random::new(seed);
        let switches = change(Switches::draw(seed, &mut random));
        let mut steps = step::draw(&switches, steps, &mut random);
        if switches.looks {
            step::add_looks(&mut steps, &mut Random::new(seed ^ 0x0100_4ed0));
        }
        Self { seed, switches, steps, interval: INTERVAL }
    }
}

/// Plays a plan.
///
/// # Errors
///
/// If something was found.
pub fn run<E: Engine + ?Sized>(engine: &E, plan: &Plan, trace: bool) -> Result<Summary, Box<Failure>> {
    let mut world = match World::new(engine, plan.switches.clone(), plan.seed) {
        Ok(world) => world,
        Err(finding) => return Err(Box::new(Failure { finding, at: 0, trace: Vec::new(), scenario: String::new() })),
    };
    if trace {
        world.trace = Some(vec![world.settings.text()]);
    }
    let fail = |world: &mut World<'_, E>, at| {
        let finding = world.finding.take()?;
        let scenario = world.script.text();
        Some(Box::new(Failure { finding, at, trace: world.trace.take().unwrap_or_default(), scenario }))
    };
    for (at, step) in plan.steps.iter().enumerate() {
        world.step(*step);
        if at % 64 == 63 {
            world.retire();
        }
        if at % plan.interval == plan.interval - 1 {
            world.check_periodically();
        }
        if let Some(failure) = fail(&mut world, at) {
            return Err(failure);
        }
    }
    world.quiesce();
    if let Some(failure) = fail(&mut world, plan.steps.len()) {
        return Err(failure);
    }
    Ok(Summary { steps: plan.steps.len() as u64, events: world.events, connections: world.established_count })
}
