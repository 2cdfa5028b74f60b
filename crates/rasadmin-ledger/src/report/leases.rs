//! Queries for leases: who holds an address, and who had it.

use super::filter::Filter;
use super::{Reader, rfc3339, rfc3339_or_null};
use crate::sqlite::{ColumnError, Row};
use crate::value::values;
use crate::{Error, RowId, queries};
use rasadmin_engine::Millis;
use rasadmin_engine::Name;
use schemars::JsonSchema;
use serde::Serialize;
use std::net::IpAddr;

/// A lease: an address that a user holds or held on a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LeaseRow {
    /// The lease's number in this ledger.
    pub id: RowId,
    /// The RRAS server.
    #[serde(rename = "nas_identifier")]
    pub server: Name,
    /// The address family: 4 or 6.
    pub family: u8,
    /// The address. An IPv6 interface identifier is written as the low half of an address: `::a11c:e`.
    pub address: String,
    /// The IPv6 prefix, if RRAS passed it.
    #[serde(rename = "framed_ipv6_prefix")]
    pub prefix: Option<String>,
    /// The user's domain in upper case, as `[domains]` maps it. Null if RRAS passed no name.
    pub domain: Option<Name>,
    /// The user's name in upper case, without the domain. Null if RRAS passed no name.
    pub name: Option<Name>,
    /// The user, exactly as RRAS passed it when it asked for the address.
    pub user_name: Name,
    /// The port for which RRAS asked, such as `VPN2-127`.
    #[serde(rename = "nas_port_id")]
    pub port: Name,
    /// The number of the session that took the address. Null if none has.
    pub session: Option<RowId>,
    /// Where the address comes from: `reservation`, `sticky` (the user's previous one), `pool` or `offer` (RRAS's own
    /// address was kept).
    pub origin: String,
    /// The pool's name. Null if the address is not from a pool.
    pub pool: Option<String>,
    /// When the user got it: RFC 3339, UTC.
    #[serde(serialize_with = "rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub began: Millis,
    /// When an accepted connection took it: RFC 3339, UTC. Null if none has.
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub accepted: Option<Millis>,
    /// When the lease ended: RFC 3339, UTC. Null while the user holds the address, and if the log that it was imported
    /// from does not have its end (`ended_by` is then `end not in the log`).
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub ended: Option<Millis>,
    /// Why it ended: `release`, `never accepted` and so on. Null while the user holds the address.
    pub ended_by: Option<String>,
    /// When the user was last seen with the address, if the end is not known: RFC 3339, UTC. Null for all other leases.
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub last_seen: Option<Millis>,
    /// The log that it was imported from: `odbc`, `dts` or `ias`. Null if the DLL recorded it.
    pub imported: Option<String>,
}

pub(super) fn lease_row(row: &Row<'_>) -> Result<LeaseRow, ColumnError> {
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
        last_seen: row.get(17)?,
    })
}

/// The spellings of an address in the ledger: an IPv6 address as its identifier, with its prefix.
pub(super) fn spellings(address: IpAddr) -> (String, Option<String>) {
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
    /// Live leases, by address; only those of one pool if `pool` is given.
    pub fn live_leases(&self, filter: &Filter, pool: Option<&str>) -> Result<Vec<LeaseRow>, Error> {
        let mut values = filter.values();
        values.push((":pool", pool.into()));
        self.database.all(queries::LIVE_LEASES, &values, lease_row)
    }

    /// Who had an address, the latest first: at a time, or ever. An IPv6 address is found by its identifier, and by its
    /// prefix if RRAS passed it. Imported sessions are used for times that the ledger itself does not cover. A session
    /// whose end is not in its log can have held the address until the log, or the ledger itself, shows another one with
    /// it, or a restart of the server. A session whose end is an estimate had it no longer than that either.
    pub fn who_had(&self, address: IpAddr, at: Option<Millis>, limit: u32) -> Result<Vec<LeaseRow>, Error> {
        let (address, prefix) = spellings(address);
        let wanted = values! { address: address, prefix: prefix, at: at, limit: limit };
        self.database.all(queries::WHO_HAD, wanted, lease_row)
    }

    /// The addresses that a session had, in the order in which it got them.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn leases_of(&self, session: RowId) -> Result<Vec<LeaseRow>, Error> {
        self.database.all(queries::LEASES_OF_SESSION, values! { session: session }, lease_row)
    }

    /// The number of addresses of each pool that are held now, by server, pool and family.
    pub fn pool_use(&self) -> Result<Vec<(Name, String, u8, u64)>, Error> {
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        self.database.all(queries::POOL_USE, &[], read)
    }
}
