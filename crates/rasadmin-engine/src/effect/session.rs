//! Sessions and their links: what is told of a beginning and of an end.

use super::{DayUse, Usage};
use crate::now::{Id, Process, Stamp};
use crate::{Identity, InterfaceType, Millis, Name, Quarantine, Tunnel};
use rasadmin_policy::addresses::Address;
use serde::{Deserialize, Serialize};

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
    InstanceEnded,
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
            Self::InstanceEnded => "instance ended",
            Self::ProcessEnded => "process ended",
            Self::Administrator => "administrator",
        }
    }

    /// Acct-Terminate-Cause (RFC 2866): unknown unless we caused it, since no structure carries one.
    pub const fn cause(self) -> Option<&'static str> {
        match self {
            Self::InstanceEnded | Self::ProcessEnded => Some("NAS-Reboot"),
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
