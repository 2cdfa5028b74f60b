//! The ledger as the driver has it: here, or away; and the spool for the time between.

use super::orphans;
use crate::instance::{self, Instance};
use crate::spool::Spool;
use crate::sqlite::{Create, Logged, Records, Sqlite};
use crate::{Away, AwayKind};
use rasadmin_engine::config::Config;
use rasadmin_engine::config::file::Durability;
use rasadmin_engine::{Answer, Event, Here, Id, Mono, Name, Now, Process, Stamp, State, Waited, decide, decide_late};
use rasadmin_messages::Message;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// After the ledger was found away, it is tried again so much later: milliseconds.
const RETRY: u64 = 10_000;

/// How many events of the spool are recorded in one transaction.
const BATCH: usize = 1_000;

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

/// A ledger that is here, with the state that its records make.
#[derive(Debug)]
pub(super) struct Open {
    pub records: Records,
    pub state: State,
}

/// Whose events they are.
#[derive(Clone, Copy)]
pub(super) struct Whose<'a> {
    pub config: &'a Arc<Config>,
    pub server: &'a Name,
    pub process: Process,
}

impl<'a> Whose<'a> {
    pub(super) fn here(self, instance: Id) -> Here<'a> {
        Here::new(self.config, self.server, instance, self.process)
    }
}

/// The ledger and what stands in for it.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    durable: bool,
    /// When this process began: if it is the instance's first, then the instance began.
    started: Stamp,
    open: Option<Open>,
    away: Away,
    /// As which kind it was told to be away.
    told_away: Option<AwayKind>,
    retry: Option<Mono>,
    instance: Option<Instance>,
    spool: Option<Spool>,
    /// Was a ledger open in this process before? Then one that vanished is not made anew.
    was_open: bool,
    stopped: bool,
    lost: u64,
    /// How many of them the ledger was told of.
    lost_told: u64,
}

impl Store {
    pub fn new(config: &Config, started: Stamp) -> Self {
        let message = format!("{}: it has not been opened yet", config.ledger.display());
        Self {
            path: config.ledger.clone(),
            durable: config.durability == Durability::Fsync,
            started,
            open: None,
            away: Away { kind: AwayKind::Other, message },
            told_away: None,
            retry: None,
            instance: None,
            spool: None,
            was_open: false,
            stopped: false,
            lost: 0,
            lost_told: 0,
        }
    }

    /// The statements that were run since this was called last; from now on they are noted.
    pub fn logged(&mut self) -> Vec<Logged> {
        self.open.as_mut().map(|open| open.records.ledger().logged()).unwrap_or_default()
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

    pub const fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// The ledger, if it is here, and the token of this instance.
    pub fn here(&mut self) -> Option<(&mut Open, Id)> {
        let token = self.token()?;
        self.open.as_mut().map(|open| (open, token))
    }

    /// This instance's token, once it is known.
    pub fn token(&self) -> Option<Id> {
        self.instance.as_ref().map(|instance| instance.token)
    }

    /// Events that were lost, and that the ledger was not told of yet.
    pub const fn lost_untold(&self) -> u64 {
        self.lost - self.lost_told
    }

    /// It knows of so many more now.
    pub const fn lost_are_told(&mut self, events: u64) {
        self.lost_told += events;
    }

    /// It was found away: no call waits for it until it is tried again.
    pub fn lost(&mut self, why: &Away, now: Mono) {
        // It is tried again and again: each kind of absence is told once.
        if self.told_away.replace(why.kind) != Some(why.kind) {
            Message::LedgerAway { kind: &why.kind.name(), details: why }.tell();
        }
        self.open = None;
        self.away = why.clone();
        self.retry = Some(now.after(RETRY));
    }

    /// What is in memory may be wrong: the next event opens the ledger anew.
    pub fn reload(&mut self) {
        if self.open.take().is_some() {
            let message = format!("{}: it is read again after a panic", self.path.display());
            self.away = Away { kind: AwayKind::Other, message };
        }
    }

    /// Opens the ledger if it is away and it is time to try. What waits in the spool goes first.
    pub fn open(&mut self, whose: Whose<'_>, now: Mono, deadline: Instant) {
        if self.open.is_some() || self.stopped || self.retry.is_some_and(|retry| now < retry) {
            return;
        }
        match self.try_open(whose, deadline) {
            Ok(()) => {
                self.was_open = true;
                if self.told_away.take().is_some() {
                    Message::LedgerBack { file: &self.path.display() }.tell();
                }
                self.retry = None;
            }
            Err(why) => self.lost(&why, now),
        }
        if self.spool.is_none() {
            // Its space is written ahead, while there is some.
            match Spool::create(&self.path, self.token()) {
                Ok(spool) => self.spool = Some(spool),
                Err(e) => Message::NoSpool { error: &e }.tell(),
            }
        }
    }

    fn try_open(&mut self, whose: Whose<'_>, deadline: Instant) -> Result<(), Away> {
        let path = self.path.clone();
        if path.is_dir() {
            let message = format!("{}: a directory stands in the ledger's place", path.display());
            return Err(Away { kind: AwayKind::Missing, message });
        }
        if self.instance.is_none() {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            folder
                .map_or(Ok(()), std::fs::create_dir_all)
                .map_err(|e| io_away(&path, "its folder cannot be made", &e))?;
            let joined = instance::join(&path, whose.server, deadline);
            self.instance = Some(joined.map_err(|e| io_away(&path, "its lock cannot be held", &e))?);
        }
        let Some(instance) = &self.instance else { return Err(self.away.clone()) };
        // A ledger that vanished took its leases along: a new one would give them away a second time.
        let create = if instance.first && !self.was_open { Create::Yes } else { Create::No };
        let here = whose.here(instance.token);
        let ledger = Sqlite::open(&path, create, self.durable, deadline)?;
        let (mut records, mut state) = Records::of(ledger, whose.server, whose.config, deadline)?;
        self.begin(&mut records, &mut state, &here, deadline)?;
        if let Some(spool) = self.spool.as_mut().filter(|spool| spool.waiting() > 0) {
            drain(&mut records, &mut state, spool, &here, deadline)?;
        }
        self.open = Some(Open { records, state });
        Ok(())
    }

    /// The instance's first process records what dead processes left, and closes what they had open.
    fn begin(&self, records: &mut Records, state: &mut State, here: &Here<'_>, deadline: Instant) -> Result<(), Away> {
        if state.instance() == Some(here.instance) {
            return Ok(());
        }
        let left = orphans::read(&self.path).map_err(|e| io_away(&self.path, "a spool cannot be read", &e))?;
        let mut replay = orphans::Replay::new(&left);
        let (mut closed, mut own) = ((0, 0), false);
        // In one transaction: of two processes that start together, the second finds it all done.
        records.batch(state, deadline, &mut |batch| {
            if batch.state().instance() == Some(here.instance) {
                return Ok(None);
            }
            if let Some(record) = replay.next(here, batch)? {
                return Ok(Some(record));
            }
            own = true;
            closed = (batch.state().live_count(), batch.state().leases().count());
            let began = Event::InstanceStarted { instance: here.instance };
            let now = Now { at: self.started, random: here.instance.0.to_be_bytes() };
            Ok(Some(decide(batch.state(), here, &began, &now)))
        })?;
        if !own {
            return Ok(());
        }
        let replayed = orphans::count(&left);
        for spool in left.into_iter().flat_map(|left| left.spools) {
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
        Ok(())
    }

    /// Keeps an event, with its answer, until the ledger is back.
    pub fn keep(&mut self, waited: &Waited) {
        let durable = self.durable && is_durable(waited);
        let kept = match (&mut self.spool, serde_json::to_string(waited)) {
            (Some(spool), Ok(text)) => spool.append(&text, durable),
            _ => Ok(false),
        };
        if !matches!(kept, Ok(true)) {
            self.lost += 1;
            let event = &format_args!("{waited:?}");
            Message::EventLost { count: &self.lost, event }.tell();
        }
    }

    /// Nothing is opened or kept from now on. What waits is recorded if it can be, and the next start has less to read.
    pub fn stop(&mut self, whose: Whose<'_>, now: Mono, deadline: Instant) {
        if self.health().waiting > 0 {
            self.retry = None;
            self.open(whose, now, deadline);
        }
        if let Some(Open { records, state }) = &mut self.open {
            // Without it the next start takes longer.
            let _ = records.write_checkpoint(state, deadline).and_then(|()| records.trim(deadline));
        }
        if self.health().waiting == 0
            && let Some(spool) = self.spool.take()
        {
            let _ = spool.remove();
        }
        self.open = None;
        self.spool = None;
        self.instance = None;
        self.stopped = true;
    }
}

/// Is it what a power cut would make us regret?
fn is_durable(waited: &Waited) -> bool {
    match waited.event {
        Event::Connection(_) => waited.answer == Answer::Accept,
        Event::Hangup(_) => true,
        _ => false,
    }
}

/// Records what waits in this process's spool: each event once, however often this is tried.
fn drain(
    records: &mut Records,
    state: &mut State,
    spool: &mut Spool,
    here: &Here<'_>,
    deadline: Instant,
) -> Result<(), Away> {
    let frames = spool.frames().map_err(|e| io_away(Path::new(spool.name()), "the spool cannot be read", &e))?;
    for some in frames.chunks(BATCH) {
        let mut frames = some.iter();
        records.batch(state, deadline, &mut |batch| {
            for frame in frames.by_ref() {
                let Ok(waited) = serde_json::from_str::<Waited>(&frame.text) else {
                    Message::SpoolRecordNotUnderstood { record: &frame.text }.tell();
                    continue;
                };
                if batch.is_new(spool.name(), frame.sequence)? {
                    return Ok(Some(decide_late(batch.state(), here, &waited)));
                }
            }
            Ok(None)
        })?;
    }
    spool.rewind();
    Message::SpoolReplayed { count: &frames.len() }.tell();
    Ok(())
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
