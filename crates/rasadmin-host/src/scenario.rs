//! A day of users who come and go, as a text file: docs/scenario.md defines it.

mod control;
mod events;
mod expectation;
mod line;
mod settings;
mod values;

use crate::expect::Expectation;
use crate::farewell::{Delivery, Part};
use crate::pool::Pool;
use crate::readings::Readings;
use crate::service::Processes;
use crate::session::Request;
use events::Day;
use line::Line;
use std::fmt;
use std::path::{Path, PathBuf};

/// What is wrong with a scenario, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1; 0 if it is about the file as a whole.
    pub line: usize,
    /// What was found, and what was expected.
    pub message: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}

impl std::error::Error for ScenarioError {}

/// Bytes used by a session, from the client's side: received from it, sent to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// Bytes received from the client.
    pub received: u64,
    /// Bytes sent to the client.
    pub sent: u64,
}

/// A client's wish to connect.
#[derive(Clone, Debug)]
pub struct Connect {
    /// Who, and how.
    pub request: Request,
    /// The session whose handle it has, if not one of its own.
    pub handle_of: Option<String>,
    /// The session whose GUID it has, if not one of its own.
    pub guid_of: Option<String>,
    /// What it will have used at its end.
    pub used: Use,
}

/// The end of a session.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hangup {
    /// What it has used; None: what its connect says.
    pub used: Option<Use>,
    /// How long it is said to have lasted, in seconds; None: as long as it did.
    pub duration: Option<u32>,
    /// What of it arrives.
    pub delivery: Delivery,
}

/// A file that replaces another.
#[derive(Clone, Debug)]
pub struct Replacement {
    /// The name of the file in the run's folder.
    pub name: String,
    /// The file that takes its place; a relative path starts at the scenario's folder.
    pub with: PathBuf,
    /// It gets the modification time of the file that it replaces.
    pub same_time: bool,
}

/// What happens to a session, or to the server.
#[derive(Clone, Debug)]
pub enum What {
    /// It connects: addresses, connection, first link.
    Connect(Box<Connect>),
    /// It asks for its addresses alone.
    Address(Box<Connect>),
    /// Having its addresses, it is asked about, and its first link.
    Accept,
    /// A further link, or the first that has waited; on this port, if one is named.
    Link(Option<String>),
    /// A link ends.
    Unlink {
        /// The port; None: the last further link.
        port: Option<String>,
        /// How often its notification arrives.
        times: u8,
    },
    /// The quarantine state changes.
    Reauthenticate {
        /// To this.
        quarantine: i32,
        /// Although RRAS has ended the session.
        after_end: bool,
    },
    /// The client's endpoint changes to this.
    Move(String),
    /// It ends.
    Hangup(Hangup),
    /// Parts of what its end tells arrive, late or again; of links only that of this port, if one is named.
    Deliver(Vec<Part>, Option<String>),
    /// The time of day jumps by so many seconds.
    Clock(i64),
    /// The processes of the service are killed.
    Kill(Processes),
    /// They start again.
    Restart(Processes),
    /// A stranger holds the journal's lock.
    LockJournal,
    /// The stranger lets it go.
    UnlockJournal,
    /// A file in the run's folder is replaced.
    Replace(Replacement),
}

/// An event of the day.
#[derive(Clone, Debug)]
pub struct Event {
    /// Seconds since midnight.
    pub at: u32,
    /// The line it comes from.
    pub line: usize,
    /// The session's label; empty for what happens to the server.
    pub session: String,
    /// Does it happen at once with the event before it?
    pub with_previous: bool,
    /// What happens.
    pub what: What,
}

impl Event {
    /// Does it happen to a session, and not to the server?
    pub fn is_a_sessions(&self) -> bool {
        !self.session.is_empty()
    }
}

/// A day.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The server's name.
    pub server: String,
    /// RRAS's own addresses.
    pub pool: Pool,
    /// When the day begins, in seconds since 1970, if the file says so: for DLLs whose answers depend on the time.
    pub begins: Option<i64>,
    /// Have the address functions a process of their own?
    pub two_processes: bool,
    /// How what is unproven of RRAS is read.
    pub readings: Readings,
    /// What happens, in order of time.
    pub events: Vec<Event>,
    /// What must have become of the sessions.
    pub expectations: Vec<Expectation>,
    /// The file, as it was named.
    pub file: String,
}

impl Scenario {
    /// Reads a scenario file.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let file = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&file, &text),
            Err(e) => Err(ScenarioError { file, line: 0, message: format!("cannot read the scenario: {e}") }),
        }
    }

    /// Parses a scenario; `file` is the name for error messages.
    pub fn parse(file: &str, text: &str) -> Result<Self, ScenarioError> {
        let mut day = Day::default();
        for (number, line) in (1..).zip(text.lines()) {
            let at = |message| ScenarioError { file: file.to_owned(), line: number, message };
            if let Some(line) = Line::split(line).map_err(at)? {
                day.line(number, line).map_err(at)?;
            }
        }
        day.finish(file).map_err(|message| ScenarioError { file: file.to_owned(), line: 0, message })
    }

    /// Are processes killed or restarted? Then the DLLs must be in processes apart from the host's.
    pub fn kills(&self) -> bool {
        self.events.iter().any(|event| matches!(event.what, What::Kill(_) | What::Restart(_)))
    }

    /// Is the journal's lock held by a stranger?
    pub fn locks_journal(&self) -> bool {
        self.events.iter().any(|event| matches!(event.what, What::LockJournal))
    }
}
