//! Who is blocked now.

use rasadmin_engine::effect::{Block, BlockSubject};
use rasadmin_engine::{Millis, Name};
use rasadmin_journal::Error;
use rasadmin_pipe::Request;
use rasadmin_recorder::present::{self, Missing};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How many octets the blocks of an answer over the pipe have at most. The rest of the answer is short.
pub const MOST_OCTETS: usize = 900 << 10;

/// The blocks that are in force, as the journal has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlocksInForce {
    /// The server on which they are.
    pub server: Name,
    /// The blocks, the latest first; in a part of them, in the order of their subjects.
    pub blocks: Vec<Block>,
    /// How many there are after this part.
    pub more: usize,
    /// Whether a part of the journal cannot be read, so that some may be missing.
    pub in_part: bool,
}

impl BlocksInForce {
    /// Reads them from a journal's folder. Returns None if nothing was ever recorded there.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn read(journal: &Path, now: Millis) -> Result<Option<Self>, Error> {
        let Some(present) = present::read(journal)? else { return Ok(None) };
        let blocks = present.state.blocks(now).cloned().collect();
        let (server, in_part) = (present.state.server().clone(), present.missing != Missing::default());
        Ok(Some(Self { server, blocks, more: 0, in_part }.latest_first()))
    }

    fn latest_first(mut self) -> Self {
        self.blocks.sort_by(|a, b| b.since.cmp(&a.since).then_with(|| a.subject.cmp(&b.subject)));
        self
    }

    /// The next blocks after this one, in the order of their subjects: as many as have at most so many octets as JSON, but
    /// at least one.
    pub fn after(mut self, after: Option<&BlockSubject>, most_octets: usize) -> Self {
        self.blocks.retain(|block| after.is_none_or(|after| block.subject > *after));
        self.blocks.sort_by(|a, b| a.subject.cmp(&b.subject));
        let octets = |block: &Block| serde_json::to_string(block).map_or(0, |json| json.len() + 1);
        let fit = self.blocks.iter().scan(0, |sum, block| {
            *sum += octets(block);
            Some(*sum)
        });
        let fit = fit.take_while(|sum| *sum <= most_octets).count().max(1);
        self.more = self.blocks.len().saturating_sub(fit);
        self.blocks.truncate(fit);
        self
    }

    /// All of them, from answers to this question. If a later part is refused, as by an older service or a busy one, `more` says
    /// how many are missing.
    ///
    /// # Errors
    /// If the first question is not answered.
    pub fn of_answers<E>(mut ask: impl FnMut(Request) -> Result<Self, E>) -> Result<Self, E> {
        let mut whole = ask(Request::Blocks { after: None })?;
        while let Some(last) = whole.blocks.last().filter(|_| whole.more > 0) {
            let after = serde_json::to_string(&last.subject).ok();
            let Ok(next) = ask(Request::Blocks { after }) else { break };
            whole.more = next.more;
            whole.in_part |= next.in_part;
            whole.blocks.extend(next.blocks);
        }
        Ok(whole.latest_first())
    }
}
