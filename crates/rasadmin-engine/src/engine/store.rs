//! The ledger as the engine has it: here, or away; and the spool for the time between.

use super::{Inner, Now, orphans};
use crate::config::Config;
use crate::config::file::Durability;
use crate::event::Record;
use crate::ledger::instance::{self, Instance};
use crate::ledger::spool::Spool;
use crate::ledger::sqlite::{Create, Sqlite};
use crate::ledger::{Away, AwayKind, Id, Ledger};
use crate::record::Book;
use rasadmin_messages::Message;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// After the ledger was found away, it is tried again so much later.
const RETRY: Duration = Duration::from_secs(10);

/// How many records of the spool are replayed in one transaction.
const BATCH: usize = 200;

/// The ledger and what stands in for it.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    durable: bool,
    open: Option<(Sqlite, Id)>,
    away: Away,
    /// As which kind it was told to be away.
    told_away: Option<AwayKind>,
    retry: Option<Instant>,
    instance: Option<Instance>,
    spool: Option<Spool>,
    /// Was a ledger open in this process before? Then one that vanished is not made anew.
    was_open: bool,
    lost: u64,
    /// How many of them the ledger was told of.
    lost_told: u64,
}

/// How the ledger is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Why it is away; None if it is here.
    pub away: Option<Away>,
    /// How many events wait in the spool.
    pub waiting: u64,
    /// How many were lost, the spool being full or impossible.
    pub lost: u64,
}

impl Store {
    pub fn new(config: &Config) -> Self {
        let message = format!("{}: it was not opened yet", config.ledger.display());
        Self {
            path: config.ledger.clone(),
            durable: config.durability == Durability::Fsync,
            open: None,
            away: Away { kind: AwayKind::Other, message },
            told_away: None,
            retry: None,
            instance: None,
            spool: None,
            was_open: false,
            lost: 0,
            lost_told: 0,
        }
    }

    /// The statements that were run since this was called last; from now on they are noted.
    pub fn logged(&mut self) -> Vec<crate::ledger::sqlite::Logged> {
        self.open.as_mut().map(|(ledger, _)| ledger.logged()).unwrap_or_default()
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn health(&self) -> Health {
        Health {
            away: self.open.is_none().then(|| self.away.clone()),
            waiting: self.spool.as_ref().map_or(0, Spool::waiting),
            lost: self.lost,
        }
    }

    /// The ledger and the instance's row, if it is here.
    pub fn here(&mut self) -> Option<(&mut Sqlite, Id)> {
        self.open.as_mut().map(|(ledger, instance)| (ledger, *instance))
    }

    /// Events that were lost, and that the ledger was not told of yet.
    pub fn lost_untold(&self) -> u64 {
        self.lost - self.lost_told
    }

    /// It knows of them now.
    pub fn lost_is_told(&mut self) {
        self.lost_told = self.lost;
    }

    /// Why it is not.
    pub fn away(&self) -> Away {
        self.away.clone()
    }

    /// It was found away: no call waits for it until it is tried again.
    pub fn lost(&mut self, why: &Away, now: Instant) {
        // It is tried again and again: each kind of absence is told once.
        if self.told_away.replace(why.kind) != Some(why.kind) {
            Message::LedgerAway { kind: &why.kind.name(), details: why }.tell();
        }
        self.open = None;
        self.away = why.clone();
        self.retry = Some(now + RETRY);
    }
}

fn io_away(path: &Path, what: &str, e: &std::io::Error) -> Away {
    let kind = match e.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => AwayKind::Missing,
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => AwayKind::ReadOnly,
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => AwayKind::Full,
        std::io::ErrorKind::TimedOut => AwayKind::Locked,
        _ => AwayKind::Other,
    };
    Away { kind, message: format!("{}: {what}: {e}", path.display()) }
}

impl Inner {
    /// Opens the ledger if it is away and it is time to try. What waits in the spool goes first.
    pub(super) fn open(&mut self, now: Now, deadline: Instant) {
        if self.store.open.is_some() || self.store.retry.is_some_and(|retry| now.instant < retry) {
            return;
        }
        match self.try_open(now, deadline) {
            Ok(()) => {
                self.store.was_open = true;
                if self.store.told_away.take().is_some() {
                    Message::LedgerBack { file: &self.store.path.display() }.tell();
                }
                self.store.retry = None;
            }
            Err(why) => self.store.lost(&why, now.instant),
        }
        if self.store.spool.is_none() {
            // Its space is written ahead, while there is some.
            let instance = self.store.instance.as_ref().map_or("", |instance| &instance.token);
            match Spool::create(&self.store.path, instance) {
                Ok(spool) => self.store.spool = Some(spool),
                Err(e) => Message::NoSpool { error: &e }.tell(),
            }
        }
    }

    fn try_open(&mut self, now: Now, deadline: Instant) -> Result<(), Away> {
        let path = self.store.path.clone();
        if path.is_dir() {
            let message = format!("{}: a directory stands in the ledger's place", path.display());
            return Err(Away { kind: AwayKind::Missing, message });
        }
        if self.store.instance.is_none() {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            folder
                .map_or(Ok(()), std::fs::create_dir_all)
                .map_err(|e| io_away(&path, "its folder cannot be made", &e))?;
            let joined = instance::join(&path, &self.server, deadline);
            self.store.instance = Some(joined.map_err(|e| io_away(&path, "its lock cannot be held", &e))?);
        }
        let Some(instance) = &self.store.instance else { return Err(self.store.away()) };
        // A ledger that vanished took its leases along: a new one would give them away a second time.
        let create = if instance.first && !self.store.was_open { Create::Yes } else { Create::No };
        let mut ledger = Sqlite::open(&path, create, self.store.durable, deadline)?;
        let id = self.begin(&mut ledger, now, deadline)?;
        self.replay(&mut ledger, id, deadline)?;
        self.store.open = Some((ledger, id));
        Ok(())
    }

    /// The instance's row. Its first process replays what dead processes left, and closes what they had open.
    fn begin(&mut self, ledger: &mut Sqlite, now: Now, deadline: Instant) -> Result<Id, Away> {
        let token = self.store.instance.as_ref().map(|i| i.token.clone()).unwrap_or_default();
        let (config, server) = (self.config.clone(), self.server.clone());
        let mut known = None;
        ledger.transact(deadline, false, &mut |t| {
            known = t.instance(&server, &token)?;
            Ok(())
        })?;
        if let Some(id) = known {
            return Ok(id);
        }
        let path = self.store.path.clone();
        let (mut id, mut closed, mut orphans, mut replayed) = (0, (0, 0), Vec::new(), 0);
        let tags = &mut self.tags;
        // In one transaction: of two processes that start together, the second finds it all done.
        let done = ledger.transact(deadline, true, &mut |t| {
            if let Some(known) = t.instance(&server, &token)? {
                id = known;
                return Ok(());
            }
            orphans = orphans::read(&path).map_err(|e| io_away(&path, "a spool cannot be read", &e))?;
            let mut book = Book { ledger: t, config: &config, server: &server, instance: 0, tags, time: now.time };
            replayed = 0;
            for left in &orphans {
                replayed += left.replay(&mut book)?;
            }
            (book.instance, book.time) = (0, now.time);
            closed = book.clean_up()?;
            id = t.begin_instance(&server, &token, now.time)?;
            Ok(())
        });
        done.inspect_err(|_| self.tags.forget())?;
        for spool in orphans.into_iter().flat_map(|left| left.spools) {
            if let Err(e) = spool.remove() {
                Message::SpoolNotDeleted { error: &e }.tell();
            }
        }
        if replayed > 0 {
            Message::SpoolReplayed { count: &replayed }.tell();
        }
        if closed != (0, 0) {
            let (sessions, leases) = closed;
            Message::EarlierServiceClosed { sessions: &sessions, leases: &leases }.tell();
        }
        Ok(id)
    }

    fn replay(&mut self, ledger: &mut Sqlite, instance: Id, deadline: Instant) -> Result<(), Away> {
        let (config, server) = (self.config.clone(), self.server.clone());
        let Some(spool) = self.store.spool.as_mut().filter(|spool| spool.waiting() > 0) else { return Ok(()) };
        let replayed = replay(ledger, spool, &config, &server, instance, &mut self.tags, deadline)?;
        spool.rewind();
        Message::SpoolReplayed { count: &replayed }.tell();
        Ok(())
    }

    /// Keeps a record until the ledger is back.
    pub(super) fn spool(&mut self, record: &Record) {
        let durable = self.store.durable && record.what.is_durable();
        let kept = match (&mut self.store.spool, serde_json::to_string(record)) {
            (Some(spool), Ok(text)) => spool.append(&text, durable),
            _ => Ok(false),
        };
        if !matches!(kept, Ok(true)) {
            self.store.lost += 1;
            let event = &format_args!("{record:?}");
            Message::EventLost { count: &self.store.lost, event }.tell();
        }
    }

    pub(super) fn store_stop(&mut self, now: Now, deadline: Instant) {
        if self.store.health().waiting > 0 {
            self.store.retry = None;
            self.open(now, deadline);
        }
        if self.store.health().waiting == 0
            && let Some(spool) = self.store.spool.take()
        {
            let _ = spool.remove();
        }
        self.store.open = None;
        self.store.instance = None;
    }
}

/// Replays a spool: each record once, however often this is tried.
fn replay(
    ledger: &mut Sqlite,
    spool: &mut Spool,
    config: &Config,
    server: &crate::Name,
    instance: Id,
    tags: &mut crate::pools::Tags,
    deadline: Instant,
) -> Result<usize, Away> {
    let frames = spool.frames().map_err(|e| io_away(Path::new(spool.name()), "the spool cannot be read", &e))?;
    for batch in frames.chunks(BATCH) {
        let done = ledger.transact(deadline, true, &mut |t| {
            for frame in batch {
                let Ok(record) = serde_json::from_str::<Record>(&frame.text) else {
                    Message::SpoolRecordNotUnderstood { record: &frame.text }.tell();
                    continue;
                };
                if t.replaying(spool.name(), frame.sequence)? {
                    let mut book = Book { ledger: &mut *t, config, server, instance, tags, time: record.time };
                    book.replay(&record)?;
                }
            }
            Ok(())
        });
        done.inspect_err(|_| tags.forget())?;
    }
    Ok(frames.len())
}
