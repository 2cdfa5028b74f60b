//! What the duties need of the configuration. Other changes of the file, such as those of rules, do not concern them.

use jiff::tz::TimeZone;
use rasadmin_policy::Name;
use rasadmin_policy::addresses::Pool;
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

impl Settings {
    /// Of a configuration on a computer with this name.
    pub fn of(config: &Config, computer: &Name) -> Self {
        Self {
            server: config.server.clone().unwrap_or_else(|| computer.clone()),
            journal: config.journal.clone(),
            ledger: config.ledger.clone(),
            durable: config.durability == Durability::Fsync,
            zone: config.zone.clone(),
            pools: config.addresses.pools.clone(),
            service: config.service.clone(),
        }
    }
}
