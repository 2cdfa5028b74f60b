//! How leases begin and end.

use crate::now::{Id, Mono, Process, Stamp};
use crate::{Identity, Name};
use rasadmin_policy::addresses::Address;
use serde::{Deserialize, Serialize};

/// A lease's beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseBegan {
    /// Its identifier.
    pub lease: Id,
    /// The address.
    pub address: Address,
    /// The user who asked, as far as the address call tells.
    pub user: Option<Identity>,
    /// The user's name as RRAS passed it.
    pub user_name: Name,
    /// The port.
    pub port: Name,
    /// Where the address came from.
    pub origin: Origin,
    /// The pool.
    pub pool: Option<String>,
    /// The time.
    pub at: Stamp,
    /// How long it waits for a connection; `None` until its release or its port's next use.
    pub until: Option<Mono>,
    /// The process that gave it.
    pub process: Process,
}

/// Where an address came from.
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

/// Why a lease ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum EndedBy {
    Release,
    PortStartedAgain,
    NeverAccepted,
    SessionClosed,
    InstanceEnded,
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
            Self::InstanceEnded => "instance ended",
            Self::Moved => "address given by RRAS again",
            Self::Administrator => "administrator",
        }
    }

    /// Can RRAS still release it?
    pub const fn release_may_come(self) -> bool {
        !matches!(self, Self::Release | Self::InstanceEnded)
    }
}
