//! RRAS's own addresses, ports and handles: the static pool, and which connection holds what.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

/// Identifies a connection within a run. RRAS's own handles cannot, because they repeat.
pub(crate) type ConnectionId = u64;

/// The connection that holds an address or identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub connection: ConnectionId,
    /// The connection's user and port, for messages.
    pub name: String,
}

/// A DLL chose an address for one connection while another connection was online with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressConflict {
    /// The address. For IPv6, the interface identifier as the last eight bytes of an address.
    pub address: IpAddr,
    /// The user and port of the connection that holds it.
    pub holder: String,
    /// The user and port of the connection that it was chosen for.
    pub taker: String,
}

impl fmt::Display for AddressConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, holder, taker } = self;
        write!(f, "the DLL chose {address} for {taker} while {holder} was online with it")
    }
}

/// The server's addresses and ports.
#[derive(Clone, Debug)]
pub struct Pool {
    /// The server's own address on the tunnels.
    pub server: Ipv4Addr,
    /// The IPv6 prefix that RRAS owns: 64 bits.
    pub ipv6_prefix: [u8; 8],
    range: (u32, u32),
    free: BTreeSet<u32>,
    /// The connection that holds each address.
    held: HashMap<Ipv4Addr, Holder>,
    /// The connection that holds each IPv6 interface identifier.
    identifiers: HashMap<[u8; 8], Holder>,
    ports: HashMap<u32, BTreeSet<u32>>,
    /// Handles that are free again, the latest last.
    handles: Vec<u64>,
}

/// A port whose number no other link gets until it is freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TakenPort {
    family: u32,
    number: u32,
}

impl Pool {
    /// A static pool from `first` to `last`, both included. The server's own address is never given to a client.
    pub fn new(server: Ipv4Addr, first: Ipv4Addr, last: Ipv4Addr, ipv6_prefix: [u8; 8]) -> Self {
        let range = (u32::from(first), u32::from(last));
        let free = (range.0..=range.1).filter(|&a| a != u32::from(server)).collect();
        Self {
            server,
            ipv6_prefix,
            range,
            free,
            held: HashMap::new(),
            identifiers: HashMap::new(),
            ports: HashMap::new(),
            handles: Vec::new(),
        }
    }

    /// Takes the lowest free address, to offer it.
    pub(crate) fn take(&mut self) -> Option<Ipv4Addr> {
        self.free.pop_first().map(Ipv4Addr::from)
    }

    /// Takes this address. Returns false if it is not free, or not in the pool.
    pub(crate) fn take_this(&mut self, address: Ipv4Addr) -> bool {
        self.free.remove(&u32::from(address))
    }

    /// Makes the address free again, if it is in the pool and no connection holds it.
    pub(crate) fn give_back(&mut self, address: Ipv4Addr) {
        let number = u32::from(address);
        if !self.held.contains_key(&address)
            && (self.range.0..=self.range.1).contains(&number)
            && address != self.server
        {
            self.free.insert(number);
        }
    }

    /// The connection that holds the address.
    pub(crate) fn holder(&self, address: Ipv4Addr) -> Option<&Holder> {
        self.held.get(&address)
    }

    /// Makes the connection the address's holder.
    pub(crate) fn hold(&mut self, address: Ipv4Addr, connection: Holder) {
        self.free.remove(&u32::from(address));
        self.held.insert(address, connection);
    }

    /// Removes the connection as the address's holder. The address is not free yet.
    pub(crate) fn clear_holder(&mut self, address: Ipv4Addr, connection: ConnectionId) {
        if self.held.get(&address).is_some_and(|holder| holder.connection == connection) {
            self.held.remove(&address);
        }
    }

    /// Makes the connection the identifier's holder. Returns the previous holder.
    pub(crate) fn hold_identifier(&mut self, identifier: [u8; 8], connection: Holder) -> Option<Holder> {
        self.identifiers.insert(identifier, connection)
    }

    /// Removes the connection as the identifier's holder.
    pub(crate) fn clear_identifier_holder(&mut self, identifier: [u8; 8], connection: ConnectionId) {
        if self.identifiers.get(&identifier).is_some_and(|holder| holder.connection == connection) {
            self.identifiers.remove(&identifier);
        }
    }

    /// Takes the lowest free port of a family, such as `VPN2-1`.
    pub(crate) fn take_port(&mut self, family: u32) -> (String, TakenPort) {
        let used = self.ports.entry(family).or_default();
        let number = (1..).find(|n| !used.contains(n)).unwrap_or(0);
        used.insert(number);
        (format!("VPN{family}-{number}"), TakenPort { family, number })
    }

    /// Takes the port of this name. Returns None if it needs no freeing: if it is taken already, or not one of ours.
    pub(crate) fn take_this_port(&mut self, name: &str) -> Option<TakenPort> {
        let (family, number) = name.strip_prefix("VPN")?.split_once('-')?;
        let (family, number) = (family.parse().ok()?, number.parse().ok()?);
        self.ports.entry(family).or_default().insert(number).then_some(TakenPort { family, number })
    }

    pub(crate) fn free_port(&mut self, port: TakenPort) {
        if let Some(used) = self.ports.get_mut(&port.family) {
            used.remove(&port.number);
        }
    }

    /// Frees a connection's handle.
    pub(crate) fn free_handle(&mut self, handle: u64) {
        self.handles.push(handle);
    }

    /// Takes the handle that was freed last.
    pub(crate) fn freed_handle(&mut self) -> Option<u64> {
        self.handles.pop()
    }

    /// The number of free addresses.
    pub fn free(&self) -> usize {
        self.free.len()
    }
}
