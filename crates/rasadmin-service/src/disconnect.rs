//! `disconnect`: ends sessions that are not allowed any more, and those that an administrator names.
//!
//! Each is first recorded, then RRAS is asked. So a service that is killed in between goes on where it was, and the hangup
//! that follows has its cause. RRAS is asked without the journal's lock.

mod cut;
mod plan;

pub use cut::{Cut, cut};
pub use plan::{Decided, Plan, Planner};

use crate::current::Current;
use crate::duty::{Duty, Fault, Turn};
use crate::log::Log;
use crate::monitor::{Clock, Matching, Seen};
use crate::settings::Settings;
use crate::state::{DisconnectReport, Failing, Report};
use rasadmin_engine::decide::{is_blocked, overdue};
use rasadmin_engine::effect::{DayUse, Disconnecting, Enforcement};
use rasadmin_engine::event::{Disconnect as Decision, Look, Reading};
use rasadmin_engine::state::Session;
use rasadmin_engine::{Context, Event, Id, Identity, Mono, Now, Process, Stamp, State};
use rasadmin_messages::Message;
use rasadmin_policy::config::Config;
use rasadmin_recorder::admin::AdminJournal;
use rasadmin_rras::{Connection, Rras};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The time between two steps.
const EVERY: Duration = Duration::from_secs(5);

/// How long after an attempt the next one is made, in milliseconds: RRAS may need a moment.
const AGAIN: u64 = 10_000;

/// After so many attempts without success, `status` says so.
const MANY: u32 = 3;

/// Perhaps RRAS has just disconnected it, and its hangup is about to come.
const NOT_LISTED: &str = "RRAS does not list it";

/// How long an administrator waits for the hangup.
const CONFIRMATION: Duration = Duration::from_secs(5);

/// What became of a session that an administrator named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// RRAS has reported its end.
    Ended,
    /// RRAS was asked, and has not reported its end yet.
    Asked,
    /// It was not live.
    NotLive,
    /// It was recorded, but RRAS could not be asked, for this reason. The service tries again.
    Failed(String),
}

/// Disconnects sessions: the duty's, and those that an administrator names.
pub struct Disconnector {
    settings: Arc<Settings>,
    config: Arc<Current>,
    rras: Arc<dyn Rras>,
    clock: Clock,
    seen: Seen,
    inner: Mutex<Inner>,
}

/// What only one may use at a time.
struct Inner {
    journal: Option<AdminJournal>,
    planner: Planner,
    tries: HashMap<Id, Try>,
    report: DisconnectReport,
}

/// The attempts to disconnect a session.
struct Try {
    count: u32,
    last: Mono,
    /// Why it did not work; None if RRAS was asked.
    why: Option<String>,
}

impl Disconnector {
    /// Nothing is asked and nothing is opened yet. `seen` is what the monitor sees.
    pub fn new(settings: Arc<Settings>, config: Arc<Current>, rras: Arc<dyn Rras>, clock: Clock, seen: Seen) -> Self {
        let (planner, report) = (Planner::default(), DisconnectReport::default());
        let inner = Mutex::new(Inner { journal: None, planner, tries: HashMap::new(), report });
        Self { settings, config, rras, clock, seen, inner }
    }

    /// Goes on where an earlier process ended.
    fn go_on(&self, last: Option<Report>) {
        let mut inner = self.inner();
        if let Some(Report::Disconnect(report)) = last
            && inner.report == DisconnectReport::default()
        {
            inner.planner = Planner::resumed(report.judged.clone(), report.stopped.clone());
            inner.report = report;
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned: PoisonError<MutexGuard<'_, Inner>>| {
            let mut inner = poisoned.into_inner();
            // A panic may have left it half read.
            inner.journal = None;
            inner
        })
    }

    /// Ends what is due.
    fn step(&self, log: &Log) -> Result<DisconnectReport, Fault> {
        let mut inner = self.inner();
        let config = self.config.get();
        inner.report.mode = config.service.disconnect.mode.name().to_owned();
        if self.follow(&mut inner, &config)? {
            self.decide(&mut inner, &config, log)?;
            self.carry_out(&mut inner, &config)?;
        }
        Ok(inner.report.clone())
    }

    /// Reads what was recorded. Returns false if RRAS has never started with this journal.
    fn follow(&self, inner: &mut Inner, config: &Arc<Config>) -> Result<bool, Fault> {
        if inner.journal.is_none() {
            inner.journal = AdminJournal::open(&self.settings.journal, config)?;
        }
        let Some(journal) = &mut inner.journal else { return Ok(false) };
        journal.set_config(config);
        if let Err(error) = journal.follow(|_| ()) {
            inner.journal = None;
            return Err(error.into());
        }
        Ok(journal.state().instance().is_some())
    }

    /// Records which sessions are to be disconnected.
    fn decide(&self, inner: &mut Inner, config: &Arc<Config>, log: &Log) -> Result<(), Fault> {
        let Some(journal) = &inner.journal else { return Ok(()) };
        let (state, at) = (journal.state(), (self.clock)());
        let Some(instance) = state.instance() else { return Ok(()) };
        let server = state.server().clone();
        let context = Context::new(config, &server, instance, Process(0));
        let more = |user: &Identity| self.unrecorded(state, user);
        let plan = inner.planner.plan(state, &context, config.service.disconnect.mode, at, &more);
        for stopped in &plan.stopped {
            let (rule, sessions, live) = (&stopped.rule, &stopped.sessions, &stopped.live);
            log.emit(&Message::RuleStopped { rule, sessions, live });
        }
        inner.report.waiting = plan.waiting;
        inner.report.judged = inner.planner.judged().cloned();
        inner.report.stopped = inner.planner.stopped().cloned().collect();
        for decided in plan.decided {
            self.record(inner, config, &decided, None)?;
        }
        Ok(())
    }

    /// Records one decision, if it still holds. What decides a quota is recorded before it.
    fn record(
        &self,
        inner: &mut Inner,
        config: &Arc<Config>,
        decided: &Decided,
        by: Option<&str>,
    ) -> Result<bool, Fault> {
        let Some(journal) = &mut inner.journal else { return Ok(false) };
        let Decided { session, why, how } = decided;
        if why.rule().is_some() {
            let user = journal.state().session(*session).and_then(|session| session.user.clone());
            let readings = user.map(|user| self.readings(journal.state(), &user)).unwrap_or_default();
            for (begun, read) in readings {
                self.append(journal, |state| {
                    let older = |reading: &Reading| {
                        let known = state.counted(reading.session).map_or([0, 0], |counted| counted.octets);
                        state.session(reading.session).is_some() && known != reading.counted.octets
                    };
                    let read: Vec<Reading> = read.into_iter().filter(older).collect();
                    (!read.is_empty()).then(|| Event::Look(Look { begun, read, ..Look::default() }))
                })?;
            }
        }
        let at = (self.clock)();
        let recorded = self.append(journal, |state| {
            let context = Context::new(config, state.server(), state.instance()?, Process(0));
            let live = state.session(*session)?;
            let holds = match why {
                Disconnecting::Rule { .. } => {
                    let more = live.user.as_ref().map_or(0, |user| self.unrecorded(state, user));
                    overdue(state, &context, live, at, more).is_some_and(|overdue| overdue.why == *why)
                }
                Disconnecting::Blocked => is_blocked(state, &context, live, at),
                Disconnecting::Replaced => state.to_disconnect(*session).is_some_and(|before| before.why == *why),
                Disconnecting::Asked { .. } => true,
            };
            let by = by.map(str::to_owned);
            holds.then(|| Event::Disconnect(Decision { session: *session, why: why.clone(), how: *how, by }))
        })?;
        if recorded {
            match how {
                Enforcement::Enforced => {
                    inner.report.enforced += 1;
                    if let Some(rule) = why.rule() {
                        inner.planner.acted(rule, at.mono);
                    }
                }
                Enforcement::Reported | Enforcement::Marked => inner.report.reported += 1,
            }
        }
        Ok(recorded)
    }

    /// Appends the event that `look` returns for the present state. Returns whether there was one.
    fn append(&self, journal: &mut AdminJournal, look: impl FnOnce(&State) -> Option<Event>) -> Result<bool, Fault> {
        let random = rasadmin_recorder::random()
            .map_err(|e| Fault::new(format!("the system has no random numbers: {e}"), "restart the computer"))?;
        let now = Now { at: (self.clock)(), random };
        let appended = journal.record(&now, |state| {
            let event = look(state);
            (event.is_some(), event)
        });
        Ok(appended?.unwrap_or(false))
    }

    /// The octets of a user that the monitor has seen and no record has.
    fn unrecorded(&self, state: &State, user: &Identity) -> u64 {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let more = |session: &Session| {
            let [input, output] = seen.get(&session.id).map_or([0, 0], |watched| watched.counted.octets);
            let known = known_octets(state, session);
            input.saturating_sub(known[0]).saturating_add(output.saturating_sub(known[1]))
        };
        state.of_user(user).map(more).fold(0, u64::saturating_add)
    }

    /// The same, as looks to record.
    fn readings(&self, state: &State, user: &Identity) -> Vec<(Stamp, Vec<Reading>)> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = |session: &Session| {
            let watched = seen.get(&session.id)?;
            let new = watched.counted.octets != known_octets(state, session);
            let reading = Reading { session: session.id, counted: watched.counted, alive: None };
            new.then_some((watched.listed, vec![reading]))
        };
        state.of_user(user).filter_map(reading).collect()
    }

    /// Asks RRAS for what is recorded.
    fn carry_out(&self, inner: &mut Inner, config: &Config) -> Result<(), Fault> {
        let Inner { journal, tries, report, .. } = inner;
        let Some(state) = journal.as_ref().map(AdminJournal::state) else { return Ok(()) };
        let enforced = |session: &&Session| {
            state.to_disconnect(session.id).is_some_and(|decided| decided.how == Enforcement::Enforced)
        };
        tries.retain(|session, _| state.session(*session).is_some());
        let now = (self.clock)().mono;
        let is_due = |session: &&Session| tries.get(&session.id).is_none_or(|one| now.since(one.last) >= AGAIN);
        let mut due: Vec<&Session> = state.live().filter(enforced).filter(is_due).collect();
        due.sort_unstable_by_key(|session| session.id);
        if !due.is_empty() {
            let listed = self.list(state)?;
            for session in due {
                let why = self.disconnect(session, listed.get(&session.id), config)?;
                let before = tries.get(&session.id).map_or(0, |one| one.count);
                tries.insert(session.id, Try { count: before.saturating_add(1), last: now, why });
            }
        }
        let failing = tries.iter().filter(|(_, one)| one.count >= MANY);
        let text =
            |one: &Try| one.why.clone().unwrap_or_else(|| "RRAS says that it is done, but no hangup came".into());
        report.failing =
            failing.map(|(session, one)| Failing { session: *session, tries: one.count, why: text(one) }).collect();
        report.failing.sort_by_key(|failing| failing.session);
        Ok(())
    }

    /// RRAS's connections by their sessions.
    fn list(&self, state: &State) -> Result<HashMap<Id, Connection>, Fault> {
        if self.rras.instance()?.is_none() {
            return Ok(HashMap::new());
        }
        let matching = Matching::new(state);
        let pair = |connection: Connection| Some((matching.find(&connection)?.id, connection));
        Ok(self.rras.connections()?.into_iter().filter_map(pair).collect())
    }

    /// Asks RRAS to disconnect a session. Returns why it was not asked.
    fn disconnect(
        &self,
        session: &Session,
        listed: Option<&Connection>,
        config: &Config,
    ) -> Result<Option<String>, Fault> {
        let Some(listed) = listed else { return Ok(Some(NOT_LISTED.to_owned())) };
        let user = config.domains.identity(&listed.user, &listed.domain);
        if user != session.user && listed.user.folded() != session.user_name.folded() {
            return Ok(Some(format!("RRAS lists it with another user, {}", listed.user)));
        }
        Ok(match cut(self.rras.as_ref(), listed)? {
            Cut::Asked => None,
            Cut::Gone => Some("it was gone when RRAS was asked".to_owned()),
            Cut::NoGuid => Some("RRAS shows no GUID for it".to_owned()),
        })
    }

    /// Disconnects sessions that an administrator names, and waits a few seconds for their hangups. `by` is the account
    /// that asks.
    ///
    /// # Errors
    ///
    /// If nothing could be recorded.
    pub fn order(&self, sessions: &[Id], reason: Option<&str>, by: &str) -> Result<Vec<Outcome>, Fault> {
        let config = self.config.get();
        let (mut outcomes, mut failed) = (vec![Outcome::NotLive; sessions.len()], None);
        {
            let mut inner = self.inner();
            if !self.follow(&mut inner, &config)? {
                return Ok(outcomes);
            }
            let why = Disconnecting::Asked { reason: reason.map(str::to_owned) };
            for (session, outcome) in sessions.iter().zip(&mut outcomes) {
                let live = inner.journal.as_ref().is_some_and(|journal| journal.state().session(*session).is_some());
                let decided = Decided { session: *session, why: why.clone(), how: Enforcement::Enforced };
                if live && self.record(&mut inner, &config, &decided, Some(by))? {
                    *outcome = Outcome::Asked;
                    // An earlier attempt does not make the administrator wait.
                    inner.tries.remove(session);
                }
            }
            if let Err(fault) = self.carry_out(&mut inner, &config) {
                failed = Some(fault.what);
            }
            for (session, outcome) in sessions.iter().zip(&mut outcomes).filter(|(_, o)| **o == Outcome::Asked) {
                let why = inner.tries.get(session).map_or_else(|| failed.clone(), |one| one.why.clone());
                if let Some(why) = why {
                    *outcome = Outcome::Failed(why);
                }
            }
        }
        self.confirm(sessions, &mut outcomes, &config)?;
        Ok(outcomes)
    }

    /// Waits for the ends of sessions that RRAS was asked to disconnect.
    fn confirm(&self, sessions: &[Id], outcomes: &mut [Outcome], config: &Arc<Config>) -> Result<(), Fault> {
        let deadline = Instant::now() + CONFIRMATION;
        let may_end =
            |outcome: &Outcome| *outcome == Outcome::Asked || *outcome == Outcome::Failed(NOT_LISTED.to_owned());
        while outcomes.iter().any(may_end) {
            {
                let mut inner = self.inner();
                self.follow(&mut inner, config)?;
                let state = inner.journal.as_ref().map(AdminJournal::state);
                for (session, outcome) in sessions.iter().zip(outcomes.iter_mut()) {
                    if may_end(outcome) && state.is_some_and(|state| state.session(*session).is_none()) {
                        *outcome = Outcome::Ended;
                    }
                }
            }
            if Instant::now() >= deadline {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Lets a rule that was stopped end sessions again. Returns false if it was not stopped.
    pub fn resume(&self, rule: &str) -> bool {
        let mut inner = self.inner();
        let resumed = inner.planner.resume(rule);
        inner.report.stopped = inner.planner.stopped().cloned().collect();
        resumed
    }

    fn report(&self) -> DisconnectReport {
        self.inner().report.clone()
    }
}

fn known_octets(state: &State, session: &Session) -> [u64; 2] {
    state.counted(session.id).map_or_else(|| DayUse::octets(&session.used), |counted| counted.octets)
}

/// The duty.
pub struct Disconnect {
    disconnector: Arc<Disconnector>,
    every: Duration,
}

impl Disconnect {
    /// `speed`: how many seconds pass beside a scratch run in one. `last`: what an earlier process reported last.
    pub fn new(disconnector: Arc<Disconnector>, speed: Option<u32>, last: Option<Report>) -> Self {
        disconnector.go_on(last);
        let every = (EVERY / speed.unwrap_or(1).max(1)).max(Duration::from_millis(10));
        Self { disconnector, every }
    }
}

impl Duty for Disconnect {
    fn step(&mut self, turn: &Turn<'_>) -> Result<Duration, Fault> {
        self.disconnector.step(turn.log)?;
        Ok(self.every)
    }

    fn report(&self) -> Report {
        Report::Disconnect(self.disconnector.report())
    }
}
