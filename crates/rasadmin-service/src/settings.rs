//! What the duties need of the configuration. Other changes of the file, such as those of rules, do not concern them.

use jiff::tz::TimeZone;
use rasadmin_policy::Name;
use rasadmin_policy::addresses::{self, Address, Family};
use rasadmin_policy::config::file::Durability;
use rasadmin_policy::config::{Config, Service};
use std::path::PathBuf;

/// What the duties need of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The server's name, if its journal does not contain it.
    pub server: Name,
    /// The journal's folder.
    pub journal: PathBuf,
    /// The ledger's file.
    pub ledger: PathBuf,
    /// Are rows synced before the journal may delete their records?
    pub durable: bool,
    /// The time zone of the days.
    pub zone: TimeZone,
    /// The pools of addresses.
    pub pools: Vec<Pool>,
    /// The duties.
    pub service: Service,
}

/// A pool of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// The address family.
    pub family: Family,
    /// Its addresses: ranges in ascending order, both ends included.
    pub ranges: Vec<(u64, u64)>,
}

impl Settings {
    /// Of a configuration on a computer with this name.
    pub fn of(config: &Config, computer: &Name) -> Self {
        Self {
            server: config.server.clone().unwrap_or_else(|| computer.clone()),
            journal: config.journal.clone(),
            ledger: config.ledger.clone(),
            durable: config.durability == Durability::Fsync,
            zone: config.zone.clone(),
            pools: config.addresses.pools.iter().map(pool).collect(),
            service: config.service.clone(),
        }
    }
}

fn pool(of: &addresses::Pool) -> Pool {
    Pool { name: of.name.clone(), family: of.family, ranges: of.ranges.clone() }
}

impl Pool {
    /// Does it have this address?
    pub fn has(&self, address: Address) -> bool {
        let after = self.ranges.partition_point(|&(_, last)| last < address.number);
        self.family == address.family && self.ranges.get(after).is_some_and(|range| range.0 <= address.number)
    }

    /// How many addresses it has.
    pub fn size(&self) -> u128 {
        self.ranges.iter().map(|&(first, last)| u128::from(last - first) + 1).sum()
    }
}
