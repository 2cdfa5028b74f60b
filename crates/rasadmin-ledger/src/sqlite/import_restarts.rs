//! Imports restarts of servers from other logs.

use super::Sqlite;
use crate::imported::ImportedRestart;
use crate::value::values;
use crate::{Error, queries};
use std::time::{Duration, Instant};

impl Sqlite {
    /// Ends the imported sessions whose end is not known and that a restart of their server ended, as an estimate. Import
    /// the sessions of the same logs first. Returns how many were ended. `wait` is how long each transaction may wait for
    /// the lock.
    pub fn import_restarts(&mut self, restarts: &[ImportedRestart], wait: Duration) -> Result<u64, Error> {
        let mut sorted: Vec<&ImportedRestart> = restarts.iter().collect();
        sorted.sort_by_key(|restart| restart.time);
        let mut ended = 0;
        for restart in sorted {
            let values = values! { server: &restart.server, time: restart.time };
            let run = self
                .transact(Instant::now() + wait, false, |database| database.run(queries::SESSIONS_RESTARTED, values))?;
            ended += run as u64;
        }
        Ok(ended)
    }
}
