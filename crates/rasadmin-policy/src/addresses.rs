//! The address plan: the pools and reservations of users.

pub mod ranges;
pub mod text;

use crate::{Identity, Name};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr};

/// A pool, by its position in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolId(pub u32);

/// An address family.
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
    /// The address family.
    pub family: Family,
    /// The number.
    pub number: u64,
}

/// Of an IPv6 address, the low half is the interface identifier.
impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(ipv4) => Self { family: Family::Ipv4, number: ipv4.to_bits().into() },
            #[allow(clippy::cast_possible_truncation)] // The low half.
            IpAddr::V6(ipv6) => Self { family: Family::Ipv6, number: ipv6.to_bits() as u64 },
        }
    }
}

/// What a user gets if the user's reservation is already held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReservationHeld {
    /// An address of the user's pool, or RRAS's offer if no pool serves the user.
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// The address family.
    pub family: Family,
    /// The addresses it gives: disjoint ranges in ascending order, both ends included. Exclusions and reserved
    /// addresses are not among them.
    pub ranges: Vec<(u64, u64)>,
    /// The pool that serves when this one is exhausted. Chains never lead back to an earlier pool.
    pub next: Option<PoolId>,
    /// What happens when this pool and those after it are exhausted.
    pub when_exhausted: WhenExhausted,
}

/// A user's reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The server it applies to (folded); `None` for all servers.
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
    /// All reserved addresses. No pool gives them, and RRAS's offer of one is kept for its user only.
    pub reserved: BTreeSet<Address>,
    /// The server's own addresses.
    pub server: HashSet<Ipv4Addr>,
    /// The pools of users who get none from a rule or a group: IPv4, IPv6.
    pub default_pools: [Option<PoolId>; 2],
    /// Does a user get the same address again?
    pub sticky: bool,
    /// What a user gets if the user's reservation is already held.
    pub reservation_held: ReservationHeld,
}

impl Plan {
    /// The address that is reserved for a user on a server. A reservation for that server alone takes precedence.
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

    /// A pool and those chained to it, in order.
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

    /// Is it one of the server's own addresses?
    pub fn is_server_address(&self, address: Address) -> bool {
        let bits = u32::try_from(address.number).ok().filter(|_| address.family == Family::Ipv4);
        bits.is_some_and(|bits| self.server.contains(&Ipv4Addr::from_bits(bits)))
    }
}

impl Family {
    /// The index of the family in arrays of two: IPv4, IPv6.
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

    /// The first address of the pool that is not less than this number.
    pub fn at_or_after(&self, number: u64) -> Option<u64> {
        let at = self.ranges.partition_point(|&(_, last)| last < number);
        self.ranges.get(at).map(|&(first, _)| first.max(number))
    }

    /// How many addresses it has.
    pub fn size(&self) -> u128 {
        self.ranges.iter().map(|&(first, last)| u128::from(last - first) + 1).sum()
    }
}

/// Identifiers that no host may have (RFC 5453), both ends included. Zero is reserved for the subnet's routers.
pub(crate) const RESERVED_IDENTIFIERS: [(u64, u64); 3] =
    [(0, 0), (0x0200_5eff_fe00_0000, 0x0200_5eff_fe00_5213), (0xfdff_ffff_ffff_ff80, 0xfdff_ffff_ffff_ffff)];

/// Is an identifier zero or reserved (RFC 5453), so that no host may have it?
pub fn is_reserved_identifier(number: u64) -> bool {
    RESERVED_IDENTIFIERS.iter().any(|&(first, last)| (first..=last).contains(&number))
}
