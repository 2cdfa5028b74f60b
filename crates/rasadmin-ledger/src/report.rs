//! What the ledger says, for people: read without disturbing who writes.

mod counts;
mod decisions;
mod health;
mod leases;
mod pages;
mod sessions;
mod totals;
mod which;

pub use counts::{Counts, Loaded};
pub use decisions::Decided;
pub use health::{LastBrought, LastInstance};
pub use leases::Held;
pub use pages::{Pages, Wanted};
pub use sessions::Session;
pub use totals::{By, KnownUser, Total, UserDays, month};
pub use which::{Which, Who};

use crate::{Error, ErrorKind, RowId};
use rasadmin_engine::Millis;
use rasadmin_engine::Name;
use rusqlite::{Connection, OpenFlags, Row, ToSql, params};
use serde::Serializer;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A time for programs: RFC 3339, UTC, with milliseconds.
fn rfc3339<S: Serializer>(time: &Millis, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&rasadmin_policy::timestamp(*time))
}

fn rfc3339_or_null<S: Serializer>(time: &Option<Millis>, to: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => rfc3339(time, to),
        None => to.serialize_none(),
    }
}

/// A ledger open for reading.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    path: PathBuf,
}

/// A refusal's rule with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusals {
    /// The rule; None is the default, or the engine itself.
    pub rule: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Who, in the order of time, each as often as it was.
    pub users: Vec<Name>,
}

/// What a pool (or the reservations, or RRAS's offers) gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The pool's name, `reservations`, or `RRAS's offer`.
    pub from: String,
    /// 4 or 6.
    pub family: u8,
    /// Leases.
    pub leases: u64,
    /// Different addresses.
    pub addresses: u64,
    /// Of them, such that the user had had before.
    pub sticky: u64,
}

/// What became of one attempt to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The user's name as RRAS passed it.
    pub user: Name,
    /// The last decision's rule; None is the default, or the engine itself.
    pub rule: Option<String>,
    /// Its reason.
    pub reason: Option<String>,
    /// Was every decision to allow?
    pub allowed: bool,
}

/// Is all of it in its file, so that nothing beside it need be read?
fn is_at_rest(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    path.is_file() && std::fs::metadata(log).map_or(true, |log| log.len() == 0)
}

/// A name by which SQLite makes and locks nothing beside the file.
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
    /// Opens a ledger that is there, also one that may not be written.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is no ledger of this version and platform.
    pub fn open(path: &Path) -> Result<Self, Error> {
        match Self::try_open(path, false) {
            // Where nothing may be made beside it, SQLite cannot read it while it takes it for one that changes.
            Err(e) if matches!(e.kind, ErrorKind::Missing | ErrorKind::ReadOnly) && is_at_rest(path) => {
                Self::try_open(path, true)
            }
            opened => opened,
        }
    }

    fn try_open(path: &Path, at_rest: bool) -> Result<Self, Error> {
        let mut flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        flags.set(OpenFlags::SQLITE_OPEN_URI, at_rest);
        let name = if at_rest { immutable(path) } else { path.to_owned() };
        let connection = Connection::open_with_flags(name, flags).map_err(|e| super::sqlite::error(path, &e))?;
        let reader = Self { connection, path: path.to_owned() };
        let prepared = reader
            .connection
            .busy_timeout(Duration::from_secs(2))
            .and_then(|()| reader.connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)));
        let version = prepared.map_err(|e| reader.failed(&e))?;
        let what = match super::sqlite::foreign(version, super::sqlite::PLATFORM) {
            None => return Ok(reader),
            Some(_) if version <= 0 => "it is not a rasadmin ledger".to_owned(),
            Some(what) => what,
        };
        Err(Error::new(ErrorKind::Foreign, path, what))
    }

    /// Every row of a query.
    fn rows<T>(
        &self,
        sql: &str,
        values: &[&dyn ToSql],
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Error> {
        let read = || self.connection.prepare(sql)?.query_map(values, read)?.collect::<rusqlite::Result<_>>();
        read().map_err(|e| self.failed(&e))
    }

    /// The same, one after the other.
    fn each(
        &self,
        sql: &str,
        values: &[&dyn ToSql],
        each: &mut dyn FnMut(&Row<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), Error> {
        let mut read = || {
            let mut statement = self.connection.prepare(sql)?;
            let mut rows = statement.query(values)?;
            while let Some(row) = rows.next()? {
                each(row)?;
            }
            Ok(())
        };
        read().map_err(|e| self.failed(&e))
    }

    fn failed(&self, e: &rusqlite::Error) -> Error {
        super::sqlite::error(&self.path, e)
    }

    /// The last decision and the last lease: what comes after them is new.
    pub fn last(&self) -> Result<(RowId, RowId), Error> {
        let sql = "SELECT (SELECT coalesce(max(id), 0) FROM decisions), (SELECT coalesce(max(id), 0) FROM leases)";
        self.connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).map_err(|e| self.failed(&e))
    }

    /// Refusals after a decision, the most frequent first.
    pub fn refusals(&self, after: RowId) -> Result<Vec<Refusals>, Error> {
        let sql = "SELECT rule, reason, user_name FROM decisions WHERE outcome = 'deny' AND id > ?1 ORDER BY id";
        let read = || -> rusqlite::Result<Vec<Refusals>> {
            let mut all = Vec::<Refusals>::new();
            let mut statement = self.connection.prepare(sql)?;
            let mut rows = statement.query([after])?;
            while let Some(row) = rows.next()? {
                let (rule, reason) = (row.get::<_, Option<String>>(0)?, row.get::<_, Option<String>>(1)?);
                let user = Name::from_stored(row.get(2)?);
                match all.iter_mut().find(|refusals| refusals.rule == rule && refusals.reason == reason) {
                    Some(refusals) => refusals.users.push(user),
                    None => all.push(Refusals { rule, reason, users: vec![user] }),
                }
            }
            all.sort_by_key(|refusals| std::cmp::Reverse(refusals.users.len()));
            Ok(all)
        };
        read().map_err(|e| self.failed(&e))
    }

    /// What was given after a lease.
    pub fn given(&self, after: RowId) -> Result<Vec<Given>, Error> {
        let sql = "SELECT CASE origin WHEN 'reservation' THEN 'reservations' WHEN 'offer' THEN 'RRAS''s offer'
                              ELSE pool END AS source,
                          family, count(*), count(DISTINCT number), sum(origin = 'sticky')
                   FROM leases WHERE id > ?1 GROUP BY source, family ORDER BY family, count(*) DESC, source";
        let read = || -> rusqlite::Result<Vec<Given>> {
            let mut statement = self.connection.prepare(sql)?;
            let rows = statement.query_map([after], |row| {
                let count = |at| row.get::<_, i64>(at).map(|n| u64::try_from(n).unwrap_or(0));
                Ok(Given {
                    from: row.get(0)?,
                    family: row.get(1)?,
                    leases: count(2)?,
                    addresses: count(3)?,
                    sticky: count(4)?,
                })
            })?;
            rows.collect()
        };
        read().map_err(|e| self.failed(&e))
    }

    /// Every attempt to connect after a decision, each user's in the order of time: it begins with the IPv4 address.
    /// Only links of a connection that is not yet established belong to it.
    pub fn attempts(&self, after: RowId) -> Result<Vec<Attempt>, Error> {
        let sql = "SELECT user_name, stage, outcome, rule, reason FROM decisions
                   WHERE id > ?1 AND stage IN ('ipv4-address', 'ipv6-address', 'connection', 'link')
                   ORDER BY user_name, id";
        let read = || -> rusqlite::Result<Vec<Attempt>> {
            let mut attempts = Vec::<(Attempt, bool)>::new();
            let mut statement = self.connection.prepare(sql)?;
            let mut rows = statement.query(params![after])?;
            while let Some(row) = rows.next()? {
                let stage: String = row.get(1)?;
                let attempt = Attempt {
                    user: Name::from_stored(row.get(0)?),
                    rule: row.get(3)?,
                    reason: row.get(4)?,
                    allowed: row.get::<_, String>(2)? != "deny",
                };
                if stage == "ipv4-address" {
                    attempts.push((attempt, false));
                } else if let Some((last, done)) = attempts.last_mut().filter(|(last, _)| last.user == attempt.user) {
                    if last.allowed && !*done {
                        *last = attempt;
                    }
                    *done |= stage == "link";
                }
            }
            Ok(attempts.into_iter().map(|(attempt, _)| attempt).collect())
        };
        read().map_err(|e| self.failed(&e))
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
        let reader = Reader::try_open(&path, true).unwrap();
        assert_eq!(reader.counts().unwrap(), Counts::default());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
