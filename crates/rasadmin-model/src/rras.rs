//! The truth: the connections of a simulated RRAS, under numbers of its own.

use crate::people::{Device, Spelling};
use crate::reported::Reported;
use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::{Mono, Name, Quarantine, Tunnel};

/// A connection's number: nothing that RRAS tells is needed to find it.
pub type Number = usize;

/// The last address of RRAS's own pool.
pub const RRAS_END: u64 = crate::settings::RRAS_POOL + crate::settings::RRAS_POOL_SIZE - 1;

/// How many ports each tunnel has.
pub const PORTS: usize = 5;

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The user has authenticated; the network protocols come up.
    Addressing,
    /// They are up.
    Connecting,
    /// It was accepted; its first link comes next.
    Linking,
    /// It stands.
    Online,
    /// It is over, whatever was told of that.
    Gone,
}

/// An address that a client has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldAddress {
    /// Which.
    pub address: Address,
    /// RRAS's own pool has it.
    pub own: bool,
}

/// A connection, or the attempt at one.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Who.
    pub person: usize,
    /// How RRAS spells them.
    pub spelling: Spelling,
    /// With what.
    pub device: Device,
    /// Through which tunnel.
    pub tunnel: Tunnel,
    /// hConnection.
    pub handle: u64,
    /// The GUID, where calls carry one.
    pub guid: Option<String>,
    /// The port of the first link, by place.
    pub port: usize,
    /// Every port that it has: those of its links, and of one that is coming up.
    pub ports: Vec<usize>,
    /// The ports of the links that stand.
    pub links: Vec<usize>,
    /// Which protocols still come up.
    pub wants: Vec<Family>,
    /// The ports that its address calls named, by family.
    pub asked_on: [usize; 2],
    /// What it has.
    pub held: [Option<HeldAddress>; 2],
    /// How far it is.
    pub phase: Phase,
    /// A call of it is under way.
    pub busy: usize,
    /// The client went while a call was under way.
    pub dropped: bool,
    /// When it was dialled.
    pub dialled: Mono,
    /// When it was accepted.
    pub accepted: Option<Mono>,
    /// Its quarantine state.
    pub quarantine: Quarantine,
    /// What the product was told of it.
    pub reported: Reported,
}

impl Connection {
    /// Is it an attempt?
    pub const fn is_attempt(&self) -> bool {
        matches!(self.phase, Phase::Addressing | Phase::Connecting | Phase::Linking)
    }

    /// The port that RRAS names in an address call: once there are links, the port of one.
    pub fn address_port(&self) -> usize {
        if self.links.contains(&self.port) { self.port } else { self.links.first().copied().unwrap_or(self.port) }
    }

    /// Is it IKEv2?
    pub fn is_ikev2(&self) -> bool {
        self.tunnel == Tunnel::Ikev2
    }
}

/// What RRAS has to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notification {
    /// LinkHangupNotification, of a port.
    LinkHangup(usize),
    /// ConnectionHangupNotification; the connection lasted so many seconds.
    Hangup(u64),
    /// A release of this address.
    Release(HeldAddress),
}

/// A notification that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Of which connection.
    pub of: Number,
    /// What.
    pub notification: Notification,
    /// It was told before.
    pub again: bool,
}

/// Which functions RRAS serialises with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serial {
    /// The four address functions.
    Addresses,
    /// Accept and hangup.
    Connections,
    /// AcceptNewLink.
    Links,
    /// LinkHangupNotification.
    LinkHangups,
    /// AcceptReauthentication.
    Reauthentications,
    /// AcceptTunnelEndpointChangeEx.
    EndpointChanges,
}

/// The name of a port.
pub fn port_name(port: usize) -> Name {
    Name::new(&format!("VPN{}-{}", port / PORTS + 1, port % PORTS))
}

/// The name of a tunnel's device.
pub fn device_name(tunnel: Tunnel) -> Name {
    Name::new(&format!("WAN Miniport ({})", tunnel.name()))
}
