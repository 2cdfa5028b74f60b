//! Leases: who holds an address, and who had it.

use super::which::{Conditions, Which};
use super::{Reader, rfc3339, rfc3339_or_null};
use crate::{Error, RowId};
use rasadmin_engine::Millis;
use rasadmin_engine::Name;
use rusqlite::Row;
use serde::Serialize;
use std::net::IpAddr;

/// An address that a user holds or held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct Held {
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

const COLUMNS: &str =
    "id, server, family, address, prefix, domain, name, user_name, port, session, origin, pool, began,
    accepted, ended, ended_by, NULL";

fn held(row: &Row<'_>) -> rusqlite::Result<Held> {
    let name = |at: usize| row.get::<_, Option<String>>(at).map(|text| text.map(Name::from_stored));
    Ok(Held {
        id: row.get(0)?,
        server: Name::from_stored(row.get(1)?),
        family: u8::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
        address: row.get(3)?,
        prefix: row.get(4)?,
        domain: name(5)?,
        name: name(6)?,
        user_name: Name::from_stored(row.get(7)?),
        port: Name::from_stored(row.get(8)?),
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
    pub fn live_leases(&self, which: &Which, pool: Option<&str>) -> Result<Vec<Held>, Error> {
        let mut conditions = Conditions::of(which, "server", "began");
        conditions.add("ended IS NULL");
        if let Some(pool) = pool {
            conditions.with("pool = ?", pool.to_owned());
        }
        let sql = format!("SELECT {COLUMNS} FROM leases {} ORDER BY server, family, number", conditions.sql());
        self.rows(&sql, &conditions.values(), held)
    }

    /// Who had an address, the latest first: at a time, or ever. An IPv6 address is looked for by its identifier, and by
    /// its prefix where RRAS told it. Sessions of imported logs count where the ledger has no leases of its own.
    pub fn who_had(&self, address: IpAddr, at: Option<Millis>, limit: u32) -> Result<Vec<Held>, Error> {
        let (text, prefix) = spellings(address);
        let sql = format!(
            "SELECT {COLUMNS} FROM leases WHERE address = ?1 AND (?2 IS NULL OR prefix IS NULL OR prefix = ?2)
                 AND (?3 IS NULL OR (began <= ?3 AND (ended IS NULL OR ended > ?3)))
             UNION ALL
             SELECT id, nas_identifier, 4, framed_ip_address, NULL, domain, name, user_name, coalesce(nas_port_id, ''), id,
                    'imported', NULL, acct_start_time, acct_start_time, acct_stop_time, closed_by, imported
                 FROM sessions INDEXED BY sessions_imported_address
                 WHERE framed_ip_address = ?1 AND imported IS NOT NULL AND {}
                     AND (?3 IS NULL OR (acct_start_time <= ?3 AND acct_stop_time > ?3))
             ORDER BY 13 DESC LIMIT ?4",
            super::sessions::COUNTS
        );
        self.rows(&sql, &[&text, &prefix, &at, &limit], held)
    }

    /// How many addresses of each pool are held now, by (server, pool, family).
    pub fn pool_use(&self) -> Result<Vec<(Name, String, u8, u64)>, Error> {
        let sql = "SELECT server, pool, family, count(*) FROM leases
                   WHERE ended IS NULL AND pool IS NOT NULL GROUP BY server, pool, family";
        self.rows(sql, &[], |row| {
            let family = u8::try_from(row.get::<_, i64>(2)?).unwrap_or(0);
            Ok((Name::from_stored(row.get(0)?), row.get(1)?, family, row.get::<_, i64>(3)?.cast_unsigned()))
        })
    }
}
