//! What only SQLite knows, each with the reason why it is needed. As few as possible.

use super::{Statement, declared};

/// A statement that only SQLite understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SqliteOnly {
    name: &'static str,
    text: &'static str,
}

impl declared::Declared for SqliteOnly {}

impl Statement for SqliteOnly {
    fn name(self) -> &'static str {
        self.name
    }

    fn text(self) -> &'static str {
        self.text
    }
}

macro_rules! sqlite_only {
    ($($(#[doc = $why:literal])+ $name:ident = $($part:expr),+;)*) => {
        $($(#[doc = $why])+ pub(crate) const $name: SqliteOnly =
            SqliteOnly { name: stringify!($name), text: concat!($($part),+) };)*
        #[cfg(test)]
        pub(crate) const ALL: &[SqliteOnly] = &[$($name),*];
    };
}

/// The schema's version, as the file keeps it.
macro_rules! version {
    () => {
        5
    };
}

/// The schema's version: `PRAGMA user_version`.
pub(crate) const VERSION: i64 = version!();

sqlite_only! {
    /// The lock for writing is taken at once: a transaction that asks for it later can fail in the middle.
    BEGIN = "BEGIN IMMEDIATE";
    /// How a transaction ends is the connection's business: a client of another database does it by a call.
    COMMIT = "COMMIT";
    /// As [`COMMIT`].
    ROLLBACK = "ROLLBACK";
    /// Readers do not wait for who writes.
    WRITE_AHEAD = "PRAGMA journal_mode = WAL";
    /// What is brought in can be brought in again: its commits need no sync.
    SYNC_LATER = "PRAGMA synchronous = NORMAL";
    /// On disk before the journal may delete its records.
    SYNC_NOW = "PRAGMA synchronous = FULL";
    /// Nothing is written beside the ledger.
    TEMPORARY_IN_MEMORY = "PRAGMA temp_store = MEMORY";
    /// A write-ahead log that has grown is cut.
    LOG_LIMIT = "PRAGMA journal_size_limit = 67108864";
    /// 8 MiB.
    CACHE = "PRAGMA cache_size = -8192";
    /// What is deleted is overwritten: names go out of the file with `purge`, and with the records of a checkpoint.
    OVERWRITE = "PRAGMA secure_delete = ON";
    /// The write-ahead log still has what was deleted.
    EMPTY_LOG = "PRAGMA wal_checkpoint(TRUNCATE)";
    /// The file keeps the schema's version.
    SCHEMA_VERSION = "PRAGMA user_version";
    /// As [`SCHEMA_VERSION`].
    SET_SCHEMA_VERSION = "PRAGMA user_version = ", version!();
    /// Is the file empty, or another program's?
    TABLES = "SELECT count(*) FROM sqlite_schema";
    /// A copy as of now, while others write.
    COPY = "VACUUM INTO :to";
    /// The file's own structure, all of it.
    CHECK = "PRAGMA integrity_check";
    /// The file's own structure, without its indexes.
    QUICK_CHECK = "PRAGMA quick_check(10)";
}
