//! The engine: one method an event, called by the DLL, which waits for the answer.
//!
//! An event is one short transaction: what it contradicts is ended, what the rules want to know is read, they decide,
//! and the decision is recorded. While the ledger is away, the rules' own policy answers, and the spool records.

mod address;
mod connection;
mod counts;
pub mod explain;
mod orphans;
mod refusals;
pub mod rehearse;
mod store;

use crate::config::Config;
use crate::event::{AddressEvent, ConnectionEvent, LinkEvent, Record, What};
use crate::ledger::{Away, Decision, Ledger, Load, Millis};
use crate::pools::Tags;
use crate::record::Book;
use crate::rules::{Counted, GroupSet, Ruling};
use crate::{Facts, Name, Stage};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
pub use store::Health;
use store::Store;

/// The time of a call: of the calendar, and for deadlines. Passed in.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Milliseconds since 1970, UTC. It may go back.
    pub time: Millis,
    /// It never does.
    pub instant: Instant,
}

impl Now {
    /// The system's clocks.
    pub fn system() -> Self {
        Self { time: jiff::Timestamp::now().as_millisecond(), instant: Instant::now() }
    }

    /// When a call that began now must have its answer. A clock that was put ahead must not make it wait longer.
    fn deadline(self, patience: Duration) -> Instant {
        self.instant.min(Instant::now()) + patience
    }
}

/// The answer to a connection, a link, a reauthentication or an endpoint change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may stand.
    Accept,
    /// It may not: why.
    Reject(String),
}

/// The address that a user gets; None keeps nothing: the connection ends, with the reason.
pub type AddressAnswer = Result<u64, String>;

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
    tags: Tags,
    store: Store,
    swept: Option<Instant>,
    /// What the ledger was not told yet: that a configuration was read.
    load: Option<Load>,
    /// What was known of connections that were accepted lately: for their links, should the ledger be away by then.
    recent: VecDeque<(u64, Facts)>,
}

/// How many accepted connections are remembered for their links.
const RECENT: usize = 256;

impl Engine {
    /// Starts with a configuration. A ledger that is away is no reason to fail: it is tried again. `server` is the name
    /// for a configuration that has none.
    pub fn start(config: Arc<Config>, server: &Name, now: Now) -> Self {
        let server = config.server.clone().unwrap_or_else(|| server.clone());
        let mut inner = Inner {
            tags: Tags::new(&config.addresses),
            store: Store::new(&config),
            config,
            server,
            swept: None,
            load: None,
            recent: VecDeque::new(),
        };
        inner.tell_load(None, now, now.deadline(inner.config.deadline));
        Self { inner: Mutex::new(inner) }
    }

    /// The configuration has changed. Ledger and server stay as they were until the next start.
    pub fn set_config(&self, config: Arc<Config>, now: Now) {
        self.in_turn(now, |inner, deadline| {
            inner.tags = Tags::new(&config.addresses);
            inner.config = config;
            inner.tell_load(None, now, deadline);
        });
    }

    /// The file is broken, and the configuration in force stays: for whoever asks the ledger.
    pub fn config_is_broken(&self, fault: &str, now: Now) {
        self.in_turn(now, |inner, deadline| inner.tell_load(Some(fault.to_owned()), now, deadline));
    }

    /// The ledger's file.
    pub fn ledger(&self) -> PathBuf {
        self.inner().store.path().to_owned()
    }

    /// The statements that were run since this was called last, for a benchmark; from now on they are noted.
    pub fn logged(&self) -> Vec<crate::ledger::sqlite::Logged> {
        self.inner().store.logged()
    }

    /// How the ledger is.
    pub fn health(&self) -> Health {
        self.inner().store.health()
    }

    /// GetIpAddressForUser, GetIpv6AddressForUser.
    pub fn assign(&self, event: &AddressEvent, now: Now) -> AddressAnswer {
        self.in_turn(now, |inner, deadline| inner.assign(event, now, deadline))
    }

    /// ReleaseIpAddress, ReleaseIpv6AddressForUser.
    pub fn release(&self, event: &AddressEvent, now: Now) {
        self.note(What::Release { event: event.clone() }, now);
    }

    /// AcceptNewConnection.
    pub fn accept_connection(&self, event: &ConnectionEvent, now: Now) -> Verdict {
        self.in_turn(now, |inner, deadline| inner.accept_connection(event, now, deadline))
    }

    /// ConnectionHangupNotification.
    pub fn hangup(&self, event: &ConnectionEvent, now: Now) {
        self.note(What::Hangup { event: event.clone() }, now);
    }

    /// AcceptNewLink.
    pub fn accept_link(&self, event: &LinkEvent, now: Now) -> Verdict {
        self.in_turn(now, |inner, deadline| inner.accept_link(event, now, deadline))
    }

    /// LinkHangupNotification.
    pub fn link_hangup(&self, event: &LinkEvent, now: Now) {
        self.note(What::LinkHangup { event: event.clone() }, now);
    }

    /// AcceptReauthentication.
    pub fn reauthenticate(&self, event: &ConnectionEvent, now: Now) -> Verdict {
        self.in_turn(now, |inner, deadline| inner.again(event, Stage::Reauthentication, now, deadline))
    }

    /// AcceptTunnelEndpointChangeEx.
    pub fn endpoint_change(&self, event: &ConnectionEvent, now: Now) -> Verdict {
        self.in_turn(now, |inner, deadline| inner.again(event, Stage::EndpointChange, now, deadline))
    }

    /// Ends: the spool is replayed if it can be, and the instance's lock is released.
    pub fn stop(&self, now: Now) {
        #[cfg(feature = "torture")]
        crate::torture::at(crate::torture::Point::BeforeCommit);
        self.in_turn(now, |inner, deadline| inner.store_stop(now, deadline));
        #[cfg(feature = "torture")]
        crate::torture::at(crate::torture::Point::Committed);
    }

    /// An event that has no answer.
    fn note(&self, what: What, now: Now) {
        self.in_turn(now, |inner, deadline| {
            let record = Record { time: now.time, what };
            let durable = record.what.is_durable();
            let done = inner.transact(now, deadline, durable, &mut |book| book.replay(&record));
            if done.is_err() {
                inner.spool(&record);
            }
        });
    }

    /// One at a time: RRAS serialises most calls itself. One absolute deadline holds for the whole event, waiting for
    /// the turn included: whoever comes late finds out at once that the ledger is not to be waited for.
    fn in_turn<T>(&self, now: Now, work: impl FnOnce(&mut Inner, Instant) -> T) -> T {
        let mut inner = self.inner();
        let deadline = now.deadline(inner.config.deadline);
        work(&mut inner, deadline)
    }

    /// A panic in an earlier call leaves nothing half done: the transaction was rolled back.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Tells the ledger that the configuration was read: now, or with the next event if it is away.
    fn tell_load(&mut self, fault: Option<String>, now: Now, deadline: Instant) {
        let config = self.config.hash.clone();
        self.load = Some(Load { time: now.time, version: env!("CARGO_PKG_VERSION"), config, fault });
        // If it is away the store has said so.
        let _ = self.transact(now, deadline, false, &mut |_| Ok(()));
    }

    /// One transaction on the ledger, if it is here. An error means that it is away, and that nothing was recorded.
    fn transact(
        &mut self,
        now: Now,
        deadline: Instant,
        durable: bool,
        work: &mut dyn FnMut(&mut Book<'_>) -> Result<(), Away>,
    ) -> Result<(), Away> {
        self.open(now, deadline);
        let sweep = self.swept.is_none_or(|last| now.instant.saturating_duration_since(last) >= SWEEP_EVERY);
        let lost = self.store.lost_untold();
        let Self { config, server, tags, store, load, .. } = self;
        let Some((ledger, instance)) = store.here() else { return Err(store.away()) };
        let done = ledger.transact(deadline, durable, &mut |transaction| {
            if let Some(load) = &*load {
                let texts = serde_json::to_string(&config.bundle).unwrap_or_default();
                transaction.keep_config(&config.hash, &texts, load.time)?;
                transaction.loaded(server, instance, load)?;
            }
            if lost > 0 {
                let what = "events were lost while the ledger was away";
                transaction.odd(server, instance, now.time, what, &lost.to_string())?;
            }
            let mut book = Book { ledger: transaction, config, server, instance, tags, time: now.time };
            if sweep {
                book.sweep()?;
            }
            work(&mut book)
        });
        match done {
            Ok(()) => {
                self.load = None;
                self.store.lost_is_told();
                if sweep {
                    self.swept = Some(now.instant);
                }
            }
            Err(ref why) => {
                self.tags.forget();
                self.store.lost(why, now.instant);
            }
        }
        done
    }

    /// Asks the rules while the ledger is away.
    fn decide_alone(&self, stage: Stage, facts: Facts, groups: &GroupSet, now: Now) -> Decided {
        let ruling = self.config.rules.decide(stage, &facts, groups, None);
        Decided::new(stage, facts, &ruling, None, &self.config.hash, now.time)
    }
}

/// How often stale sessions and leases are looked for, at most.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// A decision, with what only the address stage needs.
#[derive(Clone, Debug)]
struct Decided {
    decision: Decision,
    pools: [Option<crate::addresses::PoolId>; 2],
}

impl Decided {
    /// Asks the ledger what the rules want to know, and then the rules. `own` is the session that the event is of.
    fn ask(
        book: &mut Book<'_>,
        stage: Stage,
        facts: Facts,
        groups: &GroupSet,
        own: Option<crate::ledger::Id>,
    ) -> Result<Self, Away> {
        let config = book.config;
        let needs = config.rules.needs_for(stage, &facts, groups);
        let known = counts::read(book, &needs, &facts, own)?;
        let ruling = config.rules.decide(stage, &facts, groups, Some(&known));
        let counted = Counted::new(&needs, &known, &config.groups);
        Ok(Self::new(stage, facts, &ruling, Some(counted), &config.hash, book.time))
    }

    fn new(
        stage: Stage,
        facts: Facts,
        ruling: &Ruling<'_>,
        counted: Option<Counted>,
        config: &str,
        time: Millis,
    ) -> Self {
        let decision = Decision {
            time,
            stage,
            allow: ruling.allow,
            for_now: ruling.for_now,
            ledger_away: ruling.ledger_away,
            rule: ruling.rule.map(str::to_owned),
            reason: ruling.reason.map(str::to_owned),
            config: config.to_owned(),
            facts,
            counted,
        };
        Self { decision, pools: [ruling.pool, ruling.ipv6_pool] }
    }
}

/// Why it was denied, for the log and for RRAS's caller.
fn why(decision: &Decision) -> String {
    let rule = decision.rule.as_ref().map_or_else(|| "the default".to_owned(), |rule| format!("rule `{rule}`"));
    let away = if decision.ledger_away { ", the ledger being away" } else { "" };
    match &decision.reason {
        Some(reason) => format!("{rule}{away}: {reason}"),
        None => format!("{rule}{away}"),
    }
}

/// The decision, if it is a refusal.
fn refusal(decision: &Decision) -> Option<Decision> {
    (!decision.allow).then(|| decision.clone())
}

/// The verdict; a refusal is told. `passed` is the user's name as RRAS passed it.
fn verdict(refused: Option<&Decision>, passed: &Name) -> Verdict {
    let Some(decision) = refused else { return Verdict::Accept };
    refusals::tell(decision, passed);
    Verdict::Reject(why(decision))
}
