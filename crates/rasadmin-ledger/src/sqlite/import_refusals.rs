//! Imports refused attempts of other logs.

use super::import::ImportResult;
use super::{Database, Sqlite};
use crate::imported::{ImportCounts, ImportedRefusal};
use crate::value::values;
use crate::{Error, ErrorKind, queries};
use std::time::Duration;

impl Sqlite {
    /// Imports refused attempts of other logs as decisions. Existing ones stay unchanged. `wait` is how long each
    /// transaction may wait for the lock. After an error, repeating the import continues.
    pub fn import_refusals(&mut self, refusals: &[ImportedRefusal], wait: Duration) -> Result<ImportCounts, Error> {
        self.import_rows(refusals, |refusal| &refusal.key, write, wait)
    }
}

fn write(database: &Database, r: &ImportedRefusal) -> Result<ImportResult, Error> {
    let user = r.facts.user.known();
    let facts =
        serde_json::to_string(&r.facts).map_err(|e| Error { kind: ErrorKind::Other, message: e.to_string() })?;
    let inserted = database.run(
        queries::REFUSAL_IMPORTED,
        values! {
            record: &r.key, time: r.time, server: &r.facts.server, stage: rasadmin_engine::Stage::Connection.name(),
            domain: user.map(|u| &u.domain), name: user.map(|u| &u.name), user_name: &r.user_name, reason: &r.reason,
            facts: facts, source: r.source, code: r.reason_code,
        },
    )?;
    Ok(if inserted > 0 { ImportResult::New { hidden: false } } else { ImportResult::AlreadyThere })
}
