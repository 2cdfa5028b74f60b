//! The engine on its journal: one method a call, and the caller waits for the answer.

use crate::membership::Membership;
use crate::repeats::Repeats;
use crate::sliced_checkpoint::{SlicedCheckpoint, Snapshot};
use crate::store::{Health, Origin, Store, Turn, Written};
use crate::{report, store};
use rasadmin_engine::config::{Bundle, Config};
use rasadmin_engine::event::{AddressEvent, ConfigRead, ConnectionEvent, LinkEvent, ReleaseEvent};
use rasadmin_engine::{Answer, Decision, Event, Name, Now, Process, Record, State, decide};
use rasadmin_journal::{Error, Journal, Position};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// After a sync that takes longer, calls do not wait for syncs for a while.
const SLOW: Duration = Duration::from_millis(500);

/// A configuration's texts are recorded up to this size; beyond it, without its members files, if at all: a record has to
/// fit into a segment.
const TEXTS: usize = 1024 * 1024;

/// The answer to a connection, a link, a reauthentication or an endpoint change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may stand.
    Accept,
    /// It may not: why.
    Reject(String),
}

/// The address that a user gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assigned {
    /// This one: a number in host order.
    Number(u64),
    /// What RRAS offered, as it stands.
    AsOffered,
}

/// The engine, its state, and the journal behind it.
#[derive(Debug)]
pub struct Recorder {
    /// One event at a time.
    inner: Mutex<Inner>,
    /// A slice at a time, while other calls go on.
    writing: Mutex<Option<SlicedCheckpoint>>,
    membership: Arc<Membership>,
}

#[derive(Debug)]
struct Inner {
    config: Arc<Config>,
    server: Name,
    process: Process,
    store: Store,
    repeats: Repeats,
    stopped: bool,
}

/// What came of an event.
struct Outcome {
    decision: Option<Decision>,
    answer: Answer,
}

/// What is to be synced before the call returns.
struct ToSync {
    journal: Arc<Journal>,
    position: Position,
    durable: bool,
    /// A checkpoint that is to be begun.
    due: Option<Snapshot>,
}

impl Recorder {
    /// Starts with a configuration. If the journal cannot be used now, the start succeeds and tries again later.
    /// `server` is the name for a configuration that has none.
    pub fn start(config: Arc<Config>, server: &Name, now: Now) -> Self {
        let began = Instant::now();
        let server = config.server.clone().unwrap_or_else(|| server.clone());
        let process = Process(u64::from_be_bytes(now.random[..8].try_into().unwrap_or_default()));
        let membership = Arc::new(Membership::default());
        let store = Store::new(&config, now, membership.clone());
        let deadline = began + config.deadline;
        let mut inner = Inner { config, server, process, store, repeats: Repeats::default(), stopped: false };
        inner.store.derive(&inner.config);
        // The instance's record is made of these bytes: this one's identifier must be another, whatever they are.
        let other = Now { random: now.random.map(|byte| !byte), ..now };
        let mut sync = inner.config_read(None, other, deadline);
        if let Some(sync) = &mut sync {
            sync.due = sync.due.take().or_else(|| inner.store.snapshot_after_start());
        }
        let recorder = Self { inner: Mutex::new(inner), writing: Mutex::default(), membership };
        recorder.finish(sync, now);
        #[cfg(feature = "torture")]
        crate::torture::at(crate::torture::Point::Done);
        recorder
    }

    /// The configuration has changed. Journal and server stay as they were until the next start.
    pub fn set_config(&self, config: Arc<Config>, now: Now) {
        let sync = self.in_turn(|inner, deadline| {
            inner.config = config;
            inner.store.derive(&inner.config);
            inner.config_read(None, now, deadline)
        });
        self.finish(sync, now);
    }

    /// The file is broken, and the configuration in force stays. This is recorded for people who read the ledger.
    pub fn config_is_broken(&self, fault: &str, now: Now) {
        let sync = self.in_turn(|inner, deadline| inner.config_read(Some(fault.to_owned()), now, deadline));
        self.finish(sync, now);
    }

    /// The journal's folder.
    pub fn folder(&self) -> PathBuf {
        self.inner().store.folder().clone()
    }

    /// How recording goes.
    pub fn health(&self, now: Now) -> Health {
        self.inner().store.health(now.at.mono)
    }

    /// Answers a question about the state.
    pub fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(self.inner().store.state())
    }

    /// GetIpAddressForUser, GetIpv6AddressForUser. An error ends the connection: it says why.
    ///
    /// # Errors
    ///
    /// If the user gets no address.
    pub fn assign(&self, event: &AddressEvent, now: Now) -> Result<Assigned, String> {
        let outcome = self.handle(Event::Address(event.clone()), now);
        match &outcome.answer {
            Answer::Address(given) => Ok(Assigned::Number(given.number)),
            Answer::AsOffered => Ok(Assigned::AsOffered),
            _ => Err(outcome.why()),
        }
    }

    /// ReleaseIpAddress, ReleaseIpv6AddressForUser.
    pub fn release(&self, event: &ReleaseEvent, now: Now) {
        self.handle(Event::Release(event.clone()), now);
    }

    /// AcceptNewConnection.
    pub fn accept_connection(&self, event: &ConnectionEvent, now: Now) -> Verdict {
        self.handle(Event::Connection(event.clone()), now).verdict()
    }

    /// ConnectionHangupNotification.
    pub fn hangup(&self, event: &ConnectionEvent, now: Now) {
        self.handle(Event::Hangup(event.clone()), now);
    }

    /// AcceptNewLink.
    pub fn accept_link(&self, event: &LinkEvent, now: Now) -> Verdict {
        self.handle(Event::Link(event.clone()), now).verdict()
    }

    /// LinkHangupNotification.
    pub fn link_hangup(&self, event: &LinkEvent, now: Now) {
        self.handle(Event::LinkHangup(event.clone()), now);
    }

    /// AcceptReauthentication.
    pub fn reauthenticate(&self, event: &ConnectionEvent, now: Now) -> Verdict {
        self.handle(Event::Reauthentication(event.clone()), now).verdict()
    }

    /// AcceptTunnelEndpointChangeEx.
    pub fn endpoint_change(&self, event: &ConnectionEvent, now: Now) -> Verdict {
        self.handle(Event::EndpointChange(event.clone()), now).verdict()
    }

    /// Ends: waiting events are recorded if possible, a checkpoint is written, and the instance's lock is released.
    /// After that, nothing is opened or recorded, and every request is refused.
    pub fn stop(&self, now: Now) {
        #[cfg(feature = "torture")]
        crate::torture::at(crate::torture::Point::Locked);
        // The end writes one whole.
        *self.writing() = None;
        let sync = self.in_turn(|inner, deadline| {
            if std::mem::replace(&mut inner.stopped, true) {
                return None;
            }
            let sync = inner.write_rest(now, deadline);
            inner.store.stop();
            sync
        });
        self.finish(sync, now);
        #[cfg(feature = "torture")]
        crate::torture::at(crate::torture::Point::Done);
    }

    /// This process no longer belongs to its instance, and records nothing more. For an end while calls are inside:
    /// they are still answered.
    pub fn leave(&self) {
        self.membership.leave();
    }

    fn handle(&self, event: Event, now: Now) -> Outcome {
        let (outcome, sync) = self.in_turn(|inner, deadline| inner.handle(&event, now, deadline));
        self.finish(sync, now);
        #[cfg(feature = "torture")]
        crate::torture::at(crate::torture::Point::Done);
        outcome
    }

    /// Work that takes time and needs no lock: waiting for the disk, and occasional upkeep. Other calls continue
    /// meanwhile.
    fn finish(&self, sync: Option<ToSync>, now: Now) {
        let Some(ToSync { journal, position, durable, due }) = sync else { return };
        #[cfg(feature = "torture")]
        crate::torture::at(crate::torture::Point::Unlocked);
        if durable {
            let began = Instant::now();
            let synced = journal.sync(&position);
            let took = began.elapsed();
            if let Err(error) = synced {
                self.write_again(&error, now);
            } else if took > SLOW {
                self.inner().store.sync_was_slow(took.as_millis(), now.at.mono);
            }
        }
        if let Err(error) = journal.upkeep(Duration::from_millis(now.at.mono.0)) {
            self.inner().store.failed(&error, now.at.mono);
        }
        self.write_slice(due);
    }

    /// A slice of the checkpoint that is being written, if there is one and no other call is at it.
    fn write_slice(&self, due: Option<Snapshot>) {
        let mut writing = match due {
            None => match self.writing.try_lock() {
                Ok(writing) => writing,
                Err(_) => return,
            },
            Some(snapshot) => {
                let begun = SlicedCheckpoint::begin(&self.folder(), snapshot);
                let mut writing = self.writing();
                *writing = begun.inspect_err(report::no_checkpoint).ok();
                writing
            }
        };
        let Some(one) = writing.take() else { return };
        let number = one.number();
        match one.go_on() {
            Ok(Some(rest)) => *writing = Some(rest),
            Ok(None) => {
                self.inner().store.checkpoint_is_written(number);
                store::tidy(&self.folder());
            }
            Err(error) => report::no_checkpoint(&error),
        }
    }

    /// After a panic there is none: who writes takes it out.
    fn writing(&self) -> MutexGuard<'_, Option<SlicedCheckpoint>> {
        self.writing.lock().unwrap_or_else(|poisoned| {
            self.writing.clear_poison();
            poisoned.into_inner()
        })
    }

    /// What could not be synced is written again, into another segment.
    fn write_again(&self, error: &Error, now: Now) {
        let written = self.in_turn(|inner, deadline| inner.turn(now, deadline, |turn| turn.write_again()));
        if written.is_none_or(|Written { journal, position, .. }| journal.sync(&position).is_err()) {
            report::not_synced(error);
        }
    }

    /// One at a time: RRAS serialises most calls itself. One absolute deadline holds for the whole event, waiting for
    /// the turn included: a call that comes late learns at once that it must not wait for the journal.
    fn in_turn<T>(&self, work: impl FnOnce(&mut Inner, Instant) -> T) -> T {
        let began = Instant::now();
        let mut inner = self.inner();
        let deadline = began + inner.config.deadline;
        work(&mut inner, deadline)
    }

    /// A panic in an earlier call may have left a record half applied, so the state is rebuilt from the records.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| {
            let mut inner = poisoned.into_inner();
            let Inner { store, config, .. } = &mut *inner;
            store.reload();
            store.derive(config);
            self.inner.clear_poison();
            inner
        })
    }
}

impl Inner {
    /// A configuration's texts are recorded once; explaining a decision needs them.
    fn config_read(&mut self, fault: Option<String>, now: Now, deadline: Instant) -> Option<ToSync> {
        let (version, hash) = (env!("CARGO_PKG_VERSION").to_owned(), self.config.hash.clone());
        let event = Event::ConfigRead(ConfigRead { version, hash, texts: texts(&self.config), fault });
        self.handle(&event, now, deadline).1
    }

    /// Records an event and answers it; or answers it from memory, and it waits.
    fn handle(&mut self, event: &Event, now: Now, deadline: Instant) -> (Outcome, Option<ToSync>) {
        if self.stopped {
            return (Outcome { decision: None, answer: Answer::Reject }, None);
        }
        let (config, server, process) = (self.config.clone(), self.server.clone(), self.process);
        let origin = Origin { config: &config, server: &server, process };
        let mut repeats = std::mem::take(&mut self.repeats);
        let written = self.turn(now, deadline, |turn| {
            record_repeats(turn, &mut repeats, origin, now, false)?;
            let record = decide(turn.state(), &origin.context(turn.instance()), event, &now);
            let repeated = repeats.counts(&record);
            if !repeated {
                turn.append(&record)?;
            }
            Ok((record, repeated))
        });
        let (record, repeated, mut sync) = match written {
            Some(Written { done: (record, repeated), journal, position, waited }) => {
                let durable = self.store.syncs(record.is_durable() || waited, now.at.mono);
                (record, repeated, Some(ToSync { journal, position, durable, due: None }))
            }
            None => {
                let record = self.store.decide_alone(origin, event, now);
                let repeated = repeats.counts(&record);
                if !repeated {
                    self.store.keep(&record);
                }
                (record, repeated, None)
            }
        };
        if !repeated {
            self.store.lose(repeats.begin(&record));
            report::report_notable(&record);
        }
        self.repeats = repeats;
        if let Some(sync) = &mut sync {
            sync.due = self.store.snapshot_if_due();
        }
        let Record { decision, answer, .. } = record;
        (Outcome { decision, answer }, sync)
    }

    /// What waits, what was lost, and what was counted until the end: if it cannot be recorded now it is lost with the
    /// process.
    fn write_rest(&mut self, now: Now, deadline: Instant) -> Option<ToSync> {
        let mut repeats = std::mem::take(&mut self.repeats);
        if !self.store.has_unrecorded() && repeats.due(now.at, true).is_empty() {
            return None;
        }
        self.store.resume();
        let (config, server, process) = (self.config.clone(), self.server.clone(), self.process);
        let origin = Origin { config: &config, server: &server, process };
        let written = self.turn(now, deadline, |turn| record_repeats(turn, &mut repeats, origin, now, true))?;
        let Written { journal, position, waited, .. } = written;
        Some(ToSync { journal, position, durable: self.store.syncs(waited, now.at.mono), due: None })
    }

    /// A turn at the journal. Events that were lost are recorded first.
    fn turn<T>(
        &mut self,
        now: Now,
        deadline: Instant,
        work: impl FnOnce(&mut Turn<'_, '_>) -> Result<T, Error>,
    ) -> Option<Written<T>> {
        let (config, server, process) = (self.config.clone(), self.server.clone(), self.process);
        let origin = Origin { config: &config, server: &server, process };
        let (lost, mut told) = (self.store.lost(), 0);
        let written = self.store.turn(origin, now.at, deadline, |turn| {
            if lost > 0 {
                let (event, now) = (Event::Lost { events: lost }, Now { random: crate::identifier_bytes(), ..now });
                turn.append(&decide(turn.state(), &origin.context(turn.instance()), &event, &now))?;
                told = lost;
            }
            work(turn)
        });
        // It is on record, even if the rest failed.
        self.store.lost_are_recorded(told);
        written
    }
}

/// How often refusals were repeated, once their minute is over; `all`: of all.
fn record_repeats(
    turn: &mut Turn<'_, '_>,
    repeats: &mut Repeats,
    origin: Origin<'_>,
    now: Now,
    all: bool,
) -> Result<(), Error> {
    let due = repeats.due(now.at, all);
    if due.is_empty() {
        return Ok(());
    }
    let (context, now) = (origin.context(turn.instance()), Now { random: crate::identifier_bytes(), ..now });
    turn.append(&decide(turn.state(), &context, &Event::Repeated(due.clone()), &now))?;
    repeats.are_recorded();
    report::repeated(&due);
    Ok(())
}

/// A configuration's texts, as JSON; None if they are too long.
fn texts(config: &Config) -> Option<String> {
    let fits = |bundle: &Bundle| serde_json::to_string(bundle).ok().filter(|text| text.len() <= TEXTS);
    fits(&config.bundle).or_else(|| {
        let members = config.bundle.members.keys().map(|name| (name.clone(), String::new())).collect();
        fits(&Bundle { members, ..config.bundle.clone() })
    })
}

impl Outcome {
    fn verdict(self) -> Verdict {
        match self.answer {
            Answer::Reject => Verdict::Reject(self.why()),
            _ => Verdict::Accept,
        }
    }

    /// Why it was denied, for the log and for RRAS's caller.
    fn why(&self) -> String {
        let Some(decision) = &self.decision else { return "Remote Access has stopped the DLL".to_owned() };
        if let Some(refusal) = &decision.refusal {
            return refusal.to_string();
        }
        let rule = decision.rule.as_ref().map_or_else(|| "the default".to_owned(), |rule| format!("rule `{rule}`"));
        match &decision.reason {
            Some(reason) => format!("{rule}: {reason}"),
            None => rule,
        }
    }
}
