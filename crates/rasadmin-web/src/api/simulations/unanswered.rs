//! Why the service has not done what a program asked for.

use super::BEGIN;
use crate::app::App;
use crate::fault::Fault;
use crate::security::too_large;
use axum::http::StatusCode;
use rasadmin_pipe::{Error, Refusal, Request, Why};
use serde::de::DeserializeOwned;

/// Why none has begun.
pub enum NotBegun {
    Mistakes(Refusal),
    Fault(Fault),
}

impl From<Error> for NotBegun {
    fn from(error: Error) -> Self {
        let refusal = match error {
            Error::Refused(refusal) if !refusal.mistakes.is_empty() => return Self::Mistakes(refusal),
            Error::Refused(refusal) => refusal,
            error => return Self::Fault(error.into()),
        };
        let (status, remedy) = match refusal.why {
            Why::Invalid => (StatusCode::BAD_REQUEST, "change the request, and try again"),
            Why::Unavailable => (
                StatusCode::CONFLICT,
                "GET /api/v1/simulations/NUMBER says how far it is, and POST to /stop below it stops it",
            ),
            Why::TooLong => return Self::Fault(too_large(BEGIN)),
            why => (refused_status(why), "`rasadmin status` shows how the service is doing"),
        };
        Self::Fault(refusal_fault(status, &refusal, remedy))
    }
}

/// Asks about a simulation. The service does not know it if the question is not valid.
pub fn ask<T: DeserializeOwned>(app: &App, request: &Request) -> Result<T, Fault> {
    app.source.service(request).map_err(|error| match error {
        Error::Refused(refusal) if refusal.why == Why::Invalid => Fault {
            remedy: format!("POST {BEGIN} begins another one"),
            ..Fault::not_found(
                "this simulation is not kept any more, or there was none: a result stays for an hour, or until the next \
                 simulation starts",
            )
        },
        Error::Refused(refusal) => {
            refusal_fault(refused_status(refusal.why), &refusal, "`rasadmin status` shows how the service is doing")
        }
        error => error.into(),
    })
}

const fn refused_status(why: Why) -> StatusCode {
    match why {
        Why::Forbidden => StatusCode::FORBIDDEN,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn refusal_fault(status: StatusCode, refusal: &Refusal, remedy: &str) -> Fault {
    Fault { status, what: format!("the rasadmin service refused: {}", refusal.text), remedy: remedy.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_the_status_that_fits() {
        let status = |why| match NotBegun::from(Error::Refused(Refusal::new(why, "no"))) {
            NotBegun::Fault(fault) => fault.status.as_u16(),
            NotBegun::Mistakes(_) => 422,
        };
        let all = [Why::Invalid, Why::Unavailable, Why::TooLong, Why::Forbidden, Why::Version].map(status);
        assert_eq!(all, [400, 409, 413, 403, 503]);
    }
}
