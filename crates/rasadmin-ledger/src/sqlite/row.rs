//! Conversion of values and rows for SQLite.

use crate::value::{Column, Value};
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};
use std::fmt::Display;

/// A row of a result.
pub(crate) struct Row<'r>(pub(super) &'r rusqlite::Row<'r>);

/// Why a column cannot be read.
#[derive(Debug)]
pub(crate) struct ColumnError(pub(super) String);

impl Row<'_> {
    /// Reads a column, counted from 0.
    pub fn get<T: Column>(&self, at: usize) -> Result<T, ColumnError> {
        match T::of(value(self.0, at)?) {
            Some(value) => Ok(value),
            None => Err(ColumnError::new(at, format_args!("{:?}", value(self.0, at)?))),
        }
    }
}

impl ColumnError {
    /// Makes an error for a column, counted from 0.
    pub fn new(at: usize, what: impl Display) -> Self {
        Self(format!("column {}: {what}", at + 1))
    }
}

pub(super) fn value<'r>(row: &'r rusqlite::Row<'_>, at: usize) -> Result<Value<'r>, ColumnError> {
    match row.get_ref(at).map_err(|e| ColumnError::new(at, e))? {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Integer(number)),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Ok(text.into()),
            Err(e) => Err(ColumnError::new(at, e)),
        },
        ValueRef::Real(number) => Err(ColumnError::new(at, number)),
        ValueRef::Blob(_) => Err(ColumnError::new(at, "bytes")),
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}
