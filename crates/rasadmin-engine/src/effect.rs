//! What changes by an event. The state and the ledger are two folds of the same effects.
//!
//! An effect's meaning never changes; a new meaning is a new effect. Every effect names its subject by an identifier
//! that was made of a record's random bytes, so that doing it twice changes nothing.

use crate::now::{Id, Mono, Process, Stamp};
use crate::state::Accumulated;
use crate::{Identity, InterfaceType, Millis, Name, Quarantine, Tunnel};
use rasadmin_policy::addresses::{Address, Family};
use serde::{Deserialize, Serialize};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// All that an earlier instance had is over, and a new one begins.
    InstanceBegan(InstanceBegan),

    /// A connection was accepted, or (adopted) found by the service.
    SessionBegan(Box<SessionBegan>),
    /// Its first link stands: port and tunnel are known.
    SessionEstablished {
        /// Which.
        session: Id,
        /// When.
        at: Stamp,
        /// The port.
        port: Name,
        /// Through which tunnel; None if the device's name does not tell.
        tunnel: Option<Tunnel>,
    },
    /// A returning client took its place in the counts.
    SessionReplaced {
        /// Which is no longer counted.
        session: Id,
        /// By which.
        by: Id,
        /// When.
        at: Stamp,
    },
    /// It has shown life, and is counted again.
    SessionAlive {
        /// Which.
        session: Id,
    },
    /// The service has seen it among RRAS's connections.
    SessionConfirmed {
        /// Which.
        session: Id,
        /// When.
        at: Stamp,
    },
    /// The client's endpoint has changed.
    SourceChanged {
        /// Which.
        session: Id,
        /// To this.
        source: String,
    },
    /// The quarantine state has changed.
    QuarantineChanged {
        /// Which.
        session: Id,
        /// To this; None if the event did not say.
        quarantine: Option<Quarantine>,
    },
    /// It has ended, or its end has become better known.
    SessionEnded(SessionEnded),
    /// It was closed without a hangup, and lives.
    SessionRevived {
        /// Which.
        session: Id,
        /// When.
        at: Stamp,
    },

    /// A link stands.
    LinkBegan(LinkBegan),
    /// It has ended.
    LinkEnded {
        /// Its session.
        session: Id,
        /// Its port.
        port: Name,
        /// When.
        at: Stamp,
        /// What was told of it; zero if its end was not told.
        usage: Usage,
    },

    /// An address was given.
    LeaseBegan(Box<LeaseBegan>),
    /// A session has it, and so does the session's user.
    LeaseTaken {
        /// Which.
        lease: Id,
        /// The session.
        session: Id,
        /// Whose it is from now on: an address call may have had only a bare name.
        user: Option<Identity>,
        /// When.
        at: Stamp,
        /// Of IPv6: the prefix, where RRAS tells it with the connection.
        prefix: Option<String>,
    },
    /// Its session has ended: it stays held until its release, its port's next use, or a time.
    LeaseHeld {
        /// Which.
        lease: Id,
        /// Until then at most; None: for as long as it takes.
        until: Option<Mono>,
    },
    /// It waits for a connection again: it was given when its session was over, as it turned out.
    LeaseWaits {
        /// Which.
        lease: Id,
        /// Until then; None: until its release or its port's next use.
        until: Option<Mono>,
    },
    /// It was released while its session lives: it ends with the session.
    LeaseReleaseSeen {
        /// Which.
        lease: Id,
    },
    /// It has ended: its address is free.
    LeaseEnded {
        /// Which.
        lease: Id,
        /// Why.
        by: EndedBy,
        /// When.
        at: Stamp,
    },
    /// The release of a lease that had ended before.
    LateRelease {
        /// The port it was for.
        port: Name,
        /// Of which family.
        family: Family,
        /// The lease.
        lease: Id,
    },

    /// What a session has used, by days: this instead of what was told of it before.
    Used {
        /// Which session.
        session: Id,
        /// Whose.
        user: Identity,
        /// Each day.
        days: Vec<DayUse>,
    },
    /// What a live session has used so far, octets by days: this instead of what was told before. Its time is counted
    /// from its start.
    InterimUse {
        /// Which session.
        session: Id,
        /// Whose.
        user: Identity,
        /// When it was looked at.
        at: Stamp,
        /// Each day; seconds are not counted from here.
        days: Vec<DayUse>,
    },

    /// What a user has used, all sessions together: this instead of what was known.
    UseCarried(UseCarried),

    /// The user is not let in, or is again.
    Blocked(Block),
    /// Another server's session began, has gone on, or ended.
    Elsewhere(Elsewhere),

    /// How far a pool has been tried.
    CursorMoved {
        /// The pool's name.
        pool: String,
        /// Its ranges, as a hash: another shape is tried anew.
        shape: String,
        /// The first number that was not tried; None: all were.
        next: Option<u64>,
    },

    /// What came out of order.
    Anomaly(Anomaly),
    /// A configuration was read.
    ConfigRead(crate::event::ConfigRead),
    /// A refusal was repeated, and counted instead of recorded.
    RefusalRepeated(crate::event::Repeated),
    /// Events could not be kept.
    Lost {
        /// How many.
        events: u64,
    },
    /// What ended before a time is forgotten.
    Forgotten {
        /// What ended before.
        before: Millis,
        /// The day in which that lies: the first whose use stays.
        first_day: Labels,
        /// Only of this user.
        user: Option<Identity>,
        /// How: to the state both mean the same.
        how: Forgetting,
    },
}

/// How the past is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Forgetting {
    /// It is deleted.
    Purge,
    /// It stays for statistics, without the user.
    Anonymise,
}

/// A new instance, and how the earlier one's sessions are closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceBegan {
    /// The server whose records these are.
    pub server: Name,
    /// The new one.
    pub instance: Id,
    /// When it began, in its own clocks.
    pub at: Stamp,
    /// When the earlier one was last seen, in its clocks: its sessions are closed as of then.
    pub last: Option<Stamp>,
    /// The days from the earliest session's start to the end, for the use: each day's first moment.
    pub days: Vec<Day>,
}

/// A day of the calendar, with its week and its month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// When it began: milliseconds since 1970, UTC.
    pub begins: Millis,
    /// Which.
    pub labels: Labels,
}

/// The names of a day, of its week and of its month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Labels {
    /// Days since 1970-01-01 of the configured time zone's calendar.
    pub day: i32,
    /// The same of its Monday.
    pub week: i32,
    /// Of the first of its month.
    pub month: i32,
}

/// What a user has used in the present day, week and month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UseCarried {
    /// Who.
    pub user: Identity,
    /// Of the day, of the week, of the month.
    pub sums: [Accumulated; 3],
}

/// What was used on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayUse {
    /// Which day.
    pub labels: Labels,
    /// Seconds connected.
    pub seconds: u64,
    /// Octets, client to server.
    pub input_octets: u64,
    /// Octets, server to client.
    pub output_octets: u64,
}

/// A session's beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionBegan {
    /// Its identifier (Acct-Session-Id).
    pub session: Id,
    /// Who; None if the name was empty.
    pub user: Option<Identity>,
    /// The user's name as RRAS passed it.
    pub user_name: Name,
    /// hConnection.
    pub handle: u64,
    /// The connection's GUID.
    pub guid: Option<String>,
    /// The client's computer, as the client claims.
    pub computer: Name,
    /// The client's public address.
    pub source: String,
    /// As what.
    pub interface: InterfaceType,
    /// In which quarantine state.
    pub quarantine: Option<Quarantine>,
    /// IKEv2 is known at once; the others from their first link.
    pub tunnel: Option<Tunnel>,
    /// The port, if its lease tells.
    pub port: Option<Name>,
    /// The client's addresses as the projection shows them.
    pub told: Vec<Address>,
    /// When it began.
    pub at: Stamp,
    /// The process that accepted it.
    pub process: Process,
    /// It was not accepted by us: the service found it.
    pub adopted: bool,
}

/// A session's end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEnded {
    /// Which.
    pub session: Id,
    /// When it had begun: the time of day may have been wrong then.
    pub start: Millis,
    /// When it ended.
    pub at: Stamp,
    /// Why.
    pub by: ClosedBy,
    /// Duration and counters; the duration is never longer than it lived.
    pub usage: Usage,
}

/// A link's beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkBegan {
    /// Its session.
    pub session: Id,
    /// Its port.
    pub port: Name,
    /// The device's name.
    pub device: Name,
    /// Through which tunnel.
    pub tunnel: Option<Tunnel>,
    /// When.
    pub at: Stamp,
}

/// A lease's beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseBegan {
    /// Its identifier.
    pub lease: Id,
    /// Which address.
    pub address: Address,
    /// Who asked, as far as the address call told.
    pub user: Option<Identity>,
    /// The user's name as RRAS passed it.
    pub user_name: Name,
    /// The port.
    pub port: Name,
    /// Where the address came from.
    pub origin: Origin,
    /// Which pool.
    pub pool: Option<String>,
    /// When.
    pub at: Stamp,
    /// How long it waits for a connection; None: until its release or its port's next use.
    pub until: Option<Mono>,
    /// The process that gave it.
    pub process: Process,
}

/// Why a lease was given as it was.
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

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
    ProcessEnded,
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
            Self::ProcessEnded => "process ended",
            Self::Administrator => "administrator",
        }
    }

    /// Acct-Terminate-Cause (RFC 2866): unknown unless we caused it, since no structure carries one.
    pub const fn cause(self) -> Option<&'static str> {
        match self {
            Self::ServiceEnded | Self::ProcessEnded => Some("NAS-Reboot"),
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

/// Why a lease ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
        self.input_packets.max(self.output_packets).saturating_mul(1600) < 1 << 32
    }
}

/// A user is not let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Who.
    pub user: Identity,
    /// Until when, by the time of day; None lifts the block.
    pub until: Option<Millis>,
    /// Why, for people.
    pub reason: Option<String>,
}

/// A session of another server, as it was told here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// Which server.
    pub server: Name,
    /// Which session.
    pub session: Id,
    /// Whose.
    pub user: Identity,
    /// The client's computer, as it claims.
    pub computer: Name,
    /// The client's public address.
    pub source: String,
    /// When it began, by that server's clock.
    pub start: Millis,
    /// Does it live?
    pub live: bool,
    /// What it has used, by days.
    pub days: Vec<DayUse>,
}

/// What came out of order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Anomaly {
    HangupOfUnknownConnection {
        user: Name,
        handle: u64,
    },
    ReauthenticationOfUnknownConnection {
        user: Name,
        handle: u64,
    },
    EndpointChangeOfUnknownConnection {
        user: Name,
        handle: u64,
    },
    LinkOfUnknownConnection {
        port: Name,
        device: Name,
        handle: u64,
    },
    HangupOfUnknownLink {
        port: Name,
        device: Name,
        handle: u64,
    },
    ReleaseOfNoAddress {
        user: Name,
        port: Name,
    },
    ReleaseWithoutLease {
        user: Name,
        port: Name,
        address: Address,
    },
    /// An answer that had waited gave an address that somebody else has by now.
    AddressGivenTwice {
        user: Name,
        port: Name,
        address: Address,
    },
    /// RRAS offered an address of its own that a lease still held: the lease has ended.
    OfferHeldByLease {
        user: Name,
        port: Name,
        address: Address,
        lease: Id,
    },
    /// Only the high half of an IPv6 offer was set: it was kept as it was.
    HighHalfOffer {
        user: Name,
        port: Name,
    },
}

impl Anomaly {
    /// Which kind, for people.
    pub const fn what(&self) -> &'static str {
        match self {
            Self::HangupOfUnknownConnection { .. } => "hangup of an unknown connection",
            Self::ReauthenticationOfUnknownConnection { .. } => "reauthentication of an unknown connection",
            Self::EndpointChangeOfUnknownConnection { .. } => "endpoint-change of an unknown connection",
            Self::LinkOfUnknownConnection { .. } => "link of an unknown connection",
            Self::HangupOfUnknownLink { .. } => "hangup of an unknown link",
            Self::ReleaseOfNoAddress { .. } => "release of no address",
            Self::ReleaseWithoutLease { .. } => "release without a lease",
            Self::AddressGivenTwice { .. } => "an address was given that a live lease holds",
            Self::OfferHeldByLease { .. } => "RRAS offered an address that a lease still held",
            Self::HighHalfOffer { .. } => "an IPv6 offer with its low half zero was kept",
        }
    }

    /// Whose, or where, for people.
    pub fn details(&self) -> String {
        match self {
            Self::HangupOfUnknownConnection { user, handle }
            | Self::ReauthenticationOfUnknownConnection { user, handle }
            | Self::EndpointChangeOfUnknownConnection { user, handle } => format!("{user} handle {handle:#x}"),
            Self::LinkOfUnknownConnection { port, device, .. } | Self::HangupOfUnknownLink { port, device, .. } => {
                format!("{port} {device}")
            }
            Self::ReleaseOfNoAddress { user, port } | Self::HighHalfOffer { user, port } => format!("{user} on {port}"),
            Self::ReleaseWithoutLease { user, port, address }
            | Self::AddressGivenTwice { user, port, address }
            | Self::OfferHeldByLease { user, port, address, .. } => format!("{user} on {port}: {}", show(*address)),
        }
    }
}

fn show(address: Address) -> String {
    rasadmin_policy::addresses::parse::show(address.number, address.family)
}
