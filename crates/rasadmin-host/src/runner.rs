//! Runs a scenario through a service and counts what became of everyone.

use crate::clock::Clock;
use crate::fill::Tunnel;
use crate::scenario::{Event, Scenario, Use, What};
use crate::service::{Service, lock};
use crate::session::{Refused, Released, Session};
use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How a scenario is run.
#[derive(Debug)]
pub struct RunOptions<'a> {
    /// How many threads call the DLLs. With one, calls come in the scenario's order and never overlap.
    pub threads: usize,
    /// Told the time of each event before it happens, for a DLL that reads a clock: the time of day, and as the
    /// monotonic clock the milliseconds since midnight.
    pub clock: Option<&'a Clock>,
}

/// Sessions whose events lie within this many seconds of each other may overlap, if there are several threads.
const WINDOW: u32 = 60;

/// What became of one connect.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The session's label.
    pub session: String,
    /// The user, as the address calls carried it.
    pub user: String,
    /// The tunnel.
    pub tunnel: Tunnel,
    /// Its first port, if accepted.
    pub port: String,
    /// The IPv4 address it got, if accepted.
    pub ipv4: Option<Ipv4Addr>,
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
}

struct Live {
    session: Session,
    since: u32,
    used: Use,
    outcome: usize,
}

struct Run<'a> {
    service: &'a Service,
    sessions: HashMap<&'a str, Mutex<Option<Live>>>,
    day: Mutex<Day>,
    live: AtomicUsize,
}

/// Runs the scenario, then ends every session that is still live, as a stopping service does. `progress` is told how
/// many of the events are done.
pub fn run(service: &Service, scenario: &Scenario, options: RunOptions<'_>, progress: &(dyn Fn(usize) + Sync)) -> Day {
    let labels = scenario.events.iter().map(|event| (event.session.as_str(), Mutex::new(None)));
    let run = Run { service, sessions: labels.collect(), day: Mutex::default(), live: AtomicUsize::new(0) };
    let done = AtomicUsize::new(0);
    let set = |at| {
        if let (Some(clock), Some(begins)) = (options.clock, scenario.begins) {
            clock.set(begins + i64::from(at), u64::from(at) * 1000);
        }
    };
    let step = |event: &Event| {
        set(event.at);
        run.event(event);
        progress(done.fetch_add(1, Ordering::Relaxed) + 1);
    };
    if options.threads <= 1 {
        scenario.events.iter().for_each(step);
    } else {
        for window in windows(&scenario.events) {
            overlap(window, options.threads, &step);
        }
    }
    let end = scenario.events.last().map_or(0, |event| event.at);
    set(end);
    // In the order of the scenario, so that every run ends the same way.
    for event in &scenario.events {
        run.hang_up(&event.session, end, None);
    }
    run.day.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Splits the events so that no part spans more than [`WINDOW`] seconds.
fn windows(events: &[Event]) -> Vec<&[Event]> {
    let mut windows = Vec::new();
    let mut rest = events;
    while let Some(first) = rest.first() {
        let len = rest.partition_point(|event| event.at - first.at < WINDOW);
        let (window, after) = rest.split_at(len);
        windows.push(window);
        rest = after;
    }
    windows
}

/// Runs the events with several threads: those of one session in order, those of different sessions at once.
fn overlap(events: &[Event], threads: usize, step: &(dyn Fn(&Event) + Sync)) {
    let mut of_session: Vec<Vec<&Event>> = Vec::new();
    let mut index: HashMap<&str, usize> = HashMap::new();
    for event in events {
        let at = *index.entry(&event.session).or_insert_with(|| {
            of_session.push(Vec::new());
            of_session.len() - 1
        });
        of_session[at].push(event);
    }
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads.min(of_session.len()) {
            scope.spawn(|| {
                while let Some(events) = of_session.get(next.fetch_add(1, Ordering::Relaxed)) {
                    events.iter().for_each(|event| step(event));
                }
            });
        }
    });
}

impl Run<'_> {
    fn event(&self, event: &Event) {
        match &event.what {
            What::Connect(request, used) => self.connect(event, request, *used),
            What::Hangup(used) => self.hang_up(&event.session, event.at, *used),
            // A session that was refused or cut has no further events: they are passed over.
            What::Link => self.with(event, |run, mut live| {
                let accepted = run.service.add_link(&mut live.session).is_ok();
                lock(&run.day).links.count(accepted);
                Some(live)
            }),
            What::Unlink => self.with(event, |run, mut live| {
                run.service.drop_link(&mut live.session);
                Some(live)
            }),
            What::Reauthenticate(quarantine) => self.with(event, |run, live| {
                let Live { session, since, used, outcome } = live;
                let answer = run.service.reauthenticate(session, *quarantine);
                lock(&run.day).reauthentications.count(answer.is_ok());
                run.or_cut(answer, outcome).map(|session| Live { session, since, used, outcome })
            }),
            What::Move(to) => self.with(event, |run, live| {
                let Live { session, since, used, outcome } = live;
                let answer = run.service.change_endpoint(session, to);
                lock(&run.day).endpoint_changes.count(answer.is_ok());
                run.or_cut(answer, outcome).map(|session| Live { session, since, used, outcome })
            }),
        }
    }

    fn connect(&self, event: &Event, request: &crate::session::Request, used: Use) {
        let connected = self.service.connect(request);
        let mut day = lock(&self.day);
        let outcome = day.outcomes.len();
        let session = connected.as_ref().ok();
        day.outcomes.push(Outcome {
            session: event.session.clone(),
            user: request.user.clone(),
            tunnel: request.tunnel,
            port: session.map_or(String::new(), |s| s.port().to_owned()),
            ipv4: session.and_then(Session::ipv4),
            refused: connected.as_ref().err().copied(),
            cut: None,
        });
        if let Ok(session) = connected {
            day.ipv4_given += usize::from(session.ipv4().is_some());
            day.ipv6_given += usize::from(session.ipv6().is_some());
            day.peak = day.peak.max(self.live.fetch_add(1, Ordering::Relaxed) + 1);
            if let Some(slot) = self.sessions.get(event.session.as_str()) {
                *lock(slot) = Some(Live { session, since: event.at, used, outcome });
            }
        }
    }

    fn with(&self, event: &Event, what: impl FnOnce(&Self, Live) -> Option<Live>) {
        if let Some(slot) = self.sessions.get(event.session.as_str()) {
            let mut slot = lock(slot);
            if let Some(mut live) = slot.take() {
                live.session.used(event.at.saturating_sub(live.since), 0, 0);
                *slot = what(self, live);
            }
        }
    }

    fn or_cut(&self, answer: Result<Session, (Refused, Released)>, outcome: usize) -> Option<Session> {
        answer
            .map_err(|(refused, released)| {
                self.ended(released);
                lock(&self.day).outcomes[outcome].cut = Some(refused);
            })
            .ok()
    }

    fn ended(&self, released: Released) {
        self.live.fetch_sub(1, Ordering::Relaxed);
        let mut day = lock(&self.day);
        day.released.ipv4 += released.ipv4;
        day.released.ipv6 += released.ipv6;
    }

    fn hang_up(&self, session: &str, at: u32, used: Option<Use>) {
        let live = self.sessions.get(session).and_then(|slot| lock(slot).take());
        if let Some(mut live) = live {
            let Use { received, sent } = used.unwrap_or(live.used);
            live.session.used(at.saturating_sub(live.since), received, sent);
            self.ended(self.service.hang_up(live.session));
        }
    }
}
