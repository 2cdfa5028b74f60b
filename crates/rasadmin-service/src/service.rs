//! The service while one configuration is in force: its duties, its lock, and its state on disk.

use crate::board::Board;
use crate::current::Current;
use crate::disconnect::{Disconnect, Disconnector};
use crate::duty::{DutyStart, NewDuty};
use crate::follow::Follow;
use crate::log::Log;
use crate::metrics::{Collector, Metrics};
use crate::monitor::{Monitor, Seen, clock};
use crate::pipe::{Changes, Pipe};
use crate::retention::Retention;
use crate::runner::{Runner, now};
use crate::settings::Settings;
use crate::state::{DutyName, DutyState, Report, State};
use crate::state_file;
use crate::stop::Stop;
use crate::two_files::TwoFiles;
use rasadmin_journal::ServiceLock;
use rasadmin_rras::Rras;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long to wait for duties that have to stop. They need a few milliseconds, unless a disk does not answer.
pub const STOPPING: Duration = Duration::from_secs(10);

/// The RRAS beside which the service runs.
#[derive(Clone, Debug)]
pub struct Beside {
    /// What answers for RRAS.
    pub rras: Arc<dyn Rras>,
    /// If it is that of a scratch run, how many seconds pass there in one. The time is then that of the run's clock.
    pub speed: Option<u32>,
}

/// The running duties of one journal.
pub struct Service {
    lock: ServiceLock,
    board: Arc<Board>,
    file: TwoFiles,
    /// The state could not be written, and the log says so.
    not_written: bool,
    stop: Arc<Stop>,
    log: Arc<Log>,
    /// Each duty that ends sends its name.
    ended: Receiver<DutyName>,
    running: Vec<DutyName>,
}

/// The duties that a configuration switches on. Without `rras`, RRAS cannot be asked here.
pub fn duties(settings: &Arc<Settings>, config: &Arc<Current>, rras: Option<&Beside>) -> Vec<NewDuty> {
    let (mut duties, seen) = (Vec::new(), Seen::default());
    if settings.service.follow {
        let (settings, seen) = (settings.clone(), seen.clone());
        let make = move |_| Box::new(Follow::new(settings.clone()).sampling(seen.clone())) as Box<dyn crate::Duty>;
        duties.push(NewDuty { name: DutyName::Follow, make: Box::new(make) });
    }
    if let Some(rras) = rras.filter(|_| settings.service.monitor) {
        let (settings, config, rras, seen) = (settings.clone(), config.clone(), rras.clone(), seen.clone());
        let make = move |start: DutyStart| {
            let monitor =
                Monitor::new(settings.clone(), config.clone(), rras.rras.clone(), start.last).showing(seen.clone());
            let monitor = match rras.speed {
                Some(speed) => monitor.at_speed(speed),
                None => monitor,
            };
            Box::new(monitor) as Box<dyn crate::Duty>
        };
        duties.push(NewDuty { name: DutyName::Monitor, make: Box::new(make) });
    }
    let mut disconnector = None;
    if let Some(Beside { rras, speed }) = rras.filter(|_| settings.service.disconnect.enabled) {
        let (rras, clock, speed) = (rras.clone(), clock(*speed), *speed);
        let shared = Arc::new(Disconnector::new(settings.clone(), config.clone(), rras, clock, seen));
        disconnector = Some(shared.clone());
        let make = move |start: DutyStart| {
            Box::new(Disconnect::new(shared.clone(), speed, start.last)) as Box<dyn crate::Duty>
        };
        duties.push(NewDuty { name: DutyName::Disconnect, make: Box::new(make) });
    }
    if settings.service.retention.enabled {
        let settings = settings.clone();
        let make =
            move |start: DutyStart| Box::new(Retention::new(settings.clone(), start.last)) as Box<dyn crate::Duty>;
        duties.push(NewDuty { name: DutyName::Retention, make: Box::new(make) });
    }
    let collector = settings.service.metrics.enabled.then(|| Arc::new(Collector::new(settings.clone())));
    if settings.service.pipe {
        let (settings, config, collector) = (settings.clone(), config.clone(), collector.clone());
        let clock = clock(rras.and_then(|beside| beside.speed));
        let changes = Arc::new(Changes { settings: settings.clone(), config, clock });
        let make = move |start| {
            let (collector, disconnector, changes) = (collector.clone(), disconnector.clone(), changes.clone());
            Box::new(Pipe::new(&settings, changes, collector, disconnector, start)) as Box<dyn crate::Duty>
        };
        duties.push(NewDuty { name: DutyName::Pipe, make: Box::new(make) });
    }
    if let Some(collector) = collector {
        let settings = settings.clone();
        let make = move |start| Box::new(Metrics::new(&settings, collector.clone(), start)) as Box<dyn crate::Duty>;
        duties.push(NewDuty { name: DutyName::Metrics, make: Box::new(make) });
    }
    duties
}

impl Service {
    /// Starts duties. `started` is when the process started.
    ///
    /// # Errors
    ///
    /// If the system starts no thread.
    pub fn start(
        settings: &Settings,
        lock: ServiceLock,
        duties: Vec<NewDuty>,
        started: rasadmin_policy::Millis,
        log: &Arc<Log>,
    ) -> std::io::Result<Self> {
        let (file, before) = state_file::open(&settings.journal);
        let before = before.map(|state| state.duties).unwrap_or_default();
        let of = |name| {
            let report = before.iter().map(|duty| &duty.report).find(|report| report.duty() == name).cloned();
            DutyState { report: report.unwrap_or_else(|| Report::new(name)), fault: None }
        };
        let board = Arc::new(Board::new(State {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            process: std::process::id(),
            started,
            stopped: None,
            config_fault: None,
            duties: duties.iter().map(|duty| of(duty.name)).collect(),
        }));
        let (stop, (sender, ended)) = (Arc::new(Stop::default()), channel());
        let mut service = Self {
            lock,
            board,
            file,
            not_written: false,
            stop: stop.clone(),
            log: log.clone(),
            ended,
            running: Vec::new(),
        };
        for new in duties {
            let name = new.name;
            let runner = Runner { new, board: service.board.clone(), stop: stop.clone(), log: log.clone() };
            let sender = sender.clone();
            let thread = std::thread::Builder::new().name(name.name().to_owned());
            let spawned = thread.spawn(move || {
                runner.run();
                let _ = sender.send(name);
            });
            if let Err(error) = spawned {
                service.end();
                service.tick();
                return Err(error);
            }
            service.running.push(name);
        }
        Ok(service)
    }

    /// Writes the state if it has changed. Call it once a second.
    pub fn tick(&mut self) {
        self.log.look();
        let Some(state) = self.board.take_change() else { return };
        match self.file.write(&state) {
            Ok(_) => self.not_written = false,
            Err(error) => {
                self.board.not_written();
                if !std::mem::replace(&mut self.not_written, true) {
                    let error = rasadmin_text::printable(&error.to_string()).into_owned();
                    self.log.line(&format!("warning: `rasadmin status` does not see the service's state: {error}"));
                }
            }
        }
    }

    /// Notes what is wrong with the configuration's file; None if nothing is.
    pub fn config_fault(&self, fault: Option<String>) {
        self.board.change(|state| state.config_fault = fault);
    }

    /// Does the lock still exclude others? Not if somebody has moved or deleted its file.
    pub fn is_alone(&self) -> bool {
        self.lock.is_in_place()
    }

    /// Stops the duties. Returns those that did not stop in time.
    pub fn stop(self) -> Vec<DutyName> {
        self.stop_and_keep_lock().0
    }

    /// The same. Also returns the lock, so that no other process can take it before the duties start again.
    pub fn stop_and_keep_lock(mut self) -> (Vec<DutyName>, ServiceLock) {
        self.end();
        self.board.change(|state| state.stopped = Some(now()));
        self.tick();
        (self.running, self.lock)
    }

    /// Stops the duties. Those that do not stop in time stay in `running`.
    fn end(&mut self) {
        self.stop.request();
        let deadline = Instant::now() + STOPPING;
        while !self.running.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(name) = self.ended.recv_timeout(left) else { break };
            self.running.retain(|running| *running != name);
        }
    }
}
