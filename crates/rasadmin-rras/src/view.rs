//! The trait, and what it shows.

use crate::Error;
use mprapi::Projection;
use rasadmin_policy::{InterfaceType, Name, Quarantine};
use serde::{Deserialize, Serialize};
use std::fmt;

/// RRAS, as a process beside it sees it.
///
/// A call may take as long as RRAS takes; [`Watched`](crate::Watched) adds a deadline. A list is complete, or the call
/// fails.
pub trait Rras: fmt::Debug + Send + Sync {
    /// The instance that runs now; None if the Remote Access service does not run.
    ///
    /// # Errors
    /// If that cannot be found out.
    fn instance(&self) -> Result<Option<Instance>, Error>;

    /// All connections, demand-dial routers too.
    ///
    /// # Errors
    /// If RRAS does not run, or does not give the whole list.
    fn connections(&self) -> Result<Vec<Connection>, Error>;

    /// One connection, as it is now. Handles repeat (R-OUT-3), so it may be another than the one that had the handle
    /// before: compare the GUID and the user.
    ///
    /// # Errors
    /// [`Failure::Gone`](crate::Failure::Gone) if no connection has the handle.
    fn connection(&self, handle: ConnectionHandle) -> Result<Connection, Error>;

    /// The ports of a connection: one for each link. It may be empty if the connection does not exist any more.
    ///
    /// # Errors
    /// [`Failure::Gone`](crate::Failure::Gone) if RRAS says that the connection does not exist, and another if it does not
    /// give the whole list.
    fn ports(&self, connection: ConnectionHandle) -> Result<Vec<Port>, Error>;

    /// One port, as it is now. A port is used again for the next connection: compare its connection.
    ///
    /// # Errors
    /// [`Failure::Gone`](crate::Failure::Gone) if no port has the handle.
    fn port(&self, handle: PortHandle) -> Result<Port, Error>;

    /// Disconnects the client on the port. Read the [`connection`](Self::connection) and the [`port`](Self::port) again
    /// just before: RRAS knows a port by its handle only, and a new user may be on it.
    ///
    /// # Errors
    /// If RRAS refuses. After [`Failure::Hung`](crate::Failure::Hung), the port may be disconnected or not.
    fn disconnect(&self, port: PortHandle) -> Result<(), Error>;
}

/// One life of the process that RRAS runs in. If that process has other services too, RRAS can restart within it, which
/// does not show here (R-OUT-14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Instance {
    /// The process.
    pub process: u32,
    /// When the process was created, in units of 100 nanoseconds since 1601. Numbers of processes repeat, and this
    /// distinguishes them.
    pub created: u64,
}

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident),+) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+ };
}

handles! {
    /// RRAS's handle of a connection. Handles repeat.
    ConnectionHandle,
    /// RRAS's handle of a port.
    PortHandle
}

/// A connection that RRAS lists. Being listed is not a sign of life: RRAS lists an IKEv2 client that has disappeared
/// for half an hour (R-ORDER-9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Its handle.
    pub handle: ConnectionHandle,
    /// Its GUID as text, such as `0c5e2a18-...`, valid as long as the connection exists. None if it is zero.
    pub guid: Option<String>,
    /// What connects: a client, or a router.
    pub interface: InterfaceType,
    /// The demand-dial interface, of a router.
    pub interface_name: Name,
    /// The user's name, as RRAS has it.
    pub user: Name,
    /// The domain that the user logged on to.
    pub domain: Name,
    /// The name that the client claims for its computer. Some clients never have one.
    pub computer: Name,
    /// The client's public address, as text.
    pub source: Name,
    /// Is it IKEv2?
    pub ikev2: bool,
    /// The quarantine state; None if its value is not documented.
    pub quarantine: Option<Quarantine>,
    /// How long it has existed, in seconds.
    pub seconds: u32,
    /// Its traffic so far.
    pub counters: Counters,
    /// Its addresses; None if the projection is neither PPP nor IKEv2.
    pub projection: Option<Projection>,
}

/// Counters of 32 bits, which continue at zero after 4,294,967,295.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Octets from the client.
    pub octets_received: u32,
    /// Octets to the client.
    pub octets_transmitted: u32,
    /// Frames from the client.
    pub frames_received: u32,
    /// Frames to the client.
    pub frames_transmitted: u32,
}

/// A port of RRAS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// Its handle.
    pub handle: PortHandle,
    /// The connection that uses it.
    pub connection: ConnectionHandle,
    /// Its name, such as `VPN2-127`.
    pub name: Name,
    /// Its device, such as `WAN Miniport (IKEv2)`. Only the part in brackets is the same in every language (R-STRUCT-15).
    pub device: Name,
    /// The kind of its device: `vpn` for a tunnel.
    pub device_type: Name,
    /// Its state.
    pub state: PortState,
}

/// The state of a port (RAS_PORT_CONDITION).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortState {
    /// It does not work.
    NonOperational,
    /// Nobody is on it.
    Disconnected,
    /// RRAS calls the client back.
    CallingBack,
    /// It waits for a client.
    Listening,
    /// A client is being authenticated.
    Authenticating,
    /// A client is connected.
    Authenticated,
    /// The device is being initialised.
    Initializing,
    /// A value that is not documented.
    Other(i32),
}
