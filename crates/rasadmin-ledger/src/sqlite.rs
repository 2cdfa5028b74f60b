//! The ledger on SQLite: one file in WAL mode, several processes at once.

mod deadline;
mod import;
mod meter;
mod project;
mod records;
mod statements;
mod trim;

pub use meter::{Logged, Meter, Work};
pub(crate) use records::load;
pub use records::{Batch, Records};
pub(crate) use statements::Statements;

use crate::{Away, AwayKind};
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The schema's version: `PRAGMA user_version`.
pub const VERSION: i64 = 4;

/// What to do with one that is damaged.
const REMEDY: &str = "move the ledger away and restart Remote Access to begin a new one";

/// What is in a new ledger.
const SCHEMA: &str = include_str!("schema.sql");

/// Windows' and Unix's file locks do not see each other, so a ledger belongs to processes of one platform.
pub(super) const PLATFORM: &str = if cfg!(windows) { "windows" } else { "unix" };

/// May the file be made if it is not there?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Create {
    /// Yes: no session of this server can be alive.
    Yes,
    /// No: a ledger that vanished took its leases along, and a new one would give their addresses away.
    No,
}

/// An open ledger.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    path: PathBuf,
    /// The level of `PRAGMA synchronous` that is set: one connection that toggles it is quicker than two.
    full: bool,
    durable: bool,
    meter: Option<Meter>,
    #[cfg(unix)]
    file: (u64, u64),
}

impl Sqlite {
    /// Opens the ledger, makes its tables if it is new, and checks that it is ours. `durable`: durable transactions are
    /// synced.
    pub fn open(path: &Path, create: Create, durable: bool, deadline: Instant) -> Result<Self, Away> {
        loop {
            match Self::try_open(path, create, durable, deadline) {
                // Where SQLite sees a deadlock coming (several that make a new file's WAL at once) it asks no busy handler.
                Err(away) if away.kind == AwayKind::Locked && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                opened => return opened,
            }
        }
    }

    fn try_open(path: &Path, create: Create, durable: bool, deadline: Instant) -> Result<Self, Away> {
        if path.is_dir() {
            return Err(away(AwayKind::Missing, path, "a directory stands in the ledger's place"));
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        if create == Create::Yes
            && !folder.as_os_str().is_empty()
            && let Err(e) = std::fs::create_dir_all(folder)
        {
            return Err(away(AwayKind::Missing, path, format!("its folder cannot be made: {e}")));
        }
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        flags.set(OpenFlags::SQLITE_OPEN_CREATE, create == Create::Yes);
        let _guard = deadline::until(deadline);
        let connection = Connection::open_with_flags(path, flags).map_err(|e| error(path, &e))?;
        let mut ledger = Self {
            connection,
            path: path.to_owned(),
            full: false,
            durable,
            meter: None,
            #[cfg(unix)]
            file: (0, 0),
        };
        ledger.prepare().map_err(|e| error(path, &e))?;
        ledger.check()?;
        #[cfg(unix)]
        {
            ledger.file = identity(path).ok_or_else(|| away(AwayKind::Missing, path, "it is not there"))?;
        }
        Ok(ledger)
    }

    fn prepare(&mut self) -> rusqlite::Result<()> {
        // What is deleted is overwritten: names go out of the file with `purge`, and with the records of a checkpoint.
        self.connection.busy_handler(Some(deadline::wait))?;
        self.connection.set_prepared_statement_cache_capacity(128);
        self.connection.pragma_update(None, "journal_mode", "WAL")?;
        self.connection.execute_batch(
            "PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864;
             PRAGMA cache_size = -8192; PRAGMA secure_delete = ON",
        )
    }

    /// A new one's tables are made in one transaction, so that of two processes that start together one does it.
    fn check(&mut self) -> Result<(), Away> {
        let path = self.path.clone();
        let failed = |e: rusqlite::Error| error(&path, &e);
        let version = |c: &Connection| c.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
        if version(&self.connection).map_err(failed)? != VERSION {
            self.connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
            let now = version(&self.connection).map_err(failed)?;
            let done = if now == VERSION { Ok(()) } else { self.make(now) };
            self.connection.execute_batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" }).map_err(failed)?;
            done?;
        }
        let platform: String = self
            .connection
            .query_row("SELECT value FROM about WHERE key = 'platform'", [], |row| row.get(0))
            .map_err(failed)?;
        match foreign(VERSION, &platform) {
            None => Ok(()),
            Some(what) => Err(away(AwayKind::Foreign, &path, what)),
        }
    }

    fn make(&self, version: i64) -> Result<(), Away> {
        let failed = |e: rusqlite::Error| error(&self.path, &e);
        let tables = "SELECT count(*) FROM sqlite_schema";
        let tables: i64 = self.connection.query_row(tables, [], |row| row.get(0)).map_err(failed)?;
        if version < 0 || (version == 0 && tables > 0) {
            return Err(away(AwayKind::Foreign, &self.path, "it is another program's SQLite database"));
        }
        if let Some(what) = foreign(version, PLATFORM).filter(|_| version != 0) {
            return Err(away(AwayKind::Foreign, &self.path, what));
        }
        self.connection.execute_batch(SCHEMA).map_err(failed)?;
        self.connection.execute("INSERT INTO about VALUES ('platform', ?1)", [PLATFORM]).map_err(failed)?;
        self.connection.pragma_update(None, "user_version", VERSION).map_err(failed)
    }

    /// From now on the work of the statements is added up; answers what was done since this was called last.
    pub fn work(&mut self) -> Work {
        self.meter.get_or_insert_default().take()
    }

    /// From now on the statements are noted; answers what was run since this was called last.
    pub fn logged(&mut self) -> Vec<Logged> {
        self.meter.get_or_insert_default().logged()
    }

    /// A transaction of statements that are not a callback's; the number that `work` answers.
    pub(super) fn maintain(
        &mut self,
        deadline: Instant,
        work: &mut dyn FnMut(&Connection) -> rusqlite::Result<u64>,
    ) -> Result<u64, Away> {
        let path = self.path.clone();
        let failed = |e: rusqlite::Error| error(&path, &e);
        let _guard = deadline::until(deadline);
        self.sync_level(false).map_err(failed)?;
        let transaction =
            rusqlite::Transaction::new_unchecked(&self.connection, rusqlite::TransactionBehavior::Immediate)
                .map_err(failed)?;
        let done = work(&transaction).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(done)
    }

    /// The first row of a query.
    pub(super) fn find<T>(
        &self,
        sql: &str,
        values: &[&dyn rusqlite::ToSql],
        read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Away> {
        self.statements().one(sql, values, read)
    }

    /// The servers that have records in it.
    pub(super) fn servers(&self) -> Result<Vec<rasadmin_engine::Name>, Away> {
        let mut servers = Vec::new();
        let sql = "SELECT server FROM journal UNION SELECT server FROM checkpoints ORDER BY 1";
        self.statements().each(sql, &[], &mut |row| {
            servers.push(rasadmin_engine::Name::from_stored(row.get(0)?));
            Ok(true)
        })?;
        Ok(servers)
    }

    /// The write-ahead log still has what was deleted: it goes into the file, and is cut, if nobody is reading.
    pub(super) fn shrink_log(&mut self) {
        let _guard = deadline::until(Instant::now() + Duration::from_secs(1));
        // If it cannot be now, the next checkpoints do it.
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }

    /// Copies it to a new file, which is checked and on disk when this returns.
    pub(super) fn copy_to(&mut self, to: &Path) -> Result<(), Away> {
        if to.exists() {
            return Err(away(AwayKind::Other, to, "it is there already, and is not overwritten: name a new file"));
        }
        let Some(name) = to.to_str() else {
            return Err(away(AwayKind::Other, to, "its name is not valid Unicode: name another file"));
        };
        // In one read transaction: what is committed meanwhile is not in it.
        self.connection.execute("VACUUM INTO ?1", [name]).map_err(|e| error(to, &e))?;
        let copy = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(|e| error(to, &e))?;
        let answer: String = copy.query_row("PRAGMA quick_check", [], |row| row.get(0)).map_err(|e| error(to, &e))?;
        if answer != "ok" {
            return Err(away(AwayKind::Corrupt, to, format!("the copy is damaged: {answer}")));
        }
        let synced = std::fs::OpenOptions::new().write(true).open(to).and_then(|file| file.sync_all());
        synced.map_err(|e| away(AwayKind::Other, to, format!("it is not safely on disk: {e}")))
    }

    fn sync_level(&mut self, full: bool) -> rusqlite::Result<()> {
        if self.full != full {
            let pragma = if full { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" };
            if let Some(meter) = &self.meter {
                meter.log(pragma, []);
            }
            self.connection.prepare_cached(pragma)?.execute([])?;
            self.full = full;
        }
        Ok(())
    }

    /// On Unix a deleted file goes on living in its open descriptors: what is written there is lost.
    #[cfg(unix)]
    fn is_there(&self) -> Result<(), Away> {
        if identity(&self.path) == Some(self.file) {
            return Ok(());
        }
        Err(away(AwayKind::Missing, &self.path, "it was removed or replaced while the service ran"))
    }

    /// On Windows an open file cannot be deleted.
    #[cfg(not(unix))]
    #[allow(clippy::unused_self)]
    fn is_there(&self) -> Result<(), Away> {
        Ok(())
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|m| (m.dev(), m.ino()))
}

impl Sqlite {
    fn statements(&self) -> Statements<'_> {
        Statements { connection: &self.connection, path: &self.path, meter: self.meter.as_ref() }
    }

    /// Begins a transaction that nobody else writes beside; it is rolled back if it is dropped.
    fn begin(&self) -> Result<Begun<'_>, Away> {
        if !self.connection.is_autocommit() {
            // A call that panicked left one.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        let mut statements = self.statements();
        statements.run("BEGIN IMMEDIATE", &[])?;
        Ok(Begun(statements))
    }
}

/// A transaction.
struct Begun<'l>(Statements<'l>);

impl Begun<'_> {
    fn commit(mut self) -> Result<(), Away> {
        #[cfg(feature = "torture")]
        crate::torture::at(crate::torture::Point::BeforeCommit);
        self.0.run("COMMIT", &[])?;
        #[cfg(feature = "torture")]
        crate::torture::at(crate::torture::Point::Committed);
        Ok(())
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        // After some errors SQLite has rolled back already.
        if !self.0.connection.is_autocommit() {
            let _ = self.0.run("ROLLBACK", &[]);
        }
    }
}

fn away(kind: AwayKind, path: &Path, what: impl std::fmt::Display) -> Away {
    Away { kind, message: format!("{}: {what}", path.display()) }
}

/// Why a ledger of this version and platform is not for this program, if it is not.
pub(super) fn foreign(version: i64, platform: &str) -> Option<String> {
    if version > VERSION {
        return Some(format!("its version is {version}, and this program knows {VERSION}: use the newer rasadmin"));
    }
    if version < VERSION {
        return Some(format!(
            "its version is {version}, which only an older rasadmin reads: move it away, and the next start of Remote Access \
             begins a new one"
        ));
    }
    (platform != PLATFORM).then(|| {
        format!(
            "it belongs to {platform} processes, and this is {PLATFORM}, whose file locks do not reach across: use the \
             rasadmin for {platform}"
        )
    })
}

/// What an error of SQLite means for the ledger.
pub(super) fn error(path: &Path, e: &rusqlite::Error) -> Away {
    let rusqlite::Error::SqliteFailure(ffi::Error { code, .. }, _) = e else {
        return away(AwayKind::Corrupt, path, format!("it does not hold what it should ({e}): {REMEDY}"));
    };
    let (kind, what) = match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            (AwayKind::Locked, "another process has locked it for too long")
        }
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied => {
            (AwayKind::ReadOnly, "it cannot be written: check the rights of the file and its folder")
        }
        ErrorCode::DiskFull => (AwayKind::Full, "the disk is full"),
        ErrorCode::CannotOpen => (AwayKind::Missing, "it cannot be opened: check that its folder is there"),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            return away(AwayKind::Corrupt, path, format!("it is damaged, or not a ledger ({e}): {REMEDY}"));
        }
        _ => (AwayKind::Other, "it cannot be used"),
    };
    away(kind, path, format!("{what} ({e})"))
}
