//! The journal as commands and the service use it: they append events of their own.

use crate::{codec, present};
use rasadmin_engine::config::Config;
use rasadmin_engine::{Context, Event, Now, Process, Record, State, decide};
use rasadmin_journal::{Error, Journal, Options};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a command waits for the journal's lock.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server's journal, open for an administrator's events. It belongs to no service instance.
#[derive(Debug)]
pub struct AdminJournal {
    folder: PathBuf,
    config: Arc<Config>,
    journal: Journal,
    state: State,
}

impl AdminJournal {
    /// Opens the journal in a folder. Returns None if nothing was ever recorded there.
    ///
    /// # Errors
    ///
    /// If the journal cannot be used.
    pub fn open(folder: &Path, config: &Arc<Config>) -> Result<Option<Self>, Error> {
        let Some(present) = present::read(folder)? else { return Ok(None) };
        let journal = Journal::open(folder, Options::default(), Instant::now() + PATIENCE)?;
        let mut state = if journal.start_at(&present.position)? { present.state } else { State::new() };
        state.derive(config);
        Ok(Some(Self { folder: folder.to_owned(), config: config.clone(), journal, state }))
    }

    /// Decides events with another configuration from now on.
    pub fn set_config(&mut self, config: &Arc<Config>) {
        if !self.state.serves(config) {
            self.config = config.clone();
            self.state.derive(config);
        }
    }

    /// Reads what others have recorded, without the lock: so a later [`record`](Self::record) holds it only briefly.
    /// Passes each record to `heard`.
    ///
    /// # Errors
    ///
    /// If the journal cannot be read. After [`Error::Replaced`] and [`Error::Diverged`], open it again.
    pub fn follow(&mut self, mut heard: impl FnMut(&Record)) -> Result<(), Error> {
        let Self { journal, state, .. } = self;
        let mut missing = present::Missing::default();
        journal.read_ahead(|item| present::apply_heard(state, &mut missing, item, &mut heard))
    }

    /// Returns the state after the last event that was read.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// The journal's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Records the event that `look` returns for the current state, if it returns one. The event is on disk when this
    /// returns. Returns None if the journal has no service instance.
    ///
    /// # Errors
    ///
    /// If the event cannot be recorded.
    pub fn record<T>(
        &mut self,
        now: &Now,
        look: impl FnOnce(&State) -> (T, Option<Event>),
    ) -> Result<Option<T>, Error> {
        self.record_heard(now, &mut |_| {}, look)
    }

    /// As [`record`](Self::record). Passes what others have recorded since the last call to `heard` first.
    ///
    /// # Errors
    ///
    /// If the event cannot be recorded.
    pub fn record_heard<T>(
        &mut self,
        now: &Now,
        heard: &mut dyn FnMut(&Record),
        look: impl FnOnce(&State) -> (T, Option<Event>),
    ) -> Result<Option<T>, Error> {
        let Self { journal, state, config, .. } = self;
        let mut guard = journal.lock(Instant::now() + PATIENCE)?;
        let mut missing = present::Missing::default();
        guard.catch_up(|item| present::apply_heard(state, &mut missing, item, heard))?;
        let Some(instance) = state.instance() else { return Ok(None) };
        let (found, event) = look(state);
        let Some(event) = event else { return Ok(Some(found)) };
        let server = state.server().clone();
        let record = decide(state, &Context::new(config, &server, instance, Process(0)), &event, now);
        let Ok(payload) = codec::encode(&record) else { return Ok(None) };
        let appended = guard.append(&[&payload])?;
        state.apply(&record);
        drop(guard);
        journal.sync(&appended.last)?;
        Ok(Some(found))
    }

    /// Ends the current segment and begins the next one, so that the old one can be deleted.
    ///
    /// # Errors
    ///
    /// If the journal cannot be written.
    pub fn seal(&mut self) -> Result<(), Error> {
        let Self { journal, state, .. } = self;
        let mut guard = journal.lock(Instant::now() + PATIENCE)?;
        let mut missing = present::Missing::default();
        guard.catch_up(|item| present::apply(state, &mut missing, item))?;
        guard.seal()
    }
}
