//! The recorder that the DLL uses: one method for each call of RRAS, which returns the answer.

use crate::call_times::CallTimes;
use crate::membership::Membership;
use crate::repeats::Repeats;
use crate::sliced_checkpoint::{SlicedCheckpoint, Snapshot};
use crate::store::{Health, Origin, Store, Turn, Written};
use crate::{report, store};
use rasadmin_engine::callback::{Callback, Took};
use rasadmin_engine::config::{Bundle, Config};
use rasadmin_engine::event::{AddressEvent, ConfigRead, ConnectionEvent, LinkEvent, ReleaseEvent};
use rasadmin_engine::{Answer, Decision, Event, Name, Now, Process, Record, State, decide};
use rasadmin_journal::{Error, Journal, Position};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// After a sync that takes longer than this, calls stop waiting for syncs for a while.
const SLOW: Duration = Duration::from_millis(500);

/// The most bytes of a configuration that are recorded, because a record must fit into a segment. A longer
/// configuration is recorded without its members files, or not at all.
const TEXTS: usize = 1024 * 1024;

/// The answer to a connection, a link, a reauthentication or an endpoint change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Accepted.
    Accept,
    /// Rejected, with the reason.
    Reject(String),
}

/// The address that a user gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assigned {
    /// This address, as a number in host byte order.
    Number(u64),
    /// The address that RRAS offered, unchanged.
    AsOffered,
}

/// The engine with its state and its journal.
#[derive(Debug)]
pub struct Recorder {
    /// One event at a time.
    inner: Mutex<Inner>,
    /// The checkpoint that is being written, one slice per call.
    writing: Mutex<Option<SlicedCheckpoint>>,
    membership: Arc<Membership>,
    times: CallTimes,
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

/// The decision and the answer for an event.
struct Outcome {
    decision: Option<Decision>,
    answer: Answer,
}

/// What has to be synced before the call returns.
struct ToSync {
    journal: Arc<Journal>,
    position: Position,
    durable: bool,
    /// The state for a checkpoint that is due.
    due: Option<Snapshot>,
}

impl Recorder {
    /// Starts the recorder with a configuration. If the journal cannot be used now, the recorder tries again later.
    /// `server` is the server's name if the configuration has none.
    pub fn start(config: Arc<Config>, server: &Name, now: Now) -> Self {
        let began = Instant::now();
        let server = config.server.clone().unwrap_or_else(|| server.clone());
        let process = Process(u64::from_be_bytes(now.random[..8].try_into().unwrap_or_default()));
        let membership = Arc::new(Membership::default());
        let store = Store::new(&config, now, membership.clone());
        let deadline = began + config.deadline;
        let mut inner = Inner { config, server, process, store, repeats: Repeats::default(), stopped: false };
        inner.store.derive(&inner.config);
        // The record of the instance's start uses the random bytes, so this event needs other ones.
        let other = Now { random: now.random.map(|byte| !byte), ..now };
        let mut sync = inner.config_read(None, other, deadline);
        if let Some(sync) = &mut sync {
            sync.due = sync.due.take().or_else(|| inner.store.snapshot_after_start());
        }
        let (inner, writing, times) = (Mutex::new(inner), Mutex::default(), CallTimes::default());
        let recorder = Self { inner, writing, membership, times };
        recorder.finish(sync, now);
        #[cfg(feature = "torture")]
        crate::torture::at(crate::torture::Point::Done);
        recorder
    }

    /// Puts a changed configuration in force. Journal and server stay the same until the next start.
    pub fn set_config(&self, config: Arc<Config>, now: Now) {
        let sync = self.in_turn(|inner, deadline| {
            inner.config = config;
            inner.store.derive(&inner.config);
            inner.config_read(None, now, deadline)
        });
        self.finish(sync, now);
    }

    /// Records that the configuration file is broken and the previous configuration stays in force.
    pub fn config_is_broken(&self, fault: &str, now: Now) {
        let sync = self.in_turn(|inner, deadline| inner.config_read(Some(fault.to_owned()), now, deadline));
        self.finish(sync, now);
    }

    /// Returns the journal's folder.
    pub fn folder(&self) -> PathBuf {
        self.inner().store.folder().clone()
    }

    /// Says whether events can be recorded.
    pub fn health(&self, now: Now) -> Health {
        self.inner().store.health(now.at.mono)
    }

    /// Reads something from the state.
    pub fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(self.inner().store.state())
    }

    /// Handles GetIpAddressForUser and GetIpv6AddressForUser.
    ///
    /// # Errors
    ///
    /// The reason, if the user gets no address. RRAS then ends the connection.
    pub fn assign(&self, event: &AddressEvent, now: Now) -> Result<Assigned, String> {
        let outcome = self.handle(Event::Address(event.clone()), now);
        match &outcome.answer {
            Answer::Address(given) => Ok(Assigned::Number(given.number)),
            Answer::AsOffered => Ok(Assigned::AsOffered),
            _ => Err(outcome.why()),
        }
    }

    /// Handles ReleaseIpAddress and ReleaseIpv6AddressForUser.
    pub fn release(&self, event: &ReleaseEvent, now: Now) {
        self.handle(Event::Release(event.clone()), now);
    }

    /// Handles AcceptNewConnection.
    pub fn accept_connection(&self, event: &ConnectionEvent, now: Now) -> Verdict {
        self.handle(Event::Connection(event.clone()), now).verdict()
    }

    /// Handles ConnectionHangupNotification.
    pub fn hangup(&self, event: &ConnectionEvent, now: Now) {
        self.handle(Event::Hangup(event.clone()), now);
    }

    /// Handles AcceptNewLink.
    pub fn accept_link(&self, event: &LinkEvent, now: Now) -> Verdict {
        self.handle(Event::Link(event.clone()), now).verdict()
    }

    /// Handles LinkHangupNotification.
    pub fn link_hangup(&self, event: &LinkEvent, now: Now) {
        self.handle(Event::LinkHangup(event.clone()), now);
    }

    /// Handles AcceptReauthentication.
    pub fn reauthenticate(&self, event: &ConnectionEvent, now: Now) -> Verdict {
        self.handle(Event::Reauthentication(event.clone()), now).verdict()
    }

    /// Handles AcceptTunnelEndpointChangeEx.
    pub fn endpoint_change(&self, event: &ConnectionEvent, now: Now) -> Verdict {
        self.handle(Event::EndpointChange(event.clone()), now).verdict()
    }

    /// Stops the recorder: records waiting events if possible, writes a checkpoint, and releases the instance's lock.
    /// After that it records nothing and rejects every request.
    pub fn stop(&self, now: Now) {
        #[cfg(feature = "torture")]
        crate::torture::at(crate::torture::Point::Locked);
        // `Store::stop` writes a whole checkpoint.
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

    /// Leaves the service instance and records nothing more. For an end while calls are still running: they still get
    /// an answer.
    pub fn leave(&self) {
        self.membership.leave();
    }

    /// A call of RRAS has returned, after this time. The next record takes it along.
    pub fn call_took(&self, callback: Callback, took: Duration) {
        self.times.add(callback, took);
    }

    fn handle(&self, event: Event, now: Now) -> Outcome {
        let mut times = self.times.take();
        let (outcome, sync) = self.in_turn(|inner, deadline| inner.handle(&event, &mut times, now, deadline));
        self.times.put_back(times);
        self.finish(sync, now);
        #[cfg(feature = "torture")]
        crate::torture::at(crate::torture::Point::Done);
        outcome
    }

    /// Does the slow work that needs no lock: waits for the disk, and does occasional upkeep. Other calls continue
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

    /// Writes a slice of the checkpoint in progress, unless another call is doing so.
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
        match one.write_slice() {
            Ok(Some(rest)) => *writing = Some(rest),
            Ok(None) => {
                self.inner().store.checkpoint_is_written(number);
                store::tidy(&self.folder());
            }
            Err(error) => report::no_checkpoint(&error),
        }
    }

    /// After a panic it is empty, because the writing call had taken it out.
    fn writing(&self) -> MutexGuard<'_, Option<SlicedCheckpoint>> {
        self.writing.lock().unwrap_or_else(|poisoned| {
            self.writing.clear_poison();
            poisoned.into_inner()
        })
    }

    /// Writes what could not be synced again, into another segment.
    fn write_again(&self, error: &Error, now: Now) {
        let written = self.in_turn(|inner, deadline| inner.turn(now, deadline, |turn| turn.write_again()));
        if written.is_none_or(|Written { journal, position, .. }| journal.sync(&position).is_err()) {
            report::not_synced(error);
        }
    }

    /// Runs one event at a time. (RRAS serialises most calls itself.) One deadline holds for the whole event, including
    /// the wait for its turn, so a call that got its turn late does not also wait for the journal.
    fn in_turn<T>(&self, work: impl FnOnce(&mut Inner, Instant) -> T) -> T {
        let began = Instant::now();
        let mut inner = self.inner();
        let deadline = began + inner.config.deadline;
        work(&mut inner, deadline)
    }

    /// Locks the state. After a panic, a record may be half applied, so the state is rebuilt from the records.
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
    /// Records the configuration's texts, which are needed to explain a decision.
    fn config_read(&mut self, fault: Option<String>, now: Now, deadline: Instant) -> Option<ToSync> {
        let (version, hash) = (env!("CARGO_PKG_VERSION").to_owned(), self.config.hash.clone());
        let event = Event::ConfigRead(ConfigRead { version, hash, texts: texts(&self.config), fault });
        self.handle(&event, &mut Vec::new(), now, deadline).1
    }

    /// Answers an event and records it. If that is not possible now, the event waits in memory. Its record takes the times
    /// of earlier calls.
    fn handle(
        &mut self,
        event: &Event,
        times: &mut Vec<Took>,
        now: Now,
        deadline: Instant,
    ) -> (Outcome, Option<ToSync>) {
        if self.stopped {
            return (Outcome { decision: None, answer: Answer::Reject }, None);
        }
        let (config, server, process) = (self.config.clone(), self.server.clone(), self.process);
        let origin = Origin { config: &config, server: &server, process };
        let mut repeats = std::mem::take(&mut self.repeats);
        let written = self.turn(now, deadline, |turn| {
            record_repeats(turn, &mut repeats, origin, now, false)?;
            let mut record = decide(turn.state(), &origin.context(turn.instance()), event, &now);
            let repeated = repeats.counts(&record);
            if !repeated {
                record.took.clone_from(times);
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
                let mut record = self.store.decide_alone(origin, event, now);
                let repeated = repeats.counts(&record);
                if !repeated {
                    record.took.clone_from(times);
                    self.store.keep(&record);
                }
                (record, repeated, None)
            }
        };
        if !repeated {
            times.clear();
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

    /// Records waiting events, the number of lost ones, and counted repetitions. What cannot be recorded now is lost
    /// with the process.
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

    /// Takes a turn at the journal. The number of lost events is recorded first.
    fn turn<T>(
        &mut self,
        now: Now,
        deadline: Instant,
        work: impl FnOnce(&mut Turn<'_, '_>) -> Result<T, Error>,
    ) -> Option<Written<T>> {
        let (config, server, process) = (self.config.clone(), self.server.clone(), self.process);
        let origin = Origin { config: &config, server: &server, process };
        let (lost, mut recorded) = (self.store.lost(), 0);
        let written = self.store.turn(origin, now.at, deadline, |turn| {
            if lost > 0 {
                let (event, now) = (Event::Lost { events: lost }, Now { random: crate::identifier_bytes(), ..now });
                turn.append(&decide(turn.state(), &origin.context(turn.instance()), &event, &now))?;
                recorded = lost;
            }
            work(turn)
        });
        // It is on record, even if the rest failed.
        self.store.lost_are_recorded(recorded);
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
        let lists = config.bundle.lists.keys().map(|name| (name.clone(), String::new())).collect();
        fits(&Bundle { lists, ..config.bundle.clone() })
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
