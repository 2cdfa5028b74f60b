//! The times of which the ledger itself has the sessions of a server.

use crate::sqlite::Database;
use crate::{Error, queries};
use rasadmin_engine::{Millis, Name};
use std::collections::HashMap;

/// The periods in which instances of a server were alive, in the order of time, without overlaps. Reports leave out an
/// imported session that began in one of them (`session_counts` in the queries of sessions).
pub struct Coverage(HashMap<String, Vec<(Millis, Millis)>>);

impl Coverage {
    /// Reads the periods of all servers.
    pub fn read(database: &Database) -> Result<Self, Error> {
        let rows: Vec<(Name, Millis, Millis)> =
            database.all(queries::INSTANCE_PERIODS, &[], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let mut servers: HashMap<String, Vec<(Millis, Millis)>> = HashMap::new();
        for (server, from, to) in rows {
            let periods = servers.entry(server.as_str().to_ascii_lowercase()).or_default();
            match periods.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => periods.push((from, to)),
            }
        }
        Ok(Self(servers))
    }

    /// Was an instance of this server alive then?
    pub fn has(&self, server: &Name, time: Millis) -> bool {
        let Some(periods) = self.0.get(&server.as_str().to_ascii_lowercase()) else { return false };
        let after = periods.partition_point(|&(from, _)| from <= time);
        after.checked_sub(1).and_then(|at| periods.get(at)).is_some_and(|&(_, to)| time <= to)
    }
}
