//! How full the pools are.

use rasadmin_engine::Name;
use rasadmin_policy::addresses::{Address, Family, Pool};
use schemars::JsonSchema;
use serde::Serialize;

/// How full a pool is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PoolUse {
    /// Its name in the configuration.
    pub name: String,
    /// 4 or 6.
    pub family: u8,
    /// How many addresses it has.
    pub size: u64,
    /// How many of them are in use, on all servers.
    pub held: u64,
}

/// The address family as the ledger writes it.
const fn family(pool: &Pool) -> u8 {
    match pool.family {
        Family::Ipv4 => 4,
        Family::Ipv6 => 6,
    }
}

impl PoolUse {
    /// From this share on, in percent, a pool needs a larger range soon.
    pub const NEARLY_FULL: u64 = 90;

    /// Every pool of the configuration. `held` is what [`Reader::pool_use`](super::Reader::pool_use) returns.
    pub fn of(pools: &[Pool], held: &[(Name, String, u8, u64)]) -> Vec<Self> {
        let count = |pool: &Pool| {
            let of = held.iter().filter(|(_, name, of, _)| *name == pool.name && *of == family(pool));
            of.map(|(_, _, _, held)| held).sum()
        };
        let row = |pool: &Pool| Self {
            name: pool.name.clone(),
            family: family(pool),
            size: u64::try_from(pool.size()).unwrap_or(u64::MAX),
            held: count(pool),
        };
        pools.iter().map(row).collect()
    }

    /// Counts addresses that are held on a server whose rows the ledger does not have yet. Addresses of no pool are left
    /// out.
    pub fn count(pools: &[Pool], server: &Name, held: impl Iterator<Item = Address>) -> Vec<(Name, String, u8, u64)> {
        let mut counts = vec![0; pools.len()];
        for address in held {
            let has = |pool: &Pool| pool.family == address.family && pool.contains(address.number);
            if let Some(at) = pools.iter().position(has) {
                counts[at] += 1;
            }
        }
        pools.iter().zip(counts).map(|(pool, held)| (server.clone(), pool.name.clone(), family(pool), held)).collect()
    }

    /// How many addresses are free.
    pub const fn free(&self) -> u64 {
        self.size.saturating_sub(self.held)
    }

    /// How full it is, in percent.
    pub fn percent(&self) -> f64 {
        100.0 * self.held as f64 / (self.size as f64).max(1.0)
    }

    /// Whether more than [`NEARLY_FULL`](Self::NEARLY_FULL) percent are in use.
    pub fn is_nearly_full(&self) -> bool {
        u128::from(self.held) * 100 > u128::from(self.size) * u128::from(Self::NEARLY_FULL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_nearly_full_above_90_percent() {
        let pool = |size, held| PoolUse { name: "staff".to_owned(), family: 4, size, held };
        let nearly = |size, held| pool(size, held).is_nearly_full();
        assert_eq!([nearly(10, 9), nearly(10, 10), nearly(100, 91), nearly(0, 0)], [false, true, true, false]);
        assert!(!nearly(u64::MAX, 1), "no overflow");
        // The configuration can have become smaller than what is held.
        assert_eq!((pool(2, 3).free(), pool(2, 3).percent()), (0, 150.0));
    }
}
