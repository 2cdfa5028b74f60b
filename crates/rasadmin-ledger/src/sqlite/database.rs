//! The only access to the database. Every statement runs through here, and only statements of
//! [`queries`](crate::queries) do.

use super::deadline;
use super::row::{ColumnError, Row};
use crate::queries::sqlite_only::{self, BEGIN, COMMIT, ROLLBACK, SqliteOnly};
use crate::queries::{self, Statement};
use crate::value::{Values, values};
use crate::{Error, ErrorKind, interrupt};
use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags, ffi};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What to do with a damaged ledger.
const REMEDY: &str = "restore a backup; or move it away, and the next command makes a new one from the journal";

/// The tables of a new ledger.
const SCHEMA: &str = include_str!("../schema.sql");

/// The number of statements that stay prepared.
const PREPARED: usize = 128;

/// After about so many steps, a statement looks whether it must stop.
const STEPS: i32 = 10_000;

/// An open database. Each statement is prepared once.
#[derive(Debug)]
pub(crate) struct Database {
    connection: Connection,
    path: PathBuf,
}

/// Why a statement failed.
enum Failed {
    Database(rusqlite::Error),
    Row(ColumnError),
}

impl From<rusqlite::Error> for Failed {
    fn from(e: rusqlite::Error) -> Self {
        Self::Database(e)
    }
}

impl From<ColumnError> for Failed {
    fn from(e: ColumnError) -> Self {
        Self::Row(e)
    }
}

/// How to open a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// For reading, by its path.
    Read,
    /// For reading, by a URI.
    ReadByUri,
    Write,
    /// For writing. A missing file is created.
    Make,
}

impl Access {
    const fn flags(self) -> OpenFlags {
        match self {
            Self::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
            Self::ReadByUri => OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_URI),
            Self::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
            Self::Make => OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_CREATE),
        }
    }
}

impl Database {
    /// Opens a file by a name, which can differ from its path.
    pub fn open(path: &Path, name: &Path, access: Access) -> Result<Self, Error> {
        let flags = access.flags() | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(name, flags).map_err(|e| error(path, &e))?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        connection.progress_handler(STEPS, Some(interrupt::requested));
        Ok(Self { connection, path: path.to_owned() })
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for locks until the [deadline](deadline::until) of the thread.
    pub fn wait_until_deadline(&self) -> Result<(), Error> {
        self.connection.busy_handler(Some(deadline::wait)).map_err(|e| error(&self.path, &e))
    }

    /// Waits for locks for up to this time.
    pub fn wait_for(&self, time: Duration) -> Result<(), Error> {
        self.connection.busy_timeout(time).map_err(|e| error(&self.path, &e))
    }

    /// Creates the tables of a new ledger.
    pub fn make_tables(&self) -> Result<(), Error> {
        self.connection.execute_batch(SCHEMA).map_err(|e| error(&self.path, &e))
    }

    fn with<T>(
        &self,
        what: impl Statement,
        values: &Values<'_>,
        work: impl FnOnce(&mut CachedStatement<'_>) -> Result<T, Failed>,
    ) -> Result<T, Error> {
        let done = || {
            let mut statement = self.connection.prepare_cached(what.text())?;
            bind(&mut statement, values)?;
            work(&mut statement)
        };
        done().map_err(|failed| match failed {
            Failed::Database(e) => error(&self.path, &e),
            Failed::Row(ColumnError(why)) => column_error(&self.path, format_args!("{}, {why}", what.name())),
        })
    }

    /// Runs a statement. Returns the number of changed rows.
    pub fn run(&self, what: impl Statement, values: &Values<'_>) -> Result<usize, Error> {
        let changed = self.with(what, values, |statement| Ok(statement.raw_execute()?))?;
        #[cfg(test)]
        crate::tests::statement_log::changed(what, values, changed);
        Ok(changed)
    }

    /// Calls `each` for every row.
    pub fn each(
        &self,
        what: impl Statement,
        values: &Values<'_>,
        mut each: impl FnMut(&Row<'_>) -> Result<(), ColumnError>,
    ) -> Result<(), Error> {
        self.with(what, values, |statement| {
            let mut rows = Rows::of(statement, what, values);
            while let Some(row) = rows.next()? {
                each(&row)?;
            }
            Ok(())
        })
    }

    /// Returns every row.
    pub fn all<T>(
        &self,
        what: impl Statement,
        values: &Values<'_>,
        mut read: impl FnMut(&Row<'_>) -> Result<T, ColumnError>,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        self.each(what, values, |row| {
            all.push(read(row)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// Returns the first row, if there is one.
    pub fn one<T>(
        &self,
        what: impl Statement,
        values: &Values<'_>,
        read: impl FnOnce(&Row<'_>) -> Result<T, ColumnError>,
    ) -> Result<Option<T>, Error> {
        self.with(what, values, |statement| {
            let mut rows = Rows::of(statement, what, values);
            Ok(rows.next()?.map(|row| read(&row)).transpose()?)
        })
    }

    /// Begins a transaction during which nobody else writes. It is rolled back if it is dropped.
    pub fn begin(&self) -> Result<Transaction<'_>, Error> {
        if !self.connection.is_autocommit() {
            // A panic left a transaction open.
            let _ = self.set(ROLLBACK);
        }
        self.set(BEGIN)?;
        Ok(Transaction(self))
    }

    /// Runs a statement that changes no row, and ignores its result.
    pub fn set(&self, what: SqliteOnly) -> Result<(), Error> {
        self.each(what, &[], |_| Ok(()))
    }

    /// Copies the database to a new file of this name.
    pub fn copy(&self, to: &str) -> Result<(), Error> {
        // Errors are about the new file.
        let copied = self.connection.execute(sqlite_only::COPY.text(), [(":to", to)].as_slice());
        copied.map(drop).map_err(|e| error(Path::new(to), &e))
    }

    /// Checks the file. Returns what is wrong with it; nothing if all is well.
    pub fn damage(&self, check: SqliteOnly) -> Result<Vec<String>, Error> {
        let mut found = self.all(check, &[], |row| row.get::<String>(0))?;
        found.retain(|line| line != "ok");
        Ok(found)
    }

    /// Reads a value of the table `about`.
    pub fn about(&self, key: &str) -> Result<String, Error> {
        let found = self.one(queries::ABOUT, values! { key: key }, |row| row.get(0))?;
        found.ok_or_else(|| column_error(&self.path, format_args!("its {key} is missing")))
    }

    /// The schema's version; 0 if there is none.
    pub fn version(&self) -> Result<i64, Error> {
        Ok(self.one(sqlite_only::SCHEMA_VERSION, &[], |row| row.get(0))?.unwrap_or(0))
    }
}

/// The rows of a result.
struct Rows<'s>(rusqlite::Rows<'s>);

impl<'s> Rows<'s> {
    #[cfg_attr(not(test), allow(unused_variables))]
    fn of(statement: &'s mut CachedStatement<'_>, what: impl Statement, values: &Values<'_>) -> Self {
        #[cfg(test)]
        crate::tests::statement_log::asked(what, values);
        Self(statement.raw_query())
    }

    fn next(&mut self) -> Result<Option<Row<'_>>, Failed> {
        let Some(row) = self.0.next()? else { return Ok(None) };
        #[cfg(test)]
        crate::tests::statement_log::row((0..row.as_ref().column_count()).map(|at| super::row::value(row, at)));
        Ok(Some(Row(row)))
    }
}

fn bind(statement: &mut CachedStatement<'_>, values: &Values<'_>) -> rusqlite::Result<()> {
    let wanted = statement.parameter_count();
    if wanted != values.len() {
        return Err(rusqlite::Error::InvalidParameterCount(values.len(), wanted));
    }
    for (index, (name, value)) in values.iter().enumerate() {
        // Most values stand in the order of the statement. To look a name up costs a comparison with each.
        let expected = index + 1;
        let at = match statement.parameter_name(expected) {
            Some(there) if there == *name => Some(expected),
            _ => statement.parameter_index(name)?,
        };
        let at = at.ok_or_else(|| rusqlite::Error::InvalidParameterName((*name).to_owned()))?;
        statement.raw_bind_parameter(at, value)?;
    }
    Ok(())
}

/// A transaction.
pub(crate) struct Transaction<'d>(&'d Database);

impl Transaction<'_> {
    /// Commits the transaction.
    pub fn commit(self) -> Result<(), Error> {
        self.0.set(COMMIT)
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        // After a commit, and after some errors, there is no transaction.
        if !self.0.connection.is_autocommit() {
            let _ = self.0.set(ROLLBACK);
        }
    }
}

fn column_error(path: &Path, why: impl Display) -> Error {
    Error::new(ErrorKind::Corrupt, path, format!("it does not contain what it should ({why}): {REMEDY}"))
}

/// Classifies an error of SQLite.
fn error(path: &Path, e: &rusqlite::Error) -> Error {
    let rusqlite::Error::SqliteFailure(ffi::Error { code, .. }, _) = e else { return column_error(path, e) };
    let (kind, what) = match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            (ErrorKind::Locked, "another process has locked it for too long")
        }
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied => {
            (ErrorKind::ReadOnly, "it cannot be written: check the rights of the file and its folder")
        }
        ErrorCode::OperationInterrupted => (ErrorKind::Interrupted, "it was left, because this process stops"),
        ErrorCode::DiskFull => (ErrorKind::Full, "the disk is full"),
        ErrorCode::CannotOpen => (ErrorKind::Missing, "it cannot be opened: check that its folder is there"),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            return Error::new(ErrorKind::Corrupt, path, format!("it is damaged, or not a ledger ({e}): {REMEDY}"));
        }
        _ => (ErrorKind::Other, "it cannot be used"),
    };
    Error::new(kind, path, format!("{what} ({e})"))
}
