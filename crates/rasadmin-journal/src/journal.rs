//! The journal, open for appending.

use crate::error::{Context, Error};
use crate::folder::{self, Survey};
use crate::guard::Guard;
use crate::header::Header;
use crate::kernel::{self, Mode};
use crate::log_reader::LogReader;
use crate::notice::Notice;
use crate::position::{Item, Position};
use crate::segment::{self, Access, Segment};
use crate::wait;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The lock file. Its first byte is locked while a process appends. It is not a segment, because Windows prevents
/// others from reading what is locked.
pub const LOCK: &str = "append.lock";

/// Options of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The size of a new segment, in bytes: at least 4 KiB, less than 4 GiB.
    pub segment: u64,
    /// The bytes of the next segment's space that each append writes, until all of it is written.
    pub portion: u64,
    /// Sync a segment when the next one begins? Otherwise a power cut may lose records; a crash of the process does
    /// not.
    pub durable: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment: 4 * 1024 * 1024, portion: 64 * 1024, durable: true }
    }
}

/// How many bytes of the next segment are written before they are synced.
const SYNC_AHEAD: u64 = 1024 * 1024;

/// How often the paths are compared with the open files.
const CHECK: Duration = Duration::from_secs(1);

/// A journal, open for appending. Several processes can have it open, and several threads can use one object.
#[derive(Debug)]
pub struct Journal {
    lock: File,
    lock_path: PathBuf,
    pub(crate) options: Options,
    inner: Mutex<Inner>,
}

/// What the lock protects within the process.
#[derive(Debug)]
pub(crate) struct Inner {
    pub log: LogReader,
    /// Was the space after the last record examined? Only a power cut leaves something there that one dying process
    /// does not.
    pub settled: bool,
    /// Records up to this number, with this checksum, are on disk.
    pub synced: (u64, u32),
    /// The segment whose sync failed.
    pub failed: Option<Uuid>,
    /// What is known about the next segment's file.
    pub ahead: Ahead,
    pub notices: Vec<Notice>,
    /// Why this object can no longer be used.
    pub broken: Option<Broken>,
    pub buffer: Vec<u8>,
    checked: Option<Duration>,
}

/// How far the next segment's space is written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ahead {
    /// The segment's ordinal. For another segment, the other fields are invalid.
    pub ordinal: u64,
    /// The length of the file, in bytes.
    pub length: u64,
    /// How many of these bytes are on disk.
    pub synced: u64,
    /// Is its name on disk? On POSIX, the folder must be synced too, or a synced file may be missing after a crash.
    pub named: bool,
}

/// Why the object can no longer be used.
#[derive(Clone, Debug)]
pub(crate) enum Broken {
    Replaced(PathBuf),
    Diverged(u64),
}

impl Broken {
    fn error(&self) -> Error {
        match self {
            Self::Replaced(path) => Error::Replaced(path.clone()),
            Self::Diverged(number) => Error::Diverged { number: *number },
        }
    }
}

impl Journal {
    /// Opens the journal in a folder. If the folder is missing, it is created for administrators only, and so is the
    /// first segment. Unusable files with the name of one of the journal's files are moved aside: see
    /// [`Journal::take_notices`].
    ///
    /// Reading starts with the oldest record; see [`Journal::start_at`].
    ///
    /// # Errors
    /// [`Error::Locked`] after the deadline; [`Error::NewerVersion`], see [`Journal::begin_new`]; [`Error::Full`] and
    /// [`Error::Io`] if the folder or its files cannot be used.
    pub fn open(folder: &Path, options: Options, deadline: Instant) -> Result<Self, Error> {
        Self::open_at(folder, options, deadline, None)
    }

    /// Begins a new journal in a folder whose newest segment has a version that this crate does not know. All segments
    /// stay unchanged. The first record of the new journal follows `position` (number and checksum), for which the
    /// caller has a state from a checkpoint; without one it is 0. If another process has already done this, its journal
    /// is opened.
    ///
    /// # Errors
    /// As for [`Journal::open`], except for the version.
    pub fn begin_new(folder: &Path, options: Options, deadline: Instant, position: (u64, u32)) -> Result<Self, Error> {
        Self::open_at(folder, options, deadline, Some(position))
    }

    fn open_at(
        folder: &Path,
        options: Options,
        deadline: Instant,
        new_after: Option<(u64, u32)>,
    ) -> Result<Self, Error> {
        let options = Options { segment: options.segment.clamp(4096, u64::from(u32::MAX)) & !7, ..options };
        rasadmin_rights::private::make_folder(folder).when("make", folder)?;
        let mut notices = Vec::new();
        let lock_path = folder.join(LOCK);
        let lock = folder::open_or_make(&lock_path, &mut notices)?;
        wait::until(deadline, || {
            let locked = kernel::try_lock(&lock, 0, Mode::Exclusive).when("lock", &lock_path)?;
            Ok(locked.then_some(()))
        })?;
        let log = log(folder, options, new_after, &mut notices);
        let _ = kernel::unlock(&lock, 0);
        let log = log?;
        let inner = Inner {
            log,
            settled: false,
            synced: (0, 0),
            failed: None,
            ahead: Ahead::default(),
            notices,
            broken: None,
            buffer: Vec::new(),
            checked: None,
        };
        Ok(Self { lock, lock_path, options, inner: Mutex::new(inner) })
    }

    /// Waits for the lock until the deadline: first for this object's, then for the file's. No other process can append
    /// while the guard lives, so keep it only briefly.
    ///
    /// # Errors
    /// [`Error::Locked`] after the deadline; [`Error::Replaced`] and [`Error::Diverged`], both permanently;
    /// [`Error::Io`].
    pub fn lock(&self, deadline: Instant) -> Result<Guard<'_>, Error> {
        let inner = wait::until(deadline, || match self.inner.try_lock() {
            Ok(inner) => Ok(Some(inner)),
            Err(TryLockError::Poisoned(poisoned)) => Ok(Some(poisoned.into_inner())),
            Err(TryLockError::WouldBlock) => Ok(None),
        })?;
        if let Some(broken) = &inner.broken {
            return Err(broken.error());
        }
        wait::until(deadline, || {
            let locked = kernel::try_lock(&self.lock, 0, Mode::Exclusive).when("lock", &self.lock_path)?;
            Ok(locked.then_some(()))
        })?;
        Ok(Guard::new(self, inner))
    }

    pub(crate) fn unlock(&self) {
        let _ = kernel::unlock(&self.lock, 0);
    }

    /// Returns the folder.
    pub fn folder(&self) -> PathBuf {
        self.inner().log.folder.clone()
    }

    /// The position before the oldest record that the folder had when the journal was opened.
    pub fn beginning(&self) -> Position {
        self.inner().log.beginning()
    }

    /// The position of the last record that was read or appended here.
    pub fn position(&self) -> Position {
        self.inner().log.applied
    }

    /// Moves to a position, so that the record after it is read next. If the journal does not have it, because the
    /// journal was restored or replaced, returns false and changes nothing.
    ///
    /// # Errors
    /// If a segment cannot be read.
    pub fn start_at(&self, position: &Position) -> Result<bool, Error> {
        self.inner().log.start_at(position)
    }

    /// Passes what others have appended to `reader`, without the lock: in order, and each item once. A later
    /// [`Guard::catch_up`] then has less to read while others wait. It mends nothing, and stops before what is being
    /// written.
    ///
    /// # Errors
    /// [`Error::Replaced`] and [`Error::Diverged`]: open the journal again. [`Error::NewerVersion`]; [`Error::Io`].
    pub fn read_ahead(&self, mut reader: impl FnMut(Item<'_>)) -> Result<(), Error> {
        let mut inner = self.inner();
        if let Some(broken) = &inner.broken {
            return Err(broken.error());
        }
        let Segment { file, path, .. } = &*inner.log.walk.segment;
        if !kernel::is_at(file, path) {
            return Err(Error::Replaced(path.clone()));
        }
        inner.log.read(&mut reader).map(drop)
    }

    /// Returns the notices since the last call: problems that were found, and what was done about them.
    pub fn take_notices(&self) -> Vec<Notice> {
        std::mem::take(&mut self.inner().notices)
    }

    /// Syncs the record at `position` and all before it. Waits for the disk, not for the lock: call it after dropping
    /// the guard.
    ///
    /// # Errors
    /// [`Error::Sync`]: the records may not be on disk, and trying again does not help. Lock, catch up, append or
    /// [`rewrite`](Guard::rewrite), then sync the journal's position. [`Error::Io`] if a segment cannot be opened.
    pub fn sync(&self, position: &Position) -> Result<(), Error> {
        let (segment, of, reached) = {
            let inner = self.inner();
            if inner.synced.0 >= position.number {
                return Ok(());
            }
            let walk = &inner.log.walk;
            // The system reports a failed sync once; a second sync may succeed although the data is gone.
            let here = position.segment == walk.header.segment || position.number > walk.header.last;
            match &inner.log.previous {
                Some((previous, header)) if !here => (previous.clone(), header.segment, None),
                _ if inner.failed == Some(walk.header.segment) => return Err(sync_failed_before(&walk.segment.path)),
                _ => (walk.segment.clone(), walk.header.segment, Some((walk.number, walk.crc))),
            }
        };
        let done = segment.sync();
        let mut inner = self.inner();
        match (done, reached) {
            (Ok(()), Some(reached)) => {
                inner.synced = inner.synced.max(reached);
                Ok(())
            }
            (Ok(()), None) => Ok(()),
            (Err(error), _) => {
                if inner.log.walk.header.segment == of {
                    inner.failed = Some(of);
                }
                Err(error)
            }
        }
    }

    /// Does occasional slow work without the lock. Call it at the end of each call. `now` is the caller's monotonic
    /// clock.
    ///
    /// Once per second it checks that the paths still name the open files. It syncs space that was written in advance,
    /// one mebibyte at a time.
    ///
    /// # Errors
    /// [`Error::Replaced`], permanently. Other failures here are tried again, and reported where they matter.
    pub fn upkeep(&self, now: Duration) -> Result<(), Error> {
        let next = {
            let mut inner = self.inner();
            if inner.checked.is_none_or(|last| now.saturating_sub(last) >= CHECK || now < last) {
                inner.checked = Some(now);
                self.check(&mut inner)?;
            }
            let Ahead { ordinal, length, synced, .. } = inner.ahead;
            let due = length.saturating_sub(synced) >= SYNC_AHEAD.min(self.options.segment);
            let next = inner.log.next.clone().filter(|next| self.options.durable && due && next.ordinal == ordinal);
            if next.is_some() {
                inner.ahead.synced = length;
            }
            next.map(|next| (next, inner.ahead.named))
        };
        if let Some((next, named)) = next {
            let _ = next.sync();
            if !named && segment::sync_names(&self.folder()).is_ok() {
                let mut inner = self.inner();
                inner.ahead.named |= inner.ahead.ordinal == next.ordinal;
            }
        }
        Ok(())
    }

    /// Checks that the paths name the open files.
    pub(crate) fn check(&self, inner: &mut Inner) -> Result<(), Error> {
        let here = &inner.log.walk.segment;
        let files = [(&self.lock, &self.lock_path), (&here.file, &here.path)];
        let gone = files.into_iter().find(|(file, path)| !kernel::is_at(file, path)).map(|(_, path)| path.clone());
        // The next segment does not matter before it is begun.
        inner.log.next = inner.log.next.take().filter(|next| kernel::is_at(&next.file, &next.path));
        match gone {
            Some(path) => {
                inner.broken = Some(Broken::Replaced(path.clone()));
                Err(Error::Replaced(path))
            }
            None => Ok(()),
        }
    }

    /// A panic while it was held leaves nothing half done that the next `catch_up` does not mend.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Finds the segments, or creates the first one. The lock must be held.
fn log(
    folder: &Path,
    options: Options,
    new_after: Option<(u64, u32)>,
    notices: &mut Vec<Notice>,
) -> Result<LogReader, Error> {
    let survey = folder::survey(folder)?;
    let highest = survey.highest.max(survey.chain.last().map_or(0, |header| header.ordinal));
    for (ordinal, path, why) in &survey.unusable {
        match folder::move_aside(path, why) {
            Ok(moved) => notices.push(moved),
            // It may be the newest segment, which somebody holds for a moment. It must not be skipped.
            Err(error) if *ordinal >= highest && path.is_file() => return Err(error),
            Err(error) => notices.push(Notice::InTheWay { path: path.clone(), why: format!("{why}; {error}") }),
        }
    }
    if let Some((path, version)) = survey.newer.clone().filter(|_| new_after.is_none()) {
        return Err(Error::NewerVersion { path, version });
    }
    if survey.newer.is_none()
        && let Some(log) = LogReader::new(folder, Access::Write, &survey)?
    {
        return Ok(log);
    }
    let (last, last_crc) = new_after.filter(|_| survey.newer.is_some()).unwrap_or_default();
    let header = Header {
        journal: folder::random()?,
        segment: folder::random()?,
        predecessor: Uuid::nil(),
        ordinal: highest + 1,
        size: options.segment,
        last,
        last_crc,
    };
    let segment = match Segment::open(folder, header.ordinal, Access::Write)? {
        // Left by a process that was killed here.
        Some(unused) => unused,
        None => Segment::create(folder, header.ordinal)?,
    };
    segment.fill(0, header.size)?;
    if options.durable {
        segment.sync()?;
    }
    segment.write(0, &header.encode())?;
    if options.durable {
        segment.sync()?;
        segment::sync_names(folder)?;
    }
    let survey = Survey { chain: vec![header], ..Survey::default() };
    LogReader::new(folder, Access::Write, &survey)?
        .ok_or_else(|| Error::Replaced(segment::path(folder, header.ordinal)))
}

/// The error for a segment whose last sync failed.
pub(crate) fn sync_failed_before(path: &Path) -> Error {
    let source = std::io::Error::other("its last sync failed, and its records have not been written again yet");
    Error::Sync(crate::Failed { what: "sync", path: path.to_owned(), source })
}
