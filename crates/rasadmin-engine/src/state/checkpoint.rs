//! A state to start from.

use super::State;
use super::addresses::{self, Addresses};
use super::derived::Derived;
use super::elsewhere::AllElsewhere;
use super::expiry::{Due, Expiry};
use super::lease::{Lease, Leases};
use super::session::{Closed, Session, Sessions};
use super::table::Table;
use super::usage::{UseOf, UseOfAll};
use crate::Name;
use crate::effect::{Block, Elsewhere};
use crate::now::{Id, Mono, Process, Stamp};
use serde::{Deserialize, Serialize};

/// The version of what follows.
pub const VERSION: u32 = 2;

/// All that a state holds, its indexes aside, in an order of its own: two equal states have equal checkpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    version: u32,
    number: u64,
    server: Name,
    instance: Option<Id>,
    last: Option<Stamp>,
    heard: Option<(Process, Mono)>,
    sessions: Table<Session>,
    closed: Table<Closed>,
    leases: Table<Lease>,
    owed: Table<Lease>,
    uses: Table<UseOf>,
    addresses: addresses::Parts,
    blocks: Vec<Block>,
    elsewhere: Vec<Elsewhere>,
    config: Option<String>,
}

impl Checkpoint {
    /// Of a state.
    pub fn of(state: &State) -> Self {
        let (sessions, closed) = state.sessions.tables();
        let (leases, owed) = state.leases.tables();
        Self {
            version: VERSION,
            number: state.number,
            server: state.server.clone(),
            instance: state.instance,
            last: state.last,
            heard: state.heard,
            sessions: sessions.clone(),
            closed: closed.clone(),
            leases: leases.clone(),
            owed: owed.clone(),
            uses: state.uses.table().clone(),
            addresses: state.addresses.parts(),
            blocks: state.blocks.values().cloned().collect(),
            elsewhere: state.elsewhere.sorted(),
            config: state.config.clone(),
        }
    }

    /// After how many records it was made.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Can this program read it?
    pub const fn is_known(&self) -> bool {
        self.version == VERSION
    }

    /// The state; [`State::derive`] comes next.
    pub fn into_state(self) -> State {
        let mut expiry = Expiry::default();
        for (_, session) in self.sessions.iter().filter(|(_, session)| session.waits_for_link()) {
            expiry.set(Due::Session(session.id), Some(session.unlinked.mono.after(crate::decide::SESSION_WAITS)));
        }
        for (_, lease) in self.leases.iter().filter(|(_, lease)| lease.until().is_some()) {
            expiry.set(Due::Lease(lease.id), lease.until());
        }
        State {
            number: self.number,
            server: self.server,
            instance: self.instance,
            last: self.last,
            heard: self.heard,
            sessions: Sessions::load(self.sessions, self.closed),
            leases: Leases::load(self.leases, self.owed),
            expiry,
            uses: UseOfAll::load(self.uses),
            addresses: Addresses::load(self.addresses),
            blocks: self.blocks.into_iter().map(|block| (block.user.clone(), block)).collect(),
            elsewhere: AllElsewhere::load(self.elsewhere),
            config: self.config,
            derived: Derived::default(),
        }
    }
}
