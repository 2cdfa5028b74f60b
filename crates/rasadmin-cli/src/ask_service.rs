//! Asking the rasadmin service over its pipe.

use crate::context::Context;
use crate::error::{AS_ADMINISTRATOR, CommandError, Kind};
use rasadmin_pipe::{Error, Refusal, Request, Why};
use serde::de::DeserializeOwned;
use std::path::Path;
use std::time::Duration;

/// How to start the service.
const START: &str = if cfg!(windows) {
    "start the service: `Start-Service rasadmin`; if it is not registered, `rasadmin install` registers it"
} else {
    "start the service: `rasadmin service run`"
};

/// The error of a question, and whether the service cannot have acted on it.
pub struct Unanswered {
    pub error: CommandError,
    /// False: the service may have got the question, and may be at work.
    pub undone: bool,
}

/// Asks the service of this context's journal. Waits at most `patience` for the answer.
pub fn ask<T: DeserializeOwned>(context: &Context, request: &Request, patience: Duration) -> Result<T, Unanswered> {
    let journal = context.journal().map_err(|error| Unanswered { error, undone: true })?;
    let answer = rasadmin_pipe::ask(&rasadmin_service::pipe::address(journal), request, patience);
    answer.map_err(|error| {
        let undone =
            matches!(error, Error::NoService(_) | Error::Denied(_) | Error::Foreign { .. } | Error::Refused(_));
        Unanswered { error: failed(error, journal, context.config.service.pipe), undone }
    })
}

/// `pipe`: does the configuration let the service answer?
fn failed(error: Error, journal: &Path, pipe: bool) -> CommandError {
    let runs = || matches!(rasadmin_journal::service_of(journal), Ok(Some(_)));
    let (kind, hint) = match &error {
        Error::NoService(_) if !pipe => {
            (Kind::NotRunning, "the configuration switches the pipe off; set service.pipe.enabled = true")
        }
        Error::NoService(_) if runs() => {
            (Kind::NotRunning, "the service runs; `rasadmin status` shows its duty `pipe`")
        }
        Error::NoService(_) => (Kind::NotRunning, START),
        Error::TooLate(_) => (Kind::NotRunning, "`rasadmin status` shows how the service is doing"),
        Error::Denied(_) => (Kind::System, AS_ADMINISTRATOR),
        Error::Refused(Refusal { why: Why::Forbidden, .. }) => (Kind::System, AS_ADMINISTRATOR),
        Error::NoAnswer { .. } | Error::Refused(Refusal { why: Why::Version | Why::Invalid, .. }) => {
            (Kind::System, "use the rasadmin that came with the service")
        }
        Error::Foreign { .. } => (Kind::System, "find out which program that is; do not trust what it says"),
        Error::Refused(_) | Error::Taken(_) | Error::Io { .. } => {
            (Kind::System, "`rasadmin status` shows how the service is doing")
        }
    };
    CommandError::new(kind, error).hint(hint)
}
