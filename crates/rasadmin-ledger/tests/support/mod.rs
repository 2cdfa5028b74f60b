//! A recorder on a scratch journal, and a ledger made from it.
#![allow(dead_code, clippy::unwrap_used)]

pub mod imported;
pub mod rows;
#[path = "../../../rasadmin-recorder/tests/support/scene.rs"]
mod scene;

use rasadmin_engine::config::Config;
use rasadmin_engine::counters::Counted;
use rasadmin_engine::event::{Look, Reading};
use rasadmin_engine::{Event, Name, Record};
use rasadmin_journal::{Guard, Journal, Options};
use rasadmin_ledger::ingest::IngestSummary;
use rasadmin_ledger::sqlite::{Create, Sqlite};
use rasadmin_recorder::admin::AdminJournal;
use rasadmin_recorder::present;
pub use scene::*;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

impl Scene {
    /// The ledger, updated from the journal.
    pub fn ledger(&self) -> PathBuf {
        self.ingest();
        self.config.ledger.clone()
    }

    pub fn ingest(&self) -> IngestSummary {
        ingest(&self.config)
    }

    /// One value from the ledger, as text.
    pub fn ask(&self, sql: &str) -> String {
        ask(&self.ledger(), sql)
    }

    pub fn tool(&self) -> AdminJournal {
        AdminJournal::open(&self.config.journal, &self.config).unwrap().unwrap()
    }

    /// Records an administrator's event.
    pub fn record(&self, event: Event) {
        self.tool().record(&self.now(), |_| ((), Some(event))).unwrap().unwrap();
    }

    /// The service reads the counters of a live session.
    pub fn look(&self, handle: u64, usage: rasadmin_engine::effect::Usage) {
        let now = self.now();
        self.tool()
            .record(&now, |state| {
                let session = state.by_handle(handle).unwrap().id;
                let counted = state.counted(session);
                let counted =
                    counted.map_or_else(|| Counted::first(&usage, now.at.mono), |c| c.then(&usage, now.at.mono));
                let read = vec![Reading { session, counted, alive: None }];
                ((), Some(Event::Look(Look { begun: now.at, read, ..Look::default() })))
            })
            .unwrap()
            .unwrap();
    }

    /// Writes a checkpoint.
    pub fn checkpoint(&self) {
        let present = present::read(&self.config.journal).unwrap().unwrap();
        present::write_checkpoint(&self.config.journal, &present).unwrap();
    }

    /// Appends bytes, which need not be a record.
    pub fn append_bytes(&self, payload: &[u8]) {
        let journal = journal(&self.config);
        let mut guard = journal.lock(soon()).unwrap();
        guard.catch_up(|_| {}).unwrap();
        guard.append(&[payload]).unwrap();
    }
}

/// Opens the journal of a configuration as another process does.
pub fn journal(config: &Config) -> Journal {
    Journal::open(&config.journal, Options { durable: false, ..Options::default() }, soon()).unwrap()
}

pub fn append(guard: &mut Guard<'_>, record: &Record) {
    guard.append(&[&rasadmin_recorder::encode(record).unwrap()]).unwrap();
}

/// Ingests a configuration's journal into its ledger.
pub fn ingest(config: &Config) -> IngestSummary {
    let mut ledger = Sqlite::open(&config.ledger, Create::Yes, false, soon()).unwrap();
    ledger.ingest(&config.journal, &Name::new("VPN1"), &mut |_| {}).unwrap()
}

/// Queries a ledger. Rows are separated by `; `, columns by a space.
pub fn ask(path: &Path, sql: &str) -> String {
    let ledger = rusqlite::Connection::open(path).unwrap();
    let mut statement = ledger.prepare(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    let columns = statement.column_count();
    let found = statement.query_map([], |row| rows::text(row, columns)).unwrap();
    found.map(Result::unwrap).collect::<Vec<_>>().join("; ")
}

/// Everything in a ledger except its own name and the time of the last update.
pub fn dump(path: &Path) -> Vec<String> {
    rows::rows(path).unwrap()
}
