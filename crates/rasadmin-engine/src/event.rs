//! Events that RRAS, an administrator or the rasadmin service reports, as plain values: the input of
//! [`decide()`](crate::decide()).

pub use crate::effect::{ConfigRead, Disconnecting, Enforcement, Repeated};

use crate::counters::Counted;
use crate::effect::{BlockSubject, EarlierBlock, Forgetting, RemoteSession, Usage};
use crate::now::{Id, Process, Stamp};
use crate::{Family, Identity, InterfaceType, Millis, Name, Quarantine, Tunnel};
use rasadmin_policy::addresses::Address;
use serde::{Deserialize, Serialize};

/// What is reported.
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
    /// The first process of a new instance has started. Whatever belongs to an earlier instance is over.
    InstanceStarted {
        /// The new instance.
        instance: Id,
    },
    /// A process of the instance has ended unexpectedly, while another one goes on.
    ProcessEnded {
        /// The process.
        process: Process,
    },
    /// A process has read its configuration, or found it invalid.
    ConfigRead(ConfigRead),
    /// Events were lost.
    Lost {
        /// How many, since the last such event.
        events: u64,
    },
    /// Refusals that were counted instead of recorded.
    Repeated(Vec<Repeated>),
    /// The first event after others were lost, or after the journal was replaced: what memory has and the journal
    /// lacks.
    Carried,
    /// An administrator releases an address.
    ReleaseAddress {
        /// The address.
        address: Address,
        /// Release it even if a live session has it.
        force: bool,
        /// The account of the operating system that asked for it.
        #[serde(default)]
        by: Option<String>,
        /// The reason, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// An administrator closes a session in the ledger; the connection in RRAS remains.
    CloseSession {
        /// The session.
        session: Id,
        /// The account of the operating system that asked for it.
        #[serde(default)]
        by: Option<String>,
        /// The reason, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A block of a user begins or is lifted: the form before there were blocks of computers.
    Block(EarlierBlock),
    /// An administrator or the service blocks somebody. The block replaces the one that the subject has.
    BeginBlock(BeginBlock),
    /// An administrator or the service lifts a block.
    EndBlock {
        /// Who is no longer blocked.
        subject: BlockSubject,
        /// The account of the operating system that asked for it.
        by: Option<String>,
        /// The reason, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A session is to be disconnected.
    Disconnect(Disconnect),
    /// The service has looked at RRAS's connections.
    Look(Look),
    /// Sessions that began or ended on another server.
    RemoteSessions(Vec<RemoteSession>),
    /// Delete or anonymise what ended before a time: of all users or of one.
    Forget {
        /// The time.
        before: Millis,
        /// Only this user's data.
        user: Option<Identity>,
        /// Delete or anonymise.
        how: Forgetting,
    },
}

impl Event {
    /// The user's name as it was passed, if the event carries one.
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

    /// Does it prove that RRAS is running? Events of an administrator or of the rasadmin service do not.
    pub const fn is_of_rras(&self) -> bool {
        matches!(self, Self::Address(_) | Self::Release(_) | Self::ConfigRead(_))
            || matches!(self, Self::Lost { .. } | Self::Carried | Self::Repeated(_))
            || self.is_notification()
    }

    /// Is it a notification? RRAS may run those in another process than the address functions.
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

/// A connection's accept, reauthentication, endpoint change or hangup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionEvent {
    /// hConnection. Handles repeat.
    pub handle: u64,
    /// The GUID as text; `None` if it is zero or not carried.
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
    /// Is it IKEv2? `None` if this form of the call does not say.
    pub ikev2: Option<bool>,
    /// rasQuarState; `None` if this form of the call does not carry it, or its value is not documented.
    pub quarantine: Option<Quarantine>,
    /// Duration and counters.
    pub usage: Usage,
    /// Both IPv4 addresses and both interface identifiers of the projection. The documentation contradicts itself on
    /// which is the client's, so the one that equals a lease counts.
    pub addresses: Vec<Address>,
    /// The IPv6 prefix as text.
    pub prefix: Option<String>,
}

/// A link's accept or hangup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkEvent {
    /// hConnection: the connection it belongs to.
    pub handle: u64,
    /// wszPortName.
    pub port: Name,
    /// wszDeviceName.
    pub device: Name,
    /// The tunnel type, from the device's name.
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
    /// The address family.
    pub family: Family,
    /// What RRAS offers.
    pub offer: Offer,
}

/// What RRAS offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Offer {
    /// Nothing: zero, or the value that means "none".
    Nothing,
    /// An address: a number in host order.
    Number(u64),
    /// An IPv6 address whose low half is zero and whose high half is not: which half carries the identifier is unproven.
    HighHalf(u64),
}

/// RRAS releases an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseEvent {
    /// The user's name.
    pub user: Name,
    /// The port's name.
    pub port: Name,
    /// The address; `None` if the call named none.
    pub address: Option<Address>,
}

/// Somebody is to be blocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeginBlock {
    /// Who.
    pub subject: BlockSubject,
    /// When the block ends, by the time of day; `None` if it stays until it is lifted.
    pub until: Option<Millis>,
    /// The reason, for people.
    pub reason: Option<String>,
    /// The account of the operating system that asks for it.
    pub by: Option<String>,
}

/// A session is to be disconnected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disconnect {
    /// The session.
    pub session: Id,
    /// The reason.
    pub why: Disconnecting,
    /// What is done about it.
    pub how: Enforcement,
    /// The account of the operating system that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What the service saw in RRAS, as far as it has to be recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// When the look began. It does not show what happened later.
    pub begun: Stamp,
    /// Sessions whose counters were read. A record does not keep them: its effects have what they show.
    #[serde(skip)]
    pub read: Vec<Reading>,
    /// Connections that no session has.
    pub found: Vec<ConnectionEvent>,
    /// Sessions that RRAS does not list any more.
    pub not_listed: Vec<NotListed>,
}

/// What the counters of a session show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The session.
    pub session: Id,
    /// What it has sent and received, from all looks.
    pub counted: Counted,
    /// A sign of life: when the earlier of two looks began between which its received octets grew. RRAS also lists
    /// connections whose client is gone.
    pub alive: Option<Stamp>,
}

/// A session that RRAS does not list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotListed {
    /// The session.
    pub session: Id,
    /// When the first look began that did not list it.
    pub since: Stamp,
}
