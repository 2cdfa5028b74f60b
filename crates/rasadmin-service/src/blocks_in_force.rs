//! Who is blocked now.

use rasadmin_engine::effect::Block;
use rasadmin_engine::{Millis, Name};
use rasadmin_journal::Error;
use rasadmin_recorder::present::{self, Missing};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The blocks that are in force, as the journal has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlocksInForce {
    /// The server on which they are.
    pub server: Name,
    /// The blocks, the latest first.
    pub blocks: Vec<Block>,
    /// How many there are besides these.
    pub more: usize,
    /// Whether a part of the journal cannot be read, so that some may be missing.
    pub in_part: bool,
}

impl BlocksInForce {
    /// Reads at most so many from a journal's folder. Returns None if nothing was ever recorded there.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn read(journal: &Path, now: Millis, most: usize) -> Result<Option<Self>, Error> {
        let Some(present) = present::read(journal)? else { return Ok(None) };
        let mut blocks: Vec<Block> = present.state.blocks(now).cloned().collect();
        blocks.sort_by_key(|block| std::cmp::Reverse(block.since));
        let more = blocks.len().saturating_sub(most);
        blocks.truncate(most);
        let (server, in_part) = (present.state.server().clone(), present.missing != Missing::default());
        Ok(Some(Self { server, blocks, more, in_part }))
    }
}
