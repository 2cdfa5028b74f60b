//! What RRAS tells, as plain values: the input of the engine, and what the spool keeps.

use crate::addresses::{Address, Family};
use crate::ledger::{Decision, Millis, Origin, Usage};
use crate::{InterfaceType, Name, Quarantine, Tunnel};
use serde::{Deserialize, Serialize};

/// Of a connection: accept, reauthentication, endpoint change, hangup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionEvent {
    /// hConnection. Handles repeat.
    pub handle: u64,
    /// The GUID, as text; None if it is zero or not carried.
    pub guid: Option<String>,
    /// wszUserName.
    pub user: Name,
    /// wszLogonDomain.
    pub domain: Name,
    /// wszRemoteComputer.
    pub computer: Name,
    /// wszRemoteEndpointAddress.
    pub source: String,
    /// dwInterfaceType.
    pub interface: InterfaceType,
    /// Is it IKEv2? None if the form cannot tell.
    pub ikev2: Option<bool>,
    /// rasQuarState; None if the form does not carry it, or it is not documented.
    pub quarantine: Option<Quarantine>,
    /// Duration and counters.
    pub usage: Usage,
    /// Both IPv4 addresses and both interface identifiers of the projection: which is the client's is contradictory in
    /// the documentation, so that which equals a lease is taken.
    pub addresses: Vec<Address>,
    /// The IPv6 prefix, as text.
    pub prefix: Option<String>,
}

/// Of a link: accept, hangup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkEvent {
    /// hConnection: the connection it belongs to.
    pub handle: u64,
    /// wszPortName.
    pub port: Name,
    /// wszDeviceName.
    pub device: Name,
    /// By the device's name.
    pub tunnel: Option<Tunnel>,
    /// Duration and counters.
    pub usage: Usage,
}

/// Of an address: assign, release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressEvent {
    /// The user's name.
    pub user: Name,
    /// The port's name.
    pub port: Name,
    /// Which family.
    pub family: Family,
    /// RRAS's offer (None if it is none), or what is released.
    pub number: Option<u64>,
}

impl AddressEvent {
    /// The address, if there is one.
    pub fn address(&self) -> Option<Address> {
        self.number.map(|number| Address { family: self.family, number })
    }
}

/// What happened, with the answer that was given: what is recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When.
    pub time: Millis,
    /// What.
    pub what: What,
}

/// Kinds of records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum What {
    /// An address was given, or (`given` is None) refused.
    Address {
        event: AddressEvent,
        given: Option<Given>,
        decision: Decision,
    },
    /// A connection was accepted or rejected; `key` is the session's.
    Connection {
        event: ConnectionEvent,
        key: String,
        decision: Decision,
    },
    /// A link was accepted or rejected.
    Link {
        event: LinkEvent,
        decision: Decision,
    },
    /// A reauthentication or an endpoint change was accepted or rejected.
    Again {
        event: ConnectionEvent,
        decision: Decision,
    },
    LinkHangup {
        event: LinkEvent,
    },
    Hangup {
        event: ConnectionEvent,
    },
    Release {
        event: AddressEvent,
    },
}

impl What {
    /// Is it what a power cut would make us regret? The accept is for the audit, the hangup for the bill.
    pub fn is_durable(&self) -> bool {
        matches!(self, Self::Connection { decision, .. } if decision.allow) || matches!(self, Self::Hangup { .. })
    }
}

/// An address that was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// The number.
    pub number: u64,
    /// Where it came from.
    pub origin: Origin,
    /// Which pool.
    pub pool: Option<String>,
}
