//! Sessions and refused attempts on their way into the ledger.

use super::WAIT;
use crate::error::Result;
use rasadmin_history::import::{imported, refused, restarted};
use rasadmin_history::logs::LogItem;
use rasadmin_ledger::imported::{ImportCounts, ImportedRefusal, ImportedRestart, ImportedSession};
use rasadmin_ledger::report::Reader;
use rasadmin_ledger::sqlite::Sqlite;
use rasadmin_policy::Domains;

/// How many bytes of them are written at once: some 30,000, or fewer with long names. The more, the less each costs.
const FULL: usize = 18 << 20;

/// Where they go.
pub enum Target {
    Ledger(Box<Sqlite>),
    Compare(Option<Box<Reader>>),
}

/// What became of them.
#[derive(Default)]
pub struct Done {
    pub sessions: ImportCounts,
    pub refusals: ImportCounts,
    /// Sessions that the ledger had without their end, and that a restart ended.
    pub ended_by_restarts: u64,
}

/// Those that are written at once, and the restarts of the whole import.
#[derive(Default)]
pub struct Batch {
    sessions: Vec<ImportedSession>,
    refusals: Vec<ImportedRefusal>,
    bytes: usize,
    restarts: Vec<ImportedRestart>,
    restart_bytes: usize,
    done: Done,
}

impl Batch {
    /// Adds one. `domains` maps its user's name to an identity.
    pub fn add(&mut self, item: LogItem, domains: &Domains) {
        match item {
            LogItem::Session(session) => {
                let session = imported(&session, domains);
                self.bytes += session.bytes();
                self.sessions.push(session);
            }
            LogItem::Refusal(refusal) => {
                let refusal = refused(&refusal, domains);
                self.bytes += refusal.bytes();
                self.refusals.push(refusal);
            }
            LogItem::Restart(restart) => {
                let restart = restarted(&restart);
                self.restart_bytes += size_of::<ImportedRestart>() + restart.server.as_str().len();
                self.restarts.push(restart);
            }
        }
    }

    /// Is it time to write them?
    pub fn is_full(&self) -> bool {
        self.bytes.max(self.restart_bytes) >= FULL
    }

    /// Writes, or compares, the sessions and refused attempts that were added.
    pub fn write(&mut self, target: &mut Target) -> Result<()> {
        let (sessions, refusals) = (&self.sessions, &self.refusals);
        let new = |new: usize| ImportCounts { new: new as u64, ..ImportCounts::default() };
        let (of_sessions, of_refusals) = match target {
            Target::Ledger(ledger) => (ledger.import(sessions, WAIT)?, ledger.import_refusals(refusals, WAIT)?),
            Target::Compare(Some(reader)) => (reader.compare(sessions)?, reader.compare_refusals(refusals)?),
            Target::Compare(None) => {
                (new(sessions.iter().filter(|session| !session.continued).count()), new(refusals.len()))
            }
        };
        self.done.sessions += of_sessions;
        self.done.refusals += of_refusals;
        self.sessions.clear();
        self.refusals.clear();
        self.bytes = 0;
        if self.restart_bytes >= FULL {
            self.write_restarts(target)?;
        }
        Ok(())
    }

    /// Writes the rest.
    pub fn finish(mut self, target: &mut Target) -> Result<Done> {
        self.write(target)?;
        self.write_restarts(target)?;
        Ok(self.done)
    }

    /// A restart ends only what is in the ledger, and a session without an end may come long after the restart. So the
    /// restarts come last, unless a damaged log has more of them than there is room for.
    fn write_restarts(&mut self, target: &mut Target) -> Result<()> {
        if let Target::Ledger(ledger) = target {
            self.done.ended_by_restarts += ledger.import_restarts(&self.restarts, WAIT)?;
        }
        self.restarts.clear();
        self.restart_bytes = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rasadmin_history::logs::{Joiner, Reader as LogReader};
    use rasadmin_ledger::sqlite::Create;

    /// The items of a log with one record, of a user and with an Acct-Status-Type.
    fn items(user: &str, status: u8, second: u32) -> Vec<LogItem> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("IN.log");
        let record = format!(
            "\"VPN1\",\"RAS\",06/18/2024,14:45:48,4,\"{user}\",,,,,,\"VPN1\",,,,,,{},,5,,,,,,,,,,,,{status},,,,7\r\n",
            1_718_718_348 + second
        );
        std::fs::write(&file, record).unwrap();
        let (mut items, mut reader) = (Vec::new(), LogReader::open(&file, None).unwrap().unwrap());
        let mut joiner = Joiner::new();
        while let Some((_, record)) = reader.read().unwrap() {
            joiner.push(&record.unwrap(), reader.format(), &mut items).unwrap();
        }
        joiner.finish(&mut items);
        items
    }

    /// How many sessions of users with names of this length are written at once.
    fn at_once(length: usize) -> usize {
        let items = items(&"x".repeat(length), 2, 0);
        let (mut batch, domains) = (Batch::default(), Domains::new([], None));
        while !batch.is_full() {
            batch.add(items[0].clone(), &domains);
        }
        batch.sessions.len()
    }

    #[test]
    fn the_longer_the_names_the_fewer_are_written_at_once() {
        let (short, long) = (at_once(10), at_once(2_000));
        assert!((20_000..50_000).contains(&short), "{short}");
        // Each name is kept as written and folded.
        assert!((3_000..5_000).contains(&long), "{long}");
    }

    #[test]
    fn restarts_without_number_are_written_in_between() {
        let folder = tempfile::tempdir().unwrap();
        let until = std::time::Instant::now() + WAIT;
        let ledger = Sqlite::open(&folder.path().join("a.db"), Create::Yes, false, until).unwrap();
        let (mut batch, domains) = (Batch::default(), Domains::new([], None));
        let restart = items("", 7, 60).remove(0);
        let mut added = 0;
        while !batch.is_full() {
            batch.add(restart.clone(), &domains);
            added += 1;
        }
        assert!((50_000..2_000_000).contains(&added), "{added}");
        // One is enough to see that they go: each is a transaction.
        batch.restarts.truncate(1);
        batch.write(&mut Target::Ledger(Box::new(ledger))).unwrap();
        assert!(batch.restarts.is_empty() && !batch.is_full());
    }

    #[test]
    fn a_restart_ends_what_is_written_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let domains = Domains::new([], None);
        let (start, restart) = (items("alice", 1, 0).remove(0), items("", 7, 60).remove(0));
        // The second import of the same log changes nothing.
        for ended in [1, 0] {
            let until = std::time::Instant::now() + WAIT;
            let ledger = Sqlite::open(&folder.path().join("a.db"), Create::Yes, false, until).unwrap();
            let (mut batch, mut target) = (Batch::default(), Target::Ledger(Box::new(ledger)));
            batch.add(restart.clone(), &domains);
            batch.write(&mut target).unwrap();
            batch.add(start.clone(), &domains);
            assert_eq!(batch.finish(&mut target).unwrap().ended_by_restarts, ended);
        }
    }
}
