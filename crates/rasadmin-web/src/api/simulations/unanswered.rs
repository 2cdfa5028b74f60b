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
        Self::Fault(match refusal.why {
            Why::Invalid => Error::Refused(refusal).into(),
            Why::Unavailable => Fault {
                remedy:
                    "GET /api/v1/simulations/NUMBER says how far it is; POST /api/v1/simulations/NUMBER/stop stops it"
                        .to_owned(),
                ..Error::Refused(refusal).into()
            },
            Why::TooLong => too_large(BEGIN),
            _ => unable(refusal),
        })
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
        Error::Refused(refusal) => unable(refusal),
        error => error.into(),
    })
}

/// A refusal that another request would not change.
fn unable(refusal: Refusal) -> Fault {
    let status = match refusal.why {
        Why::Forbidden => StatusCode::FORBIDDEN,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let remedy = "`rasadmin status` shows how the service is doing".to_owned();
    Fault { status, remedy, ..Error::Refused(refusal).into() }
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
