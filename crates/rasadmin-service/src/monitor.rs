//! `monitor`: looks at RRAS's connections.
//!
//! It counts what live sessions send and receive, tells who is there from who is only listed, closes sessions that RRAS
//! does not have, and adopts connections that are not on record. It asks RRAS and reads the journal without the journal's
//! lock, and takes that only to append what has to be recorded.

mod connection;
mod looks;

pub use connection::Matching;
pub use looks::{Counts, Listed, Looks, Plan, Watched};

use crate::current::Current;
use crate::duty::{Duty, Fault, Turn};
use crate::live_table::{LiveSession, LiveTable, LiveTableFile};
use crate::settings::Settings;
use crate::state::{MonitorReport, Report};
use rasadmin_engine::event::Look;
use rasadmin_engine::{Event, Id, Mono, Now, Stamp, State};
use rasadmin_messages::Message;
use rasadmin_policy::Millis;
use rasadmin_recorder::admin::AdminJournal;
use rasadmin_rras::{Failure, Rras};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time between two looks.
const EVERY: Duration = Duration::from_secs(5);

/// After a long look, the pause is this many times the time that the look took.
const REST: u32 = 5;

/// How long RRAS is left alone after a question that took so long.
pub(crate) const fn rest_after(took: Duration) -> Duration {
    took.saturating_mul(REST)
}

/// The present moment, on both clocks.
pub type Clock = Box<dyn Fn() -> Stamp + Send + Sync>;

/// The live sessions as the last look has seen them, for other duties.
pub type Seen = Arc<Mutex<HashMap<Id, Watched>>>;

/// The duty.
pub struct Monitor {
    settings: Arc<Settings>,
    config: Arc<Current>,
    rras: Arc<dyn Rras>,
    clock: Clock,
    every: Duration,
    /// How long RRAS is left alone after the last look.
    rest: Duration,
    journal: Option<AdminJournal>,
    looks: RefCell<Looks>,
    seen: Seen,
    /// For commands.
    table: Option<LiveTableFile>,
    /// How many sessions were withheld from closing at the last look.
    reported: usize,
    report: MonitorReport,
}

impl Monitor {
    /// Nothing is asked and nothing is opened yet.
    pub fn new(settings: Arc<Settings>, config: Arc<Current>, rras: Arc<dyn Rras>, last: Option<Report>) -> Self {
        let report = match last {
            Some(Report::Monitor(report)) => MonitorReport { running: false, ..report },
            _ => MonitorReport::default(),
        };
        let clock = clock(None);
        Self {
            settings,
            config,
            rras,
            clock,
            every: EVERY,
            rest: Duration::ZERO,
            journal: None,
            looks: RefCell::default(),
            seen: Seen::default(),
            table: None,
            reported: 0,
            report,
        }
    }

    /// Shows other duties what it sees.
    #[must_use]
    pub fn showing(self, seen: Seen) -> Self {
        Self { seen, ..self }
    }

    /// With another clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// With the clock of a scratch run, which runs `speed` times as fast.
    #[must_use]
    pub fn at_speed(self, speed: u32) -> Self {
        let every = (EVERY / speed.max(1)).max(Duration::from_millis(10));
        Self { clock: clock(Some(speed)), every, ..self }
    }

    /// The live sessions as looks have seen them.
    pub fn looks(&self) -> std::cell::Ref<'_, Looks> {
        self.looks.borrow()
    }

    /// Reads what was recorded. Returns false if RRAS has never started with this journal.
    fn follow(&mut self) -> Result<bool, Fault> {
        if self.journal.is_none() {
            self.journal = AdminJournal::open(&self.settings.journal, &self.config.get())?;
        }
        let Some(journal) = &mut self.journal else { return Ok(false) };
        journal.set_config(&self.config.get());
        let looks = self.looks.get_mut();
        if let Err(error) = journal.follow(|record| looks.hear(record)) {
            self.journal = None;
            return Err(error.into());
        }
        Ok(journal.state().instance().is_some())
    }

    /// Asks RRAS for its connections, and notes how long that took. Returns None if it does not run, or was not the same
    /// instance all the time.
    fn list(&mut self) -> Result<Option<Listed>, Fault> {
        let started = Instant::now();
        let listed = self.ask();
        let took = started.elapsed();
        self.rest = rest_after(took);
        if matches!(listed, Ok(Some(_))) {
            self.report.took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        }
        listed
    }

    fn ask(&self) -> Result<Option<Listed>, Fault> {
        let begun = (self.clock)();
        let Some(instance) = self.rras.instance()? else { return Ok(None) };
        let connections = match self.rras.connections() {
            Ok(connections) => connections,
            Err(error) if error.failure == Failure::NotRunning => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let same = self.rras.instance()? == Some(instance);
        Ok(same.then_some(Listed { begun, instance, connections }))
    }

    /// Records what a look calls for.
    fn record(&mut self, begun: Stamp, plan: Plan) -> Result<(), Fault> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        let looks = &self.looks;
        for look in plan.events(begun) {
            let random = rasadmin_recorder::random()
                .map_err(|e| Fault::new(format!("the system has no random numbers: {e}"), "restart the computer"))?;
            let now = Now { at: (self.clock)(), random };
            let recorded = journal.record_heard(&now, &mut |record| looks.borrow_mut().hear(record), |state| {
                let look = still_true(look, state, &looks.borrow());
                let count = (look.found.len() as u64, look.not_listed.len() as u64);
                let nothing = look.read.is_empty() && look.found.is_empty() && look.not_listed.is_empty();
                (count, (!nothing).then_some(Event::Look(look)))
            });
            match recorded {
                Ok(count) => {
                    let (adopted, closed) = count.unwrap_or_default();
                    self.report.adopted += adopted;
                    self.report.closed += closed;
                }
                Err(error) => {
                    self.journal = None;
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    /// Shows commands the live sessions as they are now.
    fn show(&mut self, begun: Stamp) -> Result<(), Fault> {
        let table = || {
            let one = |(id, watched): (&Id, &Watched)| LiveSession {
                session: *id,
                octets: watched.counted.octets,
                exact: watched.counted.exact,
                heard: watched.heard.map(|heard| heard.time),
            };
            let looks = self.looks.borrow();
            let listed = looks.sessions().iter().filter(|(_, watched)| watched.listed == begun);
            let mut sessions: Vec<LiveSession> = listed.map(one).collect();
            sessions.sort_unstable_by_key(|session| session.session);
            LiveTable { looked_at: begun.time, sessions }
        };
        let file = self.table.get_or_insert_with(|| LiveTableFile::open(&self.settings.journal));
        file.write(begun.mono, table).map_err(|e| Fault::new(e.to_string(), "see whether the journal's disk is full"))
    }

    fn note(&mut self, now: Millis, plan: &Plan, log: &crate::log::Log) {
        let (looks, live) = (self.looks.borrow(), self.journal.as_ref().map_or(0, |j| j.state().live_count()));
        let Counts { connections, routers, unknown, not_listed } = looks.counts();
        let report = &mut self.report;
        (report.running, report.looked_at) = (true, Some(now));
        (report.connections, report.routers, report.unknown) = (connections, routers, unknown);
        report.not_listed = not_listed;
        report.withheld = plan.withheld.iter().map(|not_listed| (not_listed.session, not_listed.since)).collect();
        let withheld = plan.withheld.len();
        if withheld > 0 && self.reported == 0 {
            log.emit(&Message::SessionsNotListed { count: &withheld, live: &live });
        }
        self.reported = withheld;
    }
}

/// This computer's clock; beside a scratch run that runs at a speed of its own, the run's.
pub fn clock(speed: Option<u32>) -> Clock {
    let of = rasadmin_system::clock::Clock::new(speed.is_some());
    Box::new(move || {
        let (time, mono) = of.now();
        Stamp { time, mono: Mono(mono) }
    })
}

/// The look without what others have recorded since it began.
fn still_true(mut look: Look, state: &State, looks: &Looks) -> Look {
    look.found.retain(|connection| looks.still_unknown(connection.guid.as_deref(), look.begun));
    look.read.retain(|reading| state.session(reading.session).is_some());
    look.not_listed.retain(|not_listed| state.session(not_listed.session).is_some());
    look
}

impl Monitor {
    /// One look, and what follows from it.
    fn look(&mut self, turn: &Turn<'_>) -> Result<(), Fault> {
        // Until this look is complete, nothing is known of now.
        self.report.running = false;
        self.rest = Duration::ZERO;
        if !self.follow()? {
            return Ok(());
        }
        let Some(listed) = self.list()? else { return Ok(()) };
        self.follow()?;
        let Some(journal) = &self.journal else { return Ok(()) };
        let config = self.config.get();
        let plan = self.looks.get_mut().take(&listed, journal.state(), &config.zone);
        self.note(turn.now, &plan, turn.log);
        self.record(listed.begun, plan)?;
        // Not before: at midnight, what the look before it has counted belongs to the day before.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone_from(self.looks.get_mut().sessions());
        self.show(listed.begun)
    }
}

impl Duty for Monitor {
    fn step(&mut self, turn: &Turn<'_>) -> Result<Duration, Fault> {
        self.look(turn)?;
        Ok(self.every.max(self.rest))
    }

    fn rest(&self) -> Duration {
        self.rest
    }

    fn report(&self) -> Report {
        Report::Monitor(self.report.clone())
    }
}
