//! A state to start from.

use super::elsewhere::AllElsewhere;
use super::expiry::Due;
use super::lease::{Lease, Leases};
use super::session::{Closed, Session, Sessions};
use super::usage::{Accumulated, UseOfAll};
use super::{State, addresses};
use crate::effect::{Block, Elsewhere};
use crate::now::{Id, Mono, Process, Stamp};
use crate::{Identity, Name};
use serde::{Deserialize, Serialize};

/// The version of what follows.
pub const VERSION: u32 = 1;

/// All that a state holds, its indexes aside, in an order of its own: two equal states have equal checkpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    version: u32,
    number: u64,
    server: Name,
    instance: Option<Id>,
    last: Option<Stamp>,
    heard: Option<(Process, Mono)>,
    sessions: Vec<Session>,
    closed: Vec<Closed>,
    leases: Vec<Lease>,
    owed: Vec<Lease>,
    uses: Vec<(Identity, [Accumulated; 3])>,
    addresses: addresses::Parts,
    blocks: Vec<Block>,
    elsewhere: Vec<Elsewhere>,
    config: Option<String>,
}

impl Checkpoint {
    /// Of a state.
    pub fn of(state: &State) -> Self {
        let (sessions, closed) = state.sessions.sorted();
        let sorted = |mut leases: Vec<Lease>| {
            leases.sort_by_key(|lease| (lease.began.mono, lease.id));
            leases
        };
        Self {
            version: VERSION,
            number: state.number,
            server: state.server.clone(),
            instance: state.instance,
            last: state.last,
            heard: state.heard,
            sessions: sessions.into_iter().cloned().collect(),
            closed: closed.into_iter().cloned().collect(),
            leases: sorted(state.leases.all().cloned().collect()),
            owed: sorted(state.leases.all_owed().cloned().collect()),
            uses: state.uses.sorted(),
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
        let mut state = State {
            number: self.number,
            server: self.server,
            instance: self.instance,
            last: self.last,
            heard: self.heard,
            uses: UseOfAll::load(self.uses),
            addresses: addresses::Addresses::load(self.addresses),
            config: self.config,
            sessions: Sessions::default(),
            leases: Leases::default(),
            ..State::default()
        };
        state.sessions.reserve(self.sessions.len());
        for session in self.sessions {
            let id = session.id;
            let due = session.waits_for_link().then(|| session.unlinked.mono.after(crate::decide::SESSION_WAITS));
            state.expiry.set(Due::Session(id), due);
            state.sessions.insert(session);
        }
        for closed in self.closed {
            state.sessions.remember(closed);
        }
        state.leases.reserve(self.leases.len());
        for lease in self.leases {
            state.expiry.set(Due::Lease(lease.id), lease.until());
            state.leases.insert(lease);
        }
        for lease in self.owed {
            state.leases.owe(lease);
        }
        state.blocks = self.blocks.into_iter().map(|block| (block.user.clone(), block)).collect();
        state.elsewhere = AllElsewhere::load(self.elsewhere);
        state
    }
}
