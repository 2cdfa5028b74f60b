//! What changes by an event. The state and the ledger are two folds of the same effects.
//!
//! An effect's meaning never changes; a new meaning is a new effect. Every effect names its subject by an identifier
//! that was made of a record's random bytes, so that doing it twice changes nothing.

mod anomaly;
mod lease;
mod session;
mod usage;

pub use anomaly::Anomaly;
pub use lease::{EndedBy, LeaseBegan, Origin};
pub use session::{ClosedBy, Elsewhere, LinkBegan, SessionBegan, SessionEnded};
pub use usage::{Day, DayUse, Labels, Usage, UseCarried};

use crate::now::{Id, Mono, Stamp};
use crate::{Identity, Millis, Name, Quarantine, Tunnel};
use rasadmin_policy::addresses::Family;
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
