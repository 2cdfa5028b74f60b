//! Imports restarts of servers from other logs.

use super::{Database, Sqlite};
use crate::imported::ImportedRestart;
use crate::value::values;
use crate::{Error, RowId, queries};
use rasadmin_engine::Name;
use std::time::{Duration, Instant};

const DAY: i64 = 86_400_000;

impl Sqlite {
    /// Ends the imported sessions whose end is not known and that a restart of their server ended, as an estimate. A
    /// session that a later restart ended, ended with this one. Import the sessions of the same logs first. Returns how
    /// many sessions changed. `wait` is how long each transaction may wait for the lock.
    pub fn import_restarts(&mut self, restarts: &[ImportedRestart], wait: Duration) -> Result<u64, Error> {
        let mut sorted: Vec<&ImportedRestart> = restarts.iter().collect();
        sorted.sort_by_key(|restart| restart.time);
        let mut ended = 0;
        for restart in sorted {
            ended += self.transact(Instant::now() + wait, false, |database| end_sessions(database, restart))?;
        }
        Ok(ended)
    }
}

/// Ends the sessions of before a restart. The names of servers are compared here, because SQLite's `lower` folds only ASCII.
fn end_sessions(database: &Database, restart: &ImportedRestart) -> Result<u64, Error> {
    let (time, server) = (restart.time, restart.server.folded());
    let wanted = values! { time: time, day_before: time - DAY };
    let before: Vec<(RowId, Name)> =
        database.all(queries::SESSIONS_BEFORE_RESTART, wanted, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut ended = 0;
    for (id, _) in before.iter().filter(|(_, name)| name.folded() == server) {
        ended += database.run(queries::SESSION_RESTARTED, values! { time: time, id: *id })? as u64;
    }
    Ok(ended)
}
