//! Checkpoints of the version before: their blocks are of users only, and they have no counters.

use super::{Checkpoint, Head, VERSION};
use crate::Name;
use crate::effect::{Block, BlockSubject, EarlierBlock, RemoteSession};
use crate::now::{Id, Mono, Process, Stamp};
use crate::state::addresses;
use crate::state::lease::Lease;
use crate::state::session::{Closed, Session};
use crate::state::table::Table;
use crate::state::usage::UseOf;
use serde::Deserialize;

/// A checkpoint of version 2.
#[derive(Debug, Deserialize)]
pub struct EarlierCheckpoint {
    head: EarlierHead,
    addresses: addresses::Parts,
    sessions: Table<Session>,
    closed: Table<Closed>,
    leases: Table<Lease>,
    owed: Table<Lease>,
    uses: Table<UseOf>,
}

#[derive(Debug, Deserialize)]
struct EarlierHead {
    version: u32,
    number: u64,
    server: Name,
    instance: Option<Id>,
    last: Option<Stamp>,
    heard: Option<(Process, Mono)>,
    blocks: Vec<EarlierBlock>,
    remote: Vec<RemoteSession>,
    config: Option<String>,
}

impl EarlierCheckpoint {
    /// The version that it has.
    pub const VERSION: u32 = 2;

    /// The same state as a checkpoint of the present version; `None` if it has another version. When a block began is
    /// not in it: the time of the last record takes its place.
    pub fn upgraded(self) -> Option<Checkpoint> {
        let Self { head, addresses, sessions, closed, leases, owed, uses } = self;
        let EarlierHead { version, number, server, instance, last, heard, blocks, remote, config } = head;
        let since = last.map_or(0, |last| last.time);
        let block = |EarlierBlock { user, until, reason }: EarlierBlock| Block {
            subject: BlockSubject::User(user),
            since,
            until,
            reason,
            by: None,
        };
        let blocks = blocks.into_iter().map(block).collect();
        let head = Head { version: VERSION, number, server, instance, last, heard, blocks, remote, config };
        let counted = Table::default();
        let upgraded = Checkpoint { head, addresses, sessions, closed, leases, owed, uses, counted };
        (version == Self::VERSION).then_some(upgraded)
    }
}
