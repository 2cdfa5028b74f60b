//! Numbers of rows, and checks of the ledger.

use super::{Reader, rfc3339};
use crate::Error;
use crate::queries::{self, Query, sqlite_only};
use crate::value::values;
use rasadmin_engine::Millis;
use rasadmin_engine::Name;
use rasadmin_engine::State;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;

/// One load of the configuration by a process of the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConfigLoad {
    /// When it was loaded: RFC 3339, UTC.
    #[serde(serialize_with = "rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub time: Millis,
    /// The RRAS server.
    #[serde(rename = "nas_identifier")]
    pub server: Name,
    /// The version of the DLL.
    pub version: String,
    /// The digest of the configuration in force since then.
    pub config: String,
    /// What is wrong with the file, if an earlier configuration stayed in force. Null if nothing is.
    pub fault: Option<String>,
}

/// The numbers of rows in a ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LedgerCounts {
    /// Sessions that are connected now.
    pub live_sessions: u64,
    /// Leases that have not ended.
    pub live_leases: u64,
    /// All sessions, without imported ones, and without connections whose first link was rejected or never came.
    pub sessions: u64,
    /// Sessions imported from other logs.
    pub imported_sessions: u64,
    /// Decisions.
    pub decisions: u64,
    /// Events that were lost before they could be recorded.
    pub lost_events: u64,
}

impl Reader {
    /// Counts the rows.
    pub fn counts(&self) -> Result<LedgerCounts, Error> {
        let counts = self.database.one(queries::COUNTS, &[], |row| {
            Ok(LedgerCounts {
                live_sessions: row.get(0)?,
                live_leases: row.get(1)?,
                sessions: row.get(2)?,
                imported_sessions: row.get(3)?,
                decisions: row.get(4)?,
                lost_events: row.get(5)?,
            })
        })?;
        Ok(counts.unwrap_or_default())
    }

    /// Checks the whole ledger. Returns everything that is wrong, as text; nothing if all is well.
    pub fn faults(&self) -> Result<Vec<String>, Error> {
        let mut faults = self.database.damage(sqlite_only::CHECK)?;
        let checks = [
            ("addresses that two live leases hold", queries::ADDRESSES_HELD_TWICE),
            ("sessions that end before they begin", queries::SESSIONS_ENDED_EARLY),
            ("live links of sessions that have ended", queries::LINKS_OF_ENDED_SESSIONS),
            ("sessions of the ledger's own whose configuration was not kept", queries::CONFIGS_NOT_KEPT),
        ];
        for (what, query) in checks {
            let found = self.database.all(query, &[], |row| row.get::<String>(0))?;
            if let Some(first) = found.first() {
                faults.push(format!("{what}: {} (the first: {first})", found.len()));
            }
        }
        Ok(faults)
    }

    /// The servers whose records the ledger has.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn servers(&self) -> Result<Vec<Name>, Error> {
        self.database.all(queries::SERVERS, &[], |row| row.get(0))
    }

    /// The differences between the rows and a state made from the same records, as text; nothing if they agree.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn differences(&self, state: &State) -> Result<Vec<String>, Error> {
        let server = state.server();
        let mut faults = Vec::new();
        let live = |query: Query| -> Result<BTreeSet<String>, Error> {
            Ok(self.database.all(query, values! { server: server }, |row| row.get(0))?.into_iter().collect())
        };
        let sessions = state.live().map(|session| session.id.to_string()).collect::<BTreeSet<_>>();
        let sessions = (live(queries::LIVE_SESSION_KEYS)?, sessions);
        let leases = (live(queries::LIVE_LEASE_KEYS)?, state.leases().map(|lease| lease.id.to_string()).collect());
        for (what, (rows, state)) in [("live sessions", sessions), ("live leases", leases)] {
            let mut differ = rows.symmetric_difference(&state);
            if let Some(first) = differ.next() {
                let count = differ.count() + 1;
                faults.push(format!("{what} of {server} in which rows and state differ: {count} (the first: {first})"));
            }
        }
        Ok(faults)
    }

    /// Anomalies, the latest first: time, server, what, details.
    pub fn anomalies(&self, limit: u32) -> Result<Vec<(Millis, Name, String, String)>, Error> {
        self.database.all(queries::ANOMALIES, values! { limit: limit }, |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
    }
}
