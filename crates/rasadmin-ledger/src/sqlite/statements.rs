//! How every statement is run.

use super::error;
use crate::Error;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, ToSql};
use std::path::Path;

/// The statements of a connection; each text is prepared once.
#[derive(Clone, Copy)]
pub(crate) struct Statements<'c> {
    pub connection: &'c Connection,
    pub path: &'c Path,
}

/// SQLite's integers are signed: the same bits.
pub(crate) const fn signed(number: u64) -> i64 {
    number.cast_signed()
}

impl Statements<'_> {
    fn with<T>(
        &self,
        sql: &str,
        work: impl FnOnce(&mut CachedStatement<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let done = self.connection.prepare_cached(sql).and_then(|mut statement| work(&mut statement));
        done.map_err(|e| error(self.path, &e))
    }

    /// How many rows it changed.
    pub fn run(&mut self, sql: &str, values: &[(&str, &dyn ToSql)]) -> Result<usize, Error> {
        self.with(sql, |statement| statement.execute(values))
    }

    /// Its first row, if there is one.
    pub fn one<T>(
        &mut self,
        sql: &str,
        values: &[&dyn ToSql],
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Error> {
        self.with(sql, |statement| statement.query_row(values, read).optional())
    }

    /// Every row.
    pub fn all<T>(
        &mut self,
        sql: &str,
        values: &[&dyn ToSql],
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Error> {
        self.with(sql, |statement| statement.query_map(values, read)?.collect())
    }
}
