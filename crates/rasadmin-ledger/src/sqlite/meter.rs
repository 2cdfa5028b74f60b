//! How much work SQLite's statements did, by its own counters: a time would be the machine's, this is ours.

use rusqlite::types::{ToSqlOutput, Value};
use rusqlite::{Statement, StatementStatus, ToSql};
use std::cell::{Cell, RefCell};

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

/// A statement as it was run: what a benchmark needs to run the very same one without us.
#[derive(Clone, Debug, PartialEq)]
pub struct Logged {
    /// Its text.
    pub sql: String,
    /// What was bound: by name, or in order.
    pub values: Vec<(Option<String>, Value)>,
}

/// Adds up, and notes.
#[derive(Debug, Default)]
pub struct Meter(Cell<Work>, RefCell<Vec<Logged>>);

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

    /// Notes a statement that is about to run.
    pub fn log<'a>(&self, sql: &str, values: impl IntoIterator<Item = (Option<&'a str>, &'a dyn ToSql)>) {
        let value = |value: &dyn ToSql| match value.to_sql() {
            Ok(ToSqlOutput::Owned(value)) => value,
            Ok(ToSqlOutput::Borrowed(value)) => value.into(),
            _ => Value::Null,
        };
        let values = values.into_iter().map(|(name, bound)| (name.map(str::to_owned), value(bound))).collect();
        self.1.borrow_mut().push(Logged { sql: sql.to_owned(), values });
    }

    /// What was done since this was asked last.
    pub fn take(&self) -> Work {
        self.0.take()
    }

    /// What was run since this was asked last.
    pub fn logged(&self) -> Vec<Logged> {
        self.1.take()
    }
}
