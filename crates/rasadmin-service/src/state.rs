//! The state of the service, for `rasadmin status`. It is written to a file: see [`state_file`](crate::state_file).

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
            DutyName::Retention => Self::Retention(RetentionReport::default()),
            DutyName::Pipe => Self::Pipe(PipeReport::default()),
            DutyName::Metrics => Self::Metrics(MetricsReport::default()),
        }
    }

    /// The duty's name.
    pub const fn duty(&self) -> DutyName {
        match self {
            Self::Follow(_) => DutyName::Follow,
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
    /// When the last backup was made.
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
