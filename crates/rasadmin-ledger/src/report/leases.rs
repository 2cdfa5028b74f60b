//! Leases: who holds an address, and who had it.

use super::filter::Filter;
use super::{Reader, rfc3339, rfc3339_or_null};
use crate::sqlite::{Row, Unfit};
use crate::value::values;
use crate::{Error, RowId, queries};
use rasadmin_engine::Millis;
use rasadmin_engine::Name;
use serde::Serialize;
use std::net::IpAddr;

/// An address that a user holds or held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct LeaseRow {
    pub id: RowId,
    pub server: Name,
    pub family: u8,
    /// An IPv6 identifier is written as the low half of an address.
    pub address: String,
    pub prefix: Option<String>,
    pub domain: Option<Name>,
    pub name: Option<Name>,
    pub user_name: Name,
    pub port: Name,
    pub session: Option<RowId>,
    pub origin: String,
    pub pool: Option<String>,
    #[serde(serialize_with = "rfc3339")]
    pub began: Millis,
    #[serde(serialize_with = "rfc3339_or_null")]
    pub accepted: Option<Millis>,
    #[serde(serialize_with = "rfc3339_or_null")]
    pub ended: Option<Millis>,
    pub ended_by: Option<String>,
    /// The log that it comes from, if it is not the ledger's own.
    pub imported: Option<String>,
}

fn held(row: &Row<'_>) -> Result<LeaseRow, Unfit> {
    Ok(LeaseRow {
        id: row.get(0)?,
        server: row.get(1)?,
        family: row.get(2)?,
        address: row.get(3)?,
        prefix: row.get(4)?,
        domain: row.get(5)?,
        name: row.get(6)?,
        user_name: row.get(7)?,
        port: row.get(8)?,
        session: row.get(9)?,
        origin: row.get(10)?,
        pool: row.get(11)?,
        began: row.get(12)?,
        accepted: row.get(13)?,
        ended: row.get(14)?,
        ended_by: row.get(15)?,
        imported: row.get(16)?,
    })
}

/// How an address may stand in the ledger: an IPv6 address as its identifier, with the prefix it must have.
fn spellings(address: IpAddr) -> (String, Option<String>) {
    match address.to_canonical() {
        IpAddr::V4(ipv4) => (ipv4.to_string(), None),
        IpAddr::V6(ipv6) => {
            let (high, low) = (ipv6.to_bits() >> 64, ipv6.to_bits() & u128::from(u64::MAX));
            let prefix = (high != 0).then(|| format!("{}/64", std::net::Ipv6Addr::from_bits(high << 64)));
            (std::net::Ipv6Addr::from_bits(low).to_string(), prefix)
        }
    }
}

impl Reader {
    /// Live leases, by address; of one pool, if `pool` names it.
    pub fn live_leases(&self, filter: &Filter, pool: Option<&str>) -> Result<Vec<LeaseRow>, Error> {
        let mut values = filter.values();
        values.push((":pool", pool.into()));
        self.database.all(queries::LIVE_LEASES, &values, held)
    }

    /// Who had an address, the latest first: at a time, or ever. An IPv6 address is looked for by its identifier, and by
    /// its prefix where RRAS told it. Sessions of imported logs count where the ledger has no leases of its own.
    pub fn who_had(&self, address: IpAddr, at: Option<Millis>, limit: u32) -> Result<Vec<LeaseRow>, Error> {
        let (address, prefix) = spellings(address);
        let wanted = values! { address: address, prefix: prefix, at: at, limit: limit };
        self.database.all(queries::WHO_HAD, wanted, held)
    }

    /// How many addresses of each pool are held now, by (server, pool, family).
    pub fn pool_use(&self) -> Result<Vec<(Name, String, u8, u64)>, Error> {
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        self.database.all(queries::POOL_USE, &[], read)
    }
}
