//! The truth: the connections of a simulated RRAS, each with a number of its own.

use crate::people::{Device, Spelling};
use crate::reported::Reported;
use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::{Mono, Name, Quarantine, Tunnel};

/// A connection's number. It does not depend on anything that RRAS passes.
pub type Number = usize;

/// The last address of RRAS's own pool.
pub const RRAS_END: u64 = crate::settings::RRAS_POOL + crate::settings::RRAS_POOL_SIZE - 1;

/// How many ports each tunnel has.
pub const PORTS: usize = 5;

/// The phase of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The user has authenticated; the network protocols come up.
    Addressing,
    /// The network protocols are up.
    Connecting,
    /// The connection was accepted; its first link comes next.
    Linking,
    /// The connection is up.
    Online,
    /// The connection is over, whatever was reported about it.
    Gone,
}

/// An address that a client has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldAddress {
    /// The address.
    pub address: Address,
    /// It comes from RRAS's own pool.
    pub own: bool,
}

/// A connection, or an attempt to connect.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The person, an index of `PEOPLE`.
    pub person: usize,
    /// How RRAS spells the person's name.
    pub spelling: Spelling,
    /// The device.
    pub device: Device,
    /// The tunnel.
    pub tunnel: Tunnel,
    /// hConnection.
    pub handle: u64,
    /// The GUID, if calls carry one.
    pub guid: Option<String>,
    /// The index of the first link's port.
    pub port: usize,
    /// All its ports: those of its links, and that of a link that is coming up.
    pub ports: Vec<usize>,
    /// The ports of its live links.
    pub links: Vec<usize>,
    /// The protocols that are still to come up.
    pub wants: Vec<Family>,
    /// The ports that its address calls named, by family.
    pub asked_on: [usize; 2],
    /// The addresses it has, by family.
    pub held: [Option<HeldAddress>; 2],
    /// Its phase.
    pub phase: Phase,
    /// How many of its calls are in progress.
    pub busy: usize,
    /// The client disconnected while a call was in progress.
    pub dropped: bool,
    /// When it was dialled.
    pub dialled: Mono,
    /// When RRAS began to ask whether it is accepted.
    pub asked: Option<Mono>,
    /// When it was accepted.
    pub accepted: Option<Mono>,
    /// How many seconds after its accept its client disappeared, if RRAS has not noticed: it lists the connection on.
    pub silent: Option<u64>,
    /// Its quarantine state.
    pub quarantine: Quarantine,
    /// What was reported to the product about it.
    pub reported: Reported,
}

impl Connection {
    /// Is it still an attempt?
    pub const fn is_attempt(&self) -> bool {
        matches!(self.phase, Phase::Addressing | Phase::Connecting | Phase::Linking)
    }

    /// The port that RRAS names in an address call: once there are links, the port of one of them.
    pub fn address_port(&self) -> usize {
        if self.links.contains(&self.port) { self.port } else { self.links.first().copied().unwrap_or(self.port) }
    }

    /// Is it IKEv2?
    pub fn is_ikev2(&self) -> bool {
        self.tunnel == Tunnel::Ikev2
    }
}

/// A notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notification {
    /// LinkHangupNotification, of a port.
    LinkHangup(usize),
    /// ConnectionHangupNotification, with the connection's duration in seconds.
    Hangup(u64),
    /// The release of an address.
    Release(HeldAddress),
}

/// A notification that is still to be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The connection.
    pub of: Number,
    /// The notification.
    pub notification: Notification,
    /// It was delivered before.
    pub again: bool,
}

/// Groups of functions that RRAS serialises.
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
