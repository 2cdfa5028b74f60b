//! Checkpoints: states to start from.

mod earlier;

pub use earlier::EarlierCheckpoint;

use super::State;
use super::addresses::{self, Addresses};
use super::blocks::Blocks;
use super::counted::{CountedOf, CountedOfAll};
use super::derived::Derived;
use super::expiry::{Due, Expiry};
use super::lease::{Lease, Leases};
use super::remote_sessions::RemoteSessions;
use super::session::{Closed, Session};
use super::sessions::Sessions;
use super::sink::Sink;
use super::table::Table;
use super::to_disconnect::ToDisconnect;
use super::usage::{UseOf, UseOfAll};
use crate::Name;
use crate::effect::{Block, DisconnectDecided, RemoteSession};
use crate::now::{Id, Mono, Process, Stamp};
use serde::{Deserialize, Serialize};

/// The version of the format.
pub const VERSION: u32 = 4;

/// A state without its indexes. Equal states have equal checkpoints. Making a checkpoint copies no table: state and
/// checkpoint share them until the state changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    head: Head,
    addresses: addresses::Parts,
    sessions: Table<Session>,
    closed: Table<Closed>,
    leases: Table<Lease>,
    owed: Table<Lease>,
    uses: Table<UseOf>,
    counted: Table<CountedOf>,
    to_disconnect: Table<DisconnectDecided>,
}

/// What is not a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    version: u32,
    number: u64,
    server: Name,
    instance: Option<Id>,
    last: Option<Stamp>,
    heard: Option<(Process, Mono)>,
    blocks: Vec<Block>,
    remote: Vec<RemoteSession>,
    config: Option<String>,
}

impl Checkpoint {
    /// Makes a checkpoint of a state.
    pub fn of(state: &State) -> Self {
        let (sessions, closed) = state.sessions.tables();
        let (leases, owed) = state.leases.tables();
        let head = Head {
            version: VERSION,
            number: state.number,
            server: state.server.clone(),
            instance: state.instance,
            last: state.last,
            heard: state.heard,
            blocks: state.blocks.all().cloned().collect(),
            remote: state.remote.sorted(),
            config: state.config.clone(),
        };
        Self {
            head,
            addresses: state.addresses.parts(),
            sessions: sessions.clone(),
            closed: closed.clone(),
            leases: leases.clone(),
            owed: owed.clone(),
            uses: state.uses.table().clone(),
            counted: state.counted.table().clone(),
            to_disconnect: state.to_disconnect.table().clone(),
        }
    }

    /// How many records had been applied.
    pub const fn number(&self) -> u64 {
        self.head.number
    }

    /// Can this program read it?
    pub const fn is_known(&self) -> bool {
        self.head.version == VERSION
    }

    /// Makes the state. Call [`State::derive`] next.
    pub fn into_state(self) -> State {
        let mut expiry = Expiry::default();
        for (_, session) in self.sessions.iter().filter(|(_, session)| session.waits_for_link()) {
            expiry.set(Due::Session(session.id), Some(session.unlinked.mono.after(super::LINK_TIMEOUT)));
        }
        for (_, lease) in self.leases.iter().filter(|(_, lease)| lease.until().is_some()) {
            expiry.set(Due::Lease(lease.id), lease.until());
        }
        let head = self.head;
        State {
            number: head.number,
            server: head.server,
            instance: head.instance,
            last: head.last,
            heard: head.heard,
            sessions: Sessions::load(self.sessions, self.closed),
            counted: CountedOfAll::load(self.counted),
            to_disconnect: ToDisconnect::load(self.to_disconnect),
            leases: Leases::load(self.leases, self.owed),
            expiry,
            uses: UseOfAll::load(self.uses),
            addresses: Addresses::load(self.addresses),
            blocks: Blocks::load(head.blocks),
            remote: RemoteSessions::load(head.remote),
            config: head.config,
            derived: Derived::default(),
        }
    }
}

/// A checkpoint that is written slice by slice. All slices together are the [`Checkpoint`], in a format that writes a
/// structure as its fields one after the other, and a list as its length followed by its entries.
#[derive(Debug)]
pub struct Slices {
    checkpoint: Checkpoint,
    /// The next part, and the next slice of it.
    part: u8,
    slice: usize,
}

/// How many free addresses a slice has.
const FREE: usize = 1024;

impl Slices {
    /// Slices of the present state.
    pub fn of(state: &State) -> Self {
        Self { checkpoint: Checkpoint::of(state), part: 0, slice: 0 }
    }

    /// Writes the next slice, a few kilobytes. Returns false if none was left.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn next<S: Sink>(&mut self, to: &mut S) -> Result<bool, S::Error> {
        let (all, slice) = (&self.checkpoint, self.slice);
        let addresses::Parts { sequence, cursors, free, last } = &all.addresses;
        let whole = match self.part {
            0 => {
                to.put(&all.head)?;
                to.put(sequence)?;
                to.put(cursors)?;
                true
            }
            1 => {
                if slice == 0 {
                    to.put(&free.len())?;
                }
                free.chunks(FREE).nth(slice).into_iter().flatten().try_for_each(|free| to.put(free))?;
                (slice + 1) * FREE >= free.len()
            }
            2 => last.slice(slice, to)?,
            3 => all.sessions.slice(slice, to)?,
            4 => all.closed.slice(slice, to)?,
            5 => all.leases.slice(slice, to)?,
            6 => all.owed.slice(slice, to)?,
            7 => all.uses.slice(slice, to)?,
            8 => all.counted.slice(slice, to)?,
            9 => all.to_disconnect.slice(slice, to)?,
            _ => return Ok(false),
        };
        (self.part, self.slice) = if whole { (self.part + 1, 0) } else { (self.part, slice + 1) };
        Ok(true)
    }
}
