//! Addresses: which pool and which reservation a user has.

pub mod parse;

use crate::{Identity, Name};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;

/// A pool, by its place in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolId(pub u32);

/// Which family a pool serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4 addresses, as numbers of 32 bits in host order.
    Ipv4,
    /// IPv6 interface identifiers, as numbers of 64 bits in host order.
    Ipv6,
}

/// An address: an IPv4 address, or an IPv6 interface identifier, as a number in host order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Address {
    /// Which family.
    pub family: Family,
    /// The number.
    pub number: u64,
}

/// What a user gets whose reservation is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReservationHeld {
    /// An address of his pool (or RRAS's offer, if he has none).
    Pool,
    /// Nothing: the connection ends.
    Refuse,
}

/// What happens when a pool is exhausted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WhenExhausted {
    /// The connection ends.
    #[default]
    Refuse,
    /// RRAS's own offer is kept, if there is one.
    KeepOffer,
}

/// A pool.
#[derive(Debug)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// Which family.
    pub family: Family,
    /// What it gives: ranges, both ends included, disjoint, in ascending order, exclusions and every reserved address
    /// already cut out.
    pub ranges: Vec<(u64, u64)>,
    /// The pool that serves when this one is exhausted; never itself, never in a circle.
    pub next: Option<PoolId>,
    /// What happens when it and those after it are exhausted.
    pub when_exhausted: WhenExhausted,
}

/// A user's reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// On this server only (folded).
    pub server: Option<Name>,
    /// The IPv4 address.
    pub ipv4: Option<u64>,
    /// The IPv6 interface identifier.
    pub ipv6: Option<u64>,
}

/// Pools and reservations, compiled.
#[derive(Debug)]
pub struct Plan {
    /// All pools; a [`PoolId`] is an index.
    pub pools: Vec<Pool>,
    /// Reservations by user.
    pub reservations: HashMap<Identity, Vec<Reservation>>,
    /// Every reserved address, whosever: no pool gives it, and RRAS's offer of it is kept for nobody else.
    pub reserved: HashSet<Address>,
    /// The server's own addresses.
    pub server: HashSet<Ipv4Addr>,
    /// The pools of those whom neither rule nor group gives one: IPv4, IPv6.
    pub default_pools: [Option<PoolId>; 2],
    /// Does a user get the address again that he had last?
    pub sticky: bool,
    /// What a user gets whose reservation is held.
    pub reservation_held: ReservationHeld,
}

impl Plan {
    /// The address that is reserved for a user on a server; one for that server alone goes first.
    pub fn reservation(&self, user: &Identity, server: &Name, family: Family) -> Option<u64> {
        let server = server.folded();
        let of = |r: &Reservation| match family {
            Family::Ipv4 => r.ipv4,
            Family::Ipv6 => r.ipv6,
        };
        let all = self.reservations.get(user)?;
        let here = all.iter().filter(|r| r.server.as_ref() == Some(&server)).find_map(of);
        here.or_else(|| all.iter().filter(|r| r.server.is_none()).find_map(of))
    }

    /// A pool and those after it, in the order in which they serve.
    pub fn chain(&self, first: PoolId) -> Vec<usize> {
        let mut chain = Vec::new();
        let mut next = Some(first);
        while let Some(PoolId(id)) = next {
            let index = id as usize;
            if index >= self.pools.len() || chain.contains(&index) {
                break;
            }
            chain.push(index);
            next = self.pools[index].next;
        }
        chain
    }

    /// Does one of the pools give this address?
    pub fn is_pooled(&self, address: Address) -> bool {
        self.pools.iter().any(|pool| pool.family == address.family && pool.contains(address.number))
    }

    /// Is it the server's own?
    pub fn is_servers(&self, address: Address) -> bool {
        let bits = u32::try_from(address.number).ok().filter(|_| address.family == Family::Ipv4);
        bits.is_some_and(|bits| self.server.contains(&Ipv4Addr::from_bits(bits)))
    }
}

impl Family {
    /// Which of two it is, where there is one a family: IPv4, IPv6.
    pub const fn index(self) -> usize {
        match self {
            Self::Ipv4 => 0,
            Self::Ipv6 => 1,
        }
    }
}

impl Pool {
    /// Does it give this address?
    pub fn contains(&self, number: u64) -> bool {
        let after = self.ranges.partition_point(|&(first, _)| first <= number);
        after > 0 && number <= self.ranges[after - 1].1
    }

    /// The first address that it gives from this number on.
    pub fn at_or_after(&self, number: u64) -> Option<u64> {
        let at = self.ranges.partition_point(|&(_, last)| last < number);
        self.ranges.get(at).map(|&(first, _)| first.max(number))
    }

    /// How many addresses it has.
    pub fn size(&self) -> u128 {
        self.ranges.iter().map(|&(first, last)| u128::from(last - first) + 1).sum()
    }
}

/// Identifiers that no host may have (RFC 5453), both ends included. Zero is for the subnet's routers.
pub(crate) const RESERVED_IDENTIFIERS: [(u64, u64); 3] =
    [(0, 0), (0x0200_5eff_fe00_0000, 0x0200_5eff_fe00_5213), (0xfdff_ffff_ffff_ff80, 0xfdff_ffff_ffff_ffff)];

/// Is an identifier zero or reserved (RFC 5453), so that no host may have it?
pub fn is_reserved_identifier(number: u64) -> bool {
    RESERVED_IDENTIFIERS.iter().any(|&(first, last)| (first..=last).contains(&number))
}
