//! The journal as the recorder has it, open or out of reach for now, and the state in memory, which is kept either way.

mod reconcile;
mod turn;

pub use turn::{Turn, Written};

use crate::backoff::Backoff;
use crate::failure::{Failure, FailureKind};
use crate::membership::Membership;
use crate::sliced_checkpoint::Snapshot;
use crate::upkeep::CHECKPOINTS;
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

/// Whether events can be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Why nothing can be recorded; None if recording works.
    pub failure: Option<Failure>,
    /// The number of events that wait in memory.
    pub waiting: usize,
    /// The number of events that were lost because memory was full.
    pub lost: u64,
    /// True while calls do not wait for syncs because the last one was slow.
    pub syncs_paused: bool,
}

/// The configuration, server and process that events are decided for.
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
    /// When this process started. If it is the first of its instance, the instance started then.
    started: Stamp,
    journal: Option<Arc<Journal>>,
    /// Reads what other processes record while this one cannot.
    others: Option<Follower>,
    state: State,
    /// The token that the processes of this instance share; before joining, the one that this process proposes.
    token: Id,
    membership: Arc<Membership>,
    /// Processes of the instance that had ended when this one joined: their sessions are over.
    gone: Vec<Process>,
    waiting: Waiting,
    /// Waiting events were decided on a state that is not the journal's, and must be decided again.
    stale: bool,
    /// The journal is not the one that the state in memory came from: it was replaced, or restored from a backup.
    replaced: bool,
    failure: Option<Failure>,
    /// The kind of failure that was reported last.
    reported: Option<FailureKind>,
    backoff: Backoff,
    sync_backoff: Backoff,
    /// The number of the last known checkpoint.
    checkpoint: u64,
    /// The number of the last checkpoint that was begun or found.
    begun: u64,
    /// What was reported about the rights of folder and files when the journal was last opened.
    rights: Vec<Notice>,
}

impl Store {
    /// Creates the store. The journal is opened later.
    pub fn new(config: &Config, now: Now, membership: Arc<Membership>) -> Self {
        let durable = config.durability == Durability::Fsync;
        // The identifier must differ from that of the record made at this moment.
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

    /// Rebuilds the state's indexes for this configuration.
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

    /// The number of lost events whose loss is not recorded yet.
    pub const fn lost(&self) -> u64 {
        self.waiting.lost()
    }

    /// So many lost events have been recorded now.
    pub const fn lost_are_recorded(&mut self, events: u64) {
        self.waiting.lost_are_recorded(events);
    }

    /// Counts so many more lost events.
    pub const fn lose(&mut self, events: u64) {
        self.waiting.lose(events);
    }

    /// Must the call wait for a sync? `durable`: a power cut must not lose the record.
    pub fn syncs(&self, durable: bool, now: Mono) -> bool {
        self.options.durable && durable && !self.sync_backoff.is_paused(now)
    }

    /// A sync was slow: skip syncs for a while.
    pub fn sync_was_slow(&mut self, millis: u128, now: Mono) {
        self.sync_backoff.pause(now);
        report::slow_sync(millis);
    }

    /// Opens the journal if necessary, and applies its records.
    fn opened(&mut self, origin: Origin<'_>, deadline: Instant) -> Result<Arc<Journal>, Error> {
        if let Some(journal) = &self.journal {
            return Ok(journal.clone());
        }
        self.mend_rights();
        // Read as much as possible without the lock, so that others wait less.
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

    /// Mends the rights of folder and files, so that files of other users are never read. What cannot be mended is
    /// reported and does not stop the DLL. Each problem is reported once, because a journal that cannot be written is
    /// opened repeatedly.
    fn mend_rights(&mut self) {
        let before = std::mem::replace(&mut self.rights, rights::mend(&self.folder));
        for notice in self.rights.iter().filter(|notice| !before.contains(notice)) {
            report::notice(notice);
        }
    }

    /// Begins a new journal because a newer program has written to this one. The old segments stay unchanged. The new
    /// journal begins at the newest checkpoint that this program understands.
    #[allow(clippy::type_complexity)]
    fn begin_new(&self, deadline: Instant) -> Result<(Journal, Option<(State, Position, u64)>), Error> {
        let (found, _) = checkpoint::newest(&self.folder, |_, version| codec::reads_checkpoint(version))?;
        let state = found.and_then(|found| Some((codec::decode_state(&found.state)?, found.position)));
        let position = state.as_ref().map_or((0, 0), |(_, position)| (position.number, position.crc));
        let journal = Journal::begin_new(&self.folder, self.options, deadline, position)?;
        let here = journal.beginning();
        Ok((journal, state.map(|(state, position)| (state, here, position.number))))
    }

    /// Joins the live instance or begins one, if necessary. The state must be the journal's.
    fn join(&mut self, guard: &mut Guard<'_>, origin: Origin<'_>) -> Result<(), Error> {
        self.membership.clone().with(|own| {
            if self.replaced {
                // The lock file may have been replaced too.
                *own = None;
            } else if own.is_some() && self.state.instance() != Some(self.token) {
                // Another process began a new instance while this one held its lock, so the old token has ended.
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

    /// Begins an instance, which closes everything that an earlier one left open.
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

    /// Closes the sessions that ended processes left open. The state must be the journal's.
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
        // A session that turns out to be live is opened again, and the next process that joins must not close it again.
        self.membership.with(|own| own.as_mut().map_or(Ok(()), |own| guard.forget_gone(own)))
    }

    fn instance_started(&self, origin: Origin<'_>) -> Record {
        let began = Event::InstanceStarted { instance: self.token };
        let now = Now { at: self.started, random: self.token.0.to_be_bytes() };
        decide(&self.state, &origin.context(self.token), &began, &now)
    }

    /// Decides an event from memory, because it cannot be recorded now.
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

    /// Applies a record in memory and keeps it waiting to be recorded.
    pub fn keep(&mut self, record: &Record) {
        self.state.apply(record);
        let kept = codec::encode(record).is_ok_and(|payload| self.waiting.push(record.clone(), payload));
        if !kept {
            report::lost(self.waiting.lost(), &record.event);
        }
    }

    /// Returns the state if a checkpoint is due: when a start would have to read many records.
    pub fn snapshot_if_due(&mut self) -> Option<Snapshot> {
        self.snapshot_beyond(TOO_MANY)
    }

    /// Returns the state if the start had to read many records.
    pub fn snapshot_after_start(&mut self) -> Option<Snapshot> {
        self.snapshot_beyond(MANY)
    }

    fn snapshot_beyond(&mut self, records: u64) -> Option<Snapshot> {
        let position = self.position().filter(|position| position.number.saturating_sub(self.begun) > records)?;
        self.begun = position.number;
        Some(Snapshot::of(&self.state, position))
    }

    /// Returns the last record, if the state in memory matches the journal up to it.
    fn position(&self) -> Option<Position> {
        let agree = self.waiting.is_empty() && !self.stale;
        self.journal.as_ref().filter(|_| agree).map(|journal| journal.position())
    }

    /// Notes that the checkpoint at a record is complete. [`tidy`] deletes what it supersedes.
    pub const fn checkpoint_is_written(&mut self, number: u64) {
        self.checkpoint = number;
    }

    /// Writes a checkpoint. A failure is only reported, because it just makes the next start slower.
    fn write_checkpoint(&self, position: &Position) {
        let Ok(bytes) = codec::encode_state(&self.state) else { return };
        match checkpoint::write(&self.folder, position, codec::CHECKPOINT, &bytes) {
            Ok(_) => tidy(&self.folder),
            Err(error) => report::no_checkpoint(&error),
        }
    }

    /// Are there events that wait, or losses that are not recorded yet?
    pub fn has_unrecorded(&self) -> bool {
        !self.waiting.is_empty() || self.waiting.lost() > 0
    }

    /// Makes the next turn try the journal even if the last one just failed.
    pub fn resume(&mut self) {
        self.backoff.resume();
    }

    /// Writes a checkpoint and closes everything.
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

    /// Discards the state in memory, which may be wrong after a panic. It is rebuilt from the records, and waiting
    /// events are decided again.
    pub fn reload(&mut self) {
        self.journal = None;
        if self.waiting.is_empty() {
            self.state = State::new();
        }
    }
}

/// Deletes what a new checkpoint supersedes.
pub fn tidy(folder: &Path) {
    let _ = checkpoint::prune(folder, CHECKPOINTS);
    for gone in retain::expire(folder, Rule::Limit { bytes: LIMIT }).unwrap_or_default() {
        report::expired(&gone);
    }
}

/// Makes an instance's identifier.
fn token(random: [u8; 16]) -> Id {
    Id(uuid::Builder::from_random_bytes(random).into_uuid().as_u128())
}
