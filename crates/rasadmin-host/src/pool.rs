//! RRAS's own addresses, ports and handles: the static pool, and who holds what.

use std::collections::{BTreeSet, HashMap};
use std::net::Ipv4Addr;

/// A connection, by a number that no other connection of the run has: RRAS's handles repeat.
pub(crate) type Serial = u64;

/// Who holds something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub serial: Serial,
    /// For messages.
    pub who: String,
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
    /// Which connection holds an address.
    held: HashMap<Ipv4Addr, Holder>,
    /// Which connection holds an IPv6 interface identifier.
    identifiers: HashMap<[u8; 8], Holder>,
    ports: HashMap<u32, BTreeSet<u32>>,
    /// Handles that are free again, the latest last.
    handles: Vec<u64>,
}

/// A port whose number is taken until it is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    family: u32,
    number: u32,
}

impl Pool {
    /// A static pool from `first` to `last`, both included; the server's own address is never given.
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

    /// Takes the lowest free address, as an offer.
    pub(crate) fn take(&mut self) -> Option<Ipv4Addr> {
        self.free.pop_first().map(Ipv4Addr::from)
    }

    /// Takes this address if it is free; false if it is another's, or none of the pool's.
    pub(crate) fn take_this(&mut self, address: Ipv4Addr) -> bool {
        self.free.remove(&u32::from(address))
    }

    /// The address is free again, if it is of the pool and no connection holds it.
    pub(crate) fn give_back(&mut self, address: Ipv4Addr) {
        let number = u32::from(address);
        if !self.held.contains_key(&address)
            && (self.range.0..=self.range.1).contains(&number)
            && address != self.server
        {
            self.free.insert(number);
        }
    }

    /// Which connection holds the address?
    pub(crate) fn holder(&self, address: Ipv4Addr) -> Option<&Holder> {
        self.held.get(&address)
    }

    /// The connection holds the address from now on.
    pub(crate) fn hold(&mut self, address: Ipv4Addr, connection: Holder) {
        self.free.remove(&u32::from(address));
        self.held.insert(address, connection);
    }

    /// The connection holds it no more; it is not free yet.
    pub(crate) fn let_go(&mut self, address: Ipv4Addr, connection: Serial) {
        if self.held.get(&address).is_some_and(|holder| holder.serial == connection) {
            self.held.remove(&address);
        }
    }

    /// The connection holds the identifier from now on; who held it until now.
    pub(crate) fn hold_identifier(&mut self, identifier: [u8; 8], connection: Holder) -> Option<Holder> {
        self.identifiers.insert(identifier, connection)
    }

    /// The connection holds it no more.
    pub(crate) fn let_go_identifier(&mut self, identifier: [u8; 8], connection: Serial) {
        if self.identifiers.get(&identifier).is_some_and(|holder| holder.serial == connection) {
            self.identifiers.remove(&identifier);
        }
    }

    /// The lowest free port of a family, `VPN2-1` and so on.
    pub(crate) fn take_port(&mut self, family: u32) -> (String, Taken) {
        let used = self.ports.entry(family).or_default();
        let number = (1..).find(|n| !used.contains(n)).unwrap_or(0);
        used.insert(number);
        (format!("VPN{family}-{number}"), Taken { family, number })
    }

    /// The port of this name. None if nobody needs to give it back: it is taken already, or none of ours.
    pub(crate) fn take_this_port(&mut self, name: &str) -> Option<Taken> {
        let (family, number) = name.strip_prefix("VPN")?.split_once('-')?;
        let (family, number) = (family.parse().ok()?, number.parse().ok()?);
        self.ports.entry(family).or_default().insert(number).then_some(Taken { family, number })
    }

    pub(crate) fn free_port(&mut self, port: Taken) {
        if let Some(used) = self.ports.get_mut(&port.family) {
            used.remove(&port.number);
        }
    }

    /// The connection's handle is free.
    pub(crate) fn free_handle(&mut self, handle: u64) {
        self.handles.push(handle);
    }

    /// The handle that became free last.
    pub(crate) fn freed_handle(&mut self) -> Option<u64> {
        self.handles.pop()
    }

    /// How many addresses are free.
    pub fn free(&self) -> usize {
        self.free.len()
    }
}
