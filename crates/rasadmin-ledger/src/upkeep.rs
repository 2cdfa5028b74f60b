//! Maintenance of a ledger: copies, and removal of past data.
//!
//! If the server has a journal, `purge` and `anonymise` are events in it. The ledger applies such an event when it
//! ingests the record, and again whenever the journal is read again. [`Upkeep::purge`] and [`Upkeep::anonymise`] are
//! for a ledger without a journal, which contains imported logs.

use crate::expire::{self, Expiry};
use crate::forget::{self, ForgetCounts, ForgetScope, Pseudonyms};
use crate::sqlite::{Create, Database, Sqlite};
use crate::value::values;
use crate::{Error, ErrorKind, RowId, queries};
use rasadmin_engine::Id;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a change waits for other processes.
const PATIENCE: Duration = Duration::from_secs(10);

/// A ledger that is open for changes.
#[derive(Debug)]
pub struct Upkeep {
    ledger: Sqlite,
}

impl Upkeep {
    /// Opens an existing ledger.
    ///
    /// # Errors
    ///
    /// If there is no ledger, or it cannot be used.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self { ledger: Sqlite::open(path, Create::No, true, Instant::now() + PATIENCE)? })
    }

    /// Returns the number of a session's row.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be used.
    pub fn row_of(&self, session: Id) -> Result<Option<RowId>, Error> {
        self.ledger.database().one(queries::SESSION_NUMBER, values! { session: session }, |row| row.get(0))
    }

    /// Returns the session with a row number.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be used.
    pub fn id_of(&self, row: RowId) -> Result<Option<Id>, Error> {
        let key = self.ledger.database().one(queries::SESSION_KEY, values! { id: row }, |row| row.get::<String>(0))?;
        Ok(key.and_then(|key| key.parse().ok()))
    }

    /// Deletes what ended before a time: sessions with their links, leases, decisions, days of use and anomalies.
    /// Deleted data is overwritten. Either everything is deleted or nothing.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be used.
    pub fn purge(&mut self, scope: &ForgetScope) -> Result<ForgetCounts, Error> {
        self.forget(|database| forget::purge(database, scope))
    }

    /// Makes what ended before a time anonymous. Users become pseudonyms that cannot be traced back; computer names and
    /// public addresses are removed. Times, amounts, tunnels, rules and VPN addresses stay for statistics.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be used.
    pub fn anonymise(&mut self, scope: &ForgetScope) -> Result<ForgetCounts, Error> {
        let random =
            rasadmin_recorder::random().map_err(|e| Error { kind: ErrorKind::Other, message: e.to_string() })?;
        let pseudonyms = Pseudonyms::of(Id(u128::from_be_bytes(random)));
        self.forget(|database| forget::anonymise(database, scope, &pseudonyms))
    }

    fn forget(&mut self, work: impl FnOnce(&Database) -> Result<ForgetCounts, Error>) -> Result<ForgetCounts, Error> {
        let changed = self.ledger.transact(Instant::now() + PATIENCE, true, work)?;
        self.ledger.shrink_log();
        Ok(changed)
    }

    /// Deletes some more of what is not kept. Others can write before the next call. Returns false when nothing is left.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be used. What was deleted before stays deleted.
    pub fn expire_some(&mut self, expiry: &mut Expiry) -> Result<bool, Error> {
        expire::some(&mut self.ledger, expiry)
    }

    /// Copies the ledger to a new file, in its current state, while others can write. The copy is checked and on disk
    /// when this returns.
    ///
    /// # Errors
    ///
    /// If a file of that name exists, or it cannot be written.
    pub fn backup(&mut self, to: &Path) -> Result<(), Error> {
        self.ledger.copy_to(to)
    }
}
