//! The ledger on SQLite: one file in WAL mode, used by several processes at once.

mod database;
mod deadline;
mod import;
mod import_refusals;
mod import_restarts;
mod row;

pub(crate) use database::{Access, Database};
pub(crate) use row::{ColumnError, Row};

use crate::queries::{self, sqlite_only};
use crate::value::values;
use crate::{Error, ErrorKind, interrupt};
use rasadmin_rights::private;
use std::fs::OpenOptions;
use std::path::Path;
use std::time::{Duration, Instant};

/// The schema's version: `PRAGMA user_version`.
pub const VERSION: i64 = sqlite_only::VERSION;

/// The platform. Windows and Unix processes do not see each other's file locks, so a ledger belongs to one of them.
pub(super) const PLATFORM: &str = if cfg!(windows) { "windows" } else { "unix" };

/// Whether to create a missing file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Create {
    /// Create it: the journal's records are ingested again.
    Yes,
    /// Do not create it, because the operation only makes sense on an existing ledger.
    No,
}

/// An open ledger.
#[derive(Debug)]
pub struct Sqlite {
    database: Database,
    /// The current level of `PRAGMA synchronous`: one connection that changes it is faster than two connections.
    full: bool,
    durable: bool,
    /// Whether others write while this one imports.
    others: import::Others,
    #[cfg(unix)]
    file: (u64, u64),
}

impl Sqlite {
    /// Opens the ledger, creates its tables if it is new, and checks that it is usable. `durable`: sync what was
    /// ingested before the journal's cursor file is written.
    ///
    /// # Errors
    ///
    /// If it cannot be opened for writing. [`Reader`](crate::report::Reader) may still be able to read it.
    pub fn open(path: &Path, create: Create, durable: bool, deadline: Instant) -> Result<Self, Error> {
        loop {
            match Self::try_open(path, create, durable, deadline) {
                // SQLite does not call the busy handler if it detects a deadlock, for example if several processes
                // create a new file's WAL at once.
                Err(e) if e.kind == ErrorKind::Locked && Instant::now() < deadline && !interrupt::requested() => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                opened => return opened,
            }
        }
    }

    fn try_open(path: &Path, create: Create, durable: bool, deadline: Instant) -> Result<Self, Error> {
        if path.is_dir() {
            return Err(Error::new(ErrorKind::Missing, path, "there is a folder with the ledger's name: move it away"));
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        if create == Create::Yes
            && !folder.as_os_str().is_empty()
            && let Err(e) = std::fs::create_dir_all(folder)
        {
            return Err(Error::new(ErrorKind::Missing, path, format!("its folder cannot be created: {e}")));
        }
        let access = if create == Create::Yes { Access::Make } else { Access::Write };
        let _guard = deadline::until(deadline);
        if create == Create::Yes {
            let _ = private_file(path);
        }
        let ledger = Self {
            database: Database::open(path, path, access)?,
            full: false,
            durable,
            others: import::Others::default(),
            #[cfg(unix)]
            file: (0, 0),
        };
        ledger.prepare()?;
        ledger.check()?;
        #[cfg(unix)]
        let ledger = {
            let file = identity(path).ok_or_else(|| Error::new(ErrorKind::Missing, path, "it does not exist"))?;
            Self { file, ..ledger }
        };
        Ok(ledger)
    }

    fn prepare(&self) -> Result<(), Error> {
        use sqlite_only::{CACHE, LOG_LIMIT, OVERWRITE, SYNC_LATER, TEMPORARY_IN_MEMORY, WRITE_AHEAD};
        self.database.wait_until_deadline()?;
        [WRITE_AHEAD, SYNC_LATER, TEMPORARY_IN_MEMORY, LOG_LIMIT, CACHE, OVERWRITE]
            .into_iter()
            .try_for_each(|setting| self.database.set(setting))
    }

    /// The tables are created in one transaction, so that only one of two processes that start together creates them.
    fn check(&self) -> Result<(), Error> {
        if self.database.version()? != VERSION {
            let transaction = self.database.begin()?;
            let version = self.database.version()?;
            match version {
                VERSION => {}
                version if is_upgraded(version) => self.upgrade(version)?,
                version => self.make(version)?,
            }
            transaction.commit()?;
        }
        let platform = self.database.about("platform")?;
        match foreign(VERSION, &platform) {
            None => Ok(()),
            Some(what) => Err(Error::new(ErrorKind::Foreign, self.path(), what)),
        }
    }

    fn upgrade(&self, version: i64) -> Result<(), Error> {
        let steps = sqlite_only::UPGRADES.iter().filter(|(from, _)| *from >= version).flat_map(|(_, steps)| *steps);
        steps.chain([&sqlite_only::SET_SCHEMA_VERSION]).try_for_each(|step| self.database.set(*step))
    }

    fn make(&self, version: i64) -> Result<(), Error> {
        let tables = self.database.one(sqlite_only::TABLES, &[], |row| row.get::<i64>(0))?;
        if version < 0 || (version == 0 && tables != Some(0)) {
            return Err(Error::new(
                ErrorKind::Foreign,
                self.path(),
                "it is another program's SQLite database: name another file",
            ));
        }
        if let Some(what) = foreign(version, PLATFORM).filter(|_| version != 0) {
            return Err(Error::new(ErrorKind::Foreign, self.path(), what));
        }
        self.database.make_tables()?;
        let random = rasadmin_recorder::random().map_err(|e| Error::new(ErrorKind::Other, self.path(), e))?;
        let own = uuid::Builder::from_random_bytes(random).into_uuid();
        self.database.run(queries::ABOUT_ITSELF, values! { platform: PLATFORM, ledger: own })?;
        self.database.set(sqlite_only::SET_SCHEMA_VERSION)
    }

    /// Runs a transaction during which no other process writes. Waits for others until the deadline. If `synced`, the
    /// transaction and everything committed before it is on disk when this returns.
    pub(crate) fn transact<T>(
        &mut self,
        deadline: Instant,
        synced: bool,
        work: impl FnOnce(&Database) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.check_not_replaced()?;
        let _guard = deadline::until(deadline);
        self.sync_level(synced && self.durable)?;
        let transaction = self.database.begin()?;
        let done = work(&self.database)?;
        transaction.commit()?;
        Ok(done)
    }

    /// The database of this ledger.
    pub(crate) const fn database(&self) -> &Database {
        &self.database
    }

    fn path(&self) -> &Path {
        self.database.path()
    }

    /// Moves the write-ahead log into the file and truncates it, if nobody is reading, because the log still has
    /// deleted data.
    pub(crate) fn shrink_log(&mut self) {
        let _guard = deadline::until(Instant::now() + Duration::from_secs(1));
        // If this fails now, later checkpoints do it.
        let _ = self.database.set(sqlite_only::EMPTY_LOG);
    }

    /// Copies the ledger to a new file, which is checked and on disk when this returns.
    pub(crate) fn copy_to(&mut self, to: &Path) -> Result<(), Error> {
        if to.exists() {
            return Err(Error::new(ErrorKind::Other, to, "it already exists, and is not overwritten: name a new file"));
        }
        let Some(name) = to.to_str() else {
            return Err(Error::new(ErrorKind::Other, to, "its name is not valid Unicode: name another file"));
        };
        // One read transaction: the copy does not contain what is committed meanwhile.
        let is_ours = private_file(to);
        if let Err(error) = self.database.copy(name) {
            if is_ours {
                // What was begun would stand in the way of the next attempt.
                let _ = std::fs::remove_file(to);
            }
            return Err(error);
        }
        let damage = Database::open(to, to, Access::Read)?.damage(sqlite_only::QUICK_CHECK)?;
        if let Some(damage) = damage.first() {
            return Err(Error::new(ErrorKind::Corrupt, to, format!("the copy is damaged: {damage}")));
        }
        let synced = OpenOptions::new().write(true).open(to).and_then(|file| file.sync_all());
        synced.map_err(|e| Error::new(ErrorKind::Other, to, format!("it is not safely on disk: {e}")))
    }

    fn sync_level(&mut self, full: bool) -> Result<(), Error> {
        if self.full != full {
            self.database.set(if full { sqlite_only::SYNC_NOW } else { sqlite_only::SYNC_LATER })?;
            self.full = full;
        }
        Ok(())
    }

    /// On Unix a deleted file lives on in its open descriptors, and what is written there is lost.
    #[cfg(unix)]
    fn check_not_replaced(&self) -> Result<(), Error> {
        if identity(self.path()) == Some(self.file) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Missing, self.path(), "it was removed or replaced while it was in use"))
    }

    /// On Windows an open file cannot be deleted.
    #[cfg(not(unix))]
    #[allow(clippy::unused_self)]
    fn check_not_replaced(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// Makes an empty file that only its owner can read, if there is none: it says who was connected when, and from where.
/// SQLite gives its other files the same rights. On Windows the rights are those of the folder. Returns whether it has made
/// one: SQLite says what is wrong with the place, if anything is.
fn private_file(path: &Path) -> bool {
    private::only_ours(OpenOptions::new().write(true).create_new(true)).open(path).is_ok()
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|m| (m.dev(), m.ino()))
}

/// Is a ledger of this version upgraded when it is opened for writing?
fn is_upgraded(version: i64) -> bool {
    sqlite_only::UPGRADES.iter().any(|(from, _)| *from == version)
}

/// Says why this program cannot use a ledger of this version and platform; None if it can.
pub(super) fn foreign(version: i64, platform: &str) -> Option<String> {
    if version > VERSION {
        return Some(format!("its version is {version}, and this program knows {VERSION}: use the newer rasadmin"));
    }
    if is_upgraded(version) {
        return Some(format!("its version is {version}: `rasadmin ledger update` upgrades it to {VERSION}"));
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
