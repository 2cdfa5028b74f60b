//! The engine with a ledger behind it: one method an event, called by the DLL, which waits for the answer.
//!
//! An event is one short transaction: what other processes have recorded is applied to the state, the engine decides, and
//! its record is written. While the ledger is away, the rules' own policy answers, and the spool keeps the event.

mod orphans;
mod refusals;
mod store;
#[cfg(test)]
mod tests;

use crate::sqlite::Logged;
use rasadmin_engine::config::Config;
use rasadmin_engine::decide::decide_alone;
use rasadmin_engine::event::{AddressEvent, ConfigRead, ConnectionEvent, LinkEvent, ReleaseEvent};
use rasadmin_engine::{
    Answer, Away, Decision, Event, Facts, Id, Journal, Name, Now, Process, Stamp, State, Waited, decide,
};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;
pub use store::Health;
use store::{Store, Whose};

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

/// How many accepted connections are remembered for their links.
const RECENT: usize = 256;

/// The engine.
#[derive(Debug)]
pub struct Engine {
    /// One event at a time.
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Arc<Config>,
    server: Name,
    process: Process,
    store: Store,
    /// What the ledger was not told yet: that a configuration was read.
    read: Option<(Stamp, ConfigRead)>,
    /// What was known of connections that were accepted lately: for their links, should the ledger be away by then.
    recent: VecDeque<(u64, Facts)>,
}

/// What came of an event.
struct Told {
    decision: Option<Decision>,
    answer: Answer,
}

impl Engine {
    /// Starts with a configuration. A ledger that is away is no reason to fail: it is tried again. `server` is the name
    /// for a configuration that has none.
    pub fn start(config: Arc<Config>, server: &Name, now: Now) -> Self {
        let began = Instant::now();
        let server = config.server.clone().unwrap_or_else(|| server.clone());
        let process = Process(u64::from_be_bytes(now.random[..8].try_into().unwrap_or_default()));
        let store = Store::new(&config, now.at);
        let mut inner = Inner { config, server, process, store, read: None, recent: VecDeque::new() };
        let deadline = began + inner.config.deadline;
        inner.config_read(None, now, deadline);
        Self { inner: Mutex::new(inner) }
    }

    /// The configuration has changed. Ledger and server stay as they were until the next start.
    pub fn set_config(&self, config: Arc<Config>, now: Now) {
        self.in_turn(|inner, deadline| {
            inner.config = config;
            if let Some((open, _)) = inner.store.here() {
                open.records.set_config(&inner.config, &mut open.state);
            }
            inner.config_read(None, now, deadline);
        });
    }

    /// The file is broken, and the configuration in force stays: for whoever asks the ledger.
    pub fn config_is_broken(&self, fault: &str, now: Now) {
        self.in_turn(|inner, deadline| inner.config_read(Some(fault.to_owned()), now, deadline));
    }

    /// The ledger's file.
    pub fn ledger(&self) -> PathBuf {
        self.inner().store.path().to_owned()
    }

    /// The statements that were run since this was called last, for a benchmark; from now on they are noted.
    pub fn logged(&self) -> Vec<Logged> {
        self.inner().store.logged()
    }

    /// How the ledger is.
    pub fn health(&self) -> Health {
        self.inner().store.health()
    }

    /// GetIpAddressForUser, GetIpv6AddressForUser. An error ends the connection: it says why.
    ///
    /// # Errors
    ///
    /// If the user gets no address.
    pub fn assign(&self, event: &AddressEvent, now: Now) -> Result<Assigned, String> {
        let told = self.tell(Event::Address(event.clone()), now);
        match &told.answer {
            Answer::Address(given) => Ok(Assigned::Number(given.number)),
            Answer::AsOffered => Ok(Assigned::AsOffered),
            _ => Err(told.why()),
        }
    }

    /// ReleaseIpAddress, ReleaseIpv6AddressForUser.
    pub fn release(&self, event: &ReleaseEvent, now: Now) {
        self.tell(Event::Release(event.clone()), now);
    }

    /// AcceptNewConnection.
    pub fn accept_connection(&self, event: &ConnectionEvent, now: Now) -> Verdict {
        self.tell(Event::Connection(event.clone()), now).verdict()
    }

    /// ConnectionHangupNotification.
    pub fn hangup(&self, event: &ConnectionEvent, now: Now) {
        self.tell(Event::Hangup(event.clone()), now);
    }

    /// AcceptNewLink.
    pub fn accept_link(&self, event: &LinkEvent, now: Now) -> Verdict {
        self.tell(Event::Link(event.clone()), now).verdict()
    }

    /// LinkHangupNotification.
    pub fn link_hangup(&self, event: &LinkEvent, now: Now) {
        self.tell(Event::LinkHangup(event.clone()), now);
    }

    /// AcceptReauthentication.
    pub fn reauthenticate(&self, event: &ConnectionEvent, now: Now) -> Verdict {
        self.tell(Event::Reauthentication(event.clone()), now).verdict()
    }

    /// AcceptTunnelEndpointChangeEx.
    pub fn endpoint_change(&self, event: &ConnectionEvent, now: Now) -> Verdict {
        self.tell(Event::EndpointChange(event.clone()), now).verdict()
    }

    /// Ends: what waits is recorded if it can be, the state is written down, and the instance's lock is released. After
    /// it nothing is opened or recorded, and whatever asks is refused.
    pub fn stop(&self, now: Now) {
        #[cfg(feature = "torture")]
        crate::torture::at(crate::torture::Point::BeforeCommit);
        self.in_turn(|inner, deadline| {
            let Inner { config, server, process, store, .. } = inner;
            store.stop(Whose { config, server, process: *process }, now.at.mono, deadline);
        });
        #[cfg(feature = "torture")]
        crate::torture::at(crate::torture::Point::Committed);
    }

    fn tell(&self, event: Event, now: Now) -> Told {
        self.in_turn(|inner, deadline| inner.tell(event, now, deadline))
    }

    /// One at a time: RRAS serialises most calls itself. One absolute deadline holds for the whole event, waiting for
    /// the turn included: whoever comes late finds out at once that the ledger is not to be waited for.
    fn in_turn<T>(&self, work: impl FnOnce(&mut Inner, Instant) -> T) -> T {
        let began = Instant::now();
        let mut inner = self.inner();
        let deadline = began + inner.config.deadline;
        work(&mut inner, deadline)
    }

    /// A panic in an earlier call leaves nothing half done in the ledger: a transaction is rolled back, or whole. The state
    /// may have taken over a part of a record, so it is made anew of the records.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| {
            let mut inner = poisoned.into_inner();
            inner.store.reload();
            self.inner.clear_poison();
            inner
        })
    }
}

impl Inner {
    /// The ledger is told that the configuration was read: now, or with the next event if it is away.
    fn config_read(&mut self, fault: Option<String>, now: Now, deadline: Instant) {
        let (version, hash) = (env!("CARGO_PKG_VERSION").to_owned(), self.config.hash.clone());
        self.read = Some((now.at, ConfigRead { version, hash, texts: None, fault }));
        // If it is away the store has said so.
        let _ = self.prepare(now, deadline).inspect_err(|why| self.store.lost(why, now.at.mono));
    }

    /// Records an event and answers it; or answers it alone, and keeps it until the ledger is back.
    fn tell(&mut self, event: Event, now: Now, deadline: Instant) -> Told {
        if self.store.is_stopped() {
            return Told { decision: None, answer: Answer::Reject };
        }
        let told = match self.record(&event, now, deadline) {
            Ok(told) => told,
            Err(why) => {
                if let Some(why) = why {
                    self.store.lost(&why, now.at.mono);
                }
                self.tell_alone(&event, now)
            }
        };
        if let (Event::Connection(event), Answer::Accept, Some(decision)) = (&event, &told.answer, &told.decision) {
            self.remember(event.handle, decision.facts.clone());
        }
        told
    }

    /// An error without a reason: the ledger was away before.
    fn record(&mut self, event: &Event, now: Now, deadline: Instant) -> Result<Told, Option<Away>> {
        self.prepare(now, deadline)?;
        let whose = Whose { config: &self.config, server: &self.server, process: self.process };
        let Some((open, token)) = self.store.here() else { return Err(None) };
        let here = whose.here(token);
        let decide = &mut |state: &State| Some(decide(state, &here, event, &now));
        let Some(record) = open.records.call(&mut open.state, deadline, decide)? else { return Err(None) };
        refusals::tell_record(&record);
        Ok(Told { decision: record.decision, answer: record.answer })
    }

    /// Opens the ledger if it is time to, and tells it what it was not told yet.
    fn prepare(&mut self, now: Now, deadline: Instant) -> Result<(), Away> {
        let Self { config, server, process, store, read, .. } = self;
        let whose = Whose { config, server, process: *process };
        store.open(whose, now.at.mono, deadline);
        let lost = store.lost_untold();
        let Some((open, token)) = store.here() else { return Ok(()) };
        let here = whose.here(token);
        if let Some((at, untold)) = read {
            let Ok(random) = crate::random() else { return Ok(()) };
            open.records.call(&mut open.state, deadline, &mut |state| {
                let known = state.config_on_record() == Some(&untold.hash);
                let texts = (!known).then(|| serde_json::to_string(&config.bundle).unwrap_or_default());
                let event = Event::ConfigRead(ConfigRead { texts, ..untold.clone() });
                Some(decide(state, &here, &event, &Now { at: *at, random }))
            })?;
            *read = None;
        }
        if lost > 0 {
            let Ok(random) = crate::random() else { return Ok(()) };
            let now = Now { at: now.at, random };
            let event = Event::Lost { events: lost };
            open.records.call(&mut open.state, deadline, &mut |state| Some(decide(state, &here, &event, &now)))?;
            store.lost_are_told(lost);
        }
        Ok(())
    }

    /// While the ledger is away the rules answer without counts, and no address of ours is given.
    fn tell_alone(&mut self, event: &Event, now: Now) -> Told {
        let handle = match event {
            Event::Link(event) => Some(event.handle),
            Event::Reauthentication(event) | Event::EndpointChange(event) => Some(event.handle),
            _ => None,
        };
        let known = self.recent.iter().find(|(of, _)| Some(*of) == handle).map(|(_, facts)| facts);
        let whose = Whose { config: &self.config, server: &self.server, process: self.process };
        let here = whose.here(self.store.token().unwrap_or(Id(0)));
        let (decision, answer) = match decide_alone(&here, event, &now, known) {
            Some((decision, answer)) => (Some(decision), answer),
            None => (None, Answer::Nothing),
        };
        if let Some(decision) = &decision {
            refusals::tell_decision(decision, event.user_name().unwrap_or(&Name::default()));
        }
        let Now { at, random } = now;
        let (told, answered) = (decision.clone(), answer.clone());
        self.store.keep(&Waited { at, random, event: event.clone(), decision: told, answer: answered });
        Told { decision, answer }
    }

    fn remember(&mut self, handle: u64, facts: Facts) {
        self.recent.retain(|(of, _)| *of != handle);
        self.recent.truncate(RECENT - 1);
        self.recent.push_front((handle, facts));
    }
}

impl Told {
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
        let away = if decision.ledger_away { " because the ledger is away" } else { "" };
        match &decision.reason {
            Some(reason) => format!("{rule}{away}: {reason}"),
            None => format!("{rule}{away}"),
        }
    }
}
