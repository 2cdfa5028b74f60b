//! Runs a scenario through a service, and collects the results.

mod order;
mod replace;

use crate::board;
use crate::clock::Clock;
use crate::hangup_calls::Delivery;
use crate::outcome::{Outcome, RunSummary};
use crate::outside::{Listed, Outside, View};
use crate::refusal::{Refusal, ReleaseCounts};
use crate::scenario::{Action, Connect, Event, Hangup, Scenario, Traffic};
use crate::service::{Processes, Service, lock};
use crate::session::Session;
use replace::replace;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How a scenario is run.
pub struct RunOptions<'a> {
    /// The number of threads that call the DLLs. With one, calls come in the scenario's order, and overlap only if the
    /// scenario says that they happen at once.
    pub threads: usize,
    /// A clock for DLLs that read one. Before each event it is set to the event's time of day, and its monotonic clock to
    /// the milliseconds since midnight.
    pub clock: Option<&'a Clock>,
    /// Locks the journal when the scenario says so.
    pub journal_locker: Option<&'a dyn JournalLocker>,
    /// Plays the scenario in real time, so that other processes can ask RRAS. Only with one thread.
    pub outside: Option<Outside<'a>>,
    /// The run's folder, in which the scenario can replace files.
    pub folder: Option<&'a Path>,
}

impl RunOptions<'_> {
    /// Options with this number of threads and nothing else.
    pub fn threads(threads: usize) -> Self {
        Self { threads, clock: None, journal_locker: None, outside: None, folder: None }
    }
}

/// Locks the DLL's journal from another process. The host knows nothing about journals, so its caller does this.
pub trait JournalLocker: Sync {
    /// Locks the journal, so that no other process can write to it.
    fn lock(&self) -> Result<(), String>;
    /// Releases the lock.
    fn unlock(&self) -> Result<(), String>;
}

/// A session that has its addresses and has not ended.
struct LiveSession {
    session: Session,
    since: u32,
    traffic: Traffic,
    /// When its client vanished, if it did.
    vanished: Option<u32>,
    outcome: usize,
}

/// The state of a session of the scenario.
enum Slot {
    /// It has not connected, or was refused.
    None,
    /// It has its addresses only.
    Addressed(LiveSession),
    /// It is online.
    Live(LiveSession),
    /// RRAS has ended it.
    Ended(Session),
}

struct Run<'a> {
    service: &'a Service,
    scenario: &'a Scenario,
    options: &'a RunOptions<'a>,
    sessions: HashMap<&'a str, Mutex<Slot>>,
    /// Handle and GUID of each session that got its addresses.
    known: Mutex<HashMap<String, (u64, [u8; 16])>>,
    summary: Mutex<RunSummary>,
    live: AtomicUsize,
    /// How far the time of day was stepped, in seconds.
    stepped: AtomicI64,
    /// The scenario's time now, in milliseconds since midnight.
    now: AtomicU64,
    starts: Starts,
    /// For how many milliseconds no time passed.
    paused: AtomicU64,
    over: AtomicBool,
}

/// Runs the scenario, then ends every session that is still online, as a stopping service does.
pub fn run(service: &Service, scenario: &Scenario, options: RunOptions<'_>) -> RunSummary {
    board::begin(scenario.events.len());
    let of_sessions = scenario.events.iter().filter(|event| event.concerns_session());
    let run = Run {
        service,
        scenario,
        options: &options,
        sessions: of_sessions.map(|event| (event.session.as_str(), Mutex::new(Slot::None))).collect(),
        known: Mutex::default(),
        summary: Mutex::default(),
        live: AtomicUsize::new(0),
        stepped: AtomicI64::new(0),
        now: AtomicU64::new(0),
        starts: Starts::default(),
        paused: AtomicU64::new(0),
        over: AtomicBool::new(false),
    };
    let begun = Instant::now();
    std::thread::scope(|scope| {
        if let Some(outside) = &options.outside {
            let view: &dyn View = &run;
            scope.spawn(move || (outside.serve)(view));
        }
        order::run(&scenario.events, options.threads, &|event| {
            board::set_line(event.line);
            // After a failure, the rest of the run would no longer follow the scenario.
            if lock(&run.summary).failed.is_none() {
                run.wait_for(event.at, begun);
                run.set_clock(event.at);
                run.event(event);
            }
            board::event_done();
        });
        run.over.store(true, Ordering::Release);
    });
    board::set_line(0);
    let end = scenario.events.last().map_or(0, |event| event.at);
    run.set_clock(end);
    run.hang_up_all(end);
    let mut summary = run.summary.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    summary.conflicts = service.take_conflicts();
    summary.doubts = service.take_doubts();
    summary
}

impl Run<'_> {
    fn set_clock(&self, at: u32) {
        self.set_clock_to(u64::from(at) * 1000);
    }

    fn set_clock_to(&self, millis: u64) {
        self.now.store(millis, Ordering::Relaxed);
        if let (Some(clock), Some(begins)) = (self.options.clock, self.scenario.begins) {
            let begins = begins.saturating_add(self.stepped.load(Ordering::Relaxed)).saturating_mul(1000);
            clock.set(begins.saturating_add_unsigned(millis), millis);
        }
    }

    /// In real time: waits until the time of an event, while the clock goes on.
    fn wait_for(&self, at: u32, begun: Instant) {
        const TICK: Duration = Duration::from_millis(20);
        let Some(outside) = &self.options.outside else { return };
        let first = self.scenario.events.first().map_or(0, |event| event.at);
        let due = u64::from(at) * 1000;
        loop {
            if outside.pause.is_some_and(Path::exists) {
                let paused = Instant::now();
                board::beat();
                std::thread::sleep(TICK);
                self.paused.fetch_add(millis(paused.elapsed()), Ordering::Relaxed);
                continue;
            }
            let passed = millis(begun.elapsed()).saturating_sub(self.paused.load(Ordering::Relaxed));
            let passed = passed.saturating_mul(outside.speed.into());
            let now = (u64::from(first) * 1000).saturating_add(passed);
            if now >= due {
                return;
            }
            self.set_clock_to(now);
            board::beat();
            std::thread::sleep(TICK);
        }
    }

    fn event(&self, event: &Event) {
        match &event.action {
            Action::Connect(connect) => self.connect(event, connect, true),
            Action::Address(connect) => self.connect(event, connect, false),
            Action::Accept => self.accept(event),
            Action::Hangup(hangup) => self.hang_up(&event.session, event.at, *hangup),
            // Further events of a session that was refused or cut are skipped.
            Action::Link(port) => self.with_online(event, |run, live| run.link(live, port.as_deref())),
            Action::Unlink { port, times } => self.with_online(event, |run, mut live| {
                if port.is_some() || live.session.links() > 1 {
                    run.service.drop_link_on(&mut live.session, port.as_deref(), *times);
                }
                Slot::Live(live)
            }),
            Action::Reauthenticate { quarantine, after_end: false } => self.with_online(event, |run, live| {
                run.with_answer(live, |session| {
                    let answer = run.service.reauthenticate(session, *quarantine);
                    lock(&run.summary).reauthentications.count(answer.is_ok());
                    answer
                })
            }),
            Action::Reauthenticate { quarantine, after_end: true } => {
                if let Some(slot) = self.sessions.get(event.session.as_str())
                    && let Slot::Ended(session) = &mut *lock(slot)
                {
                    let answer = self.service.reauthenticate_ended(session, *quarantine);
                    lock(&self.summary).reauthentications.count(answer.is_ok());
                }
            }
            Action::Vanish => self.with_online(event, |_, live| {
                Slot::Live(LiveSession { vanished: live.vanished.or(Some(event.at)), ..live })
            }),
            Action::Move(to) => self.with_online(event, |run, live| {
                run.with_answer(live, |session| {
                    let answer = run.service.change_endpoint(session, to);
                    lock(&run.summary).endpoint_changes.count(answer.is_ok());
                    answer
                })
            }),
            Action::Deliver(calls, port) => {
                if let Some(slot) = self.sessions.get(event.session.as_str())
                    && let Slot::Ended(session) | Slot::Live(LiveSession { session, .. }) = &*lock(slot)
                {
                    for &call in calls {
                        self.count_released(self.service.deliver(session, call, port.as_deref()));
                    }
                }
            }
            Action::Clock(step) => {
                self.stepped.fetch_add(*step, Ordering::Relaxed);
                self.set_clock(event.at);
            }
            Action::Kill(processes) => {
                self.service.kill(*processes);
                if *processes == Processes::All {
                    self.starts.stop();
                    self.forget_all();
                }
            }
            Action::Restart(processes) => {
                if *processes == Processes::All {
                    self.hang_up_all(event.at);
                    self.starts.stop();
                }
                self.note_failure(self.service.restart(*processes));
                if *processes == Processes::All {
                    self.starts.start();
                }
            }
            Action::LockJournal => self.note_failure(self.with_journal(|journal| journal.lock())),
            Action::UnlockJournal => self.note_failure(self.with_journal(|journal| journal.unlock())),
            Action::Replace(replacement) => {
                let folder = self.options.folder.ok_or_else(|| "this run has no folder with files".to_owned());
                self.note_failure(folder.and_then(|folder| replace(folder, replacement, &self.scenario.folder)));
            }
        }
    }

    fn with_journal(&self, action: impl FnOnce(&dyn JournalLocker) -> Result<(), String>) -> Result<(), String> {
        self.options.journal_locker.map_or_else(|| Err("this run cannot lock a journal".into()), action)
    }

    fn note_failure(&self, result: Result<(), String>) {
        if let Err(message) = result {
            lock(&self.summary).failed.get_or_insert(message);
        }
    }

    fn connect(&self, event: &Event, connect: &Connect, and_accept: bool) {
        // Held during the calls, as by every other event: RRAS may not answer others while a DLL is inside one.
        let slot = self.sessions.get(event.session.as_str());
        let mut slot = slot.map(lock);
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
            refused: addressed.as_ref().err().map(|(refused, _)| *refused),
            cut: None,
            pre_authenticated: session.is_some_and(|session| session.pre_authenticated),
        };
        let accepted = if and_accept { addressed.and_then(|session| self.service.accept(session)) } else { addressed };
        if let Err((refused, released)) = &accepted {
            lock(&self.summary).released_after_refusal += *released;
            // RRAS has taken back what the session got.
            outcome = Outcome { refused: Some(*refused), ipv4: None, identifier: None, port: String::new(), ..outcome };
        }
        outcome.connected = and_accept && accepted.is_ok();
        if outcome.connected || outcome.refused.is_some() {
            board::connected(outcome.connected);
        }
        let mut summary = lock(&self.summary);
        let index = summary.outcomes.len();
        summary.outcomes.push(outcome);
        if let Ok(session) = accepted {
            summary.ipv4_given += usize::from(session.ipv4().is_some());
            summary.ipv6_given += usize::from(session.ipv6().is_some());
            let (since, traffic) = (event.at, connect.traffic);
            let live = LiveSession { session, since, traffic, vanished: None, outcome: index };
            if and_accept {
                self.count_live(&mut summary);
            }
            drop(summary);
            if let Some(slot) = &mut slot {
                **slot = if and_accept { Slot::Live(live) } else { Slot::Addressed(live) };
            }
        }
    }

    fn accept(&self, event: &Event) {
        let Some(slot) = self.sessions.get(event.session.as_str()) else { return };
        let mut slot = lock(slot);
        match std::mem::replace(&mut *slot, Slot::None) {
            Slot::Addressed(LiveSession { session, traffic, outcome, .. }) => {
                let accepted = self.service.accept(session);
                board::connected(accepted.is_ok());
                let mut summary = lock(&self.summary);
                summary.outcomes[outcome].connected = accepted.is_ok();
                match accepted {
                    Ok(session) => {
                        self.count_live(&mut summary);
                        let since = event.at;
                        *slot = Slot::Live(LiveSession { session, since, traffic, vanished: None, outcome });
                    }
                    Err((refused, released)) => {
                        summary.outcomes[outcome].refused = Some(refused);
                        summary.released_after_refusal += released;
                    }
                }
            }
            other => *slot = other,
        }
    }

    fn count_live(&self, summary: &mut RunSummary) {
        summary.peak = summary.peak.max(self.live.fetch_add(1, Ordering::Relaxed) + 1);
    }

    fn link(&self, mut live: LiveSession, port: Option<&str>) -> Slot {
        if live.session.waits_for_first_link() {
            return self.with_answer(live, |session| self.service.first_link(session, port));
        }
        let accepted = self.service.add_link_on(&mut live.session, port).is_ok();
        lock(&self.summary).links.count(accepted);
        Slot::Live(live)
    }

    /// Replaces the state of the event's session, if it is online.
    fn with_online(&self, event: &Event, action: impl FnOnce(&Self, LiveSession) -> Slot) {
        if let Some(slot) = self.sessions.get(event.session.as_str()) {
            let mut slot = lock(slot);
            match std::mem::replace(&mut *slot, Slot::None) {
                Slot::Live(mut live) => {
                    live.session.set_usage(event.at.saturating_sub(live.since), 0, 0);
                    *slot = action(self, live);
                }
                other => *slot = other,
            }
        }
    }

    /// The session after a call that may cut it: then that is recorded.
    fn with_answer(
        &self,
        live: LiveSession,
        call: impl FnOnce(Session) -> Result<Session, (Refusal, ReleaseCounts)>,
    ) -> Slot {
        let LiveSession { session, since, traffic, vanished, outcome } = live;
        match call(session) {
            Ok(session) => Slot::Live(LiveSession { session, since, traffic, vanished, outcome }),
            Err((refused, released)) => {
                self.live.fetch_sub(1, Ordering::Relaxed);
                self.count_released(released);
                lock(&self.summary).outcomes[outcome].cut = Some(refused);
                Slot::None
            }
        }
    }

    fn count_released(&self, released: ReleaseCounts) {
        lock(&self.summary).released += released;
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
        let Traffic { received, sent } = hangup.traffic.unwrap_or(live.traffic);
        live.session.set_usage(hangup.duration.unwrap_or(at.saturating_sub(live.since)), received, sent);
        self.live.fetch_sub(usize::from(online), Ordering::Relaxed);
        self.count_released(self.service.end(&mut live.session, hangup.delivery));
        *slot = Slot::Ended(live.session);
    }

    /// Ends all sessions, as a stopping service does. The order is that of the scenario, so that every run ends the same way.
    fn hang_up_all(&self, at: u32) {
        for event in &self.scenario.events {
            self.hang_up(&event.session, at, Hangup { traffic: None, duration: None, delivery: Delivery::default() });
        }
    }

    /// Forgets all sessions: a service that was killed does not know them.
    fn forget_all(&self) {
        self.sessions.values().for_each(|slot| *lock(slot) = Slot::None);
        self.live.store(0, Ordering::Relaxed);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl View for Run<'_> {
    fn starts(&self) -> Option<u32> {
        self.starts.now()
    }

    fn connections(&self) -> Vec<Listed> {
        let now = self.second();
        let mut all: Vec<Listed> = Vec::new();
        for (name, slot) in &self.sessions {
            if let Slot::Live(live) = &*lock(slot) {
                let mut listed = live.session.listed();
                let Traffic { received, sent } = self.traffic_until(now, name, live);
                let connection = &mut listed.connection;
                connection.duration = now.saturating_sub(live.since);
                (connection.received, connection.sent) = (received, sent);
                all.push(listed);
            }
        }
        all.sort_by_key(|listed| listed.connection.handle);
        all
    }

    fn disconnect(&self, port: u64) -> bool {
        let at = self.second();
        let traffic_of = |name: &str, slot: &Mutex<Slot>| match &*lock(slot) {
            Slot::Live(live) if live.session.listed().links.iter().any(|link| link.port_handle == port) => {
                Some(self.traffic_until(at, name, live))
            }
            _ => None,
        };
        let found = self.sessions.iter().find_map(|(name, slot)| Some((name, traffic_of(name, slot)?)));
        let Some((name, traffic)) = found else { return false };
        self.hang_up(name, at, Hangup { traffic: Some(traffic), duration: None, delivery: Delivery::default() });
        true
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }
}

impl Run<'_> {
    /// The scenario's time now, in seconds since midnight.
    fn second(&self) -> u32 {
        u32::try_from(self.now.load(Ordering::Relaxed) / 1000).unwrap_or(u32::MAX)
    }

    /// A session's traffic so far: it grows evenly until the session hangs up, or its client vanishes.
    fn traffic_until(&self, now: u32, name: &str, live: &LiveSession) -> Traffic {
        let end = live.vanished.map_or(now, |vanished| vanished.min(now));
        let done = u64::from(end.saturating_sub(live.since));
        let whole = u64::from(self.end_of(name, live.since) - live.since).max(1);
        let so_far = |total: u64| (u128::from(total) * u128::from(done.min(whole)) / u128::from(whole)) as u64;
        let Traffic { received, sent } = live.traffic;
        Traffic { received: so_far(received), sent: so_far(sent) }
    }

    /// When a session that began then hangs up, according to the scenario.
    fn end_of(&self, session: &str, since: u32) -> u32 {
        let of_it = |event: &&Event| event.session == session && event.at > since;
        let ends = self.scenario.events.iter().filter(of_it).find(|event| matches!(event.action, Action::Hangup(_)));
        ends.or(self.scenario.events.last()).map_or(since, |event| event.at.max(since))
    }
}

/// How often RRAS has started, and whether it runs.
struct Starts {
    count: AtomicU32,
    runs: AtomicBool,
}

impl Default for Starts {
    fn default() -> Self {
        Self { count: AtomicU32::new(1), runs: AtomicBool::new(true) }
    }
}

impl Starts {
    fn stop(&self) {
        self.runs.store(false, Ordering::Release);
    }

    fn start(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.runs.store(true, Ordering::Release);
    }

    fn now(&self) -> Option<u32> {
        self.runs.load(Ordering::Acquire).then(|| self.count.load(Ordering::Relaxed))
    }
}
