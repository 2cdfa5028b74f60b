//! Why a question to RRAS has no answer.

use rasadmin_text::printable;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::{Duration, Instant};

/// What was asked of RRAS, and why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// What was asked.
    pub operation: Operation,
    /// Why there is no answer.
    pub failure: Failure,
}

/// What can be asked of RRAS: the methods of [`Rras`](crate::Rras).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Which instance runs.
    Instance,
    /// List the connections.
    Connections,
    /// Read one connection.
    Connection,
    /// List the ports of a connection.
    Ports,
    /// Read one port.
    Port,
    /// Disconnect a port.
    Disconnect,
}

/// Why there is no answer, grouped by what the caller can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Failure {
    /// The Remote Access service does not run. Ask again later.
    NotRunning,
    /// This process may not ask. Only an administrator or SYSTEM may.
    AccessDenied,
    /// There is not enough memory, here or in RRAS. Ask again later.
    OutOfMemory,
    /// This system does not have what is needed. Asking again does not help. The text says what is missing.
    Unsupported(String),
    /// The connection or the port does not exist any more.
    Gone {
        /// Windows' error code; 0 if nothing was asked, because the handle can name nothing.
        code: u32,
    },
    /// A function failed with an error that has no meaning for us.
    Failed {
        /// The function.
        function: String,
        /// Windows' error code.
        code: u32,
    },
    /// The answer contradicts itself, so nothing of it is used. The text says what is wrong with it.
    Malformed(String),
    /// The list changed while it was read in parts, several times. Ask again later.
    Changed,
    /// The call has not returned before its deadline, or one before it has not returned yet. Nothing else is asked until
    /// it returns.
    Hung {
        /// When the call that hangs began. In JSON, the number of milliseconds since then.
        #[serde(with = "milliseconds_ago")]
        since: Instant,
    },
    /// The socket cannot be reached, or its answer ended early. The text says which and why.
    Unreachable(String),
}

impl Failure {
    /// Adds what was asked.
    pub fn of(self, operation: Operation) -> Error {
        Error { operation, failure: self }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Instance => "find out whether Remote Access runs",
            Self::Connections => "list RRAS's connections",
            Self::Connection => "read a connection of RRAS",
            Self::Ports => "list the ports of a connection of RRAS",
            Self::Port => "read a port of RRAS",
            Self::Disconnect => "disconnect a port of RRAS",
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.operation, self.failure)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRunning => {
                f.write_str("the Remote Access service does not run; start it with `net start RemoteAccess`")
            }
            Self::AccessDenied => f.write_str("access denied (error 5); run this as an administrator or as SYSTEM"),
            Self::OutOfMemory => f.write_str("there is not enough memory; try again later"),
            Self::Gone { code } => {
                f.write_str("the connection or port does not exist any more")?;
                if *code != 0 {
                    write!(f, " (error {code})")?;
                }
                f.write_str("; list the connections again")
            }
            Self::Failed { function, code } => {
                write!(
                    f,
                    "{} failed with error {code}; look for events of RemoteAccess in the System log",
                    printable(function)
                )
            }
            Self::Malformed(what) => {
                write!(
                    f,
                    "RRAS's answer is not used: {}; if this happens again, report it, with the version that `winver` shows",
                    printable(what)
                )
            }
            Self::Changed => f.write_str("the list changed each time while it was read; try again later"),
            Self::Hung { since } => {
                let seconds = since.elapsed().as_secs();
                write!(f, "a call to RRAS has not returned for {seconds} s; no other is made until it does; ")?;
                f.write_str("if this does not end, restart the Remote Access service; that disconnects all users")
            }
            Self::Unsupported(what) | Self::Unreachable(what) => f.write_str(&printable(what)),
        }
    }
}

impl std::error::Error for Error {}

/// A moment of this process, as its distance from now.
mod milliseconds_ago {
    use super::{Duration, Instant};
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(since: &Instant, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(since.elapsed().as_millis().try_into().unwrap_or(u64::MAX))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Instant, D::Error> {
        let ago = Duration::from_millis(u64::deserialize(from)?);
        let now = Instant::now();
        Ok(now.checked_sub(ago).unwrap_or(now))
    }
}
