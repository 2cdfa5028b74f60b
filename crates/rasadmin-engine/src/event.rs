//! What RRAS, an administrator or the rasadmin service tells, as plain values: the input of [`decide`](crate::decide).

use crate::effect::{Block, Elsewhere, Forgetting, Usage};
use crate::now::{Id, Process, Stamp};
use crate::{Family, Identity, InterfaceType, Millis, Name, Quarantine, Tunnel};
use rasadmin_policy::addresses::Address;
use serde::{Deserialize, Serialize};

/// What is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// GetIpAddressForUser, GetIpv6AddressForUser.
    Address(AddressEvent),
    /// AcceptNewConnection.
    Connection(ConnectionEvent),
    /// AcceptNewLink.
    Link(LinkEvent),
    /// AcceptReauthentication.
    Reauthentication(ConnectionEvent),
    /// AcceptTunnelEndpointChangeEx.
    EndpointChange(ConnectionEvent),
    /// LinkHangupNotification.
    LinkHangup(LinkEvent),
    /// ConnectionHangupNotification.
    Hangup(ConnectionEvent),
    /// ReleaseIpAddress, ReleaseIpv6AddressForUser.
    Release(ReleaseEvent),
    /// The first process of a new instance has started: whatever an earlier instance had is over. `last` is its last
    /// sign of life, where one is known beyond its records.
    InstanceStarted {
        /// The new instance.
        instance: Id,
    },
    /// A process of the instance has ended without a word, while another one lives on.
    ProcessEnded {
        /// Which.
        process: Process,
    },
    /// A process has read its configuration, or found it broken.
    ConfigRead(ConfigRead),
    /// Events could not be kept: how many.
    Lost {
        /// Since this was told last.
        events: u64,
    },
    /// Refusals that were counted instead of recorded.
    Repeated(Vec<Repeated>),
    /// The first after events were lost, or after the journal turned out to be another one: what memory has and the
    /// journal lacks.
    Carried,
    /// An administrator gives an address free.
    ReleaseAddress {
        /// Which.
        address: Address,
        /// Also if a live session has it.
        force: bool,
    },
    /// An administrator closes a session; RRAS is not told.
    CloseSession {
        /// Which.
        session: Id,
    },
    /// An administrator, or the service, lets a user in no more until a time, or again.
    Block(Block),
    /// The service has looked at the live connections.
    Look(Vec<Seen>),
    /// What another server has begun or ended.
    Elsewhere(Vec<Elsewhere>),
    /// What ended before a time is forgotten: of everybody, or of one user.
    Forget {
        /// What ended before.
        before: Millis,
        /// Only of this user.
        user: Option<Identity>,
        /// How.
        how: Forgetting,
    },
}

impl Event {
    /// The user's name as it was passed, where the event carries one.
    pub fn user_name(&self) -> Option<&Name> {
        match self {
            Self::Address(event) => Some(&event.user),
            Self::Release(event) => Some(&event.user),
            Self::Connection(event)
            | Self::Reauthentication(event)
            | Self::EndpointChange(event)
            | Self::Hangup(event) => Some(&event.user),
            _ => None,
        }
    }

    /// Does it show that RRAS lives? Not what an administrator or the rasadmin service does.
    pub const fn is_of_rras(&self) -> bool {
        matches!(self, Self::Address(_) | Self::Release(_) | Self::ConfigRead(_))
            || matches!(self, Self::Lost { .. } | Self::Carried | Self::Repeated(_))
            || self.is_notification()
    }

    /// Does it belong to the notifications, which RRAS may run in another process than the address functions?
    pub const fn is_notification(&self) -> bool {
        matches!(
            self,
            Self::Connection(_)
                | Self::Link(_)
                | Self::Reauthentication(_)
                | Self::EndpointChange(_)
                | Self::LinkHangup(_)
                | Self::Hangup(_)
        )
    }
}

/// How often a refusal was repeated within a minute, the first one aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeated {
    /// The record of the first one.
    pub of: Id,
    /// When that was.
    pub first: Stamp,
    /// How many followed.
    pub times: u64,
    /// When the last of them came.
    pub last: Stamp,
}

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

/// RRAS asks which address a user gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressEvent {
    /// The user's name.
    pub user: Name,
    /// The port's name.
    pub port: Name,
    /// Which family.
    pub family: Family,
    /// What RRAS offers.
    pub offer: Offer,
}

/// What RRAS offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Offer {
    /// Nothing: zero, or what stands for nothing.
    Nothing,
    /// An address: a number in host order.
    Number(u64),
    /// An IPv6 address whose low half is zero and whose high half is not: which half carries the identifier is unproven.
    HighHalf(u64),
}

/// RRAS gives an address back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseEvent {
    /// The user's name.
    pub user: Name,
    /// The port's name.
    pub port: Name,
    /// Which; None where the call named none.
    pub address: Option<Address>,
}

/// A process has read its configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigRead {
    /// The version of the product.
    pub version: String,
    /// The hash of the configuration in force since then.
    pub hash: String,
    /// Its texts, as JSON; None where they are known to be on record.
    pub texts: Option<String>,
    /// What is wrong with the file, if an earlier configuration is in force instead.
    pub fault: Option<String>,
}

/// A live connection as the service saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// What RRAS calls it.
    pub connection: ConnectionEvent,
}
