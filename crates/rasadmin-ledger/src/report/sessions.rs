//! Sessions.

use super::which::{Conditions, Which};
use super::{Reader, rfc3339, rfc3339_or_null};
use crate::{Error, RowId};
use rasadmin_engine::Millis;
use rasadmin_engine::{Identity, Name};
use rusqlite::Row;
use serde::Serialize;

/// A session, as its row has it: docs/ledger.md says what each column is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct Session {
    pub id: RowId,
    pub acct_session_id: String,
    pub nas_identifier: Name,
    pub domain: Option<Name>,
    pub name: Option<Name>,
    pub user_name: Name,
    pub remote_computer: Name,
    pub calling_station_id: String,
    pub interface_type: String,
    pub quarantine: String,
    pub tunnel_type: Option<String>,
    pub nas_port_id: Option<Name>,
    pub framed_ip_address: Option<String>,
    pub framed_interface_id: Option<String>,
    pub framed_ipv6_prefix: Option<String>,
    #[serde(serialize_with = "rfc3339")]
    pub acct_start_time: Millis,
    #[serde(serialize_with = "rfc3339_or_null")]
    pub established: Option<Millis>,
    pub live_links: u32,
    pub acct_link_count: u32,
    #[serde(serialize_with = "rfc3339_or_null")]
    pub acct_stop_time: Option<Millis>,
    pub acct_session_time: Option<u64>,
    pub acct_input_octets: Option<u64>,
    pub acct_output_octets: Option<u64>,
    pub acct_input_packets: Option<u64>,
    pub acct_output_packets: Option<u64>,
    pub octets_are: Option<String>,
    pub acct_terminate_cause: Option<String>,
    pub closed_by: Option<String>,
    pub estimated: bool,
    pub billed: bool,
    pub imported: Option<String>,
}

impl Session {
    /// Who it was.
    pub fn user(&self) -> Option<Identity> {
        Some(Identity { domain: self.domain.clone()?, name: self.name.clone()? })
    }

    /// Is it still connected?
    pub fn is_live(&self) -> bool {
        self.acct_stop_time.is_none()
    }

    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let text = |at: usize| row.get::<_, Option<String>>(at);
        let name = |at: usize| text(at).map(|text| text.map(Name::from_stored));
        let count = |at: usize| row.get::<_, Option<i64>>(at).map(|n| n.map(i64::cast_unsigned));
        let few = |at: usize| row.get::<_, i64>(at).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        Ok(Self {
            id: row.get(0)?,
            acct_session_id: row.get(1)?,
            nas_identifier: Name::from_stored(row.get(2)?),
            domain: name(3)?,
            name: name(4)?,
            user_name: Name::from_stored(row.get(5)?),
            remote_computer: Name::from_stored(row.get(6)?),
            calling_station_id: row.get(7)?,
            interface_type: row.get(8)?,
            quarantine: row.get(9)?,
            tunnel_type: text(10)?,
            nas_port_id: name(11)?,
            framed_ip_address: text(12)?,
            framed_interface_id: text(13)?,
            framed_ipv6_prefix: text(14)?,
            acct_start_time: row.get(15)?,
            established: row.get(16)?,
            live_links: few(17)?,
            acct_link_count: few(18)?,
            acct_stop_time: row.get(19)?,
            acct_session_time: count(20)?,
            acct_input_octets: count(21)?,
            acct_output_octets: count(22)?,
            acct_input_packets: count(23)?,
            acct_output_packets: count(24)?,
            octets_are: text(25)?,
            acct_terminate_cause: text(26)?,
            closed_by: text(27)?,
            estimated: row.get::<_, Option<bool>>(28)?.unwrap_or(false),
            billed: row.get::<_, Option<bool>>(29)?.unwrap_or(false),
            imported: text(30)?,
        })
    }
}

/// In the order in which [`Session`] reads them.
pub(super) const COLUMNS: &str = "id, acct_session_id, nas_identifier, domain, name, user_name, remote_computer,
    calling_station_id, interface_type, quarantine, tunnel_type, nas_port_id, framed_ip_address, framed_interface_id,
    framed_ipv6_prefix, acct_start_time, established,
    (SELECT count(*) FROM links WHERE links.session = sessions.id AND links.stop IS NULL), acct_link_count, acct_stop_time, acct_session_time,
    acct_input_octets, acct_output_octets, acct_input_packets, acct_output_packets, octets_are, acct_terminate_cause,
    closed_by, estimated, billed, imported";

/// What the ledger itself covers counts once: an imported session is left out where an instance of the same server was
/// alive when it began.
pub(super) const COUNTS: &str = "(imported IS NULL OR NOT EXISTS (SELECT 1 FROM instances
    WHERE instances.server = nas_identifier COLLATE NOCASE AND acct_start_time BETWEEN started AND last_activity))";

impl Reader {
    /// Sessions, the latest first; `live`: only those that are still connected. Imported ones where the ledger itself
    /// has none.
    pub fn sessions(&self, which: &Which, live: bool) -> Result<Vec<Session>, Error> {
        let mut conditions = Conditions::of(which, "nas_identifier", "acct_start_time");
        conditions.add(COUNTS);
        if live {
            conditions.add("acct_stop_time IS NULL");
        }
        let limit = which.limit.map_or(-1, i64::from);
        let sql = format!(
            "SELECT {COLUMNS} FROM sessions {} ORDER BY acct_start_time DESC, id DESC LIMIT {limit}",
            conditions.sql()
        );
        self.rows(&sql, &conditions.values(), Session::read)
    }

    /// A session by its number, or by its key or the key's beginning or end (eight characters at least). None if there
    /// is none; an error text if there are several.
    pub fn session(&self, typed: &str) -> Result<Result<Option<Session>, String>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM sessions WHERE id = ?1");
        if let Ok(id) = typed.parse::<i64>() {
            return Ok(Ok(self.rows(&sql, &[&id], Session::read)?.pop()));
        }
        if typed.len() < 8 || !typed.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
            return Ok(Err("a session is named by its number, or by eight characters of its key".to_owned()));
        }
        let key = typed.to_ascii_lowercase();
        let sql = format!(
            "SELECT {COLUMNS} FROM sessions WHERE acct_session_id >= ?1 AND acct_session_id < ?1 || 'g'
             UNION SELECT {COLUMNS} FROM sessions WHERE substr(acct_session_id, -length(?1)) = ?1 LIMIT 2"
        );
        let mut found = self.rows(&sql, &[&key], Session::read)?;
        Ok(match found.len() {
            0 | 1 => Ok(found.pop()),
            _ => Err("several sessions have such a key: type more of it".to_owned()),
        })
    }

    /// Each session that was connected at some time in a period, in no order; imported ones where the ledger itself has
    /// none.
    pub fn each_session_in(&self, from: Millis, to: Millis, each: &mut dyn FnMut(Session)) -> Result<(), Error> {
        // What began more than a day before the period is found by the index of long sessions, or is live.
        let sql = format!(
            "SELECT {COLUMNS} FROM sessions WHERE {COUNTS} AND acct_start_time >= ?1 - 86400000 AND acct_start_time < ?2
                 AND (acct_stop_time IS NULL OR acct_stop_time >= ?1)
             UNION ALL SELECT {COLUMNS} FROM sessions WHERE {COUNTS} AND acct_start_time < ?1 - 86400000
                 AND acct_stop_time - acct_start_time > 86400000 AND acct_stop_time >= ?1
             UNION ALL SELECT {COLUMNS} FROM sessions WHERE {COUNTS} AND acct_start_time < ?1 - 86400000
                 AND acct_stop_time IS NULL"
        );
        self.each(&sql, &[&from, &to], &mut |row| Session::read(row).map(&mut *each))
    }
}
