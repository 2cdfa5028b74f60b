//! What must be in the ledger after a kill: all that was acknowledged, nothing twice, nothing that never ends.

mod acknowledged;

use crate::notes::Note;
use crate::plan::Kill;
use mprapi::FunctionId as F;
use rusqlite::{Connection, Params};
use std::path::{Path, PathBuf};

/// What was found wrong.
#[derive(Debug, Default)]
pub struct Findings {
    /// Acknowledged, and not in the ledger.
    pub lost: Vec<String>,
    /// An address that two held at once, or what was counted twice.
    pub double: Vec<String>,
    /// What never ends: a session, a lease, an address that does not come back.
    pub leaked: Vec<String>,
    /// Anything else: a damaged file, an answer that should not be.
    pub broken: Vec<String>,
}

impl Findings {
    /// Is all well?
    pub fn is_empty(&self) -> bool {
        self.lost.is_empty() && self.double.is_empty() && self.leaked.is_empty() && self.broken.is_empty()
    }

    /// Every line, with its kind.
    pub fn lines(&self) -> Vec<String> {
        let kinds =
            [("lost", &self.lost), ("double", &self.double), ("leaked", &self.leaked), ("broken", &self.broken)];
        kinds.iter().flat_map(|(kind, all)| all.iter().map(move |line| format!("{kind}: {line}"))).collect()
    }
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// Acknowledged accepts.
    pub accepts: usize,
    /// Acknowledged hangups.
    pub hangups: usize,
    /// Acknowledged addresses.
    pub addresses: usize,
    /// Sessions that a later start closed.
    pub closed: usize,
    /// Acknowledgements that came out of a spool.
    pub spooled: usize,
}

/// The rows that earlier rounds left: what is above is this round's.
#[derive(Clone, Debug, Default)]
pub struct Before {
    instance: i64,
    session: i64,
    lease: i64,
    decision: i64,
    /// Sessions and leases that were open when the last worker was gone.
    open: [Vec<i64>; 2],
    /// What was acknowledged while the ledger was away: the next start owes it.
    owed: Vec<Note>,
}

impl Before {
    /// Is there a ledger that a service has used?
    pub fn has_begun(&self) -> bool {
        self.instance > 0
    }

    /// Does a round wait in a spool?
    pub fn owes(&self) -> bool {
        !self.owed.is_empty()
    }
}

struct Check<'a> {
    /// The rows of which instance.
    instance: i64,
    ledger: &'a Connection,
    before: &'a Before,
    found: &'a mut Findings,
}

/// What the ledger's being away changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ledger {
    /// It was here.
    Here,
    /// Another process had it locked all the time.
    Away,
}

/// Looks at the ledger after a round, while no process has it. `full`: the whole integrity check.
pub fn round(
    path: &Path,
    kill: Kill,
    notes: &[Note],
    was: Ledger,
    before: &mut Before,
    full: bool,
    found: &mut Findings,
) -> rusqlite::Result<Seen> {
    let begun = notes.iter().any(|note| matches!(note, Note::Done(F::InitializeDllEx, _)));
    if !path.exists() {
        if begun {
            found.lost.push("the ledger itself".into());
        }
        return Ok(Seen::default());
    }
    // A copy, as another computer would find the files: under Wine the dead worker's locks are still held for a moment,
    // and its index of the write-ahead log would be believed. The files stay for the next worker, as the kill left them.
    let (_folder, copy) = copy(path).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
    let ledger = Connection::open(copy)?;
    if ledger.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))? == 0 {
        // Killed before the ledger had its tables.
        return Ok(Seen::default());
    }
    let instance = max(&ledger, "instances")?;
    let mut check = Check { instance, ledger: &ledger, before, found };
    check.integrity(full)?;
    if was == Ledger::Away {
        if instance != before.instance {
            found.broken.push("an instance began while the ledger was locked".into());
        }
        before.owed = notes.to_vec();
        return Ok(Seen::default());
    }
    if before.owes() && instance == before.instance {
        // Killed while it read the spool.
        return Ok(Seen::default());
    }
    let mut check = Check { instance, ledger: &ledger, before, found };
    let closed = check.restart(begun)?;
    let mut seen = check.notes(kill, notes)?;
    check.usage()?;
    // What comes out of a spool is of an instance that began just before this one.
    let mut late = Check { instance: instance - 1, ledger: &ledger, before, found };
    late.notes(Kill::Time(0), &before.owed)?;
    seen.closed = closed;
    seen.spooled = before.owed.len();
    *before = Before {
        instance,
        session: max(&ledger, "sessions")?,
        lease: max(&ledger, "leases")?,
        decision: max(&ledger, "decisions")?,
        open: [
            ids(&ledger, "SELECT id FROM sessions WHERE acct_stop_time IS NULL")?,
            ids(&ledger, "SELECT id FROM leases WHERE ended IS NULL")?,
        ],
        owed: Vec::new(),
    };
    Ok(seen)
}

fn wal(path: &Path) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push("-wal");
    path.into()
}

fn copy(path: &Path) -> std::io::Result<(tempfile::TempDir, PathBuf)> {
    let folder = tempfile::tempdir()?;
    let copied = folder.path().join("ledger.db");
    std::fs::copy(path, &copied)?;
    match std::fs::copy(wal(path), wal(&copied)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        _ => Ok((folder, copied)),
    }
}

fn max(ledger: &Connection, table: &str) -> rusqlite::Result<i64> {
    ledger.query_row(&format!("SELECT coalesce(max(id), 0) FROM {table}"), [], |row| row.get(0))
}

fn ids(ledger: &Connection, sql: &str) -> rusqlite::Result<Vec<i64>> {
    ledger.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

impl Check<'_> {
    fn count(&self, sql: &str, values: impl Params) -> rusqlite::Result<i64> {
        self.ledger.prepare_cached(sql)?.query_row(values, |row| row.get(0))
    }

    fn integrity(&mut self, full: bool) -> rusqlite::Result<()> {
        let pragma = if full { "PRAGMA integrity_check" } else { "PRAGMA quick_check" };
        let answer: String = self.ledger.query_row(pragma, [], |row| row.get(0))?;
        if answer != "ok" {
            self.found.broken.push(format!("{pragma}: {answer}"));
        }
        let anomalies = self.count("SELECT count(*) FROM anomalies", [])?;
        if anomalies > 0 {
            let what: String =
                self.ledger.query_row("SELECT what || ' ' || details FROM anomalies", [], |r| r.get(0))?;
            self.found.broken.push(format!("{anomalies} anomalies, such as: {what}"));
        }
        let twice = "SELECT count(*) FROM (SELECT 1 FROM leases WHERE ended IS NULL GROUP BY server, family, number
                     HAVING count(*) > 1)";
        if self.count(twice, [])? > 0 {
            self.found.double.push("an address has two live leases".into());
        }
        if full {
            let overlap = "SELECT count(*) FROM (SELECT began, row_number() OVER address AS n,
                           lag(ended) OVER address AS before FROM leases
                           WINDOW address AS (PARTITION BY server, family, number ORDER BY id))
                           WHERE n > 1 AND (before IS NULL OR before > began)";
            if self.count(overlap, [])? > 0 {
                self.found.double.push("an address was given while its earlier lease was live".into());
            }
        }
        Ok(())
    }

    /// The new instance has closed what the last one left open; how many sessions.
    fn restart(&mut self, begun: bool) -> rusqlite::Result<usize> {
        let instance = max(self.ledger, "instances")?;
        if instance == self.before.instance {
            if begun {
                self.found.broken.push("the worker joined an instance whose processes are dead".into());
            }
            return Ok(0);
        }
        let sql = "SELECT count(*) FROM sessions WHERE id <= ?1 AND acct_stop_time IS NULL";
        let sessions = self.count(sql, [self.before.session])?;
        let leases = self.count("SELECT count(*) FROM leases WHERE id <= ?1 AND ended IS NULL", [self.before.lease])?;
        if sessions + leases > 0 {
            self.found.leaked.push(format!("{sessions} sessions and {leases} leases of a dead service are open"));
        }
        for (sql, open) in [
            ("SELECT count(*) FROM sessions WHERE id = ?1 AND closed_by = 'service ended'", &self.before.open[0]),
            ("SELECT count(*) FROM leases WHERE id = ?1 AND ended_by = 'service ended'", &self.before.open[1]),
        ] {
            for id in open {
                if self.count(sql, [id])? != 1 {
                    self.found.broken.push(format!("row {id} was not closed as the service's end: {sql}"));
                }
            }
        }
        Ok(self.before.open[0].len())
    }

    /// What every session used stands in the table of use, once.
    fn usage(&mut self) -> rusqlite::Result<()> {
        let sql = "
            WITH sums AS (
                SELECT name, sum(seconds) AS s, sum(input_octets) AS i, sum(output_octets) AS o FROM use GROUP BY name),
            told AS (
                SELECT name, sum(acct_session_time) AS s, sum(coalesce(acct_input_octets, 0)) AS i,
                       sum(coalesce(acct_output_octets, 0)) AS o
                FROM sessions WHERE billed = 1 GROUP BY name)
            SELECT count(*) FROM told FULL JOIN sums USING (name)
            WHERE coalesce(told.s, 0) <> coalesce(sums.s, 0) OR coalesce(told.i, 0) <> coalesce(sums.i, 0)
                OR coalesce(told.o, 0) <> coalesce(sums.o, 0)";
        let wrong = self.count(sql, [])?;
        if wrong > 0 {
            self.found.double.push(format!("the use of {wrong} users is not what their sessions say"));
        }
        Ok(())
    }
}
