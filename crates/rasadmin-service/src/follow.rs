//! `follow`: brings records into the ledger as they come.
//!
//! The journal is read without its lock, from where the ledger is. That costs one short read while nothing happens. The
//! ledger is opened when there is something to bring in, and closed after some seconds without, so that it can be moved
//! or restored while the service runs. Because it writes the ledger anyway, this duty also writes octets over time.

use crate::duty::{Duty, Fault, Turn};
use crate::monitor::Seen;
use crate::samples::{self, Samples};
use crate::settings::Settings;
use crate::state::{FollowReport, Report};
use rasadmin_journal::{Error, Follower, Position};
use rasadmin_ledger::sqlite::{Create, Sqlite};
use rasadmin_messages::Message;
use rasadmin_policy::Millis;
use rasadmin_recorder::upkeep::{self, Checkpoint};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// The time between two looks at the journal.
const EVERY: Duration = Duration::from_millis(250);

/// The time between two looks at whether there is a journal.
const UNTIL_THERE: Duration = Duration::from_secs(1);

/// The time between two checks of whether the journal's files are still those that are open, and the ledger still the
/// one that was closed.
const CHECK: Duration = Duration::from_secs(1);

/// How long the ledger stays open without records.
const IDLE: Duration = Duration::from_secs(5);

/// How long to wait for the ledger while others write. A request to stop ends the wait.
const PATIENCE: Duration = Duration::from_secs(60);

/// The same warning is given once in this time, because the cause of some is met again with each record.
const WARN_AGAIN: u64 = 60 * 60 * 1000;

/// The duty.
pub struct Follow {
    settings: Arc<Settings>,
    /// Reads the journal behind the ledger's position. None: the ledger's position must be found first.
    follower: Option<Follower>,
    /// The last record that the ledger has.
    brought: Option<Position>,
    ledger: Option<Sqlite>,
    /// The ledger's file when it was closed.
    closed: Option<FileState>,
    /// The warnings that were given lately, and when.
    warned: Vec<(Millis, String)>,
    /// When records were last brought in.
    busy: Instant,
    checked: Instant,
    /// The segment for which a checkpoint was written, or need not be.
    segment: Option<Position>,
    /// Octets over time, which come from the monitor.
    samples: Option<Samples>,
    report: FollowReport,
}

impl Follow {
    /// Nothing is opened yet.
    pub fn new(settings: Arc<Settings>) -> Self {
        let now = Instant::now();
        Self {
            settings,
            follower: None,
            brought: None,
            ledger: None,
            closed: None,
            warned: Vec::new(),
            busy: now,
            checked: now,
            segment: None,
            samples: None,
            report: FollowReport::default(),
        }
    }

    /// Also writes octets over time of what the monitor has seen.
    #[must_use]
    pub fn sampling(self, seen: Seen) -> Self {
        Self { samples: Some(Samples::of(seen)), ..self }
    }

    /// Reads on, as far as the journal goes. Returns whether the ledger may lack something.
    fn look(&mut self) -> Result<bool, Error> {
        let Some(follower) = &mut self.follower else { return Ok(true) };
        if self.checked.elapsed() >= CHECK {
            self.checked = Instant::now();
            follower.check()?;
            if self.ledger.is_none() && !is_as_closed(&self.settings.ledger, self.closed) {
                // Somebody has written, restored or deleted it.
                self.brought = None;
            }
        }
        follower.read(|_| ())?;
        let there = follower.position();
        let Some(brought) = self.brought else { return Ok(true) };
        self.report.behind = there.number.saturating_sub(brought.number);
        Ok(there.journal != brought.journal || there.number > brought.number)
    }

    /// Brings in what the ledger lacks. Returns false if nothing was ever recorded.
    fn bring_in(&mut self, turn: &Turn<'_>) -> Result<bool, Fault> {
        let Settings { journal, server, durable, .. } = &*self.settings;
        if Follower::open(journal)?.is_none() {
            return Ok(false);
        }
        let ledger = match &mut self.ledger {
            Some(ledger) => ledger,
            None => {
                let deadline = Instant::now() + PATIENCE;
                self.ledger.insert(Sqlite::open(&self.settings.ledger, Create::Yes, *durable, deadline)?)
            }
        };
        let brought = match ledger.ingest(journal, server, &mut |_| {}) {
            Ok(brought) => brought,
            Err(error) => {
                // It may have been replaced.
                self.ledger = None;
                return Err(error.into());
            }
        };
        self.warned.retain(|(time, _)| time.abs_diff(turn.now) < WARN_AGAIN);
        for warning in brought.warnings() {
            if self.warned.iter().all(|(_, given)| *given != warning) {
                turn.log.emit(&Message::LedgerIncomplete { warning: &warning });
                self.report.warning = Some((turn.now, warning.clone()));
                self.warned.push((turn.now, warning));
            }
        }
        let Some(position) = brought.position else { return Ok(false) };
        self.busy = Instant::now();
        self.brought = Some(position);
        self.report.record = Some(position.number);
        if !turn.stop.is_requested() {
            // Otherwise it was interrupted, and there may be more.
            self.report.behind = 0;
        }
        if self.follower.as_ref().is_none_or(|follower| follower.position().journal != position.journal) {
            self.follower = follow_from(journal, &position)?;
        }
        Ok(true)
    }

    /// Writes octets over time, if some are due. Without them nothing goes wrong: what hinders this is left to what the duty
    /// has to do anyway.
    fn sample(&mut self) {
        let Some(samples) = self.samples.as_mut().filter(|_| self.brought.is_some()) else { return };
        if !samples.begin_round() {
            return;
        }
        if let Some(ledger) = &mut self.ledger {
            let _ = samples.write(ledger);
            return;
        }
        let Settings { ledger: path, durable, .. } = &*self.settings;
        // Another file than the one that was closed first gets the records that it lacks.
        if is_as_closed(path, self.closed) {
            let opened = Sqlite::open(path, Create::No, *durable, Instant::now() + samples::PATIENCE);
            let _ = opened.and_then(|mut ledger| samples.write(&mut ledger));
            self.closed = FileState::of(path);
        }
    }

    /// After each segment, so that the DLL starts quickly and the segment can be deleted later.
    fn write_checkpoint(&mut self, turn: &Turn<'_>) {
        let Some(brought) = self.brought else { return };
        if self.segment.is_some_and(|known| known.segment == brought.segment) {
            return;
        }
        self.segment = Some(brought);
        match upkeep::checkpoint_if_due(&self.settings.journal) {
            Ok(Some(Checkpoint::Written { number, .. })) => {
                turn.log.line(&format!("follow: checkpoint of record {number} written"));
            }
            Ok(Some(Checkpoint::NotUnderstood)) => {
                let error = "this service does not understand all records; use the one that came with the DLL";
                turn.log.emit(&Message::NoCheckpoint { error: &error });
            }
            Ok(Some(Checkpoint::NothingRecorded) | None) => {}
            Err(error) => turn.log.emit(&Message::NoCheckpoint { error: &error }),
        }
    }
}

/// What changes if somebody writes to a file or replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileState {
    modified: Option<SystemTime>,
    length: u64,
}

impl FileState {
    /// None if there is no such file.
    fn of(path: &Path) -> Option<Self> {
        let file = std::fs::metadata(path).ok()?;
        Some(Self { modified: file.modified().ok(), length: file.len() })
    }
}

/// Has nobody changed or replaced the ledger since it was closed?
fn is_as_closed(ledger: &Path, closed: Option<FileState>) -> bool {
    FileState::of(ledger).is_some_and(|file| Some(file) == closed)
}

/// Follows a journal from a position; None if it does not have it (any more).
fn follow_from(journal: &Path, position: &Position) -> Result<Option<Follower>, Error> {
    let Some(mut follower) = Follower::open(journal)? else { return Ok(None) };
    Ok(follower.start_at(position)?.then_some(follower))
}

impl Duty for Follow {
    fn step(&mut self, turn: &Turn<'_>) -> Result<Duration, Fault> {
        let lacks = match self.look() {
            Ok(lacks) => lacks,
            Err(Error::Replaced(_) | Error::Diverged { .. }) => {
                // The journal was moved, restored or repaired: it is opened again.
                self.follower = None;
                true
            }
            Err(error) => {
                self.follower = None;
                return Err(error.into());
            }
        };
        if lacks {
            if !self.bring_in(turn)? {
                return Ok(UNTIL_THERE);
            }
            self.write_checkpoint(turn);
        } else if self.ledger.is_some() && self.busy.elapsed() >= IDLE {
            self.ledger = None;
            self.closed = FileState::of(&self.settings.ledger);
        }
        if !turn.stop.is_requested() {
            self.sample();
        }
        Ok(EVERY)
    }

    fn report(&self) -> Report {
        Report::Follow(self.report.clone())
    }
}
