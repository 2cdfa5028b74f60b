//! How much a ledger has, and what is wrong with it.

use super::{Reader, rfc3339};
use crate::Error;
use rasadmin_engine::Millis;
use rasadmin_engine::Name;
use rasadmin_engine::State;
use serde::Serialize;
use std::collections::BTreeSet;

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
    /// Events that were lost before they could be recorded.
    pub lost_events: u64,
}

impl Reader {
    /// Numbers of rows; of what is never deleted but by `purge`, by the highest number, which costs nothing.
    pub fn counts(&self) -> Result<Counts, Error> {
        let one = |sql: &str| -> Result<u64, Error> {
            Ok(self.rows(sql, &[], |row| row.get::<_, i64>(0))?.first().map_or(0, |n| n.cast_unsigned()))
        };
        Ok(Counts {
            live_sessions: one("SELECT count(*) FROM sessions WHERE acct_stop_time IS NULL")?,
            live_leases: one("SELECT count(*) FROM leases WHERE ended IS NULL")?,
            sessions: one("SELECT count(*) FROM sessions WHERE imported IS NULL")?,
            imported_sessions: one("SELECT count(*) FROM sessions WHERE imported IS NOT NULL")?,
            decisions: one("SELECT count(*) FROM decisions")?,
            lost_events: one("SELECT coalesce(sum(lost), 0) FROM anomalies")?,
        })
    }

    /// Everything that is wrong with the ledger, for people; nothing if all is well. It reads all of it.
    pub fn faults(&self) -> Result<Vec<String>, Error> {
        let mut faults = self.rows("PRAGMA integrity_check", &[], |row| row.get::<_, String>(0))?;
        faults.retain(|fault| fault != "ok");
        let checks = [
            (
                "addresses that two live leases hold",
                "SELECT address || ' on ' || server FROM leases WHERE ended IS NULL
                 GROUP BY server, family, number HAVING count(*) > 1",
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
                // Its text stands in one record, which the journal may not have had any more.
                "SELECT DISTINCT config FROM decisions WHERE config NOT IN (SELECT hash FROM configs)
                     AND server NOT IN (SELECT server FROM anomalies WHERE missing > 0)",
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

    /// The servers whose records it has.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn servers(&self) -> Result<Vec<Name>, Error> {
        let sql = "SELECT server FROM journals UNION SELECT server FROM instances ORDER BY 1";
        self.rows(sql, &[], |row| row.get(0).map(Name::from_stored))
    }

    /// Where the rows differ from a state that the same records give, for people; nothing if they agree.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn differences(&self, state: &State) -> Result<Vec<String>, Error> {
        let server = state.server();
        let mut faults = Vec::new();
        let live = |sql: &str| -> Result<BTreeSet<String>, Error> {
            Ok(self.rows(sql, &[&server.as_str()], |row| row.get(0))?.into_iter().collect())
        };
        let sql = "SELECT acct_session_id FROM sessions WHERE nas_identifier = ?1 AND acct_stop_time IS NULL";
        let sessions = (live(sql)?, state.live().map(|session| session.id.to_string()).collect::<BTreeSet<_>>());
        let sql = "SELECT lease FROM leases WHERE server = ?1 AND ended IS NULL";
        let leases = (live(sql)?, state.leases().map(|lease| lease.id.to_string()).collect());
        for (what, (rows, state)) in [("live sessions", sessions), ("live leases", leases)] {
            let mut differ = rows.symmetric_difference(&state);
            if let Some(first) = differ.next() {
                let count = differ.count() + 1;
                faults.push(format!("{what} of {server} in which rows and state differ: {count} (the first: {first})"));
            }
        }
        Ok(faults)
    }

    /// What came out of order, the latest first: time, server, what, details.
    pub fn anomalies(&self, limit: u32) -> Result<Vec<(Millis, Name, String, String)>, Error> {
        let sql = "SELECT time, server, what, details FROM anomalies ORDER BY id DESC LIMIT ?1";
        self.rows(sql, &[&limit], |row| Ok((row.get(0)?, Name::from_stored(row.get(1)?), row.get(2)?, row.get(3)?)))
    }
}
