//! The ledger on SQLite: one file in WAL mode, several processes at once.

mod deadline;
mod import;
mod project;
mod statements;

pub(crate) use project::Projection;
pub(crate) use statements::{Statements, signed};

use crate::{Error, ErrorKind};
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The schema's version: `PRAGMA user_version`.
pub const VERSION: i64 = 5;

/// What to do with one that is damaged.
const REMEDY: &str = "restore a backup; or move it away, and the next command makes a new one from the journal";

/// What is in a new ledger.
const SCHEMA: &str = include_str!("schema.sql");

/// Windows' and Unix's file locks do not see each other, so a ledger belongs to processes of one platform.
pub(super) const PLATFORM: &str = if cfg!(windows) { "windows" } else { "unix" };

/// May the file be made if it is not there?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Create {
    /// Yes: what the journal has comes in again.
    Yes,
    /// No: what is to be done is of use only to one that is there.
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
    #[cfg(unix)]
    file: (u64, u64),
}

impl Sqlite {
    /// Opens the ledger, makes its tables if it is new, and checks that it is ours. `durable`: what was brought in is
    /// synced before the journal is told so.
    ///
    /// # Errors
    ///
    /// If it cannot be opened for writing: then [`Reader`](crate::report::Reader) may still read it.
    pub fn open(path: &Path, create: Create, durable: bool, deadline: Instant) -> Result<Self, Error> {
        loop {
            match Self::try_open(path, create, durable, deadline) {
                // Where SQLite sees a deadlock coming (several that make a new file's WAL at once) it asks no busy
                // handler.
                Err(e) if e.kind == ErrorKind::Locked && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                opened => return opened,
            }
        }
    }

    fn try_open(path: &Path, create: Create, durable: bool, deadline: Instant) -> Result<Self, Error> {
        if path.is_dir() {
            return Err(Error::new(ErrorKind::Missing, path, "there is a folder in the ledger's place: move it away"));
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        if create == Create::Yes
            && !folder.as_os_str().is_empty()
            && let Err(e) = std::fs::create_dir_all(folder)
        {
            return Err(Error::new(ErrorKind::Missing, path, format!("its folder cannot be made: {e}")));
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
            #[cfg(unix)]
            file: (0, 0),
        };
        ledger.prepare().map_err(|e| error(path, &e))?;
        ledger.check()?;
        #[cfg(unix)]
        {
            ledger.file = identity(path).ok_or_else(|| Error::new(ErrorKind::Missing, path, "it is not there"))?;
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
    fn check(&mut self) -> Result<(), Error> {
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
        let platform = self.about("platform")?;
        match foreign(VERSION, &platform) {
            None => Ok(()),
            Some(what) => Err(Error::new(ErrorKind::Foreign, &path, what)),
        }
    }

    fn make(&self, version: i64) -> Result<(), Error> {
        let failed = |e: rusqlite::Error| error(&self.path, &e);
        let tables = "SELECT count(*) FROM sqlite_schema";
        let tables: i64 = self.connection.query_row(tables, [], |row| row.get(0)).map_err(failed)?;
        if version < 0 || (version == 0 && tables > 0) {
            return Err(Error::new(
                ErrorKind::Foreign,
                &self.path,
                "it is another program's SQLite database: name another file",
            ));
        }
        if let Some(what) = foreign(version, PLATFORM).filter(|_| version != 0) {
            return Err(Error::new(ErrorKind::Foreign, &self.path, what));
        }
        self.connection.execute_batch(SCHEMA).map_err(failed)?;
        let random = rasadmin_recorder::random().map_err(|e| Error::new(ErrorKind::Other, &self.path, e))?;
        let own = uuid::Builder::from_random_bytes(random).into_uuid().to_string();
        let about = "INSERT INTO about VALUES ('platform', ?1), ('ledger', ?2)";
        self.connection.execute(about, [PLATFORM, &own]).map_err(failed)?;
        self.connection.pragma_update(None, "user_version", VERSION).map_err(failed)
    }

    /// A transaction during which no other process writes; waiting for others ends at the deadline. `synced`: it is on
    /// disk when this returns, and so is all that was committed before it.
    pub(crate) fn transact<T>(
        &mut self,
        deadline: Instant,
        synced: bool,
        work: impl FnOnce(&mut Statements<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.is_there()?;
        let _guard = deadline::until(deadline);
        let synced = synced && self.durable;
        self.sync_level(synced).map_err(|e| error(&self.path, &e))?;
        let mut begun = self.begin()?;
        let done = work(&mut begun.0)?;
        begun.commit()?;
        Ok(done)
    }

    /// A value that the ledger has kept about itself since it was made.
    pub(crate) fn about(&self, key: &str) -> Result<String, Error> {
        let found = self.find("SELECT value FROM about WHERE key = ?1", &[&key], |row| row.get(0))?;
        found.ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, &self.path, format!("it does not contain its {key}: {REMEDY}"))
        })
    }

    /// The first row of a query.
    pub(crate) fn find<T>(
        &self,
        sql: &str,
        values: &[&dyn rusqlite::ToSql],
        read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Error> {
        self.statements().one(sql, values, read)
    }

    /// The write-ahead log still has what was deleted: it goes into the file, and is cut, if nobody is reading.
    pub(crate) fn shrink_log(&mut self) {
        let _guard = deadline::until(Instant::now() + Duration::from_secs(1));
        // If it cannot be now, the next checkpoints do it.
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }

    /// Copies it to a new file, which is checked and on disk when this returns.
    pub(crate) fn copy_to(&mut self, to: &Path) -> Result<(), Error> {
        if to.exists() {
            return Err(Error::new(
                ErrorKind::Other,
                to,
                "it is there already, and is not overwritten: name a new file",
            ));
        }
        let Some(name) = to.to_str() else {
            return Err(Error::new(ErrorKind::Other, to, "its name is not valid Unicode: name another file"));
        };
        // In one read transaction: what is committed meanwhile is not in it.
        self.connection.execute("VACUUM INTO ?1", [name]).map_err(|e| error(to, &e))?;
        let copy = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(|e| error(to, &e))?;
        let answer: String = copy.query_row("PRAGMA quick_check", [], |row| row.get(0)).map_err(|e| error(to, &e))?;
        if answer != "ok" {
            return Err(Error::new(ErrorKind::Corrupt, to, format!("the copy is damaged: {answer}")));
        }
        let synced = std::fs::OpenOptions::new().write(true).open(to).and_then(|file| file.sync_all());
        synced.map_err(|e| Error::new(ErrorKind::Other, to, format!("it is not safely on disk: {e}")))
    }

    fn sync_level(&mut self, full: bool) -> rusqlite::Result<()> {
        if self.full != full {
            let pragma = if full { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" };
            self.connection.prepare_cached(pragma)?.execute([])?;
            self.full = full;
        }
        Ok(())
    }

    /// On Unix a deleted file goes on living in its open descriptors: what is written there is lost.
    #[cfg(unix)]
    fn is_there(&self) -> Result<(), Error> {
        if identity(&self.path) == Some(self.file) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Missing, &self.path, "it was removed or replaced while it was in use"))
    }

    /// On Windows an open file cannot be deleted.
    #[cfg(not(unix))]
    #[allow(clippy::unused_self)]
    fn is_there(&self) -> Result<(), Error> {
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
        Statements { connection: &self.connection, path: &self.path }
    }

    /// Begins a transaction that nobody else writes beside; it is rolled back if it is dropped.
    fn begin(&self) -> Result<OpenTransaction<'_>, Error> {
        if !self.connection.is_autocommit() {
            // A panic left one.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        let mut statements = self.statements();
        statements.run("BEGIN IMMEDIATE", &[])?;
        Ok(OpenTransaction(statements))
    }
}

/// A transaction.
struct OpenTransaction<'l>(Statements<'l>);

impl OpenTransaction<'_> {
    fn commit(mut self) -> Result<(), Error> {
        self.0.run("COMMIT", &[])?;
        Ok(())
    }
}

impl Drop for OpenTransaction<'_> {
    fn drop(&mut self) {
        // After some errors SQLite has rolled back already.
        if !self.0.connection.is_autocommit() {
            let _ = self.0.run("ROLLBACK", &[]);
        }
    }
}

/// Why a ledger of this version and platform is not for this program, if it is not.
pub(super) fn foreign(version: i64, platform: &str) -> Option<String> {
    if version > VERSION {
        return Some(format!("its version is {version}, and this program knows {VERSION}: use the newer rasadmin"));
    }
    if version < VERSION {
        return Some(format!(
            "its version is {version}, which only an older rasadmin reads: move it away, and the next command makes a new \
             one from the journal"
        ));
    }
    (platform != PLATFORM).then(|| {
        format!(
            "it belongs to {platform} processes, and this is {PLATFORM}, whose file locks they do not see: use the rasadmin \
             for {platform}"
        )
    })
}

/// What an error of SQLite means for the ledger.
pub(super) fn error(path: &Path, e: &rusqlite::Error) -> Error {
    let rusqlite::Error::SqliteFailure(ffi::Error { code, .. }, _) = e else {
        return Error::new(ErrorKind::Corrupt, path, format!("it does not contain what it should ({e}): {REMEDY}"));
    };
    let (kind, what) = match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            (ErrorKind::Locked, "another process has locked it for too long")
        }
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied => {
            (ErrorKind::ReadOnly, "it cannot be written: check the rights of the file and its folder")
        }
        ErrorCode::DiskFull => (ErrorKind::Full, "the disk is full"),
        ErrorCode::CannotOpen => (ErrorKind::Missing, "it cannot be opened: check that its folder is there"),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            return Error::new(ErrorKind::Corrupt, path, format!("it is damaged, or not a ledger ({e}): {REMEDY}"));
        }
        _ => (ErrorKind::Other, "it cannot be used"),
    };
    Error::new(kind, path, format!("{what} ({e})"))
}
