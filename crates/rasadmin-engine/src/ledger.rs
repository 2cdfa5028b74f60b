//! The ledger: every decision, lease, session and link, and what was used.
//!
//! [`Ledger`] and [`Transaction`] are what the engine needs of a store; all that knows SQL is behind them. What the
//! events mean (ghosts, odd sequences, which lease belongs to which session) is decided in [`crate::record`], once for
//! every store.

mod anonymous;
pub mod desk;
pub mod history;
pub mod instance;
pub mod memory;
pub mod report;
pub mod spool;
pub mod sqlite;

use crate::addresses::{Address, Family};
use crate::{Identity, Name, Tunnel};
use serde::{Deserialize, Serialize};
use std::time::Instant;

pub use rasadmin_policy::Millis;

/// A row's number.
pub type Id = i64;

/// Why the ledger cannot be used now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    /// Which kind.
    pub kind: AwayKind,
    /// What happened, for people.
    pub message: String,
}

/// Kinds of absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AwayKind {
    /// The file or its folder is not there, or something else stands in its place.
    Missing,
    /// Another process held it beyond the deadline.
    Locked,
    /// It may not be written.
    ReadOnly,
    /// The disk is full.
    Full,
    /// It is no ledger, or damaged.
    Corrupt,
    /// It belongs to another platform, a newer version, or a network drive.
    Foreign,
    /// Anything else.
    Other,
}

impl AwayKind {
    /// As messages name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Locked => "locked",
            Self::ReadOnly => "read-only",
            Self::Full => "full",
            Self::Corrupt => "corrupt",
            Self::Foreign => "foreign",
            Self::Other => "other",
        }
    }
}

impl std::fmt::Display for Away {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Away {}

/// A store for the ledger.
pub trait Ledger {
    /// Runs one write transaction; what `work` answers is committed, an error rolls back. `durable`: it is on disk
    /// before this returns. Waiting for locks ends at the deadline.
    fn transact(
        &mut self,
        deadline: Instant,
        durable: bool,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), Away>,
    ) -> Result<(), Away>;
}

/// A live session, as far as decisions need it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct LiveSession {
    pub id: Id,
    pub key: String,
    pub guid: Option<String>,
    pub user: Option<Identity>,
    pub user_name: Name,
    pub computer: Name,
    pub source: String,
    pub interface: String,
    pub quarantine: String,
    pub tunnel: Option<Tunnel>,
    pub port: Option<Name>,
    pub start: Millis,
    pub established: Option<Millis>,
    pub live_links: u32,
}

/// A session that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct NewSession<'a> {
    pub key: &'a str,
    pub instance: Id,
    pub server: &'a Name,
    pub user: Option<&'a Identity>,
    pub user_name: &'a Name,
    pub handle: u64,
    pub guid: Option<&'a str>,
    pub computer: &'a Name,
    pub source: &'a str,
    pub interface: &'a str,
    pub quarantine: &'a str,
    pub tunnel: Option<Tunnel>,
    pub port: Option<&'a Name>,
    pub start: Millis,
}

/// What was used, told at a hangup: the counters are 32-bit and wrap at 4 GiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Seconds.
    pub seconds: u64,
    /// Octets, client to server (Acct-Input-Octets).
    pub input_octets: u64,
    /// Octets, server to client (Acct-Output-Octets).
    pub output_octets: u64,
    /// Frames, client to server.
    pub input_packets: u64,
    /// Frames, server to client.
    pub output_packets: u64,
}

impl Usage {
    /// Are the octets what was transferred, or may a counter have wrapped? A frame carries at most 1,600 octets.
    pub fn is_exact(&self) -> bool {
        self.input_packets.max(self.output_packets) * 1600 < 1 << 32
    }
}

/// Why a session was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum ClosedBy {
    Hangup,
    PortStartedAgain,
    HandleStartedAgain,
    GuidStartedAgain,
    FirstLinkRejected,
    NeverEstablished,
    LinksGone,
    ServiceEnded,
    Administrator,
}

impl ClosedBy {
    /// As the ledger writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hangup => "hangup",
            Self::PortStartedAgain => "port started again",
            Self::HandleStartedAgain => "handle started again",
            Self::GuidStartedAgain => "GUID started again",
            Self::FirstLinkRejected => "first link rejected",
            Self::NeverEstablished => "never established",
            Self::LinksGone => "links gone",
            Self::ServiceEnded => "service ended",
            Self::Administrator => "administrator",
        }
    }

    /// Acct-Terminate-Cause (RFC 2866): unknown unless we caused it, since no structure carries one.
    pub const fn cause(self) -> Option<&'static str> {
        match self {
            Self::ServiceEnded => Some("NAS-Reboot"),
            Self::Administrator => Some("Admin-Reset"),
            _ => None,
        }
    }

    /// Does its time count for the user?
    pub const fn is_billed(self) -> bool {
        !matches!(self, Self::FirstLinkRejected | Self::NeverEstablished)
    }

    /// Was its end seen, or is its time an estimate?
    pub const fn is_estimated(self) -> bool {
        !matches!(self, Self::Hangup | Self::FirstLinkRejected)
    }
}

/// The end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Closing {
    pub stop: Millis,
    pub by: ClosedBy,
    pub usage: Usage,
}

/// Where a lease's address came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The user's reservation.
    Reservation,
    /// A pool, the user's previous address.
    Sticky,
    /// A pool.
    Pool,
    /// RRAS's own offer was kept.
    Offer,
}

impl Origin {
    /// As the ledger writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reservation => "reservation",
            Self::Sticky => "sticky",
            Self::Pool => "pool",
            Self::Offer => "offer",
        }
    }
}

/// A lease that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct NewLease<'a> {
    pub instance: Id,
    pub server: &'a Name,
    pub address: Address,
    pub prefix: Option<&'a str>,
    pub user: Option<&'a Identity>,
    pub user_name: &'a Name,
    pub port: &'a Name,
    pub origin: Origin,
    pub pool: Option<&'a str>,
    pub tag: Option<Id>,
    pub began: Millis,
    pub decision: Option<Id>,
}

/// A lease that has not ended, or whose release is still to come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Lease {
    pub id: Id,
    pub address: Address,
    pub user: Option<Identity>,
    pub port: Name,
    pub session: Option<Id>,
    pub origin: Origin,
    pub live: bool,
    pub began: Millis,
}

/// Why a lease ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum EndedBy {
    Release,
    PortStartedAgain,
    NeverAccepted,
    SessionClosed,
    ServiceEnded,
    Moved,
    Administrator,
}

impl EndedBy {
    /// As the ledger writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::PortStartedAgain => "port started again",
            Self::NeverAccepted => "never accepted",
            Self::SessionClosed => "session closed",
            Self::ServiceEnded => "service ended",
            Self::Moved => "address given by RRAS again",
            Self::Administrator => "administrator",
        }
    }

    /// Can RRAS's own release of it still come?
    pub const fn release_may_come(self) -> bool {
        !matches!(self, Self::Release | Self::ServiceEnded)
    }
}

/// A link that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct NewLink<'a> {
    pub session: Option<Id>,
    pub server: &'a Name,
    pub port: &'a Name,
    pub device: &'a Name,
    pub tunnel: Option<Tunnel>,
    pub start: Millis,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Decision {
    pub time: Millis,
    pub stage: crate::Stage,
    pub allow: bool,
    pub for_now: bool,
    pub ledger_away: bool,
    /// The rule's name; None is the default, or the engine's own reason.
    pub rule: Option<String>,
    pub reason: Option<String>,
    /// The hash of the configuration.
    pub config: String,
    /// What was known.
    pub facts: crate::Facts,
    /// What the ledger had said, as far as the rules asked; None while it was away.
    #[serde(default)]
    pub counted: Option<crate::rules::Counted>,
}

/// A configuration was read by a process of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// When.
    pub time: Millis,
    /// The version of the product.
    pub version: &'static str,
    /// The hash of the configuration in force since then.
    pub config: String,
    /// What is wrong with the file, if an earlier configuration is in force instead.
    pub fault: Option<String>,
}

/// What is known of an address that was given before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    /// Never.
    Never,
    /// It is free.
    Free,
    /// A live lease holds it.
    Held,
}

/// One transaction. Every method is one statement (or a short, constant number of them).
#[allow(missing_docs)]
pub trait Transaction {
    // Sessions.
    fn live_by_handle(&mut self, server: &Name, handle: u64) -> Result<Option<LiveSession>, Away>;
    fn live_by_guid(&mut self, server: &Name, guid: &str) -> Result<Option<LiveSession>, Away>;
    /// By the port of the session, or of a live link of it.
    fn live_by_port(&mut self, server: &Name, port: &Name) -> Result<Option<LiveSession>, Away>;
    /// By its row.
    fn live_by_id(&mut self, id: Id) -> Result<Option<LiveSession>, Away>;
    /// All live sessions of a user, on all servers.
    fn live_of(&mut self, user: &Identity) -> Result<Vec<LiveSession>, Away>;
    /// How many live sessions each user has.
    fn live_users(&mut self) -> Result<Vec<(Identity, u32)>, Away>;
    /// Past use of a user on these days (both included, `YYYY-MM-DD`): seconds and octets.
    fn used(&mut self, user: &Identity, first: &str, last: &str) -> Result<(u64, u64), Away>;
    fn begin_session(&mut self, session: &NewSession<'_>) -> Result<Id, Away>;
    /// The first link stands: now it is established, and its port and tunnel are known.
    fn establish(&mut self, id: Id, now: Millis, port: &Name, tunnel: Option<Tunnel>) -> Result<(), Away>;
    fn add_links(&mut self, id: Id, now: Millis, change: i32) -> Result<(), Away>;
    fn set_source(&mut self, id: Id, source: &str) -> Result<(), Away>;
    fn set_quarantine(&mut self, id: Id, quarantine: &str) -> Result<(), Away>;
    fn set_address(&mut self, id: Id, address: Address, prefix: Option<&str>) -> Result<(), Away>;
    fn close_session(&mut self, id: Id, closing: &Closing) -> Result<(), Away>;
    fn add_usage(&mut self, user: &Identity, day: &str, seconds: u64, usage: Option<&Usage>) -> Result<(), Away>;
    /// Live sessions that never got a link by `before`, and those whose last link went before it.
    fn stale_sessions(&mut self, server: &Name, before: Millis) -> Result<Vec<(LiveSession, Millis)>, Away>;

    // Links.
    fn begin_link(&mut self, link: &NewLink<'_>) -> Result<(), Away>;
    /// Ends the live link on a port; answers its session.
    fn end_link(&mut self, server: &Name, port: &Name, now: Millis, usage: &Usage) -> Result<Option<Option<Id>>, Away>;
    /// Ends what links of a session are still live.
    fn end_links(&mut self, session: Id, now: Millis) -> Result<(), Away>;

    // Leases.
    fn live_lease_at(&mut self, server: &Name, address: Address) -> Result<Option<Lease>, Away>;
    fn live_leases_on(&mut self, server: &Name, port: &Name) -> Result<Vec<Lease>, Away>;
    fn live_leases_of(&mut self, server: &Name, user: &Identity) -> Result<Vec<Lease>, Away>;
    fn live_leases_of_session(&mut self, session: Id) -> Result<Vec<Lease>, Away>;
    /// The oldest lease of this port and address whose release is still to come.
    fn lease_to_release(&mut self, server: &Name, port: &Name, address: Address) -> Result<Option<Lease>, Away>;
    fn begin_lease(&mut self, lease: &NewLease<'_>) -> Result<Id, Away>;
    /// `prefix`: of IPv6, where RRAS tells it with the connection.
    fn accept_lease(&mut self, id: Id, session: Id, now: Millis, prefix: Option<&str>) -> Result<(), Away>;
    /// Ends a lease; its address is free for the pool `tag`.
    fn end_lease(
        &mut self,
        lease: &Lease,
        server: &Name,
        now: Millis,
        by: EndedBy,
        tag: Option<Id>,
    ) -> Result<(), Away>;
    /// The release of a lease that had ended before.
    fn released_late(&mut self, id: Id) -> Result<(), Away>;
    /// Leases that no session has held since `before`: never accepted, or their session was closed.
    fn stale_leases(&mut self, server: &Name, before: Millis) -> Result<Vec<Lease>, Away>;

    // The search for an address.
    /// The addresses that a user had last and that are free, the latest first; a handful.
    fn previous(&mut self, server: &Name, family: Family, user: &Identity) -> Result<Vec<u64>, Away>;
    /// Was it ever given, and is it free?
    fn address_used(&mut self, server: &Name, address: Address) -> Result<Used, Away>;
    /// The free address of a pool that was released first.
    fn least_recent(&mut self, tag: Id) -> Result<Option<u64>, Away>;
    /// The pool's row for its present shape, and the first number that it has not tried yet (None: all tried).
    fn pool(
        &mut self,
        server: &Name,
        name: &str,
        family: Family,
        shape: &str,
        first: u64,
    ) -> Result<(Id, Option<u64>), Away>;
    fn set_cursor(&mut self, tag: Id, next: Option<u64>) -> Result<(), Away>;
    /// Free addresses of these ranges that bear another pool's tag get this one's: how many.
    fn retag(&mut self, server: &Name, family: Family, range: (u64, u64), tag: Id) -> Result<usize, Away>;
    /// A free address that no longer belongs to the pool whose tag it bears.
    fn untag(&mut self, server: &Name, address: Address) -> Result<(), Away>;

    // Decisions and the rest.
    fn decide(
        &mut self,
        server: &Name,
        instance: Id,
        session: Option<Id>,
        user_name: &Name,
        decision: &Decision,
    ) -> Result<Id, Away>;
    /// Keeps the texts of a configuration, once.
    fn keep_config(&mut self, hash: &str, texts: &str, now: Millis) -> Result<(), Away>;
    fn loaded(&mut self, server: &Name, instance: Id, load: &Load) -> Result<(), Away>;
    fn odd(&mut self, server: &Name, instance: Id, time: Millis, what: &str, details: &str) -> Result<(), Away>;
    /// Has this record of a spool been replayed? If not, notes that it is now.
    fn replaying(&mut self, spool: &str, sequence: u64) -> Result<bool, Away>;

    // Instances.
    fn instance(&mut self, server: &Name, token: &str) -> Result<Option<Id>, Away>;
    fn begin_instance(&mut self, server: &Name, token: &str, now: Millis) -> Result<Id, Away>;
    fn touch_instance(&mut self, id: Id, now: Millis) -> Result<(), Away>;
    /// The last sign of life in the ledger of a server's instances.
    fn last_activity(&mut self, server: &Name) -> Result<Option<Millis>, Away>;
    fn all_live(&mut self, server: &Name) -> Result<(Vec<LiveSession>, Vec<Lease>), Away>;
}
