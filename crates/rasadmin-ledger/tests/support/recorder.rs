//! What the DLL does with the journal: decides each event on the state, and appends the record.

use rasadmin_engine::config::Config;
use rasadmin_engine::event::{AddressEvent, ConfigRead, ConnectionEvent, LinkEvent, ReleaseEvent};
use rasadmin_engine::state::{Checkpoint, VERSION};
use rasadmin_engine::{Answer, Event, Here, Id, Name, Now, Process, Record, State, decide};
use rasadmin_journal::{Guard, Instance, Item, Journal, Options, checkpoint};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Accept,
    Reject(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assigned {
    Number(u64),
    AsOffered,
}

pub struct Recorder(Mutex<Inner>);

struct Inner {
    config: Arc<Config>,
    server: Name,
    journal: Journal,
    state: State,
    token: Id,
    /// None once it has stopped.
    instance: Option<Instance>,
}

pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// Small segments, so that every test has several.
pub const OPTIONS: Options = Options { segment: 64 * 1024, portion: 64 * 1024, durable: false };

/// Applies what others have appended.
pub fn catch_up(guard: &mut Guard<'_>, state: &mut State) {
    guard
        .catch_up(|item| match item {
            Item::Record(record) => state.apply(&serde_json::from_slice(record.payload).unwrap()),
            Item::Gap { first, last } => panic!("records {first} to {last} are missing"),
        })
        .unwrap();
}

/// Appends a record and applies it.
pub fn append(guard: &mut Guard<'_>, state: &mut State, record: &Record) {
    guard.append(&[&serde_json::to_vec(record).unwrap()]).unwrap();
    state.apply(record);
}

impl Recorder {
    pub fn start(config: Arc<Config>, server: &Name, now: Now) -> Self {
        let server = config.server.clone().unwrap_or_else(|| server.clone());
        let journal = Journal::open(&config.journal, OPTIONS, soon()).unwrap();
        let mut state = State::new();
        let (token, instance) = {
            let mut guard = journal.lock(soon()).unwrap();
            catch_up(&mut guard, &mut state);
            let token = Id(u128::from_be_bytes(rasadmin_ledger::random().unwrap()));
            let instance = guard.join_instance(&token.to_string()).unwrap();
            (instance.token().parse().unwrap(), instance)
        };
        let instance = Some(instance);
        let recorder = Self(Mutex::new(Inner { config: config.clone(), server, journal, state, token, instance }));
        let joined = recorder.0.lock().unwrap().state.instance() == Some(token);
        if !joined {
            recorder.tell(Event::InstanceStarted { instance: token }, now);
        }
        recorder.set_config(config, Now { random: rasadmin_ledger::random().unwrap(), ..now });
        recorder
    }

    pub fn set_config(&self, config: Arc<Config>, now: Now) {
        let texts = Some(serde_json::to_string(&config.bundle).unwrap());
        let read = ConfigRead { version: "1".to_owned(), hash: config.hash.clone(), texts, fault: None };
        let mut inner = self.0.lock().unwrap();
        inner.state.derive(&config);
        inner.config = config;
        drop(inner);
        self.tell(Event::ConfigRead(read), now);
    }

    /// What is in force.
    pub fn state(&self) -> State {
        let mut inner = self.0.lock().unwrap();
        let Inner { journal, state, .. } = &mut *inner;
        catch_up(&mut journal.lock(soon()).unwrap(), state);
        inner.state.clone()
    }

    /// What an administrator tells.
    pub fn tell(&self, event: Event, now: Now) -> Option<Record> {
        let mut inner = self.0.lock().unwrap();
        let Inner { config, server, journal, state, token, instance } = &mut *inner;
        instance.as_ref()?;
        let mut guard = journal.lock(soon()).unwrap();
        catch_up(&mut guard, state);
        let record = decide(state, &Here::new(config, server, *token, Process(1)), &event, &now);
        append(&mut guard, state, &record);
        Some(record)
    }

    /// Writes the state down as of now.
    pub fn checkpoint(&self) {
        let state = self.state();
        let inner = self.0.lock().unwrap();
        let bytes = postcard::to_allocvec(&Checkpoint::of(&state)).unwrap();
        checkpoint::write(&inner.config.journal, &inner.journal.position(), VERSION, &bytes).unwrap();
    }

    /// Appends bytes that need be no record.
    pub fn append_bytes(&self, payload: &[u8]) {
        let inner = self.0.lock().unwrap();
        let mut guard = inner.journal.lock(soon()).unwrap();
        guard.catch_up(|item| panic!("{item:?}")).unwrap();
        guard.append(&[payload]).unwrap();
    }

    fn verdict(&self, event: Event, now: Now) -> Verdict {
        match self.tell(event, now) {
            Some(Record { answer: Answer::Accept, .. }) => Verdict::Accept,
            record => Verdict::Reject(why(record)),
        }
    }

    pub fn assign(&self, event: &AddressEvent, now: Now) -> Result<Assigned, String> {
        match self.tell(Event::Address(event.clone()), now) {
            Some(Record { answer: Answer::Address(given), .. }) => Ok(Assigned::Number(given.number)),
            Some(Record { answer: Answer::AsOffered, .. }) => Ok(Assigned::AsOffered),
            record => Err(why(record)),
        }
    }

    pub fn release(&self, event: &ReleaseEvent, now: Now) {
        self.tell(Event::Release(event.clone()), now);
    }

    pub fn accept_connection(&self, event: &ConnectionEvent, now: Now) -> Verdict {
        self.verdict(Event::Connection(event.clone()), now)
    }

    pub fn hangup(&self, event: &ConnectionEvent, now: Now) {
        self.tell(Event::Hangup(event.clone()), now);
    }

    pub fn accept_link(&self, event: &LinkEvent, now: Now) -> Verdict {
        self.verdict(Event::Link(event.clone()), now)
    }

    pub fn link_hangup(&self, event: &LinkEvent, now: Now) {
        self.tell(Event::LinkHangup(event.clone()), now);
    }

    pub fn reauthenticate(&self, event: &ConnectionEvent, now: Now) -> Verdict {
        self.verdict(Event::Reauthentication(event.clone()), now)
    }

    pub fn endpoint_change(&self, event: &ConnectionEvent, now: Now) -> Verdict {
        self.verdict(Event::EndpointChange(event.clone()), now)
    }

    pub fn stop(&self, _: Now) {
        self.0.lock().unwrap().instance = None;
    }
}

/// Why it was denied, as the DLL says it.
fn why(record: Option<Record>) -> String {
    let Some(decision) = record.and_then(|record| record.decision) else { return "it has stopped".to_owned() };
    if let Some(refusal) = &decision.refusal {
        return refusal.to_string();
    }
    let rule = decision.rule.as_ref().map_or_else(|| "the default".to_owned(), |rule| format!("rule `{rule}`"));
    match &decision.reason {
        Some(reason) => format!("{rule}: {reason}"),
        None => rule,
    }
}
