//! RRAS's own addresses: the static pool, and who holds what.

use std::collections::{BTreeSet, HashMap};
use std::net::Ipv4Addr;

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
    held: HashMap<Ipv4Addr, u64>,
    ports: HashMap<u32, BTreeSet<u32>>,
}

impl Pool {
    /// A static pool from `first` to `last`, both included; the server's own address is never given.
    pub fn new(server: Ipv4Addr, first: Ipv4Addr, last: Ipv4Addr, ipv6_prefix: [u8; 8]) -> Self {
        let range = (u32::from(first), u32::from(last));
        let free = (range.0..=range.1).filter(|&a| a != u32::from(server)).collect();
        Self { server, ipv6_prefix, range, free, held: HashMap::new(), ports: HashMap::new() }
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
    pub(crate) fn holder(&self, address: Ipv4Addr) -> Option<u64> {
        self.held.get(&address).copied()
    }

    /// The connection holds the address from now on.
    pub(crate) fn hold(&mut self, address: Ipv4Addr, connection: u64) {
        self.free.remove(&u32::from(address));
        self.held.insert(address, connection);
    }

    /// The connection holds it no more; it is not free yet.
    pub(crate) fn let_go(&mut self, address: Ipv4Addr, connection: u64) {
        if self.held.get(&address) == Some(&connection) {
            self.held.remove(&address);
        }
    }

    /// The lowest free port of a family, `VPN2-1` and so on.
    pub(crate) fn take_port(&mut self, family: u32) -> (u32, String) {
        let used = self.ports.entry(family).or_default();
        let number = (1..).find(|n| !used.contains(n)).unwrap_or(0);
        used.insert(number);
        (number, format!("VPN{family}-{number}"))
    }

    pub(crate) fn free_port(&mut self, family: u32, number: u32) {
        if let Some(used) = self.ports.get_mut(&family) {
            used.remove(&number);
        }
    }

    /// How many addresses are free.
    pub fn free(&self) -> usize {
        self.free.len()
    }
}
