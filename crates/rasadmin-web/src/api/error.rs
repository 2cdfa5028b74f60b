//! Why the API does not answer, for programs: as the commands say it with `--json` (docs/json.md).

use crate::fault::Fault;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rasadmin_text::printable_json;
use schemars::JsonSchema;
use serde::Serialize;

/// Why the request was not answered.
#[derive(Serialize, JsonSchema)]
pub struct ErrorAnswer {
    /// Why.
    error: ErrorDetails,
}

/// Why the request was not answered.
#[derive(Serialize, JsonSchema)]
pub struct ErrorDetails {
    /// The kind of the error. New kinds may be added.
    kind: Kind,
    /// What happened, and where.
    message: String,
    /// What to do about it.
    hint: String,
    /// The status of the answer.
    status: u16,
}

/// The kind of an error.
#[derive(Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// The request is not valid: a parameter, the body, the method, the host.
    Usage,
    /// What was named does not exist: a session, a decision, a user.
    NotFound,
    /// The request has no valid token, and no cookie of a visit.
    NotLoggedIn,
    /// It is not allowed, or would be unsafe.
    Refused,
    /// The ledger, the journal or the service cannot be asked at the moment.
    Unavailable,
    /// A bug in rasadmin.
    Internal,
}

impl Kind {
    const fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::NotLoggedIn,
            StatusCode::FORBIDDEN | StatusCode::CONFLICT => Self::Refused,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::REQUEST_TIMEOUT | StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                Self::Unavailable
            }
            StatusCode::INTERNAL_SERVER_ERROR => Self::Internal,
            _ => Self::Usage,
        }
    }
}

impl ErrorDetails {
    pub fn new(fault: Fault) -> Self {
        let Fault { status, what: message, remedy: hint } = fault;
        Self { kind: Kind::of(status), message, hint, status: status.as_u16() }
    }
}

/// The answer that says why there is no other.
pub fn refused(fault: Fault) -> Response {
    let status = fault.status;
    let answer = ErrorAnswer { error: ErrorDetails::new(fault) };
    let json = serde_json::to_string(&answer).unwrap_or_default(); // Of texts and a number: cannot fail.
    let mut answer =
        (status, [(header::CONTENT_TYPE, "application/json")], printable_json(&json).into_owned()).into_response();
    if status == StatusCode::UNAUTHORIZED {
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"rasadmin\""));
    }
    answer
}

/// The answer to a request with another method than the path has.
pub fn not_allowed(allowed: &'static str) -> Response {
    let first = allowed.split(',').next().unwrap_or(allowed);
    let mut answer = refused(Fault {
        status: StatusCode::METHOD_NOT_ALLOWED,
        what: format!("this path only answers {first}"),
        remedy: format!("use {first}; /api/v1/openapi.json lists every path with its methods"),
    });
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    answer
}
