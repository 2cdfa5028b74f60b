//! The state of a ledger: for `rasadmin status`.

use super::{Reader, rfc3339};
use crate::Name;
use crate::ledger::{Away, Millis};
use serde::Serialize;

/// A configuration was read by a process of the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct Loaded {
    #[serde(serialize_with = "rfc3339")]
    pub time: Millis,
    pub server: Name,
    /// The version of the DLL.
    pub version: String,
    /// The hash of the configuration in force since then.
    pub config: String,
    /// What was wrong with the file, if an earlier one stayed in force.
    pub fault: Option<String>,
}

/// How much is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct Counts {
    pub live_sessions: u64,
    pub live_leases: u64,
    pub sessions: u64,
    pub imported_sessions: u64,
    pub decisions: u64,
    /// Events that were lost while the ledger was away.
    pub lost_events: u64,
}

impl Reader {
    /// Numbers of rows; of what is never deleted but by `purge`, by the highest number, which costs nothing.
    pub fn counts(&self) -> Result<Counts, Away> {
        let one = |sql: &str| -> Result<u64, Away> {
            Ok(self.rows(sql, &[], |row| row.get::<_, i64>(0))?.first().map_or(0, |n| n.cast_unsigned()))
        };
        Ok(Counts {
            live_sessions: one("SELECT count(*) FROM sessions WHERE acct_stop_time IS NULL")?,
            live_leases: one("SELECT count(*) FROM leases WHERE ended IS NULL")?,
            sessions: one("SELECT count(*) FROM sessions WHERE imported IS NULL")?,
            imported_sessions: one("SELECT count(*) FROM sessions WHERE imported IS NOT NULL")?,
            decisions: one("SELECT count(*) FROM decisions")?,
            lost_events: one(
                "SELECT coalesce(sum(CAST(details AS INTEGER)), 0) FROM oddities WHERE what LIKE 'events were lost%'",
            )?,
        })
    }

    /// Everything that is wrong with the ledger, for people; nothing if all is well. It reads all of it.
    pub fn faults(&self) -> Result<Vec<String>, Away> {
        let mut faults = self.rows("PRAGMA integrity_check", &[], |row| row.get::<_, String>(0))?;
        faults.retain(|fault| fault != "ok");
        let checks = [
            (
                "addresses that two live leases hold",
                "SELECT address || ' on ' || server FROM leases WHERE ended IS NULL
                 GROUP BY server, family, number HAVING count(*) > 1",
            ),
            (
                "addresses that stand as held, without a live lease",
                "SELECT a.number || ' on ' || a.server FROM addresses a LEFT JOIN leases l ON l.id = a.lease
                 WHERE a.lease IS NOT NULL AND (l.id IS NULL OR l.ended IS NOT NULL)",
            ),
            (
                "live leases whose address stands as free",
                "SELECT l.address || ' on ' || l.server FROM leases l LEFT JOIN addresses a
                     ON a.server = l.server AND a.family = l.family AND a.number = l.number
                 WHERE l.ended IS NULL AND a.lease IS NOT l.id",
            ),
            (
                "sessions that end before they begin",
                "SELECT CAST(id AS TEXT) FROM sessions WHERE acct_stop_time < acct_start_time",
            ),
            (
                "live links of sessions that have ended",
                "SELECT links.nas_port_id || ' on ' || links.nas_identifier FROM links JOIN sessions ON sessions.id = session
                 WHERE stop IS NULL AND acct_stop_time IS NOT NULL",
            ),
            (
                "sessions of the ledger's own whose configuration was not kept",
                "SELECT DISTINCT config FROM decisions WHERE counted IS NOT NULL AND config NOT IN (SELECT hash FROM configs)",
            ),
        ];
        for (what, sql) in checks {
            let found = self.rows(sql, &[], |row| row.get::<_, String>(0))?;
            if let Some(first) = found.first() {
                faults.push(format!("{what}: {} (the first: {first})", found.len()));
            }
        }
        Ok(faults)
    }

    /// Oddities, the latest first: time, server, what, details.
    pub fn oddities(&self, limit: u32) -> Result<Vec<(Millis, Name, String, String)>, Away> {
        let sql = "SELECT time, server, what, details FROM oddities ORDER BY id DESC LIMIT ?1";
        self.rows(sql, &[&limit], |row| Ok((row.get(0)?, Name::from_stored(row.get(1)?), row.get(2)?, row.get(3)?)))
    }
}
