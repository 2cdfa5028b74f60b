//! Statements that only SQLite understands, each with the reason why it is needed. There should be as few as possible.

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

/// The schema's version, as the file stores it.
macro_rules! version {
    () => {
        9
    };
}

/// The schema's version: `PRAGMA user_version`.
pub(crate) const VERSION: i64 = version!();

sqlite_only! {
    /// Takes the lock for writing at once: a transaction that asks for it later can fail in the middle.
    BEGIN = "BEGIN IMMEDIATE";
    /// The connection ends a transaction; clients of other databases have a call for it.
    COMMIT = "COMMIT";
    /// As [`COMMIT`].
    ROLLBACK = "ROLLBACK";
    /// Readers do not wait for writers.
    WRITE_AHEAD = "PRAGMA journal_mode = WAL";
    /// What was ingested can be ingested again, so commits need no sync.
    SYNC_LATER = "PRAGMA synchronous = NORMAL";
    /// On disk before the journal may delete its records.
    SYNC_NOW = "PRAGMA synchronous = FULL";
    /// Temporary data is never written beside the ledger.
    TEMPORARY_IN_MEMORY = "PRAGMA temp_store = MEMORY";
    /// A large write-ahead log is truncated.
    LOG_LIMIT = "PRAGMA journal_size_limit = 67108864";
    /// 8 MiB.
    CACHE = "PRAGMA cache_size = -8192";
    /// 24 MiB: a session of an import changes one page of each index, and none of them is its neighbour's.
    IMPORT_CACHE = "PRAGMA cache_size = -24576";
    /// Changes when another connection has written.
    DATA_VERSION = "PRAGMA data_version";
    /// Deleted data is overwritten, so that `purge` removes names from the file.
    OVERWRITE = "PRAGMA secure_delete = ON";
    /// Empties the write-ahead log, which still has deleted data.
    EMPTY_LOG = "PRAGMA wal_checkpoint(TRUNCATE)";
    /// Stores the schema's version in the file.
    SCHEMA_VERSION = "PRAGMA user_version";
    /// As [`SCHEMA_VERSION`].
    SET_SCHEMA_VERSION = "PRAGMA user_version = ", version!();
    /// From version 6.
    ADD_ADOPTED = "ALTER TABLE sessions ADD COLUMN adopted INTEGER NOT NULL DEFAULT 0";
    /// From version 6.
    ADD_DISCONNECT = "ALTER TABLE sessions ADD COLUMN disconnect TEXT";
    /// From version 6.
    ADD_DISCONNECT_TIME = "ALTER TABLE sessions ADD COLUMN disconnect_time INTEGER";
    /// From version 6.
    ADD_DISCONNECT_WHY = "ALTER TABLE sessions ADD COLUMN disconnect_why TEXT";
    /// From version 6.
    ADD_DISCONNECT_RULE = "ALTER TABLE sessions ADD COLUMN disconnect_rule TEXT";
    /// From version 6.
    ADD_DISCONNECT_REASON = "ALTER TABLE sessions ADD COLUMN disconnect_reason TEXT";
    /// From version 6.
    ADD_DISCONNECT_BY = "ALTER TABLE sessions ADD COLUMN disconnect_by TEXT";
    /// From version 6.
    INDEX_DISCONNECT = "CREATE INDEX sessions_disconnect ON sessions (disconnect_time) WHERE disconnect IS NOT NULL";
    /// From version 7.
    INDEX_RULES = "CREATE INDEX decisions_rule ON decisions (rule, time, id, outcome, refusal, imported)";
    /// From version 7.
    INDEX_DENIED_USERS = "CREATE INDEX decisions_denied_user ON decisions (name, domain, time) WHERE outcome = 'deny'";
    /// From version 8.
    ADD_SESSION_OCTETS = "CREATE TABLE session_octets (session INTEGER NOT NULL, time INTEGER NOT NULL,
        input_octets INTEGER NOT NULL, output_octets INTEGER NOT NULL, PRIMARY KEY (session, time)) WITHOUT ROWID";
    /// Is the file empty, or another program's?
    TABLES = "SELECT count(*) FROM sqlite_schema";
    /// Copies the current state while others write.
    COPY = "VACUUM INTO :to";
    /// Checks the whole structure of the file.
    CHECK = "PRAGMA integrity_check";
    /// Checks the structure of the file without its indexes.
    QUICK_CHECK = "PRAGMA quick_check(10)";
}

/// The versions that are upgraded when a ledger is opened for writing, and what makes a file of each one of the next.
pub(crate) const UPGRADES: [(i64, &[SqliteOnly]); 3] = [
    (
        6,
        &[
            ADD_ADOPTED,
            ADD_DISCONNECT,
            ADD_DISCONNECT_TIME,
            ADD_DISCONNECT_WHY,
            ADD_DISCONNECT_RULE,
            ADD_DISCONNECT_REASON,
            ADD_DISCONNECT_BY,
            INDEX_DISCONNECT,
        ],
    ),
    (7, &[INDEX_RULES, INDEX_DENIED_USERS]),
    (8, &[ADD_SESSION_OCTETS]),
];
