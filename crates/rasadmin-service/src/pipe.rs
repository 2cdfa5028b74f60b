//! `pipe`: answers commands on this computer.
//!
//! The crate `rasadmin-pipe` has the protocol, and lets nobody hold it up. This duty knows the answers.

mod changes;
mod explain;
mod names;
mod of_user;
mod simulations;

use crate::blocks_in_force::{BlocksInForce, MOST_OCTETS};
use crate::board::Board;
use crate::disconnect::{Disconnector, Outcome};
use crate::duty::{Duty, DutyStart, Fault, Turn};
use crate::live_table;
use crate::log::Log;
use crate::metrics::Collector;
use crate::runner::{now, works_for_duty};
use crate::settings::Settings;
use crate::state::{PipeReport, Report};
pub(crate) use changes::Changes;
use explain::OneAtATime;
use jiff::Timestamp;
use rasadmin_engine::Id;
use rasadmin_engine::effect::BlockSubject;
use rasadmin_messages::Message;
use rasadmin_pipe::{Address, Caller, Disconnected, Error, Handler, Limits, Refusal, Request, Server, Why};
use rasadmin_system::places;
use serde_json::Value;
use simulations::{CloseOnDrop, Part, Simulations};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long after a request `rasadmin status` may first show it.
const TURN: Duration = Duration::from_secs(1);

/// Where the service of a journal answers.
pub fn address(journal: &Path) -> Address {
    Address::of_journal(journal, &places::data_folder().unwrap_or_default().join("journal"))
}

/// The duty.
pub struct Pipe {
    address: Address,
    collector: Option<Arc<Collector>>,
    disconnector: Option<Arc<Disconnector>>,
    changes: Arc<Changes>,
    /// Before the server, which waits for its clients when it is dropped: one may wait until its candidate is compiled.
    simulations: CloseOnDrop,
    board: Arc<Board>,
    log: Arc<Log>,
    server: Option<Server>,
    report: PipeReport,
}

impl Pipe {
    /// Nothing is opened yet. Without a collector, it has no metrics to answer with; without a disconnector, it disconnects
    /// nobody.
    pub(crate) fn new(
        settings: &Settings,
        changes: Arc<Changes>,
        collector: Option<Arc<Collector>>,
        disconnector: Option<Arc<Disconnector>>,
        start: DutyStart,
    ) -> Self {
        let (address, server, report) = (address(&settings.journal), None, PipeReport::default());
        let DutyStart { board, log, .. } = start;
        let simulations = Simulations::new(changes.settings.clone(), changes.config.clone());
        let simulations = CloseOnDrop(Arc::new(simulations));
        Self { address, collector, disconnector, changes, simulations, board, log, server, report }
    }
}

impl Duty for Pipe {
    fn step(&mut self, turn: &Turn<'_>) -> Result<Duration, Fault> {
        let server = match &mut self.server {
            Some(server) => server,
            None => {
                let (board, log, collector) = (self.board.clone(), self.log.clone(), self.collector.clone());
                let (disconnector, changes) = (self.disconnector.clone(), self.changes.clone());
                let simulations = self.simulations.0.clone();
                let explaining = OneAtATime::default();
                let answers = Answers { board, log, collector, disconnector, changes, simulations, explaining };
                let server = Server::bind(&self.address, Box::new(answers), Limits::default(), turn.stop.flag())?;
                self.server.insert(server)
            }
        };
        let served = server.serve_for(TURN);
        self.simulations.0.forget(Instant::now());
        let counts = server.counts();
        self.report = PipeReport {
            answered: counts.answered,
            refused: counts.refused,
            last_refusal: counts.last_refusal.map(|(at, why)| {
                let at = Timestamp::try_from(at).map_or_else(|_| now(), Timestamp::as_millisecond);
                (at, why)
            }),
        };
        if let Err(error) = served {
            // It is created again.
            self.server = None;
            return Err(error.into());
        }
        Ok(Duration::ZERO)
    }

    fn report(&self) -> Report {
        Report::Pipe(self.report.clone())
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let remedy = match error {
            Error::Taken(_) => "end the other process, or set service.pipe.enabled = false",
            Error::Io { ref source, .. } if is_denied(source) => {
                "run the service as SYSTEM or as an administrator (root)"
            }
            _ if cfg!(unix) => "check the journal's folder, and that its path has no more than about 90 bytes",
            _ => "`rasadmin status` shows when it works again",
        };
        Self::new(error.to_string(), remedy)
    }
}

/// ERROR_INVALID_OWNER (1307): only an administrator can make the pipe belong to administrators.
fn is_denied(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::PermissionDenied || (cfg!(windows) && error.raw_os_error() == Some(1307))
}

/// What the service answers.
struct Answers {
    board: Arc<Board>,
    log: Arc<Log>,
    collector: Option<Arc<Collector>>,
    disconnector: Option<Arc<Disconnector>>,
    changes: Arc<Changes>,
    simulations: Arc<Simulations>,
    explaining: OneAtATime,
}

impl Answers {
    fn disconnector(&self) -> Result<&Disconnector, Refusal> {
        let off = if cfg!(windows) {
            "disconnecting is switched off: set service.disconnect.enabled = true"
        } else {
            "disconnecting is switched off, or the service runs without `--rras`"
        };
        self.disconnector.as_deref().ok_or_else(|| Refusal::new(Why::Unavailable, off))
    }

    fn blocks(&self, after: Option<&str>) -> Result<Value, Refusal> {
        let after: Option<BlockSubject> = after
            .map(serde_json::from_str)
            .transpose()
            .map_err(|_| Refusal::new(Why::Invalid, "`after` is not the subject of a block"))?;
        let _reading = self.explaining.begin()?;
        let journal = &self.changes.settings.journal;
        let blocks = BlocksInForce::read(journal, now()).map_err(|error| {
            let fault = Fault::from(error);
            Refusal::new(Why::Unavailable, format_args!("{}; {}", fault.what, fault.remedy))
        })?;
        let part = blocks.unwrap_or_default().after(after.as_ref(), MOST_OCTETS);
        serde_json::to_value(part).map_err(|e| Refusal::new(Why::Bug, e))
    }

    fn disconnect(&self, sessions: &[String], reason: Option<&str>, caller: &Caller) -> Result<Value, Refusal> {
        let disconnector = self.disconnector()?;
        changes::one_line(reason)?;
        let parsed: Vec<Id> = sessions.iter().map(|key| names::key(key)).collect::<Result<_, _>>()?;
        let outcomes = disconnector
            .order(&parsed, reason, &caller.account)
            .map_err(|fault| Refusal::new(Why::Unavailable, format_args!("{}; {}", fault.what, fault.remedy)))?;
        let all = sessions.iter().zip(outcomes).map(|(session, outcome)| {
            let (outcome, why) = match outcome {
                Outcome::Ended => ("ended", None),
                Outcome::Asked => ("asked", None),
                Outcome::NotLive => ("not-live", None),
                Outcome::Failed(why) => ("failed", Some(why)),
                Outcome::Refused(why) => ("refused", Some(why)),
            };
            Disconnected { session: session.clone(), outcome: outcome.to_owned(), why }
        });
        serde_json::to_value(all.collect::<Vec<_>>()).map_err(|e| Refusal::new(Why::Bug, e))
    }

    /// Resumes a rule. The journal has no event for that, so the log says who asked.
    fn resume(&self, rule: &str, caller: &Caller) -> Result<Value, Refusal> {
        let busy = || Refusal::new(Why::Unavailable, "the service waits for RRAS; try again");
        let resumed = self.disconnector()?.resume(rule).ok_or_else(busy)?;
        if resumed {
            self.log.emit(&Message::RuleResumed { rule: &rule, account: &caller.account });
        }
        Ok(Value::Bool(resumed))
    }
}

impl Handler for Answers {
    /// Each request has its answer here. What changes something must record `caller.account`, which is who the system
    /// says has asked, or log it.
    fn answer(&self, request: &Request, caller: &Caller) -> Result<Value, Refusal> {
        let bug = |error: serde_json::Error| Refusal::new(Why::Bug, error);
        match request {
            Request::Status {} => serde_json::to_value(self.board.state()).map_err(bug),
            Request::Disconnect { sessions, reason } => self.disconnect(sessions, reason.as_deref(), caller),
            Request::Configuration {} => self.changes.configuration(self.board.state().config_fault),
            Request::Block { subject, until, reason } => self.changes.block(subject, *until, reason.as_deref(), caller),
            Request::Unblock { subject, reason } => self.changes.unblock(subject, reason.as_deref(), caller),
            Request::Close { session, reason } => self.changes.close(session, reason.as_deref(), caller),
            Request::Release { address, force, reason } => {
                self.changes.release(*address, *force, reason.as_deref(), caller)
            }
            Request::Resume { rule } => self.resume(rule, caller),
            Request::Live { after } => {
                let after = after.as_deref().map(names::key).transpose()?;
                let table = live_table::read(&self.changes.settings.journal).unwrap_or_default();
                serde_json::to_value(table.after(after)).map_err(bug)
            }
            Request::Blocks { after } => self.blocks(after.as_deref()),
            Request::User { domain, name } => {
                let Changes { settings, config, clock } = &*self.changes;
                of_user::answer(settings, &config.get(), clock(), (domain, name), &self.explaining)
            }
            Request::Explain(asked) => {
                let Changes { settings, config, clock } = &*self.changes;
                explain::answer(settings, &config.get(), clock(), asked, &self.explaining)
            }
            Request::Simulate { configuration, since, until } => {
                let part = Part { since: *since, until: *until };
                self.simulations.start(configuration, part, &self.changes.clock).map(Value::from)
            }
            Request::Simulation { number } => serde_json::to_value(self.simulations.state(*number)?).map_err(bug),
            Request::StopSimulation { number } => self.simulations.stop(*number, caller).map(Value::Bool),
            Request::OnBehalf { .. } => Err(Refusal::new(Why::Bug, "a bug in rasadmin: the change was not taken out")),
            Request::Metrics {} => {
                let off = "metrics are switched off: set service.metrics.enabled = true";
                let collector = self.collector.as_ref().ok_or_else(|| Refusal::new(Why::Unavailable, off))?;
                let text = collector.text(&self.board.state(), now());
                text.map(Value::String).map_err(|error| Refusal::new(Why::Unavailable, error))
            }
        }
    }

    fn dashboard_changes(&self) -> bool {
        self.changes.config.get().service.dashboard_changes
    }

    fn on_thread(&self) {
        works_for_duty();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Current;
    use crate::state::State;
    use rasadmin_engine::{Mono, Stamp};
    use rasadmin_policy::Name;
    use rasadmin_policy::config::{self, Config};

    fn config(pipe: &str) -> Arc<Config> {
        let text = format!("default.action = \"allow\"\n{pipe}");
        Arc::new(config::parse("f", &text, Path::new("/f"), &mut |_| unreachable!()).unwrap())
    }

    /// The next request is answered under the new configuration, even before the duties start again.
    #[test]
    fn the_configuration_in_force_says_whether_the_dashboard_may_change_something() {
        let current = Arc::new(Current::new(config("")));
        let settings = Arc::new(Settings::of(&current.get(), &Name::new("VPN1")));
        let clock = Box::new(|| Stamp { time: 0, mono: Mono(0) });
        let changes = Arc::new(Changes { settings: settings.clone(), config: current.clone(), clock });
        let answers = Answers {
            board: Arc::new(Board::new(State::default())),
            log: Arc::new(Log::new(None, |_| ())),
            collector: None,
            disconnector: None,
            changes,
            simulations: Arc::new(Simulations::new(settings, current.clone())),
            explaining: OneAtATime::default(),
        };
        assert!(!answers.dashboard_changes());
        current.set(config("service.pipe.dashboard_changes = true\n"));
        assert!(answers.dashboard_changes());
    }
}
