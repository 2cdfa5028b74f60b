//! `pipe`: answers commands on this computer.
//!
//! The crate `rasadmin-pipe` has the protocol, and lets nobody hold it up. This duty knows the answers.

mod changes;

use crate::board::Board;
use crate::disconnect::{Disconnector, Outcome};
use crate::duty::{Duty, DutyStart, Fault, Turn};
use crate::metrics::Collector;
use crate::runner::{now, works_for_duty};
use crate::settings::Settings;
use crate::state::{PipeReport, Report};
pub(crate) use changes::Changes;
use jiff::Timestamp;
use rasadmin_engine::Id;
use rasadmin_pipe::{Address, Caller, Disconnected, Error, Handler, Limits, Refusal, Request, Server, Why};
use rasadmin_system::places;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

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
    board: Arc<Board>,
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
        Self { address, collector, disconnector, changes, board: start.board, server, report }
    }
}

impl Duty for Pipe {
    fn step(&mut self, turn: &Turn<'_>) -> Result<Duration, Fault> {
        let server = match &mut self.server {
            Some(server) => server,
            None => {
                let (board, collector) = (self.board.clone(), self.collector.clone());
                let (disconnector, changes) = (self.disconnector.clone(), self.changes.clone());
                let answers = Answers { board, collector, disconnector, changes };
                let server = Server::bind(&self.address, Box::new(answers), Limits::default(), turn.stop.flag())?;
                self.server.insert(server)
            }
        };
        let served = server.serve_for(TURN);
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
    collector: Option<Arc<Collector>>,
    disconnector: Option<Arc<Disconnector>>,
    changes: Arc<Changes>,
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

    fn disconnect(&self, sessions: &[String], reason: Option<&str>, caller: &Caller) -> Result<Value, Refusal> {
        let disconnector = self.disconnector()?;
        changes::one_line(reason)?;
        let parsed: Option<Vec<Id>> = sessions.iter().map(|key| key.parse().ok()).collect();
        let parsed = parsed.ok_or_else(|| Refusal::new(Why::Invalid, "a session's key is not a UUID"))?;
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
}

impl Handler for Answers {
    /// Each request has its answer here. What changes something must record `caller.account`, which is who the system
    /// says has asked.
    fn answer(&self, request: &Request, caller: &Caller) -> Result<Value, Refusal> {
        match request {
            Request::Status {} => serde_json::to_value(self.board.state()).map_err(|e| Refusal::new(Why::Bug, e)),
            Request::Disconnect { sessions, reason } => self.disconnect(sessions, reason.as_deref(), caller),
            Request::Configuration {} => self.changes.configuration(self.board.state().config_fault),
            Request::Block { subject, until, reason } => self.changes.block(subject, *until, reason.as_deref(), caller),
            Request::Unblock { subject } => self.changes.unblock(subject, caller),
            Request::Close { session } => self.changes.close(session, caller),
            Request::Release { address, force } => self.changes.release(*address, *force, caller),
            Request::Resume { rule } => {
                let busy = || Refusal::new(Why::Unavailable, "the service waits for RRAS; try again");
                self.disconnector()?.resume(rule).map(Value::Bool).ok_or_else(busy)
            }
            Request::Metrics {} => {
                let off = "metrics are switched off: set service.metrics.enabled = true";
                let collector = self.collector.as_ref().ok_or_else(|| Refusal::new(Why::Unavailable, off))?;
                let text = collector.text(&self.board.state(), now());
                text.map(Value::String).map_err(|error| Refusal::new(Why::Unavailable, error))
            }
        }
    }

    fn on_thread(&self) {
        works_for_duty();
    }
}
