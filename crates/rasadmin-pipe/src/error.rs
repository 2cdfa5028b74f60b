//! Why a pipe cannot be created, or a request was not answered.

use crate::address::Address;
use crate::protocol::Refusal;
use std::fmt;
use std::io;

/// Why a pipe cannot be created, or a request was not answered.
#[derive(Debug)]
pub enum Error {
    /// Another process has the pipe already.
    Taken(Address),
    /// The pipe does not exist: no service runs, or its duty `pipe` is switched off.
    NoService(Address),
    /// The account that asks may not open it.
    Denied(Address),
    /// The pipe was created by an account that is not an administrator's. Nothing was sent.
    Foreign {
        /// The pipe.
        address: Address,
        /// The account.
        owner: String,
    },
    /// The service did not answer in time.
    TooLate(Address),
    /// What came back is not an answer.
    NoAnswer {
        /// The pipe.
        address: Address,
        /// What is wrong with it.
        what: String,
    },
    /// The service has refused the request.
    Refused(Refusal),
    /// The system reports an error.
    Io {
        /// What was attempted.
        what: &'static str,
        /// The pipe.
        address: Address,
        /// The error.
        source: io::Error,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken(address) => write!(f, "{address}: another process has this pipe"),
            Self::NoService(address) => write!(f, "{address}: no rasadmin service answers there"),
            Self::Denied(address) => write!(f, "{address}: you may not ask the rasadmin service"),
            Self::Foreign { address, owner } => {
                write!(f, "{address}: this is not the pipe of the rasadmin service: it belongs to {owner}")
            }
            Self::TooLate(address) => write!(f, "{address}: the rasadmin service has not answered in time"),
            Self::NoAnswer { address, what } => write!(f, "{address}: what came back is not an answer: {what}"),
            Self::Refused(refusal) => write!(f, "the rasadmin service refuses: {}", refusal.text),
            Self::Io { what, address, source } => write!(f, "{address}: cannot {what} the pipe: {source}"),
        }
    }
}

impl std::error::Error for Error {}
