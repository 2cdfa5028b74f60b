//! Imports refused attempts of other logs in short transactions, so that others can write between them.

use super::{Database, Sqlite};
use crate::imported::{ImportCounts, ImportedRefusal};
use crate::value::values;
use crate::{Error, ErrorKind, queries};
use std::time::{Duration, Instant};

/// The most attempts in a transaction.
const MOST: usize = 500;
/// The pause between transactions. Processes that wait for the lock try again every half millisecond.
const PAUSE: Duration = Duration::from_millis(4);

impl Sqlite {
    /// Imports refused attempts of other logs as decisions. Existing ones stay unchanged. `wait` is how long each
    /// transaction may wait for the lock. After an error, repeating the import continues.
    pub fn import_refusals(&mut self, refusals: &[ImportedRefusal], wait: Duration) -> Result<ImportCounts, Error> {
        let mut counts = ImportCounts::default();
        for (at, some) in refusals.chunks(MOST).enumerate() {
            if at > 0 {
                std::thread::sleep(PAUSE);
            }
            let new = self.transact(Instant::now() + wait, false, |database| {
                some.iter().try_fold(0, |new, refusal| Ok(new + write(database, refusal)? as u64))
            })?;
            counts += ImportCounts { new, already_there: some.len() as u64 - new, ..ImportCounts::default() };
        }
        Ok(counts)
    }
}

/// Returns the number of new rows.
fn write(database: &Database, r: &ImportedRefusal) -> Result<usize, Error> {
    let user = r.facts.user.known();
    let facts =
        serde_json::to_string(&r.facts).map_err(|e| Error { kind: ErrorKind::Other, message: e.to_string() })?;
    database.run(
        queries::REFUSAL_IMPORTED,
        values! {
            record: &r.key, time: r.time, server: &r.facts.server, stage: rasadmin_engine::Stage::Connection.name(),
            domain: user.map(|u| &u.domain), name: user.map(|u| &u.name), user_name: &r.user_name, reason: &r.reason,
            facts: facts, source: r.source, code: r.reason_code,
        },
    )
}
