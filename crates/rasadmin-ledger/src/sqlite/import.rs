//! Imports sessions of other logs. While others write too, the transactions are short, with pauses between them.

use super::{Database, Sqlite};
use crate::Error;
use crate::coverage::Coverage;
use crate::imported::{ImportCounts, ImportedSession};
use crate::queries::{self, sqlite_only};
use crate::value::values;
use std::time::{Duration, Instant};

/// A transaction ends after so many sessions, or after that time.
struct Pace {
    most: usize,
    longest: Duration,
    /// The pause after it. Processes that wait for the lock try again every half millisecond.
    pause: Duration,
}

/// While others write, none of them waits long.
const SHARED: Pace = Pace { most: 1_000, longest: Duration::from_millis(40), pause: Duration::from_millis(4) };

/// While nobody does. Every transaction changes most pages of the index of keys, so that few large ones cost less.
const ALONE: Pace = Pace { most: 50_000, longest: Duration::from_secs(2), pause: Duration::ZERO };

/// How long after a change by others they are expected to write again.
const EXPECTED: Duration = Duration::from_secs(10);

/// Whether others write to the ledger.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// What SQLite counts when another connection has written.
    version: Option<i64>,
    /// When a change was last noticed.
    noticed: Option<Instant>,
}

impl Others {
    /// Looks whether somebody has written since the last look. The first look is only for comparison.
    fn pace(&mut self, database: &Database) -> Result<Pace, Error> {
        let version = database.one(sqlite_only::DATA_VERSION, &[], |row| row.get(0))?;
        if self.version.is_some() && version != self.version {
            self.noticed = Some(Instant::now());
        }
        self.version = version;
        let shared = self.noticed.is_some_and(|noticed| noticed.elapsed() < EXPECTED);
        Ok(if shared { SHARED } else { ALONE })
    }
}

impl Sqlite {
    /// Imports sessions of other logs. Existing sessions stay unchanged, unless their end was missing and is known now.
    /// `wait` is how long each transaction may wait for the lock. After an error, sessions that were written before
    /// stay, and repeating the import continues. The more sessions at once, the less each costs.
    pub fn import(&mut self, sessions: &[ImportedSession], wait: Duration) -> Result<ImportCounts, Error> {
        let coverage = Coverage::read(&self.database)?;
        let write = |database: &Database, session: &ImportedSession| {
            Ok(match write(database, session)? {
                ImportResult::New { .. } => ImportResult::New { hidden: coverage.has(&session.server, session.start) },
                other => other,
            })
        };
        self.import_rows(sessions, |session| &session.key, write, wait)
    }

    /// Imports rows in transactions, as large and as close to each other as others allow.
    pub(super) fn import_rows<T>(
        &mut self,
        rows: &[T],
        key: impl Fn(&T) -> &str,
        write: impl Fn(&Database, &T) -> Result<ImportResult, Error>,
        wait: Duration,
    ) -> Result<ImportCounts, Error> {
        self.database.set(sqlite_only::IMPORT_CACHE)?;
        // In the order of their index, of which each page is then changed once. Of two with the same key the first
        // remains the first.
        let mut sorted: Vec<&T> = rows.iter().collect();
        sorted.sort_by(|a, b| key(a).cmp(key(b)));
        let mut counts = ImportCounts::default();
        let mut rest = &sorted[..];
        while !rest.is_empty() {
            let pace = self.others.pace(&self.database)?;
            let (done, more) =
                self.transact(Instant::now() + wait, false, |database| pace.work(database, rest, &write))?;
            counts += more;
            rest = &rest[done..];
            std::thread::sleep(pace.pause);
        }
        Ok(counts)
    }
}

impl Pace {
    /// Writes as many rows as belong into one transaction. Returns their number, and what happened to them.
    fn work<T>(
        &self,
        database: &Database,
        rows: &[&T],
        write: impl Fn(&Database, &T) -> Result<ImportResult, Error>,
    ) -> Result<(usize, ImportCounts), Error> {
        let began = Instant::now();
        let (mut done, mut counts) = (0, ImportCounts::default());
        for row in rows.iter().take(self.most) {
            match write(database, row)? {
                ImportResult::New { hidden } => {
                    counts.new += 1;
                    counts.hidden += u64::from(hidden);
                }
                ImportResult::Completed => counts.completed += 1,
                ImportResult::AlreadyThere => counts.already_there += 1,
                ImportResult::Continued => {}
            }
            done += 1;
            if began.elapsed() > self.longest {
                break;
            }
        }
        Ok((done, counts))
    }
}

/// What happened to a row.
pub(super) enum ImportResult {
    New {
        /// Do reports leave it out?
        hidden: bool,
    },
    Completed,
    AlreadyThere,
    /// It was counted when its beginning was imported.
    Continued,
}

fn write(database: &Database, s: &ImportedSession) -> Result<ImportResult, Error> {
    let (usage, user) = (&s.usage, s.user.as_ref());
    let octets_are = usage.input_octets.or(usage.output_octets).map(|_| if s.exact { "exact" } else { "lower bound" });
    let address = s.address.map(|address| address.to_string());
    let inserted = database.run(
        queries::SESSION_IMPORTED,
        values! {
            session: &s.key, server: &s.server, domain: user.map(|u| &u.domain), name: user.map(|u| &u.name),
            user_name: &s.user_name, computer: &s.computer, calling: &s.calling, tunnel: s.tunnel.as_ref(),
            port: s.port.as_ref(), nas_port: s.nas_port, address: address.as_ref(), interface_id: s.interface_id.as_ref(),
            prefix: s.prefix.as_ref(), start: s.start, links: s.links, stop: s.stop, seconds: s.seconds,
            input: usage.input_octets, output: usage.output_octets,
            frames_in: usage.input_packets, frames_out: usage.output_packets,
            octets_are: octets_are, cause: s.cause.as_ref(), closed_by: s.closed_by, estimated: s.estimated,
            source: s.source,
        },
    )?;
    if inserted > 0 {
        return Ok(ImportResult::New { hidden: false });
    }
    let completed = database.run(
        queries::SESSION_COMPLETED,
        values! {
            session: &s.key, stop: s.stop, seconds: s.seconds,
            input: usage.input_octets, output: usage.output_octets,
            frames_in: usage.input_packets, frames_out: usage.output_packets,
            octets_are: octets_are, cause: s.cause.as_ref(), closed_by: s.closed_by, estimated: s.estimated,
            links: s.links, tunnel: s.tunnel.as_ref(), address: address.as_ref(),
        },
    )?;
    Ok(match completed {
        _ if s.continued => ImportResult::Continued,
        0 => ImportResult::AlreadyThere,
        _ => ImportResult::Completed,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::sqlite::Create;

    #[test]
    fn transactions_are_short_only_while_others_write() {
        let folder = tempfile::tempdir().unwrap();
        let open = || {
            let until = Instant::now() + Duration::from_secs(5);
            Sqlite::open(&folder.path().join("ledger.db"), Create::Yes, false, until).unwrap()
        };
        let (mut importing, other) = (open(), open());
        let most = |importing: &mut Sqlite| importing.others.pace(&importing.database).unwrap().most;
        assert_eq!((most(&mut importing), most(&mut importing)), (ALONE.most, ALONE.most));
        let write = |ledger: &Sqlite| ledger.database.set(sqlite_only::SET_SCHEMA_VERSION).unwrap();
        write(&importing);
        assert_eq!(most(&mut importing), ALONE.most, "what it writes itself does not count");
        write(&other);
        assert_eq!((most(&mut importing), most(&mut importing)), (SHARED.most, SHARED.most));
    }
}
