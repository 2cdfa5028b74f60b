//! Queries of the ledger, which do not block writers.

mod attempts;
mod bound;
mod counts;
mod decided_by;
mod decisions;
mod filter;
mod health;
mod hits;
mod in_force;
mod leases;
mod links;
mod lists;
mod octets;
mod order;
mod overview;
mod pages;
mod passes;
mod pools;
mod refused;
mod samples;
mod search;
mod sessions;
mod sorted;
mod totals;
mod user;
mod version;

pub use attempts::Attempt;
pub use bound::Bound;
pub use counts::{ConfigLoad, LedgerCounts};
pub use decided_by::{DecidedBy, decided_by_in_words, refusal_in_words};
pub use decisions::{DECIDED_BY_NPS, DecisionRow};
pub use filter::{Filter, UserFilter};
pub use health::{JournalCursor, LastInstance};
pub use hits::{Cut, Hits};
pub use in_force::{InForce, LimitUse, UserInForce};
pub use leases::LeaseRow;
pub use links::LinkRow;
pub use lists::{ListPage, UserOrder, UserPlace};
pub use octets::{Direction, OctetsAre};
pub use order::SortBy;
pub use overview::Overview;
pub use pages::{ExportFilter, Pages};
pub use passes::Progress;
pub use pools::PoolUse;
pub use refused::Refused;
pub use samples::OctetsRow;
pub use search::{DecisionSearch, Outcome, SessionSearch};
pub use sessions::SessionRow;
pub use sorted::SessionKey;
pub use totals::{GroupBy, KnownUser, Total, UsageRow, month};
pub use user::{ReservedAddress, UserBlock, UserReport};
pub use version::Version;

use crate::sqlite::{Access, Database};
use crate::value::values;
use crate::{Error, ErrorKind, RowId, queries};
use rasadmin_engine::Millis;
use rasadmin_engine::Name;
use serde::Serializer;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A time for programs: RFC 3339, UTC, with milliseconds.
///
/// # Errors
/// If it cannot be written.
pub fn rfc3339<S: Serializer>(time: &Millis, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&rasadmin_policy::timestamp(*time))
}

/// The same, or null.
///
/// # Errors
/// If it cannot be written.
pub fn rfc3339_or_null<S: Serializer>(time: &Option<Millis>, to: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => rfc3339(time, to),
        None => to.serialize_none(),
    }
}

/// A ledger that is open for reading.
#[derive(Debug)]
pub struct Reader {
    database: Database,
    /// The file as it was before it was opened, if it is read as one that nobody changes.
    at_rest: Option<version::File>,
}

/// The refusals by one rule, or by the DLL itself, with one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusals {
    /// The rule. None is the default, or the DLL itself.
    pub rule: Option<String>,
    /// Why the DLL itself refused: `exhausted` and so on. None if it did not.
    pub refusal: Option<String>,
    /// The reason.
    pub reason: Option<String>,
    /// The names of the refused users, in the order of time, once for each refusal, also for those that were repeated
    /// within a minute.
    pub users: Vec<Name>,
}

/// What a source of addresses gave: a pool, the reservations, or RRAS's offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseTotals {
    /// The pool's name, `reservations`, or `RRAS's offer`.
    pub from: String,
    /// The address family: 4 or 6.
    pub family: u8,
    /// The number of leases.
    pub leases: u64,
    /// The number of different addresses.
    pub addresses: u64,
    /// The number of leases with an address that the user had before.
    pub sticky: u64,
}

/// Is the write-ahead log empty, so that the file alone can be read?
fn is_at_rest(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    path.is_file() && std::fs::metadata(log).map_or(true, |log| log.len() == 0)
}

/// A file name with which SQLite creates and locks no other files.
fn immutable(path: &Path) -> PathBuf {
    let mut name = String::from("file:");
    for c in path.to_string_lossy().replace('\\', "/").chars() {
        match c {
            '%' => name.push_str("%25"),
            '?' => name.push_str("%3f"),
            '#' => name.push_str("%23"),
            c => name.push(c),
        }
    }
    name.push_str("?immutable=1");
    name.into()
}

impl Reader {
    /// Opens an existing ledger, even one that may not be written.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is not a ledger of this version and platform.
    pub fn open(path: &Path) -> Result<Self, Error> {
        match Self::try_open(path, None) {
            // Without the right to create files beside it, SQLite can read the ledger only as an immutable file.
            Err(e) if matches!(e.kind, ErrorKind::Missing | ErrorKind::ReadOnly) => {
                let file = version::File::of(path, true);
                if is_at_rest(path) { Self::try_open(path, Some(file)) } else { Err(e) }
            }
            opened => opened,
        }
    }

    fn try_open(path: &Path, at_rest: Option<version::File>) -> Result<Self, Error> {
        let database = if at_rest.is_some() {
            Database::open(path, &immutable(path), Access::ReadByUri)?
        } else {
            Database::open(path, path, Access::Read)?
        };
        database.wait_for(Duration::from_secs(2))?;
        let version = database.version()?;
        let what = match super::sqlite::foreign(version, super::sqlite::PLATFORM) {
            None => return Ok(Self { database, at_rest }),
            Some(_) if version <= 0 => "it is not a rasadmin ledger".to_owned(),
            Some(what) => what,
        };
        Err(Error::new(ErrorKind::Foreign, path, what))
    }

    /// Returns the numbers of the last decision and the last lease, to find later ones.
    pub fn last(&self) -> Result<(RowId, RowId), Error> {
        let last = self.database.one(queries::LAST, &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(last.unwrap_or_default())
    }

    /// Refusals after a decision, the most frequent first.
    pub fn refusals(&self, after: RowId) -> Result<Vec<Refusals>, Error> {
        let mut all = Vec::<Refusals>::new();
        self.database.each(queries::REFUSALS, values! { after: after }, |row| {
            let one = Refusals { rule: row.get(0)?, refusal: row.get(1)?, reason: row.get(2)?, users: Vec::new() };
            let (user, repeated): (Name, u64) = (row.get(3)?, row.get(4)?);
            let same = |of: &Refusals| (&of.rule, &of.refusal, &of.reason) == (&one.rule, &one.refusal, &one.reason);
            let at = all.iter().position(same).unwrap_or_else(|| {
                all.push(one);
                all.len() - 1
            });
            all[at].users.extend((0..=repeated).map(|_| user.clone()));
            Ok(())
        })?;
        all.sort_by_key(|refusals| std::cmp::Reverse(refusals.users.len()));
        Ok(all)
    }

    /// What each source of addresses gave after a lease.
    pub fn lease_totals(&self, after: RowId) -> Result<Vec<LeaseTotals>, Error> {
        self.database.all(queries::GIVEN, values! { after: after }, |row| {
            Ok(LeaseTotals {
                from: row.get(0)?,
                family: row.get(1)?,
                leases: row.get(2)?,
                addresses: row.get(3)?,
                sticky: row.get(4)?,
            })
        })
    }
}

#[cfg(all(test, not(windows)))] // The name has a question mark, which Windows does not allow.
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::sqlite::{Create, Sqlite};

    #[test]
    fn one_that_nobody_writes_is_read_without_a_file_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a ?# %41.db");
        drop(Sqlite::open(&path, Create::Yes, true, std::time::Instant::now() + Duration::from_secs(5)).unwrap());
        assert!(is_at_rest(&path));
        let reader = Reader::try_open(&path, Some(version::File::of(&path, true))).unwrap();
        assert_eq!(reader.counts().unwrap(), LedgerCounts::default());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
