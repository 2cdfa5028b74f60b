//! How many blocks are in force.

use super::facts::{Facts, Mark};
use super::recorded::Recorded;
use crate::format::count;
use crate::times;

/// Blocks of this server; `None` if its journal has no records.
pub fn check(facts: &mut Facts, recorded: &Recorded) -> Option<usize> {
    let blocks = recorded.present.as_ref()?.state.blocks(times::now()).count();
    if blocks > 0 {
        let are = if blocks == 1 { "is" } else { "are" };
        facts.add(Mark::Note, "blocks", format!("{} {are} in force: see `rasadmin blocks`", count(blocks, "block")));
    }
    Some(blocks)
}
