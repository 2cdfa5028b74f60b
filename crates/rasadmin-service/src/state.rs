//! The state of the service, for `rasadmin status`. It is written to a file: see [`state_file`](crate::state_file).

use rasadmin_engine::{Id, Stamp};
use rasadmin_ledger::ForgetCounts;
use rasadmin_policy::Millis;
use serde::{Deserialize, Serialize};

/// The state of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The service's version.
    pub version: String,
    /// The number of its process.
    pub process: u32,
    /// When it started.
    pub started: Millis,
    /// When it stopped; None while it runs, or if it ended abnormally.
    pub stopped: Option<Millis>,
    /// What is wrong with the configuration's file, if an earlier one is in force.
    pub config_fault: Option<String>,
    /// The duties that are switched on.
    pub duties: Vec<DutyState>,
}

impl State {
    /// The report of `monitor`, if it is switched on.
    pub fn monitor(&self) -> Option<&MonitorReport> {
        self.duties.iter().find_map(|duty| match &duty.report {
            Report::Monitor(report) => Some(report),
            _ => None,
        })
    }
}

/// The state of one duty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DutyState {
    /// Its name, and how far it is.
    #[serde(flatten)]
    pub report: Report,
    /// Why it does not work; None if it does.
    pub fault: Option<FaultState>,
}

/// Why a duty does not work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultState {
    /// Since when.
    pub since: Millis,
    /// How often it was tried.
    pub tries: u64,
    /// What happened, and where.
    pub what: String,
    /// What an administrator can do about it.
    pub remedy: String,
}

/// The duties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DutyName {
    /// Brings records into the ledger.
    Follow,
    /// Looks at RRAS's connections.
    Monitor,
    /// Ends sessions.
    Disconnect,
    /// Keeps journal and ledger short.
    Retention,
    /// Answers commands.
    Pipe,
    /// Counts for a monitoring system.
    Metrics,
}

impl DutyName {
    /// As in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Follow => "follow",
            Self::Monitor => "monitor",
            Self::Disconnect => "disconnect",
            Self::Retention => "retention",
            Self::Pipe => "pipe",
            Self::Metrics => "metrics",
        }
    }
}

/// How far a duty is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "duty", rename_all = "lowercase")]
pub enum Report {
    /// Of `follow`.
    Follow(FollowReport),
    /// Of `monitor`.
    Monitor(MonitorReport),
    /// Of `disconnect`.
    Disconnect(DisconnectReport),
    /// Of `retention`.
    Retention(RetentionReport),
    /// Of `pipe`.
    Pipe(PipeReport),
    /// Of `metrics`.
    Metrics(MetricsReport),
}

impl Report {
    /// Of a duty that has done nothing yet.
    pub fn new(name: DutyName) -> Self {
        match name {
            DutyName::Follow => Self::Follow(FollowReport::default()),
            DutyName::Monitor => Self::Monitor(MonitorReport::default()),
            DutyName::Disconnect => Self::Disconnect(DisconnectReport::default()),
            DutyName::Retention => Self::Retention(RetentionReport::default()),
            DutyName::Pipe => Self::Pipe(PipeReport::default()),
            DutyName::Metrics => Self::Metrics(MetricsReport::default()),
        }
    }

    /// The duty's name.
    pub const fn duty(&self) -> DutyName {
        match self {
            Self::Follow(_) => DutyName::Follow,
            Self::Monitor(_) => DutyName::Monitor,
            Self::Disconnect(_) => DutyName::Disconnect,
            Self::Retention(_) => DutyName::Retention,
            Self::Pipe(_) => DutyName::Pipe,
            Self::Metrics(_) => DutyName::Metrics,
        }
    }
}

/// How far `follow` is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowReport {
    /// The number of the last record that the ledger has; None if nothing was ever recorded.
    pub record: Option<u64>,
    /// How many records of the journal the ledger lacks.
    pub behind: u64,
    /// The last warning about records that came in, and when.
    pub warning: Option<(Millis, String)>,
}

/// What `monitor` has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonitorReport {
    /// Does RRAS run?
    pub running: bool,
    /// When the step with the last complete look began.
    pub looked_at: Option<Millis>,
    /// How long it took, in milliseconds.
    pub took: u64,
    /// How many connections RRAS has.
    pub connections: usize,
    /// Of these, demand-dial routers and others that are no clients.
    pub routers: usize,
    /// Of these, clients without a session on record.
    pub unknown: usize,
    /// How many live sessions the list lacks.
    pub not_listed: usize,
    /// Sessions that two looks have missed, and since when, if they are too many to be closed.
    pub withheld: Vec<(Id, Stamp)>,
    /// How many connections this service has adopted.
    pub adopted: u64,
    /// How many sessions this service has closed because RRAS did not list them.
    pub closed: u64,
}

/// What `disconnect` has done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisconnectReport {
    /// The mode, as in the configuration.
    pub mode: String,
    /// How many sessions this service was to disconnect, and told RRAS so.
    pub enforced: u64,
    /// How many it only reported.
    pub reported: u64,
    /// How many are held back now: by a rule's limit, by a stop, or until the configuration has stood for a minute.
    pub waiting: usize,
    /// Rules that end nothing until somebody resumes them.
    pub stopped: Vec<StoppedRule>,
    /// Sessions that are still there after several attempts.
    pub failing: Vec<Failing>,
    /// The hash of the configuration that was looked at for rules that would end too much.
    pub judged: Option<String>,
}

/// A rule that would have ended most sessions after a change of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedRule {
    /// The rule.
    pub rule: String,
    /// How many sessions it would have ended.
    pub sessions: usize,
    /// Of so many.
    pub live: usize,
    /// When it was stopped.
    pub since: Millis,
}

/// A session that could not be disconnected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// The session.
    pub session: Id,
    /// How often it was tried.
    pub tries: u32,
    /// Why it did not work.
    pub why: String,
}

/// How far `retention` is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionReport {
    /// When rows were last deleted from the ledger.
    pub deleted_at: Option<Millis>,
    /// How many rows of each kind were deleted then.
    pub deleted: Deleted,
    /// When the ledger was last checked.
    pub checked_at: Option<Millis>,
    /// What the check found.
    pub damage: Vec<String>,
    /// When the last backup was due and done, or left out because the ledger is damaged or none is kept.
    pub backed_up_at: Option<Millis>,
    /// The last backup.
    pub backup: Option<String>,
    /// How many of the journal's files this service has deleted.
    pub segments: u64,
    /// The free space on the disks, a day ago or less.
    pub disks: Vec<FreeSpace>,
    /// When the next run is due.
    pub next: Option<Millis>,
}

/// What `pipe` has done since the duties started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipeReport {
    /// Requests that were answered.
    pub answered: u64,
    /// Requests that were refused.
    pub refused: u64,
    /// When and why one was refused last.
    pub last_refusal: Option<(Millis, String)>,
}

/// What `metrics` has written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricsReport {
    /// The file; None if the configuration names none.
    pub file: Option<String>,
    /// When it was last written.
    pub written: Option<Millis>,
}

/// The numbers of deleted rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    /// Sessions.
    pub sessions: u64,
    /// Leases.
    pub leases: u64,
    /// Decisions.
    pub decisions: u64,
    /// Links, days of use and anomalies.
    pub others: u64,
}

impl From<ForgetCounts> for Deleted {
    fn from(counts: ForgetCounts) -> Self {
        let ForgetCounts { sessions, links, leases, decisions, usage_days, anomalies } = counts;
        Self { sessions, leases, decisions, others: links + usage_days + anomalies }
    }
}

/// How much of a disk was free at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreeSpace {
    /// A folder on that disk.
    pub folder: String,
    /// When.
    pub time: Millis,
    /// In bytes.
    pub free: u64,
}
