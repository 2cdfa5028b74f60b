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

/// Those that are written at once.
#[derive(Default)]
pub struct Batch {
    sessions: Vec<ImportedSession>,
    refusals: Vec<ImportedRefusal>,
    restarts: Vec<ImportedRestart>,
    bytes: usize,
    pub done: Done,
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
                self.bytes += size_of::<ImportedRestart>() + restart.server.as_str().len();
                self.restarts.push(restart);
            }
        }
    }

    /// Is it time to write them?
    pub fn is_full(&self) -> bool {
        self.bytes >= FULL
    }

    /// Writes, or compares, all that were added. A restart ends only what is in the ledger, so it comes last.
    pub fn write(&mut self, target: &mut Target) -> Result<()> {
        let (sessions, refusals) = (&self.sessions, &self.refusals);
        let new = |new: usize| ImportCounts { new: new as u64, ..ImportCounts::default() };
        let (of_sessions, of_refusals) = match target {
            Target::Ledger(ledger) => {
                let counts = (ledger.import(sessions, WAIT)?, ledger.import_refusals(refusals, WAIT)?);
                self.done.ended_by_restarts += ledger.import_restarts(&self.restarts, WAIT)?;
                counts
            }
            Target::Compare(Some(reader)) => (reader.compare(sessions)?, reader.compare_refusals(refusals)?),
            Target::Compare(None) => {
                (new(sessions.iter().filter(|session| !session.continued).count()), new(refusals.len()))
            }
        };
        self.done.sessions += of_sessions;
        self.done.refusals += of_refusals;
        self.sessions.clear();
        self.refusals.clear();
        self.restarts.clear();
        self.bytes = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rasadmin_history::logs::{Joiner, Reader as LogReader};

    /// How many sessions of users with names of this length are written at once.
    fn at_once(length: usize) -> usize {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("IN.log");
        let user = "x".repeat(length);
        let stop = format!(
            "\"VPN1\",\"RAS\",06/18/2024,14:45:48,4,\"{user}\",,,,,,\"VPN1\",,,,,,1718718348,,5,,,,,,,,,,,,2,,,,7\r\n"
        );
        std::fs::write(&file, stop).unwrap();
        let (mut items, mut reader) = (Vec::new(), LogReader::open(&file, None).unwrap().unwrap());
        let mut joiner = Joiner::new();
        while let Some((_, record)) = reader.read().unwrap() {
            joiner.push(&record.unwrap(), reader.format(), &mut items).unwrap();
        }
        joiner.finish(&mut items);
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
}
