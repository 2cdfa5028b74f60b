//! The events of a scenario.

use crate::hangup_calls::{Delivery, HangupCall};
use crate::service::Processes;
use crate::session::Request;
use std::path::PathBuf;

/// The bytes that a session has transferred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes received from the client.
    pub received: u64,
    /// Bytes sent to the client.
    pub sent: u64,
}

/// A client that connects.
#[derive(Clone, Debug)]
pub struct Connect {
    /// The client's request.
    pub request: Request,
    /// The session whose connection handle it shares, if any.
    pub handle_of: Option<String>,
    /// The session whose GUID it shares, if any.
    pub guid_of: Option<String>,
    /// The traffic that its hangup will report.
    pub traffic: Traffic,
}

/// The end of a session.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hangup {
    /// The traffic that it reports. None: the traffic of its connect.
    pub traffic: Option<Traffic>,
    /// The duration that it reports, in seconds. None: the actual duration.
    pub duration: Option<u32>,
    /// Which of its calls arrive, and how often.
    pub delivery: Delivery,
}

/// A file that replaces another.
#[derive(Clone, Debug)]
pub struct Replacement {
    /// The name of the file in the run's folder.
    pub name: String,
    /// The new file. A relative path starts at the scenario's folder.
    pub with: PathBuf,
    /// Whether the new file gets the modification time of the old one.
    pub same_time: bool,
}

/// What an event does to a session or to the server.
#[derive(Clone, Debug)]
pub enum Action {
    /// The session connects: addresses, connection, first link.
    Connect(Box<Connect>),
    /// The session gets its addresses only.
    Address(Box<Connect>),
    /// The connection and first link of a session that has its addresses are accepted or rejected.
    Accept,
    /// A further link, or the first link if it has not come yet; on this port, if one is named.
    Link(Option<String>),
    /// A link ends.
    Unlink {
        /// Its port. None: the last further link.
        port: Option<String>,
        /// How often its notification arrives.
        times: u8,
    },
    /// The quarantine state changes.
    Reauthenticate {
        /// The new state, RAS_QUAR_STATE_*.
        quarantine: i32,
        /// Whether the call comes after RRAS has ended the session.
        after_end: bool,
    },
    /// The client's endpoint changes to this address.
    Move(String),
    /// The client is gone, and RRAS does not know: its traffic stops.
    Vanish,
    /// The session ends.
    Hangup(Hangup),
    /// Calls of the session's end arrive late or again; of links only the one at this port, if one is named.
    Deliver(Vec<HangupCall>, Option<String>),
    /// The time of day jumps by this many seconds.
    Clock(i64),
    /// The processes of the service are killed.
    Kill(Processes),
    /// The processes start again.
    Restart(Processes),
    /// Another process locks the journal.
    LockJournal,
    /// That process releases the lock.
    UnlockJournal,
    /// A file in the run's folder is replaced.
    Replace(Replacement),
}

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// When it happens, in seconds since midnight of the first day.
    pub at: u32,
    /// The line that it comes from.
    pub line: usize,
    /// The session's label. Empty if the event concerns the server.
    pub session: String,
    /// Whether it happens at once with the event before it.
    pub with_previous: bool,
    /// What happens.
    pub action: Action,
}

impl Event {
    /// Whether it concerns a session, not the server.
    pub fn concerns_session(&self) -> bool {
        !self.session.is_empty()
    }
}
