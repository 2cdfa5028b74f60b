//! Why a page cannot be shown.

use axum::http::StatusCode;
use std::fmt;

/// Why a page cannot be shown: what happened, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The status of the answer.
    pub status: StatusCode,
    /// What happened, and where.
    pub what: String,
    /// What a person can do about it.
    pub remedy: String,
}

impl Fault {
    /// What was asked for does not exist.
    pub fn not_found(what: impl fmt::Display) -> Self {
        let remedy = "look for it in the list".to_owned();
        Self { status: StatusCode::NOT_FOUND, what: what.to_string(), remedy }
    }

    /// What was asked is not valid.
    pub fn bad_request(what: impl fmt::Display, remedy: impl fmt::Display) -> Self {
        Self { status: StatusCode::BAD_REQUEST, what: what.to_string(), remedy: remedy.to_string() }
    }

    /// Something cannot be read at the moment.
    pub fn unavailable(what: impl fmt::Display, remedy: impl fmt::Display) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, what: what.to_string(), remedy: remedy.to_string() }
    }
}

impl From<rasadmin_ledger::Error> for Fault {
    fn from(error: rasadmin_ledger::Error) -> Self {
        let remedy = "`rasadmin status` says what is wrong with the ledger; if it does not exist yet, start Remote \
                      Access with the DLL, and the rasadmin service";
        Self::unavailable(format_args!("the ledger cannot be read: {error}"), remedy)
    }
}

impl From<rasadmin_pipe::Error> for Fault {
    fn from(error: rasadmin_pipe::Error) -> Self {
        match error {
            rasadmin_pipe::Error::Refused(refusal) => Self {
                status: match refusal.why {
                    rasadmin_pipe::Why::Invalid => StatusCode::BAD_REQUEST,
                    _ => StatusCode::CONFLICT,
                },
                what: format!("the rasadmin service refused: {}", refusal.text),
                remedy: "change the request, and try again".to_owned(),
            },
            error => {
                let remedy = remedy(&error);
                Self::unavailable(error, remedy)
            }
        }
    }
}

/// What a person does about a service that has not answered.
pub const fn remedy(error: &rasadmin_pipe::Error) -> &'static str {
    use rasadmin_pipe::Error;
    match error {
        Error::Denied(_) => "run the dashboard as an administrator (as root), or as `NT SERVICE\\rasadmin-net`",
        Error::Foreign { .. } => "find out which program that is; do not trust what it says",
        Error::NoService(_) if cfg!(windows) => {
            "start the service: `Start-Service rasadmin`; if it is not registered, `rasadmin install` registers it"
        }
        Error::NoService(_) => "start the service: `rasadmin service run`",
        _ => "`rasadmin status` shows how the service is doing",
    }
}

impl From<tokio::task::JoinError> for Fault {
    fn from(_: tokio::task::JoinError) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let remedy = "report it, with the page's address and the text in the log".to_owned();
        Self { status, what: "a bug in rasadmin ended this page".to_owned(), remedy }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.remedy)
    }
}
