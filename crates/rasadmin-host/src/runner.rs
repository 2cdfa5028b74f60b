//! Runs a scenario through a service and counts what became of everyone.

mod files;
mod order;

use crate::address::HeldTwice;
use crate::clock::Clock;
use crate::farewell::Delivery;
use crate::fill::Tunnel;
use crate::refused::{Refused, Released};
use crate::scenario::{Connect, Event, Hangup, Scenario, Use, What};
use crate::service::{Processes, Service, lock};
use crate::session::Session;
use files::replace;
use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

/// How a scenario is run.
pub struct RunOptions<'a> {
    /// How many threads call the DLLs. With one, calls come in the scenario's order, and only those overlap that the
    /// scenario says happen at once.
    pub threads: usize,
    /// Told the time of each event before it happens, for a DLL that reads a clock: the time of day, and as the
    /// monotonic clock the milliseconds since midnight.
    pub clock: Option<&'a Clock>,
    /// Who holds the journal's lock when the scenario says so.
    pub stranger: Option<&'a dyn Stranger>,
    /// The run's folder, in which the scenario can replace files.
    pub folder: Option<&'a Path>,
}

impl RunOptions<'_> {
    /// So many threads, and nothing besides.
    pub fn threads(threads: usize) -> Self {
        Self { threads, clock: None, stranger: None, folder: None }
    }
}

/// Another process that uses the DLL's journal. The host knows nothing about journals; its caller does.
pub trait Stranger: Sync {
    /// Locks it: nobody else can write.
    fn lock(&self) -> Result<(), String>;
    /// Lets it go.
    fn unlock(&self) -> Result<(), String>;
}

/// What became of one connect.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The session's label.
    pub session: String,
    /// The user, as the connection carried it.
    pub user: String,
    /// The tunnel.
    pub tunnel: Tunnel,
    /// Its first port, if it got its addresses.
    pub port: String,
    /// The IPv4 address it got.
    pub ipv4: Option<Ipv4Addr>,
    /// The IPv6 interface identifier it got.
    pub identifier: Option<[u8; 8]>,
    /// Was its connection accepted, and its first link?
    pub connected: bool,
    /// Why it was refused, if it was.
    pub refused: Option<Refused>,
    /// Why it was cut later, if it was.
    pub cut: Option<Refused>,
}

/// The day in numbers.
#[derive(Clone, Debug, Default)]
pub struct Day {
    /// What became of each connect, in order.
    pub outcomes: Vec<Outcome>,
    /// Further links that were accepted and rejected.
    pub links: Asked,
    /// Reauthentications.
    pub reauthentications: Asked,
    /// Endpoint changes.
    pub endpoint_changes: Asked,
    /// IPv4 addresses that connections were given, and IPv6 identifiers.
    pub ipv4_given: usize,
    /// IPv6 identifiers given.
    pub ipv6_given: usize,
    /// Releases that a DLL was told of when a session ended.
    pub released: Released,
    /// The most sessions that were live at once.
    pub peak: usize,
    /// Addresses that a DLL chose for somebody while somebody else was online with them.
    pub held_twice: Vec<HeldTwice>,
    /// What kept the run from being what the scenario says: a service that did not start again, a journal that could
    /// not be locked.
    pub failed: Option<String>,
}

/// How often something was accepted and rejected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Accepted.
    pub accepted: usize,
    /// Rejected.
    pub rejected: usize,
}

impl Asked {
    fn count(&mut self, accepted: bool) {
        if accepted { self.accepted += 1 } else { self.rejected += 1 }
    }
}

impl Day {
    /// How many connects were accepted.
    pub fn accepted(&self) -> usize {
        self.outcomes.iter().filter(|o| o.refused.is_none()).count()
    }

    /// Why connects were refused, with how many each.
    pub fn refusals(&self) -> BTreeMap<String, usize> {
        let mut reasons = BTreeMap::new();
        for refused in self.outcomes.iter().filter_map(|o| o.refused.or(o.cut)) {
            *reasons.entry(refused.to_string()).or_insert(0) += 1;
        }
        reasons
    }

    /// What must not be, line by line: expectations that are not met, and addresses of two who were online.
    pub fn faults(&self, scenario: &Scenario) -> Vec<String> {
        let unmet = scenario.expectations.iter().filter_map(|expectation| {
            expectation.unmet(self).map(|fault| format!("{}:{}: {fault}", scenario.file, expectation.line))
        });
        unmet.chain(self.held_twice.iter().map(ToString::to_string)).collect()
    }
}

struct Live {
    session: Session,
    since: u32,
    used: Use,
    outcome: usize,
}

/// A session of the scenario.
enum Slot {
    /// It has not connected, or it was refused.
    None,
    /// It has its addresses only.
    Addressed(Live),
    /// It is online.
    Live(Live),
    /// RRAS has ended it.
    Ended(Session),
}

struct Run<'a> {
    service: &'a Service,
    scenario: &'a Scenario,
    options: &'a RunOptions<'a>,
    sessions: HashMap<&'a str, Mutex<Slot>>,
    /// Handle and GUID of each session that had its addresses.
    known: Mutex<HashMap<String, (u64, [u8; 16])>>,
    day: Mutex<Day>,
    live: AtomicUsize,
    /// By how many seconds the time of day was stepped.
    stepped: AtomicI64,
}

/// Runs the scenario, then ends every session that is still live, as a stopping service does. `progress` is told how
/// many of the events are done.
pub fn run(service: &Service, scenario: &Scenario, options: RunOptions<'_>, progress: &(dyn Fn(usize) + Sync)) -> Day {
    let of_sessions = scenario.events.iter().filter(|event| event.is_a_sessions());
    let run = Run {
        service,
        scenario,
        options: &options,
        sessions: of_sessions.map(|event| (event.session.as_str(), Mutex::new(Slot::None))).collect(),
        known: Mutex::default(),
        day: Mutex::default(),
        live: AtomicUsize::new(0),
        stepped: AtomicI64::new(0),
    };
    let done = AtomicUsize::new(0);
    order::run(&scenario.events, options.threads, &|event| {
        // After a failure the rest would be another day than the scenario's.
        if lock(&run.day).failed.is_none() {
            run.set_clock(event.at);
            run.event(event);
        }
        progress(done.fetch_add(1, Ordering::Relaxed) + 1);
    });
    let end = scenario.events.last().map_or(0, |event| event.at);
    run.set_clock(end);
    run.hang_up_all(end);
    let mut day = run.day.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    day.held_twice = service.take_held_twice();
    day
}

impl Run<'_> {
    fn set_clock(&self, at: u32) {
        if let (Some(clock), Some(begins)) = (self.options.clock, self.scenario.begins) {
            let time = begins + i64::from(at) + self.stepped.load(Ordering::Relaxed);
            clock.set(time * 1000, u64::from(at) * 1000);
        }
    }

    fn event(&self, event: &Event) {
        match &event.what {
            What::Connect(connect) => self.connect(event, connect, true),
            What::Address(connect) => self.connect(event, connect, false),
            What::Accept => self.accept(event),
            What::Hangup(hangup) => self.hang_up(&event.session, event.at, *hangup),
            // A session that was refused or cut has no further events: they are passed over.
            What::Link(port) => self.with(event, |run, live| run.link(live, port.as_deref())),
            What::Unlink { port, times } => self.with(event, |run, mut live| {
                if port.is_some() || live.session.links() > 1 {
                    run.service.drop_link_on(&mut live.session, port.as_deref(), *times);
                }
                Slot::Live(live)
            }),
            What::Reauthenticate { quarantine, after_end: false } => self.with(event, |run, live| {
                let Live { session, since, used, outcome } = live;
                let answer = run.service.reauthenticate(session, *quarantine);
                lock(&run.day).reauthentications.count(answer.is_ok());
                run.or_cut(answer, outcome)
                    .map_or(Slot::None, |session| Slot::Live(Live { session, since, used, outcome }))
            }),
            What::Reauthenticate { quarantine, after_end: true } => {
                if let Some(slot) = self.sessions.get(event.session.as_str())
                    && let Slot::Ended(session) = &mut *lock(slot)
                {
                    let answer = self.service.reauthenticate_ended(session, *quarantine);
                    lock(&self.day).reauthentications.count(answer.is_ok());
                }
            }
            What::Move(to) => self.with(event, |run, live| {
                let Live { session, since, used, outcome } = live;
                let answer = run.service.change_endpoint(session, to);
                lock(&run.day).endpoint_changes.count(answer.is_ok());
                run.or_cut(answer, outcome)
                    .map_or(Slot::None, |session| Slot::Live(Live { session, since, used, outcome }))
            }),
            What::Deliver(parts, port) => {
                if let Some(slot) = self.sessions.get(event.session.as_str())
                    && let Slot::Ended(session) | Slot::Live(Live { session, .. }) = &*lock(slot)
                {
                    for &part in parts {
                        self.count_released(self.service.deliver(session, part, port.as_deref()));
                    }
                }
            }
            What::Clock(step) => {
                self.stepped.fetch_add(*step, Ordering::Relaxed);
                self.set_clock(event.at);
            }
            What::Kill(processes) => {
                self.service.kill(*processes);
                if *processes == Processes::All {
                    self.forget_all();
                }
            }
            What::Restart(processes) => {
                if *processes == Processes::All {
                    self.hang_up_all(event.at);
                }
                self.note_failure(self.service.restart(*processes));
            }
            What::LockJournal => self.note_failure(self.stranger(|stranger| stranger.lock())),
            What::UnlockJournal => self.note_failure(self.stranger(|stranger| stranger.unlock())),
            What::Replace(replacement) => {
                let folder = self.options.folder.ok_or_else(|| "this run has no folder with files".to_owned());
                let beside = Path::new(&self.scenario.file).parent().unwrap_or(Path::new(""));
                self.note_failure(folder.and_then(|folder| replace(folder, replacement, beside)));
            }
        }
    }

    fn stranger(&self, what: impl FnOnce(&dyn Stranger) -> Result<(), String>) -> Result<(), String> {
        self.options.stranger.map_or_else(|| Err("this run cannot lock a journal".into()), what)
    }

    fn note_failure(&self, result: Result<(), String>) {
        if let Err(message) = result {
            lock(&self.day).failed.get_or_insert(message);
        }
    }

    fn connect(&self, event: &Event, connect: &Connect, and_accept: bool) {
        let mut request = connect.request.clone();
        {
            let known = lock(&self.known);
            let of = |label: &Option<String>| label.as_ref().and_then(|label| known.get(label)).copied();
            request.handle = of(&connect.handle_of).map(|(handle, _)| handle).or(request.handle);
            request.guid = of(&connect.guid_of).map(|(_, guid)| guid).or(request.guid);
        }
        let addressed = self.service.ask_addresses(&request);
        if let Ok(session) = &addressed {
            lock(&self.known).insert(event.session.clone(), (session.handle(), session.guid()));
        }
        let session = addressed.as_ref().ok();
        let mut outcome = Outcome {
            session: event.session.clone(),
            user: request.user.clone(),
            tunnel: request.tunnel,
            port: session.map_or(String::new(), |session| session.port().to_owned()),
            ipv4: session.and_then(Session::ipv4),
            identifier: session.and_then(Session::identifier),
            connected: false,
            refused: addressed.as_ref().err().copied(),
            cut: None,
        };
        let accepted = if and_accept { addressed.and_then(|session| self.service.accept(session)) } else { addressed };
        if let Err(refused) = &accepted {
            // What it had been given it has not.
            outcome = Outcome { refused: Some(*refused), ipv4: None, identifier: None, port: String::new(), ..outcome };
        }
        outcome.connected = and_accept && accepted.is_ok();
        let mut day = lock(&self.day);
        let index = day.outcomes.len();
        day.outcomes.push(outcome);
        if let Ok(session) = accepted {
            day.ipv4_given += usize::from(session.ipv4().is_some());
            day.ipv6_given += usize::from(session.ipv6().is_some());
            let live = Live { session, since: event.at, used: connect.used, outcome: index };
            if and_accept {
                self.count_live(&mut day);
            }
            drop(day);
            self.put(&event.session, if and_accept { Slot::Live(live) } else { Slot::Addressed(live) });
        }
    }

    fn accept(&self, event: &Event) {
        let Some(slot) = self.sessions.get(event.session.as_str()) else { return };
        let mut slot = lock(slot);
        match std::mem::replace(&mut *slot, Slot::None) {
            Slot::Addressed(Live { session, used, outcome, .. }) => {
                let accepted = self.service.accept(session);
                let mut day = lock(&self.day);
                day.outcomes[outcome].connected = accepted.is_ok();
                match accepted {
                    Ok(session) => {
                        self.count_live(&mut day);
                        *slot = Slot::Live(Live { session, since: event.at, used, outcome });
                    }
                    Err(refused) => day.outcomes[outcome].refused = Some(refused),
                }
            }
            other => *slot = other,
        }
    }

    fn count_live(&self, day: &mut Day) {
        day.peak = day.peak.max(self.live.fetch_add(1, Ordering::Relaxed) + 1);
    }

    fn put(&self, session: &str, slot: Slot) {
        if let Some(place) = self.sessions.get(session) {
            *lock(place) = slot;
        }
    }

    fn link(&self, mut live: Live, port: Option<&str>) -> Slot {
        if live.session.waits_for_first_link() {
            let Live { session, since, used, outcome } = live;
            let answer = self.service.first_link(session, port);
            return self
                .or_cut(answer, outcome)
                .map_or(Slot::None, |session| Slot::Live(Live { session, since, used, outcome }));
        }
        let accepted = self.service.add_link_on(&mut live.session, port).is_ok();
        lock(&self.day).links.count(accepted);
        Slot::Live(live)
    }

    fn with(&self, event: &Event, what: impl FnOnce(&Self, Live) -> Slot) {
        if let Some(slot) = self.sessions.get(event.session.as_str()) {
            let mut slot = lock(slot);
            match std::mem::replace(&mut *slot, Slot::None) {
                Slot::Live(mut live) => {
                    live.session.used(event.at.saturating_sub(live.since), 0, 0);
                    *slot = what(self, live);
                }
                other => *slot = other,
            }
        }
    }

    fn or_cut(&self, answer: Result<Session, (Refused, Released)>, outcome: usize) -> Option<Session> {
        answer
            .map_err(|(refused, released)| {
                self.live.fetch_sub(1, Ordering::Relaxed);
                self.count_released(released);
                lock(&self.day).outcomes[outcome].cut = Some(refused);
            })
            .ok()
    }

    fn count_released(&self, released: Released) {
        let mut day = lock(&self.day);
        day.released.ipv4 += released.ipv4;
        day.released.ipv6 += released.ipv6;
    }

    fn hang_up(&self, session: &str, at: u32, hangup: Hangup) {
        let Some(slot) = self.sessions.get(session) else { return };
        let mut slot = lock(slot);
        let (mut live, online) = match std::mem::replace(&mut *slot, Slot::None) {
            Slot::Live(live) => (live, true),
            Slot::Addressed(live) => (live, false),
            other => {
                *slot = other;
                return;
            }
        };
        let Use { received, sent } = hangup.used.unwrap_or(live.used);
        live.session.used(hangup.duration.unwrap_or(at.saturating_sub(live.since)), received, sent);
        self.live.fetch_sub(usize::from(online), Ordering::Relaxed);
        self.count_released(self.service.end(&mut live.session, hangup.delivery));
        *slot = Slot::Ended(live.session);
    }

    /// As by a service that stops: in the order of the scenario, so that every run ends the same way.
    fn hang_up_all(&self, at: u32) {
        for event in &self.scenario.events {
            self.hang_up(&event.session, at, Hangup { used: None, duration: None, delivery: Delivery::default() });
        }
    }

    /// A service that was killed knows nobody.
    fn forget_all(&self) {
        self.sessions.values().for_each(|slot| *lock(slot) = Slot::None);
        self.live.store(0, Ordering::Relaxed);
    }
}
