//! What an event changes. The state and the ledger both apply these effects.
//!
//! The meaning of an effect never changes; a new meaning gets a new effect. Each effect names its subject by an
//! identifier that is made from a record's random bytes, so applying it twice changes nothing.

mod anomaly;
mod block;
mod disconnect;
mod lease;
mod session;
mod usage;

pub use anomaly::Anomaly;
pub use block::{Block, BlockSubject, EarlierBlock};
pub use disconnect::{DisconnectDecided, Disconnecting, Enforcement, TerminateCause};
pub use lease::{EndedBy, LeaseBegan, Origin};
pub use session::{ClosedBy, LinkBegan, RemoteSession, SessionBegan, SessionEnded};
pub use usage::{Accumulated, CountedSession, CountedSessions, Day, DayUse, Labels, Sums, Usage, UseCarried};
pub(crate) use usage::{FRAME, WRAP};

use crate::now::{Id, Mono, Stamp};
use crate::{Identity, Millis, Name, Quarantine, Tunnel};
use rasadmin_policy::addresses::Family;
use serde::{Deserialize, Serialize};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// A new instance begins. Everything that belongs to the earlier one is over.
    InstanceBegan(InstanceBegan),

    /// A connection was accepted, or (if `adopted`) found by the service.
    SessionBegan(Box<SessionBegan>),
    /// A session's first link is up, so its port and tunnel are known.
    SessionEstablished {
        /// The session.
        session: Id,
        /// The time.
        at: Stamp,
        /// The port.
        port: Name,
        /// The tunnel; `None` if the device's name does not tell.
        tunnel: Option<Tunnel>,
    },
    /// A session is no longer counted, because its client has returned.
    SessionReplaced {
        /// The session that is no longer counted.
        session: Id,
        /// The session that replaces it.
        by: Id,
        /// The time.
        at: Stamp,
    },
    /// A replaced session has shown that it is live, and counts again.
    SessionAlive {
        /// The session.
        session: Id,
    },
    /// A session is to be disconnected. It replaces what was decided before.
    DisconnectDecided(Box<DisconnectDecided>),
    /// RRAS lists the session. It needs no link on record to stay live.
    SessionConfirmed {
        /// The session.
        session: Id,
        /// The time.
        at: Stamp,
    },
    /// The client's endpoint has changed.
    SourceChanged {
        /// The session.
        session: Id,
        /// The new source.
        source: String,
    },
    /// The quarantine state has changed.
    QuarantineChanged {
        /// The session.
        session: Id,
        /// The new state; `None` if the event did not say.
        quarantine: Option<Quarantine>,
    },
    /// A session has ended, or more is known about its end.
    SessionEnded(SessionEnded),
    /// A session that was closed without a hangup turned out to be live.
    SessionRevived {
        /// The session.
        session: Id,
        /// The time.
        at: Stamp,
    },

    /// A link is up.
    LinkBegan(LinkBegan),
    /// A link has ended.
    LinkEnded {
        /// The session.
        session: Id,
        /// The port.
        port: Name,
        /// The time.
        at: Stamp,
        /// The reported usage; zero if RRAS did not report its end.
        usage: Usage,
    },

    /// An address was given.
    LeaseBegan(Box<LeaseBegan>),
    /// A session has the lease, and so does the session's user.
    LeaseTaken {
        /// The lease.
        lease: Id,
        /// The session.
        session: Id,
        /// The user that it belongs to from now on. The address call may have had only a bare name.
        user: Option<Identity>,
        /// The time.
        at: Stamp,
        /// The IPv6 prefix, if RRAS reports it with the connection.
        prefix: Option<String>,
    },
    /// A lease's session has ended. The lease is held until its release, its port's next use, or a time.
    LeaseHeld {
        /// The lease.
        lease: Id,
        /// The latest time; `None` for no limit.
        until: Option<Mono>,
    },
    /// A lease waits for a connection again: it was given after its session was over, as it turned out.
    LeaseWaits {
        /// The lease.
        lease: Id,
        /// The latest time; `None` until its release or its port's next use.
        until: Option<Mono>,
    },
    /// A lease was released while its session is live: it ends with the session.
    LeaseReleaseSeen {
        /// The lease.
        lease: Id,
    },
    /// A lease has ended: its address is free.
    LeaseEnded {
        /// The lease.
        lease: Id,
        /// The reason.
        by: EndedBy,
        /// The time.
        at: Stamp,
    },
    /// RRAS released a lease that had already ended.
    LateRelease {
        /// The port it was for.
        port: Name,
        /// The address family.
        family: Family,
        /// The lease.
        lease: Id,
    },

    /// A session's use by days. It replaces what was recorded before.
    Used {
        /// The session.
        session: Id,
        /// The user.
        user: Identity,
        /// Each day.
        days: Vec<DayUse>,
    },
    /// A live session's traffic so far, by days. It replaces what was recorded before. The connect time is counted
    /// from the session's start.
    InterimUse {
        /// The session.
        session: Id,
        /// The user.
        user: Identity,
        /// When the service saw it.
        at: Stamp,
        /// The use of each day. Seconds are not counted from here.
        days: Vec<DayUse>,
    },

    /// The counters of live sessions were read.
    Counted(CountedSessions),

    /// A user's use in all sessions together. It replaces what was known.
    UseCarried(UseCarried),

    /// A user is blocked, or a block is lifted: the form before there were blocks of computers. It is read, but no
    /// longer recorded.
    Blocked(EarlierBlock),
    /// A block begins. It replaces the block that its subject had.
    BlockBegan(Block),
    /// A block is lifted.
    BlockEnded {
        /// Who is no longer blocked.
        subject: BlockSubject,
    },
    /// A session on another server began, goes on, or has ended.
    RemoteSession(RemoteSession),

    /// How far a pool was tried in order.
    CursorMoved {
        /// The pool's name.
        pool: String,
        /// The hash of its ranges: with other ranges, the pool is tried again.
        shape: String,
        /// The first number that was not tried; `None` if all were.
        next: Option<u64>,
    },

    /// An event came out of order.
    Anomaly(Anomaly),
    /// A configuration was read.
    ConfigRead(ConfigRead),
    /// Refusals were repeated, and counted instead of recorded.
    RefusalRepeated(Repeated),
    /// Events were lost.
    Lost {
        /// How many.
        events: u64,
    },
    /// What ended before a time was deleted or anonymised.
    Forgotten {
        /// The time.
        before: Millis,
        /// The day of that time: the first day whose use remains.
        first_day: Labels,
        /// Only this user's data.
        user: Option<Identity>,
        /// Deleted or anonymised: for the state it makes no difference.
        how: Forgetting,
    },
}

/// How past data is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Forgetting {
    /// Delete it.
    Purge,
    /// Keep it for statistics, without the user.
    Anonymise,
}

/// A new instance, and what is needed to close the earlier one's sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceBegan {
    /// The server that the records belong to.
    pub server: Name,
    /// The new instance.
    pub instance: Id,
    /// When it began, on its own clocks.
    pub at: Stamp,
    /// When the earlier instance was last seen, on that instance's clocks. Its sessions end at that time.
    pub last: Option<Stamp>,
    /// The first moment of each day from the earliest session's start to the end, for counting use.
    pub days: Vec<Day>,
}

/// A process has read its configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigRead {
    /// The version of the product.
    pub version: String,
    /// The hash of the configuration that is in force from now on.
    pub hash: String,
    /// Its texts as JSON; `None` if they are already on record.
    pub texts: Option<String>,
    /// What is wrong with the file, if an earlier configuration is in force instead.
    pub fault: Option<String>,
}

/// How often a refusal was repeated within a minute, without the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeated {
    /// The record of the first one.
    pub of: Id,
    /// When the first one happened.
    pub first: Stamp,
    /// How many followed.
    pub times: u64,
    /// When the last one happened.
    pub last: Stamp,
}
