//! How much work SQLite's statements did, by its own counters: a time would be the machine's, this is ours.

use rusqlite::{Statement, StatementStatus};
use std::cell::Cell;

/// Work done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Steps of the virtual machine.
    pub steps: i64,
    /// Rows that were walked over for want of an index.
    pub scanned: i64,
    /// Sorts for want of an index.
    pub sorts: i64,
    /// Statements.
    pub statements: i64,
}

/// Adds up.
#[derive(Debug, Default)]
pub struct Meter(Cell<Work>);

impl Meter {
    /// What the statement has done since it was read last.
    pub fn read(&self, statement: &Statement<'_>) {
        let work = self.0.get();
        let of = |kind| i64::from(statement.reset_status(kind));
        self.0.set(Work {
            steps: work.steps + of(StatementStatus::VmStep),
            scanned: work.scanned + of(StatementStatus::FullscanStep),
            sorts: work.sorts + of(StatementStatus::Sort),
            statements: work.statements + 1,
        });
    }

    /// What was done since this was asked last.
    pub fn take(&self) -> Work {
        self.0.take()
    }
}
