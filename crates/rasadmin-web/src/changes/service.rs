//! Asking the rasadmin service for a change.

use crate::app::App;
use crate::fault;
use axum::http::StatusCode;
use rasadmin_pipe::{Error, Refusal, Request, Why, ask};
use rasadmin_service::pipe;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// RRAS may need a moment for each session, and the service waits for their ends.
const PATIENCE: Duration = Duration::from_secs(60);

/// The service has not done what it was asked for, or it is not known.
#[derive(Debug)]
pub struct Unanswered {
    /// Why.
    pub why: String,
    /// What a person can do.
    pub remedy: &'static str,
    /// False: the service may have got the question, and may be at work.
    pub undone: bool,
    /// The same for programs.
    pub status: StatusCode,
}

/// Asks for a change in the name of a visitor. This waits: do not call it where the server must not.
pub fn change<T: DeserializeOwned>(app: &App, visitor: &str, change: Request) -> Result<T, Unanswered> {
    let request = Request::OnBehalf { of: visitor.to_owned(), change: Box::new(change) };
    ask(&pipe::address(&app.source.config().journal), &request, PATIENCE).map_err(unanswered)
}

fn unanswered(error: Error) -> Unanswered {
    let undone = matches!(error, Error::NoService(_) | Error::Denied(_) | Error::Foreign { .. } | Error::Refused(_));
    let remedy = match &error {
        Error::Refused(Refusal { why: Why::Forbidden, .. }) => {
            "set `service.pipe.dashboard_changes = true` if the dashboard may change something"
        }
        Error::Refused(Refusal { why: Why::Version | Why::Invalid, .. }) | Error::NoAnswer { .. } => {
            "if that cannot be corrected here, use a dashboard and a service of the same version"
        }
        error => fault::remedy(error),
    };
    let why = match &error {
        Error::Refused(refusal) => format!("the rasadmin service refuses: {}", refusal.text),
        error => error.to_string(),
    };
    let status = match &error {
        Error::Refused(Refusal { why: Why::Forbidden, .. }) => StatusCode::FORBIDDEN,
        Error::Refused(Refusal { why: Why::Invalid, .. }) => StatusCode::CONFLICT,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    Unanswered { why: rasadmin_text::printable(&why).into_owned(), remedy, undone, status }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_for_programs_whether_to_try_again() {
        let refused = |why| unanswered(Error::Refused(Refusal::new(why, "no")));
        let forbidden = refused(Why::Forbidden);
        assert_eq!((forbidden.status, forbidden.undone), (StatusCode::FORBIDDEN, true));
        assert!(forbidden.remedy.contains("service.pipe.dashboard_changes = true"), "{forbidden:?}");
        assert_eq!(refused(Why::Invalid).status, StatusCode::CONFLICT);
        assert_eq!(refused(Why::Unavailable).status, StatusCode::SERVICE_UNAVAILABLE);
    }
}
