//! What the ledger says, for people: read without disturbing who writes.

mod health;

pub use health::{LastInstance, Loaded};

use super::{Away, Id};
use crate::Name;
use rusqlite::{Connection, OpenFlags, params};
use std::path::{Path, PathBuf};

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

impl Reader {
    /// Opens a ledger that is there.
    pub fn open(path: &Path) -> Result<Self, Away> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|e| super::sqlite::error(path, &e))?;
        Ok(Self { connection, path: path.to_owned() })
    }

    fn failed(&self, e: &rusqlite::Error) -> Away {
        super::sqlite::error(&self.path, e)
    }

    /// The last decision and the last lease: what comes after them is new.
    pub fn last(&self) -> Result<(Id, Id), Away> {
        let sql = "SELECT (SELECT coalesce(max(id), 0) FROM decisions), (SELECT coalesce(max(id), 0) FROM leases)";
        self.connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).map_err(|e| self.failed(&e))
    }

    /// Refusals after a decision, the most frequent first.
    pub fn refusals(&self, after: Id) -> Result<Vec<Refusals>, Away> {
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
    pub fn given(&self, after: Id) -> Result<Vec<Given>, Away> {
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
    pub fn attempts(&self, after: Id) -> Result<Vec<Attempt>, Away> {
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
