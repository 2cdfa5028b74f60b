//! What a duty is.

use crate::board::Board;
use crate::log::Log;
use crate::state::{DutyName, Report};
use crate::stop::Stop;
use rasadmin_ledger::ErrorKind;
use rasadmin_policy::Millis;
use rasadmin_rras::Failure;
use std::sync::Arc;
use std::time::Duration;

/// Something that the service does again and again, on a thread of its own.
pub trait Duty {
    /// Does what is due. Returns how long to wait before the next step.
    ///
    /// # Errors
    ///
    /// What went wrong. The step is tried again after a pause.
    fn step(&mut self, turn: &Turn<'_>) -> Result<Duration, Fault>;

    /// How long to wait at least after the last step, also if it failed.
    fn rest(&self) -> Duration {
        Duration::ZERO
    }

    /// How far it is.
    fn report(&self) -> Report;
}

/// What a step gets.
#[derive(Clone, Copy)]
pub struct Turn<'t> {
    /// The time of day.
    pub now: Millis,
    /// The request to stop. A step that takes long must look at it.
    pub stop: &'t Stop,
    /// For what an administrator should know.
    pub log: &'t Log,
}

/// A duty that the service can make, also again after a panic.
pub struct NewDuty {
    /// Its name.
    pub name: DutyName,
    /// Makes it.
    pub make: Box<dyn Fn(DutyStart) -> Box<dyn Duty> + Send>,
}

/// What a duty gets when it is made.
pub struct DutyStart {
    /// The last report of the duty before it, also of an earlier process.
    pub last: Option<Report>,
    /// The states of all duties.
    pub(crate) board: Arc<Board>,
    /// For what is not said in a step.
    pub(crate) log: Arc<Log>,
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What happened, and where.
    pub what: String,
    /// What an administrator can do about it.
    pub remedy: String,
}

impl Fault {
    /// A fault.
    pub fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into() }
    }
}

impl From<rasadmin_ledger::Error> for Fault {
    fn from(error: rasadmin_ledger::Error) -> Self {
        let remedy = error.kind.remedy().unwrap_or(match error.kind {
            ErrorKind::Missing => "check its path in the configuration",
            ErrorKind::Corrupt => "`rasadmin ledger check` says what to do",
            ErrorKind::Foreign => "use the rasadmin that came with the DLL",
            _ => "`rasadmin status` shows the state of journal and ledger",
        });
        Self::new(error.message, remedy)
    }
}

impl From<rasadmin_journal::Error> for Fault {
    fn from(error: rasadmin_journal::Error) -> Self {
        rasadmin_ledger::Error::from(error).into()
    }
}

impl From<rasadmin_rras::Error> for Fault {
    fn from(error: rasadmin_rras::Error) -> Self {
        let remedy = match &error.failure {
            Failure::AccessDenied => "run the service as SYSTEM, or as an administrator",
            Failure::OutOfMemory => "find out what uses the memory",
            Failure::Unsupported(_) => "switch this duty off: write enabled = false in [service.monitor]",
            Failure::Hung { .. } => {
                "no other is made until it does; if this lasts, look whether Remote Access still lets clients in"
            }
            _ => "it is tried again; if this lasts, look whether Remote Access runs",
        };
        // The number of seconds would make it another fault at each try.
        let what = match &error.failure {
            Failure::Hung { .. } => format!("cannot {}: a call to RRAS has not returned", error.operation),
            _ => error.to_string(),
        };
        Self::new(what, remedy)
    }
}
