//! The answer of `rasadmin config show` for programs: which configuration is in force, and what it has.

use rasadmin_policy::addresses::{Family, Pool};
use rasadmin_policy::config::Config;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::Path;

/// The configuration.
#[derive(Serialize, JsonSchema)]
pub struct Answer {
    /// Its file. `null`: only a ledger was named.
    pub file: Option<String>,
    /// The hash by which journal and ledger know it.
    pub hash: String,
    /// The server's name, if the configuration sets one.
    pub server: Option<String>,
    /// The time zone, as IANA names it.
    pub time_zone: String,
    /// The journal's folder.
    pub journal: String,
    /// The ledger's file.
    pub ledger: String,
    /// The rules' names, in order.
    pub rules: Vec<String>,
    /// The groups' names.
    pub groups: Vec<String>,
    /// The pools.
    pub pools: Vec<PoolAnswer>,
    /// How many users have a reserved address.
    pub reservations: usize,
    /// The files with lists that were read: members, networks, computers, reservations.
    pub members_files: Vec<String>,
}

/// A pool.
#[derive(Serialize, JsonSchema)]
pub struct PoolAnswer {
    /// Its name.
    pub name: String,
    /// 4 or 6.
    pub family: u8,
    /// How many addresses it has.
    pub size: u64,
}

impl Answer {
    /// What a configuration has. `file`: its file, if it has one; `ledger`: the one that is read.
    pub fn new(config: &Config, file: Option<&Path>, ledger: &Path) -> Self {
        let pool = |pool: &Pool| PoolAnswer {
            name: pool.name.clone(),
            family: match pool.family {
                Family::Ipv4 => 4,
                Family::Ipv6 => 6,
            },
            size: u64::try_from(pool.size()).unwrap_or(u64::MAX),
        };
        Self {
            file: file.map(|file| file.display().to_string()),
            hash: config.hash.clone(),
            server: config.server.as_ref().map(ToString::to_string),
            time_zone: config.zone.iana_name().unwrap_or("UTC").to_owned(),
            journal: config.journal.display().to_string(),
            ledger: ledger.display().to_string(),
            rules: config.rules.names().map(str::to_owned).collect(),
            groups: config.groups.names().map(str::to_owned).collect(),
            pools: config.addresses.pools.iter().map(pool).collect(),
            reservations: config.addresses.reservations.len(),
            members_files: config.bundle.lists.keys().cloned().collect(),
        }
    }
}
