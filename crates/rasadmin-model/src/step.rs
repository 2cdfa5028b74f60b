//! Steps. They name their subjects relatively and carry their own random number, so a sequence still makes sense when
//! some of its steps are removed.

use crate::random::Random;
use crate::switches::Switches;

/// What a step does. `k` is chosen by the step's random number among the existing ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Time passes.
    Tick,
    /// The time of day is set.
    ClockStep,
    /// A client dials.
    Dial,
    /// The k-th attempt takes its next step: an address call, the connection's, the first link's.
    Advance,
    /// The k-th call in progress advances: it is decided and written, or its answer arrives.
    Call,
    /// The k-th pending notification is delivered.
    Deliver,
    /// A pending notification is lost.
    Lose,
    /// A notification will be delivered once more.
    Repeat,
    /// The k-th online connection ends.
    Drop,
    /// The k-th attempt fails.
    Fail,
    /// The k-th connection gets another link.
    AddLink,
    /// A connection loses one of several links.
    DropLink,
    /// A connection's quarantine state changes.
    Reauthenticate,
    /// A connection's endpoint moves.
    Move,
    /// A process can no longer write.
    Unavailable,
    /// A process can write again.
    Available,
    /// The service is killed, and starts again.
    Restart,
    /// Another configuration is read.
    Reload,
    /// A command blocks somebody, or lifts a block.
    Block,
    /// The service looks at RRAS's connections.
    Look,
}

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub kind: Kind,
    /// Its random number: for subjects, intervals and identifiers.
    pub chance: u64,
}

/// Draws the steps of a run.
pub fn draw(switches: &Switches, count: usize, random: &mut Random) -> Vec<Step> {
    let when = |on: bool, weight: usize| if on { weight } else { 0 };
    // Some runs are crowded, some are quiet.
    let (dial, drop) = (6 + random.below(16), 4 + random.below(10));
    let weights = [
        (Kind::Tick, 20 + random.below(30)),
        (Kind::ClockStep, when(switches.clock_steps, 1)),
        (Kind::Dial, dial),
        (Kind::Advance, 45),
        (Kind::Call, when(switches.overlap, 90)),
        (Kind::Deliver, 35 + random.below(40)),
        (Kind::Lose, when(switches.losses, 1 + random.below(4))),
        (Kind::Repeat, when(switches.doubles, 1 + random.below(4))),
        (Kind::Drop, drop),
        (Kind::Fail, 1 + random.below(4)),
        (Kind::AddLink, when(switches.multilink, 6)),
        (Kind::DropLink, when(switches.multilink, 4)),
        (Kind::Reauthenticate, 2),
        (Kind::Move, 2),
        (Kind::Unavailable, when(switches.unavailable, 1)),
        (Kind::Available, when(switches.unavailable, 3)),
        (Kind::Restart, 0),
        (Kind::Reload, when(switches.reloads, 1)),
        (Kind::Block, when(switches.blocks, 2)),
    ];
    let total: usize = weights.iter().map(|(_, weight)| weight).sum();
    let mut steps = Vec::with_capacity(count);
    for _ in 0..count {
        let mut at = random.below(total);
        let kind = weights.iter().find(|(_, weight)| {
            let found = at < *weight;
            at = at.saturating_sub(*weight);
            found
        });
        let mut kind = kind.map_or(Kind::Tick, |(kind, _)| *kind);
        // Restarts are too rare for a weight, and a short run needs one too.
        if switches.restarts && random.below(count.min(1500)) == 0 {
            kind = Kind::Restart;
        }
        steps.push(Step { kind, chance: random.any() });
    }
    steps
}

/// Puts looks among the steps, of which as many remain as there were. They are drawn apart, so that each seed keeps its
/// other steps.
pub fn add_looks(steps: &mut Vec<Step>, random: &mut Random) {
    let count = steps.len();
    let others = std::mem::take(steps);
    for step in others {
        if random.below(14) == 0 {
            steps.push(Step { kind: Kind::Look, chance: random.any() });
        }
        steps.push(step);
    }
    steps.truncate(count);
}
