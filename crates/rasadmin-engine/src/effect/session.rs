//! How sessions and their links begin and end.

use super::{DayUse, TerminateCause, Usage};
use crate::now::{Id, Process, Stamp};
use crate::{Identity, InterfaceType, Millis, Name, Quarantine, Tunnel};
use rasadmin_policy::addresses::Address;
use serde::{Deserialize, Serialize};

/// A session's beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionBegan {
    /// Its identifier (Acct-Session-Id).
    pub session: Id,
    /// The user; `None` if the name was empty.
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
    /// The interface type.
    pub interface: InterfaceType,
    /// The quarantine state.
    pub quarantine: Option<Quarantine>,
    /// The tunnel. IKEv2 is known at once, the others with their first link.
    pub tunnel: Option<Tunnel>,
    /// The port, if its lease tells it.
    pub port: Option<Name>,
    /// The client's addresses as the projection shows them.
    pub projected: Vec<Address>,
    /// When it began.
    pub at: Stamp,
    /// The process that accepted it.
    pub process: Process,
    /// The service found it; the DLL did not accept it.
    pub adopted: bool,
}

/// A session's end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEnded {
    /// The session.
    pub session: Id,
    /// When it began. The time of day may have been wrong at the time.
    pub start: Millis,
    /// When it ended.
    pub at: Stamp,
    /// The reason.
    pub by: ClosedBy,
    /// Duration and counters. The duration is never longer than the session was live.
    pub usage: Usage,
    /// Are the octets exact? `None` if no look was recorded: then the frames tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub octets_exact: Option<bool>,
    /// The cause of a hangup, if the service has disconnected the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<TerminateCause>,
}

impl SessionEnded {
    /// Acct-Terminate-Cause (RFC 2866), if it is known.
    pub fn terminate_cause(&self) -> Option<&'static str> {
        self.by.cause().or(self.cause.map(TerminateCause::name))
    }

    /// Are the octets exact? Otherwise there may have been more.
    pub fn is_exact(&self) -> bool {
        self.by == ClosedBy::Hangup && self.octets_exact.unwrap_or_else(|| self.usage.is_exact())
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
    InstanceEnded,
    ProcessEnded,
    Administrator,
    NotListed,
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
            Self::NotListed => "not listed by RRAS",
        }
    }

    /// Acct-Terminate-Cause (RFC 2866). It is unknown unless rasadmin caused the end, because RRAS passes no cause.
    pub const fn cause(self) -> Option<&'static str> {
        match self {
            Self::InstanceEnded | Self::ProcessEnded => Some("NAS-Reboot"),
            Self::Administrator => Some("Admin-Reset"),
            _ => None,
        }
    }

    /// Can RRAS still report the hangup of a session that was closed for this reason?
    pub(crate) const fn hangup_may_come(self) -> bool {
        !matches!(self, Self::Hangup | Self::FirstLinkRejected | Self::InstanceEnded | Self::Administrator)
    }

    /// Can a session that was closed for this reason still be live? No call has reported its end.
    pub(crate) const fn may_be_live(self) -> bool {
        matches!(self, Self::NeverEstablished | Self::LinksGone | Self::ProcessEnded | Self::NotListed)
    }

    /// Does its connect time count for the user?
    pub const fn is_billed(self) -> bool {
        !matches!(self, Self::FirstLinkRejected | Self::NeverEstablished)
    }

    /// Is its end an estimate, because RRAS did not report it?
    pub const fn is_estimated(self) -> bool {
        !matches!(self, Self::Hangup | Self::FirstLinkRejected)
    }
}

/// A link's beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkBegan {
    /// The session.
    pub session: Id,
    /// The port.
    pub port: Name,
    /// The device's name.
    pub device: Name,
    /// The tunnel.
    pub tunnel: Option<Tunnel>,
    /// The time.
    pub at: Stamp,
}

/// A session of another server, as reported to this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteSession {
    /// The server.
    pub server: Name,
    /// The session.
    pub session: Id,
    /// The user.
    pub user: Identity,
    /// The client's computer, as it claims.
    pub computer: Name,
    /// The client's public address.
    pub source: String,
    /// When it began, by that server's clock.
    pub start: Millis,
    /// Is it live?
    pub live: bool,
    /// What it has used, by days.
    pub days: Vec<DayUse>,
}
