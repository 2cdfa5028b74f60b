//! How every statement is run.

use super::error;
use super::meter::Meter;
use crate::Away;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, ToSql};
use std::path::Path;

/// The statements of a connection.
#[derive(Clone, Copy)]
pub(crate) struct Statements<'c> {
    pub connection: &'c Connection,
    pub path: &'c Path,
    pub meter: Option<&'c Meter>,
}

/// SQLite's integers are signed: the same bits.
pub(super) fn signed(number: u64) -> i64 {
    number.cast_signed()
}

impl Statements<'_> {
    fn with<T>(
        &self,
        sql: &str,
        work: impl FnOnce(&mut CachedStatement<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Away> {
        let done = self.connection.prepare_cached(sql).and_then(|mut statement| {
            let done = work(&mut statement);
            if let Some(meter) = self.meter {
                meter.read(&statement);
            }
            done
        });
        done.map_err(|e| error(self.path, &e))
    }

    /// How many rows it changed.
    pub fn run(&mut self, sql: &str, values: &[(&str, &dyn ToSql)]) -> Result<usize, Away> {
        if let Some(meter) = self.meter {
            meter.log(sql, values.iter().map(|&(name, value)| (Some(name), value)));
        }
        self.with(sql, |statement| statement.execute(values))
    }

    /// Its first row, if there is one.
    pub fn one<T>(
        &mut self,
        sql: &str,
        values: &[&dyn ToSql],
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Away> {
        if let Some(meter) = self.meter {
            meter.log(sql, values.iter().map(|&value| (None, value)));
        }
        self.with(sql, |statement| statement.query_row(values, read).optional())
    }

    /// Every row, one after the other, until `each` says false or fails.
    pub fn each(
        &mut self,
        sql: &str,
        values: &[&dyn ToSql],
        each: &mut dyn FnMut(&Row<'_>) -> rusqlite::Result<bool>,
    ) -> Result<(), Away> {
        if let Some(meter) = self.meter {
            meter.log(sql, values.iter().map(|&value| (None, value)));
        }
        self.with(sql, |statement| {
            let mut rows = statement.query(values)?;
            while let Some(row) = rows.next()? {
                if !each(row)? {
                    break;
                }
            }
            Ok(())
        })
    }
}
