//! `disconnect`: ends sessions that are not allowed any more, and those that an administrator names.
//!
//! Each is first recorded, then RRAS is asked, if the reason still holds. So a service that is killed in between goes on
//! where it was, and the hangup that follows has its cause. RRAS is asked without the journal's lock.

mod cut;
mod octets;
mod order;
mod plan;
mod tries;

pub use cut::{Cut, cut};
pub use order::Outcome;
pub use plan::{Decided, Plan, Planner, Situation};

use crate::current::Current;
use crate::duty::{Duty, Fault, Turn};
use crate::log::Log;
use crate::monitor::{Clock, Matching, Seen, rest_after};
use crate::settings::Settings;
use crate::state::{DisconnectReport, Report};
use crate::stop::Stop;
use rasadmin_engine::decide::overdue;
use rasadmin_engine::effect::{Disconnecting, Enforcement};
use rasadmin_engine::event::{self, Look};
use rasadmin_engine::state::Session;
use rasadmin_engine::{Context, Event, Id, Identity, InterfaceType, Now, Process, State};
use rasadmin_messages::Message;
use rasadmin_policy::config::{Config, DisconnectMode};
use rasadmin_recorder::admin::AdminJournal;
use rasadmin_rras::{Connection, Error, Failure, Rras};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};
use tries::{NOT_LISTED, Tries};

/// The time between two steps.
const EVERY: Duration = Duration::from_secs(5);

/// How long one step may ask RRAS. The rest waits for the next step: others want to use the journal too.
const ASKING: Duration = Duration::from_secs(20);

/// Disconnects sessions: the duty's, and those that an administrator names.
pub struct Disconnector {
    settings: Arc<Settings>,
    config: Arc<Current>,
    rras: Arc<dyn Rras>,
    clock: Clock,
    seen: Seen,
    inner: Mutex<Inner>,
    /// For `status`, which must not wait for RRAS.
    shown: Mutex<DisconnectReport>,
}

/// What only one may use at a time.
struct Inner {
    journal: Option<AdminJournal>,
    planner: Planner,
    tries: Tries,
    report: DisconnectReport,
    /// How long the duty leaves RRAS alone after it has asked for a list.
    rest: Duration,
}

impl Inner {
    fn state(&self) -> Option<&State> {
        self.journal.as_ref().map(AdminJournal::state)
    }
}

impl Disconnector {
    /// Nothing is asked and nothing is opened yet. `seen` is what the monitor sees.
    pub fn new(settings: Arc<Settings>, config: Arc<Current>, rras: Arc<dyn Rras>, clock: Clock, seen: Seen) -> Self {
        let (planner, report) = (Planner::default(), DisconnectReport::default());
        let inner = Inner { journal: None, planner, tries: Tries::default(), report, rest: Duration::ZERO };
        let inner = Mutex::new(inner);
        Self { settings, config, rras, clock, seen, inner, shown: Mutex::default() }
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
        self.show(&inner);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| self.after_panic(poisoned))
    }

    /// The same, if nobody else uses it for this long.
    fn inner_within(&self, patience: Duration) -> Option<MutexGuard<'_, Inner>> {
        let deadline = Instant::now() + patience;
        loop {
            match self.inner.try_lock() {
                Ok(inner) => return Some(inner),
                Err(TryLockError::Poisoned(poisoned)) => return Some(self.after_panic(poisoned)),
                Err(TryLockError::WouldBlock) if Instant::now() >= deadline => return None,
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    fn after_panic<'a>(&'a self, poisoned: PoisonError<MutexGuard<'a, Inner>>) -> MutexGuard<'a, Inner> {
        self.inner.clear_poison();
        let mut inner = poisoned.into_inner();
        // It may be half read.
        inner.journal = None;
        inner
    }

    fn show(&self, inner: &Inner) {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&inner.report);
    }

    /// Ends what is due. Also returns how long to leave RRAS alone after that.
    fn step(&self, log: &Log, stop: &Stop) -> (Result<(), Fault>, Duration) {
        let mut inner = self.inner();
        inner.rest = Duration::ZERO;
        let config = self.config.get();
        inner.report.mode = config.service.disconnect.mode.name().to_owned();
        let done = self.follow(&mut inner, &config).and_then(|has_started| match has_started {
            true => self.decide(&mut inner, &config, log, stop),
            false => Ok(()),
        });
        self.show(&inner);
        (done, inner.rest)
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

    /// Records which sessions are to be disconnected, and asks RRAS. What is only reported comes last: it can wait.
    fn decide(&self, inner: &mut Inner, config: &Arc<Config>, log: &Log, stop: &Stop) -> Result<(), Fault> {
        let Inner { journal: Some(journal), planner, report, .. } = inner else { return Ok(()) };
        let state = journal.state();
        let Some(instance) = state.instance() else { return Ok(()) };
        let context = Context::new(config, state.server(), instance, Process(0));
        let more = |user: &Identity| self.unrecorded(state, user);
        let (mode, at) = (config.service.disconnect.mode, (self.clock)());
        let plan = planner.plan(&Situation { state, context, mode, at, more: &more });
        for stopped in &plan.stopped {
            let (rule, sessions, live) = (&stopped.rule, &stopped.sessions, &stopped.live);
            log.emit(&Message::RuleStopped { rule, sessions, live });
        }
        report.waiting = plan.waiting;
        report.judged = planner.judged().cloned();
        report.stopped = planner.stopped().cloned().collect();
        let (reports, orders): (Vec<Decided>, Vec<Decided>) =
            plan.decided.into_iter().partition(|decided| decided.how == Enforcement::Reported);
        for order in orders {
            self.record(inner, config, &order, None)?;
        }
        let asked = self.carry_out(inner, config, Some(stop));
        for reported in reports {
            if stop.is_requested() {
                break;
            }
            self.record(inner, config, &reported, None)?;
        }
        asked
    }

    /// Records one decision, if it still holds. What decides a quota is recorded before it.
    fn record(
        &self,
        inner: &mut Inner,
        config: &Arc<Config>,
        decided: &Decided,
        by: Option<&str>,
    ) -> Result<bool, Fault> {
        let Decided { session, why, how } = decided;
        for (begun, read) in self.deciding_octets(inner, config, decided) {
            self.append(inner, |_, state| {
                let read = octets::still_new(read, state);
                (!read.is_empty()).then(|| Event::Look(Look { begun, read, ..Look::default() }))
            })?;
        }
        let at = (self.clock)();
        let recorded = self.append(inner, |planner, state| {
            let context = Context::new(config, state.server(), state.instance()?, Process(0));
            let live = state.session(*session)?;
            let more = |user: &Identity| self.unrecorded(state, user);
            // A report says what would be if the mode were the other one.
            let now = Situation { state, context, mode: DisconnectMode::Enforce, at, more: &more };
            let holds = planner.holds(why, live, &now);
            let by = by.map(str::to_owned);
            holds.then(|| Event::Disconnect(event::Disconnect { session: *session, why: why.clone(), how: *how, by }))
        })?;
        if recorded {
            let Inner { report, .. } = inner;
            *(if *how == Enforcement::Enforced { &mut report.enforced } else { &mut report.reported }) += 1;
        }
        Ok(recorded)
    }

    /// Appends the event that `look` returns for the present state. Returns whether there was one.
    fn append(&self, inner: &mut Inner, look: impl FnOnce(&Planner, &State) -> Option<Event>) -> Result<bool, Fault> {
        let Inner { journal: opened, planner, .. } = inner;
        let Some(journal) = opened else { return Ok(false) };
        let random = rasadmin_recorder::random()
            .map_err(|e| Fault::new(format!("the system has no random numbers: {e}"), "restart the computer"))?;
        let now = Now { at: (self.clock)(), random };
        let appended = journal.record(&now, |state| {
            let event = look(planner, state);
            (event.is_some(), event)
        });
        match appended {
            Ok(appended) => Ok(appended.unwrap_or(false)),
            Err(error) => {
                // What it has read may not be what is there.
                *opened = None;
                Err(error.into())
            }
        }
    }

    /// The looks that must be on record before a decision, because it depends on their octets.
    fn deciding_octets(&self, inner: &Inner, config: &Config, decided: &Decided) -> Vec<octets::Readings> {
        let found = || {
            let state = inner.state()?;
            let session = state.session(decided.session)?;
            let context = Context::new(config, state.server(), state.instance()?, Process(0));
            let without = overdue(state, &context, session, (self.clock)(), 0);
            let depends = decided.why.rule().is_some() && without.is_none_or(|overdue| overdue.why != decided.why);
            let user = session.user.as_ref().filter(|_| depends)?;
            Some(self.readings(state, user))
        };
        found().unwrap_or_default()
    }

    /// Asks RRAS to disconnect what is recorded and still holds.
    fn carry_out(&self, inner: &mut Inner, config: &Config, stop: Option<&Stop>) -> Result<(), Fault> {
        let Inner { journal: Some(journal), planner, tries, report, rest } = inner else { return Ok(()) };
        let (state, at) = (journal.state(), (self.clock)());
        let Some(instance) = state.instance() else { return Ok(()) };
        let context = Context::new(config, state.server(), instance, Process(0));
        let more = |user: &Identity| self.unrecorded(state, user);
        let now = Situation { state, context, mode: config.service.disconnect.mode, at, more: &more };
        tries.forget_ended(state);
        let order = |session: &Session| {
            let order = state.to_disconnect(session.id).filter(|order| order.how == Enforcement::Enforced)?;
            // The block may be lifted, the rule corrected, the night over.
            planner.holds(&order.why, session, &now).then(|| order.why.clone())
        };
        let due = state.live().filter(|session| tries.is_due(session.id, at.mono));
        let mut due: Vec<(&Session, Disconnecting)> = due.filter_map(|s| Some((s, order(s)?))).collect();
        due.sort_unstable_by_key(|(session, _)| session.id);
        let (deadline, mut result) = (Instant::now() + ASKING, Ok(()));
        if !due.is_empty() {
            let started = Instant::now();
            let listed = self.list(state);
            *rest = rest_after(started.elapsed());
            let listed = listed?;
            for (session, why) in due {
                if Instant::now() >= deadline || stop.is_some_and(Stop::is_requested) {
                    break;
                }
                match self.disconnect(session, listed.get(&session.id), config) {
                    Ok(refused) => {
                        if refused.is_none() {
                            planner.has_cut(session.id, &why, at.mono);
                        }
                        tries.note(session.id, at.mono, refused);
                    }
                    // It is about this session only. It must not keep the others.
                    Err(error) if !is_about_rras(&error.failure) => {
                        tries.note(session.id, at.mono, Some(error.to_string()));
                    }
                    Err(error) => {
                        tries.note(session.id, at.mono, Some(error.to_string()));
                        result = Err(error.into());
                        break;
                    }
                }
            }
        }
        report.failing = tries.failing();
        result
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
    ) -> Result<Option<String>, Error> {
        let Some(listed) = listed else { return Ok(Some(NOT_LISTED.to_owned())) };
        if listed.interface != InterfaceType::Client {
            return Ok(Some("RRAS lists it as a router".to_owned()));
        }
        let same_guid = session.guid.is_some() && session.guid == listed.guid;
        let same_name = listed.user.folded() == session.user_name.folded();
        let same_user = config.domains.identity(&listed.user, &listed.domain) == session.user;
        if !(same_user || same_guid && same_name) {
            return Ok(Some(format!("RRAS lists it with another user, {}", listed.user)));
        }
        Ok(match cut(self.rras.as_ref(), listed)? {
            Cut::Asked => None,
            Cut::Gone => Some("it was gone when RRAS was asked".to_owned()),
            Cut::NoGuid => Some("RRAS shows no GUID for it".to_owned()),
        })
    }

    /// Lets a rule that was stopped end sessions again. The caller logs who asked. Returns false if it was not stopped, None
    /// if the duty is busy for long.
    pub fn resume(&self, rule: &str) -> Option<bool> {
        let mut inner = self.inner_within(order::PATIENCE)?;
        let resumed = inner.planner.resume(rule);
        inner.report.stopped = inner.planner.stopped().cloned().collect();
        self.show(&inner);
        Some(resumed)
    }

    fn report(&self) -> DisconnectReport {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Would the next question fail alike?
fn is_about_rras(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::NotRunning
            | Failure::Hung { .. }
            | Failure::Unreachable(_)
            | Failure::Unsupported(_)
            | Failure::OutOfMemory
            | Failure::AccessDenied
    )
}

/// The duty.
pub struct Disconnect {
    disconnector: Arc<Disconnector>,
    every: Duration,
    rest: Duration,
}

impl Disconnect {
    /// `speed`: how many seconds pass beside a scratch run in one. `last`: what an earlier process reported last.
    pub fn new(disconnector: Arc<Disconnector>, speed: Option<u32>, last: Option<Report>) -> Self {
        disconnector.go_on(last);
        let every = (EVERY / speed.unwrap_or(1).max(1)).max(Duration::from_millis(10));
        Self { disconnector, every, rest: Duration::ZERO }
    }
}

impl Duty for Disconnect {
    fn step(&mut self, turn: &Turn<'_>) -> Result<Duration, Fault> {
        let done;
        (done, self.rest) = self.disconnector.step(turn.log, turn.stop);
        done?;
        Ok(self.every.max(self.rest))
    }

    fn rest(&self) -> Duration {
        self.rest
    }

    fn report(&self) -> Report {
        Report::Disconnect(self.disconnector.report())
    }
}
