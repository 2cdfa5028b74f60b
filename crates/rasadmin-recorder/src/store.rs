//! The journal as the recorder has it, open or out of reach for now, and the state in memory, which is kept either way.

mod failure;
mod reconcile;
mod turn;

pub use failure::{Failure, FailureKind};
pub use turn::{Turn, Written};

use crate::backoff::Backoff;
use crate::membership::Membership;
use crate::sliced_checkpoint::Snapshot;
use crate::waiting::Waiting;
use crate::{codec, present, report};
use rasadmin_engine::config::Config;
use rasadmin_engine::config::file::Durability;
use rasadmin_engine::{Context, Event, Id, Mono, Name, Now, Process, Record, Stamp, State, decide};
use rasadmin_journal::retain::{self, Rule};
use rasadmin_journal::{Error, Follower, Guard, Journal, Notice, Options, Position, checkpoint, rights};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// A start that replays more records than this begins a checkpoint.
const MANY: u64 = 1_000;

/// An end that leaves less than this to replay writes none.
const FEW: u64 = 64;

/// After so many records since the last checkpoint the next one is begun: they fill two segments.
const TOO_MANY: u64 = 12_000;

/// Beyond this total length of the segments, the oldest is deleted even if no ledger has it: bytes.
const LIMIT: u64 = 2 << 30;

/// How many checkpoints are kept: the newest may be damaged.
const CHECKPOINTS: usize = 2;

/// How recording goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Why nothing can be recorded; None if it can.
    pub failure: Option<Failure>,
    /// How many events wait in memory.
    pub waiting: usize,
    /// How many were lost because there was no room for them.
    pub lost: u64,
    /// Are syncs left out, because the last one took long?
    pub syncs_paused: bool,
}

/// Origin events they are.
#[derive(Clone, Copy)]
pub struct Origin<'a> {
    pub config: &'a Arc<Config>,
    pub server: &'a Name,
    pub process: Process,
}

impl<'a> Origin<'a> {
    pub fn context(self, instance: Id) -> Context<'a> {
        Context::new(self.config, self.server, instance, self.process)
    }
}

/// The journal, and what is in memory.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    options: Options,
    /// When this process began: if it is the instance's first, then the instance began.
    started: Stamp,
    journal: Option<Arc<Journal>>,
    /// Reads what other processes record while this one cannot.
    others: Option<Follower>,
    state: State,
    /// What the processes of this instance have in common; until it is joined, what this process proposes.
    token: Id,
    membership: Arc<Membership>,
    /// Processes of the instance that were gone when this one joined: their sessions are over.
    gone: Vec<Process>,
    waiting: Waiting,
    /// What waits was decided on another state than the journal's: it is decided again.
    stale: bool,
    /// The journal is not the one that memory came from: it was replaced, or restored from a backup.
    replaced: bool,
    failure: Option<Failure>,
    /// The kind of failure that was reported last.
    reported: Option<FailureKind>,
    backoff: Backoff,
    sync_backoff: Backoff,
    /// The number of the last checkpoint that is known here.
    checkpoint: u64,
    /// The number of the last checkpoint that was begun, or found.
    begun: u64,
    /// What was reported about the rights of folder and files when the journal was last opened.
    rights: Vec<Notice>,
}

impl Store {
    /// Nothing is opened yet.
    pub fn new(config: &Config, now: Now, membership: Arc<Membership>) -> Self {
        let durable = config.durability == Durability::Fsync;
        // Another identifier than that of the record that is made at this moment.
        let mut random = now.random;
        random.reverse();
        Self {
            folder: config.journal.clone(),
            options: Options { durable, ..Options::default() },
            started: now.at,
            journal: None,
            others: None,
            state: State::new(),
            token: token(random),
            membership,
            gone: Vec::new(),
            waiting: Waiting::default(),
            stale: false,
            replaced: false,
            failure: None,
            reported: None,
            backoff: Backoff::default(),
            sync_backoff: Backoff::default(),
            checkpoint: 0,
            begun: 0,
            rights: Vec::new(),
        }
    }

    pub const fn folder(&self) -> &PathBuf {
        &self.folder
    }

    pub const fn state(&self) -> &State {
        &self.state
    }

    /// From now on the state's indexes serve this configuration.
    pub fn derive(&mut self, config: &Arc<Config>) {
        self.state.derive(config);
    }

    pub fn health(&self, now: Mono) -> Health {
        Health {
            failure: self.failure.clone(),
            waiting: self.waiting.len(),
            lost: self.waiting.lost(),
            syncs_paused: self.sync_backoff.is_paused(now),
        }
    }

    /// Events that were lost, and origin loss is not recorded yet.
    pub const fn lost(&self) -> u64 {
        self.waiting.lost()
    }

    /// The loss of this many more is recorded now.
    pub const fn lost_are_recorded(&mut self, events: u64) {
        self.waiting.lost_are_recorded(events);
    }

    /// So many events were counted, and there was no room for their number.
    pub const fn lose(&mut self, events: u64) {
        self.waiting.lose(events);
    }

    /// Is it synced now? `durable`: it is what a power cut would make us regret.
    pub fn syncs(&self, durable: bool, now: Mono) -> bool {
        self.options.durable && durable && !self.sync_backoff.is_paused(now)
    }

    /// A sync took long: the next ones are left out for a while.
    pub fn sync_was_slow(&mut self, millis: u128, now: Mono) {
        self.sync_backoff.pause(now);
        report::slow_sync(millis);
    }

    /// Opens the journal if that is not done, and applies what it has.
    fn opened(&mut self, origin: Origin<'_>, deadline: Instant) -> Result<Arc<Journal>, Error> {
        if let Some(journal) = &self.journal {
            return Ok(journal.clone());
        }
        self.mend_rights();
        // As much as possible is read without the lock, so that others wait for it less.
        let present = present::read(&self.folder).or_else(|error| match error {
            Error::NewerVersion { .. } => Ok(None),
            other => Err(other),
        })?;
        let (journal, present) = match Journal::open(&self.folder, self.options, deadline) {
            Err(Error::NewerVersion { .. }) => self.begin_new(deadline)?,
            opened => (opened?, present.map(|found| (found.state, found.position, found.checkpoint))),
        };
        let start = match present {
            Some((state, position, checkpoint)) if journal.start_at(&position)? => Some((state, checkpoint)),
            _ => None,
        };
        // What memory has beyond the journal is recorded when the journal is locked.
        self.stale = !self.waiting.is_empty() || self.state.number() > 0;
        if !self.stale {
            (self.state, self.checkpoint) = start.unwrap_or_default();
            self.begun = self.checkpoint;
            self.state.derive(origin.config);
        }
        let journal = Arc::new(journal);
        self.journal = Some(journal.clone());
        Ok(journal)
    }

    /// No file that another user has put into the folder is read. What cannot be mended is reported, and does not stop
    /// the DLL. It is reported once, because a journal that cannot be written is opened again and again.
    fn mend_rights(&mut self) {
        let before = std::mem::replace(&mut self.rights, rights::mend(&self.folder));
        for notice in self.rights.iter().filter(|notice| !before.contains(notice)) {
            report::notice(notice);
        }
    }

    /// A newer program has written the journal. Its segments stay as they are; a checkpoint that this program
    /// understands is where a new journal begins.
    #[allow(clippy::type_complexity)]
    fn begin_new(&self, deadline: Instant) -> Result<(Journal, Option<(State, Position, u64)>), Error> {
        let (found, _) = checkpoint::newest(&self.folder, |_, version| version == codec::CHECKPOINT)?;
        let state = found.and_then(|found| Some((codec::decode_state(&found.state)?, found.position)));
        let position = state.as_ref().map_or((0, 0), |(_, position)| (position.number, position.crc));
        let journal = Journal::begin_new(&self.folder, self.options, deadline, position)?;
        let here = journal.beginning();
        Ok((journal, state.map(|(state, position)| (state, here, position.number))))
    }

    /// Joins the instance that lives, or begins one, unless that is done. The state is the journal's.
    fn join(&mut self, guard: &mut Guard<'_>, origin: Origin<'_>) -> Result<(), Error> {
        self.membership.clone().with(|own| {
            if self.replaced {
                // The lock's file may be another one too.
                *own = None;
            } else if own.is_some() && self.state.instance() != Some(self.token) {
                // Somebody has begun another instance while this process held its lock: the old token has ended.
                *own = None;
                self.token = token(crate::identifier_bytes());
            }
            if own.is_none() {
                let joined = guard.join_instance(&self.token.to_string(), &origin.process.0.to_string())?;
                self.gone = joined.gone().iter().filter_map(|name| name.parse().ok().map(Process)).collect();
                if let Some(token) = joined.token().parse().ok().filter(|token| *token != self.token) {
                    self.token = token;
                    self.stale |= !self.waiting.is_empty();
                }
                *own = Some(joined);
            }
            Ok(())
        })?;
        if self.state.instance() != Some(self.token) { self.begin_instance(guard, origin) } else { Ok(()) }
    }

    /// Whatever an earlier instance had is over.
    fn begin_instance(&mut self, guard: &mut Guard<'_>, origin: Origin<'_>) -> Result<(), Error> {
        let (sessions, leases) = (self.state.live_count(), self.state.leases().count());
        let record = self.instance_started(origin);
        if let Ok(payload) = codec::encode(&record) {
            guard.append(&[&payload])?;
            #[cfg(feature = "torture")]
            crate::torture::at(crate::torture::Point::Appended);
        }
        self.state.apply(&record);
        if (sessions, leases) != (0, 0) {
            report::earlier_closed(sessions, leases);
        }
        Ok(())
    }

    /// Processes that have ended left their sessions open. The state is the journal's.
    fn end_gone(&mut self, guard: &mut Guard<'_>, origin: Origin<'_>, now: Stamp) -> Result<(), Error> {
        if self.gone.is_empty() {
            return Ok(());
        }
        while let Some(process) = self.gone.last().copied() {
            let open = self.state.live().filter(|session| session.process == process).count();
            if open == 0 {
                self.gone.pop();
                continue;
            }
            let now = Now { at: now, random: crate::identifier_bytes() };
            let record = decide(&self.state, &origin.context(self.token), &Event::ProcessEnded { process }, &now);
            if let Ok(payload) = codec::encode(&record) {
                guard.append(&[&payload])?;
            }
            self.state.apply(&record);
            report::process_closed(record.ended().count());
        }
        // A session that shows life is opened again: the next that joins must not close it once more.
        self.membership.with(|own| own.as_mut().map_or(Ok(()), |own| guard.forget_gone(own)))
    }

    fn instance_started(&self, origin: Origin<'_>) -> Record {
        let began = Event::InstanceStarted { instance: self.token };
        let now = Now { at: self.started, random: self.token.0.to_be_bytes() };
        decide(&self.state, &origin.context(self.token), &began, &now)
    }

    /// Decides an event from memory, since it cannot be recorded now.
    pub fn decide_alone(&mut self, origin: Origin<'_>, event: &Event, now: Now) -> Record {
        if self.state.instance() == Some(self.token) {
            self.read_others(origin, now.at);
        } else {
            let record = self.instance_started(origin);
            self.keep(&record);
        }
        let context = Context { unrecorded: true, ..origin.context(self.token) };
        decide(&self.state, &context, event, &now)
    }

    /// It holds in memory from now on, and waits to be recorded.
    pub fn keep(&mut self, record: &Record) {
        self.state.apply(record);
        let kept = codec::encode(record).is_ok_and(|payload| self.waiting.push(record.clone(), payload));
        if !kept {
            report::lost(self.waiting.lost(), &record.event);
        }
    }

    /// The state, if it is time for a checkpoint: there are enough records that a start would have to read.
    pub fn snapshot_if_due(&mut self) -> Option<Snapshot> {
        self.snapshot_beyond(TOO_MANY)
    }

    /// The state, after a start that had much to replay.
    pub fn snapshot_after_start(&mut self) -> Option<Snapshot> {
        self.snapshot_beyond(MANY)
    }

    fn snapshot_beyond(&mut self, records: u64) -> Option<Snapshot> {
        let position = self.position().filter(|position| position.number.saturating_sub(self.begun) > records)?;
        self.begun = position.number;
        Some(Snapshot::of(&self.state, position))
    }

    /// The last record, if memory is what the journal says up to there.
    fn position(&self) -> Option<Position> {
        let agree = self.waiting.is_empty() && !self.stale;
        self.journal.as_ref().filter(|_| agree).map(|journal| journal.position())
    }

    /// The checkpoint of a record is whole. What it makes superfluous is deleted by [`tidy`].
    pub const fn checkpoint_is_written(&mut self, number: u64) {
        self.checkpoint = number;
    }

    /// Without it the next start takes longer, so a failure is only reported.
    fn write_checkpoint(&self, position: &Position) {
        let Ok(bytes) = codec::encode_state(&self.state) else { return };
        match checkpoint::write(&self.folder, position, codec::CHECKPOINT, &bytes) {
            Ok(_) => tidy(&self.folder),
            Err(error) => report::no_checkpoint(&error),
        }
    }

    /// Are there events that are not recorded yet, or were lost?
    pub fn has_unrecorded(&self) -> bool {
        !self.waiting.is_empty() || self.waiting.lost() > 0
    }

    /// The next turn is tried even if one failed a moment ago.
    pub fn resume(&mut self) {
        self.backoff.resume();
    }

    /// A checkpoint is written, and everything is closed.
    pub fn stop(&mut self) {
        if let Some(position) = self.position().filter(|position| position.number.saturating_sub(self.checkpoint) > FEW)
        {
            self.write_checkpoint(&position);
        }
        if !self.waiting.is_empty() {
            report::lost_at_stop(self.waiting.len());
        }
        self.journal = None;
        self.membership.leave();
    }

    /// The state in memory may be wrong after a panic: it is rebuilt from the records, and waiting events are decided
    /// again.
    pub fn reload(&mut self) {
        self.journal = None;
        if self.waiting.is_empty() {
            self.state = State::new();
        }
    }
}

/// Deletes what a new checkpoint makes superfluous.
pub fn tidy(folder: &Path) {
    let _ = checkpoint::prune(folder, CHECKPOINTS);
    for gone in retain::expire(folder, Rule::Limit { bytes: LIMIT }).unwrap_or_default() {
        report::expired(&gone);
    }
}

/// An instance's identifier.
fn token(random: [u8; 16]) -> Id {
    Id(uuid::Builder::from_random_bytes(random).into_uuid().as_u128())
}
