//! The present state: the result of all effects so far.
//!
//! [`State::apply`] carries out a record's effects and depends on nothing else: neither a configuration nor a clock.
//! Its cost does not depend on past sessions. Indexes that depend on the configuration are derived ([`State::derive`])
//! and are not part of a checkpoint.

mod addresses;
mod apply;
mod blocks;
mod checkpoint;
mod counted;
mod derived;
mod expiry;
mod index;
mod instance;
mod lease;
mod live;
mod remote_sessions;
mod session;
mod sessions;
mod sink;
mod table;
mod to_disconnect;
mod usage;

pub use crate::effect::{Accumulated, Sums};
pub use addresses::Free;
pub use blocks::MAX_BLOCKS;
pub use checkpoint::{Checkpoint, EarlierCheckpoint, Slices, VERSION};
pub(crate) use expiry::Due;
pub use instance::{Closing, Open, closing_of};
pub use lease::{Holding, Lease};
pub use session::{Closed, Link, Replaced, Session};
pub use sink::Sink;
pub use usage::period_label;

use crate::config::Config;
use crate::counters::Counted;
use crate::effect::{Block, BlockSubject, DisconnectDecided, RemoteSession};
use crate::now::{Id, Mono, Process, Stamp};
use crate::{Identity, Name};
use addresses::Addresses;
use blocks::Blocks;
use counted::CountedOfAll;
use derived::Derived;
use expiry::Expiry;
use lease::Leases;
use remote_sessions::RemoteSessions;
use sessions::Sessions;
use std::sync::Arc;
use to_disconnect::ToDisconnect;
use usage::UseOfAll;

/// How long a session may have no link before it is closed, in milliseconds.
pub const LINK_TIMEOUT: u64 = 60 * 1000;

/// How long a lease is held that no connection took, or whose session was hung up, in milliseconds.
pub const LEASE_TIMEOUT: u64 = 5 * 60 * 1000;

/// How long a session that was closed without a hangup is remembered, in milliseconds.
pub const CLOSED_FOR: u64 = 60 * 60 * 1000;

/// How many such sessions are remembered at most, and how many sessions that ended on other servers.
pub const MAX_CLOSED: usize = 10_000;

/// How many free addresses are remembered in the order of their release.
pub const MAX_FREE: usize = 100_000;

/// For how many users the last addresses are remembered.
pub const MAX_USERS: usize = 100_000;

/// The state of one server.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// How many records were applied.
    number: u64,
    server: Name,
    instance: Option<Id>,
    /// The time of the last record.
    last: Option<Stamp>,
    /// The process that last received a notification, and when.
    heard: Option<(Process, Mono)>,
    sessions: Sessions,
    counted: CountedOfAll,
    to_disconnect: ToDisconnect,
    leases: Leases,
    expiry: Expiry,
    uses: UseOfAll,
    addresses: Addresses,
    blocks: Blocks,
    remote: RemoteSessions,
    /// The hash of the configuration that was read last, so that its texts are recorded once.
    config: Option<String>,
    derived: Derived,
}

impl State {
    /// An empty state, before the first record.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many records were applied.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The server that the state belongs to; empty before its first instance.
    pub const fn server(&self) -> &Name {
        &self.server
    }

    /// The current or last instance.
    pub const fn instance(&self) -> Option<Id> {
        self.instance
    }

    /// When RRAS made its last call that was recorded. Events of commands and of the service do not count.
    pub const fn last(&self) -> Option<Stamp> {
        self.last
    }

    /// The hash of the configuration that was read last.
    pub fn config_on_record(&self) -> Option<&str> {
        self.config.as_deref()
    }

    /// Derives the indexes from a configuration. Before that, no user is in a group, and no pool has an address.
    pub fn derive(&mut self, config: &Arc<Config>) {
        self.derived = Derived::new(config);
        for session in self.sessions.live() {
            self.derived.count(session, 1);
        }
        for remote in self.remote.live() {
            self.derived.count_user(&remote.user, 1);
        }
        for address in self.leases.held_addresses() {
            self.derived.hold(address);
        }
        self.derived.free_all(self.addresses.free());
    }

    /// Were the indexes derived from this configuration?
    pub fn serves(&self, config: &Arc<Config>) -> bool {
        self.derived.serves(config)
    }

    // Sessions.

    /// A live session.
    pub fn session(&self, id: Id) -> Option<&Session> {
        self.sessions.get(id)
    }

    /// All live sessions, in no order.
    pub fn live(&self) -> impl Iterator<Item = &Session> {
        self.sessions.live()
    }

    /// How many sessions are live.
    pub fn live_count(&self) -> usize {
        self.sessions.len()
    }

    /// What was decided last about disconnecting a live session.
    pub fn to_disconnect(&self, session: Id) -> Option<&DisconnectDecided> {
        self.to_disconnect.of(session)
    }

    /// What a live session has sent and received; `None` if no look was recorded.
    pub fn counted(&self, session: Id) -> Option<Counted> {
        self.counted.of(session)
    }

    /// The live session of a handle that began last.
    pub fn by_handle(&self, handle: u64) -> Option<&Session> {
        self.sessions.by_handle(handle)
    }

    /// The live session of a GUID.
    pub fn by_guid(&self, guid: &str) -> Option<&Session> {
        self.sessions.by_guid(guid)
    }

    /// The session that has a live link on a port.
    pub fn on_port(&self, port: &Name) -> Option<&Session> {
        self.sessions.on_port(port)
    }

    /// A user's live sessions, in the order of their beginning.
    pub fn of_user(&self, user: &Identity) -> impl Iterator<Item = &Session> {
        self.sessions.of_user(user)
    }

    /// The live sessions whose first link was on a port, even if that link has ended. Before a session has a link, the
    /// port of its lease counts.
    pub fn of_first_port(&self, port: &Name) -> impl Iterator<Item = &Session> {
        self.sessions.of_first_port(port)
    }

    /// The live sessions whose projection has named an address, in no order.
    pub fn with_projected(&self, address: crate::addresses::Address) -> impl Iterator<Item = &Session> {
        self.sessions.with_projected(address)
    }

    /// Is there a live session whose addresses are unknown? It may have any address that was given.
    pub(crate) const fn some_may_have_any_address(&self) -> bool {
        self.sessions.some_may_have_any_address()
    }

    /// Sessions of a handle that were closed without a hangup, the last one first.
    pub fn closed_by_handle(&self, handle: u64) -> impl Iterator<Item = &Closed> {
        self.sessions.closed_by_handle(handle)
    }

    /// All sessions that were closed without a hangup, in no order.
    pub fn closed(&self) -> impl Iterator<Item = &Closed> {
        self.sessions.closed()
    }

    /// A session that was closed without a hangup.
    pub fn closed_session(&self, id: Id) -> Option<&Closed> {
        self.sessions.closed_session(id)
    }

    /// How many live sessions of a group count, including those on other servers.
    pub fn counted_in(&self, group: crate::rules::GroupId) -> u32 {
        self.derived.counted(group)
    }

    /// Other servers' live sessions of a user.
    pub fn remote_sessions_of(&self, user: &Identity) -> impl Iterator<Item = &RemoteSession> {
        self.remote.live_of(user)
    }

    /// A subject's block that is in force at a time.
    pub fn block(&self, subject: &BlockSubject, time: crate::Millis) -> Option<&Block> {
        self.blocks.get(subject).filter(|block| block.is_in_force(time))
    }

    /// All blocks that are in force at a time, in the order of their subjects.
    pub fn blocks(&self, time: crate::Millis) -> impl Iterator<Item = &Block> {
        self.blocks.all().filter(move |block| block.is_in_force(time))
    }

    /// Can this subject be blocked? There are at most [`MAX_BLOCKS`] blocks.
    pub fn can_block(&self, subject: &BlockSubject, time: crate::Millis) -> bool {
        self.blocks.has_room_for(subject, time)
    }

    // Leases.

    /// A lease that has not ended.
    pub fn lease(&self, id: Id) -> Option<&Lease> {
        self.leases.get(id)
    }

    /// All leases that have not ended, in no order.
    pub fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.leases.all()
    }

    /// The lease that holds an address.
    pub fn lease_at(&self, address: crate::addresses::Address) -> Option<&Lease> {
        self.leases.at(address)
    }

    /// The leases that were given on a port and have not ended, in the order of their beginning.
    pub fn leases_on(&self, port: &Name) -> impl Iterator<Item = &Lease> {
        self.leases.on(port)
    }

    /// A session's leases.
    pub fn leases_of(&self, session: Id) -> impl Iterator<Item = &Lease> {
        self.leases.of_session(session)
    }

    /// A lease that has ended and whose release is still to come: the last one of a port and family.
    pub fn owed(&self, port: &Name, family: crate::addresses::Family) -> Option<&Lease> {
        self.leases.owed(port, family)
    }

    // What only decisions need.

    /// What a user has used in the period with this label.
    pub fn used(&self, user: &Identity, period: crate::config::file::Period, label: i32) -> Sums {
        self.uses.of(user, period, label)
    }

    /// All users' use, in no order.
    pub(crate) fn uses(&self) -> impl Iterator<Item = (&Identity, &[Accumulated; 3])> {
        self.uses.all()
    }

    /// Is nothing known about the user's use?
    pub(crate) fn has_used_nothing(&self, user: &Identity) -> bool {
        !self.uses.knows(user)
    }

    /// The blocks that `memory` has and this state lacks, or has in an earlier form.
    pub(crate) fn blocks_lacking<'m>(&self, memory: &'m Self) -> impl Iterator<Item = &'m Block> {
        let lacks = |block: &&Block| self.blocks.get(&block.subject).is_none_or(|known| known.since < block.since);
        memory.blocks.all().filter(lacks)
    }

    /// The addresses that a user had last and no one else has had since, the latest first.
    pub fn last_addresses(&self, user: &Identity, family: crate::addresses::Family) -> impl Iterator<Item = u64> {
        self.addresses.last_of(user, family)
    }

    /// The first number of a pool that was not tried since it got these ranges: `None` if it was never searched,
    /// `Some(None)` if all were tried.
    pub fn cursor(&self, pool: &str, shape: &str) -> Option<Option<u64>> {
        self.addresses.cursor(pool, shape)
    }

    /// A pool's free address that was released first.
    pub fn released_first(&self, pool: usize) -> Option<u64> {
        self.derived.released_first(pool)
    }

    /// How many of a pool's addresses are held.
    pub fn held_of(&self, pool: usize) -> u64 {
        self.derived.held_of(pool)
    }

    /// How many of a pool's addresses are remembered as free.
    pub fn free_of(&self, pool: usize) -> u64 {
        self.derived.free_of(pool)
    }

    /// Is an address remembered as free?
    pub fn is_free(&self, address: crate::addresses::Address) -> bool {
        self.addresses.is_free(address)
    }

    /// The hash of a pool's ranges.
    pub fn shape(&self, pool: usize) -> Option<&str> {
        self.derived.shape(pool)
    }

    /// The sessions and leases that are due at this time, the earliest first.
    pub(crate) fn due(&self, mono: Mono) -> impl Iterator<Item = Due> + '_ {
        self.expiry.due(mono)
    }

    /// The process that last received a notification, and when.
    pub(crate) const fn heard(&self) -> Option<(Process, Mono)> {
        self.heard
    }
}
