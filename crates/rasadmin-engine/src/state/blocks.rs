//! Blocks, each with its subject.

use crate::effect::{Block, BlockSubject, EarlierBlock};
use crate::{Identity, Millis};
use std::collections::BTreeMap;

/// How many blocks there are at most.
pub const MAX_BLOCKS: usize = 10_000;

/// A block that has ended is kept as long as there is room: a clock that is ahead for a moment must not lift it.
#[derive(Clone, Debug, Default)]
pub(super) struct Blocks(BTreeMap<BlockSubject, Block>);

impl Blocks {
    pub(super) fn begin(&mut self, block: Block, now: Millis) {
        if !self.0.contains_key(&block.subject) && self.0.len() >= MAX_BLOCKS {
            self.0.retain(|_, other| other.is_in_force(now));
        }
        if self.has_room_for(&block.subject, now) {
            self.0.insert(block.subject.clone(), block);
        }
    }

    pub(super) fn end(&mut self, subject: &BlockSubject) {
        self.0.remove(subject);
    }

    /// Applies the earlier form: without an end, it lifts the block.
    pub(super) fn apply_earlier(&mut self, block: &EarlierBlock, now: Millis) {
        let EarlierBlock { user, until, reason } = block.clone();
        let subject = BlockSubject::User(user);
        match until {
            Some(_) => self.begin(Block { subject, since: now, until, reason, by: None }, now),
            None => self.end(&subject),
        }
    }

    /// Can this subject be blocked? The number of blocks is limited.
    pub(super) fn has_room_for(&self, subject: &BlockSubject, now: Millis) -> bool {
        self.0.len() < MAX_BLOCKS
            || self.0.contains_key(subject)
            || self.0.values().any(|block| !block.is_in_force(now))
    }

    /// A subject's block, whether or not it has ended.
    pub(super) fn get(&self, subject: &BlockSubject) -> Option<&Block> {
        self.0.get(subject)
    }

    /// All blocks in the order of their subjects, also those that have ended.
    pub(super) fn all(&self) -> impl Iterator<Item = &Block> {
        self.0.values()
    }

    /// Forgets blocks that ended before a time: of all users, or of one.
    pub(super) fn forget(&mut self, before: Millis, user: Option<&Identity>) {
        let whose = |subject: &BlockSubject| match (user, subject) {
            (None, _) => true,
            (Some(user), BlockSubject::User(of)) => user == of,
            (Some(_), BlockSubject::ClaimedComputer(_)) => false,
        };
        self.0.retain(|subject, block| !whose(subject) || block.until.is_none_or(|until| until >= before));
    }

    pub(super) fn load(all: Vec<Block>) -> Self {
        Self(all.into_iter().map(|block| (block.subject.clone(), block)).collect())
    }
}
