//! Other rules, tried on the attempts of the past: what the page `Try other rules` does, for programs.
//!
//! The rasadmin service simulates a candidate in the background, one at a time. So this is for operators, as the page is.

mod answer;
mod unanswered;

use super::asked::{Asked, Kind, Parameter, path};
use super::changes::body::parsed;
use super::changes::body::values::{CandidateText, TimeOrNull, given};
use super::changes::{json_body, operator};
use super::endpoint::json;
use super::error::{not_allowed, refused};
use crate::app::{App, Shared};
use crate::bearer::Program;
use crate::fault::Fault;
use crate::noted::noted;
use crate::pages::rules::what_if::WHAT_IF;
use crate::pages::rules::what_if::candidates::MONTH;
use crate::security::LARGEST;
use crate::visitor::{Role, Visitor};
pub use answer::{NotValid, SimulationAnswer, Started, Stopped};
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, RawPathParamsRejection};
use axum::extract::{DefaultBodyLimit, RawPathParams, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use rasadmin_pipe::{Request, Simulation};
use rasadmin_policy::Millis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use unanswered::{NotBegun, ask};

/// Begins one.
pub const BEGIN: &str = "/api/v1/simulations";
/// How far one is.
pub const ONE: &str = "/api/v1/simulations/{number}";
/// Stops one.
pub const STOP: &str = "/api/v1/simulations/{number}/stop";

/// What the paths of one have.
pub const NUMBER: &[Parameter] = &[path("number", Kind::Number, "The number of the simulation.")];

/// A candidate configuration, and the attempts that it is tried on.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Its whole text. If it names files with lists, they must be those of the configuration in force.
    configuration: CandidateText,
    /// Attempts from this time on: RFC 3339. Null: all. The last 30 days, if it is left out.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "TimeOrNull")]
    since: Option<TimeOrNull>,
    /// Attempts before this time: RFC 3339. Null: until now, as if it is left out.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "TimeOrNull")]
    until: Option<TimeOrNull>,
}

/// The routes. Each checks the role.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(BEGIN, post(begin).fallback(async || not_allowed("POST")))
        .route(ONE, get(show).fallback(async || not_allowed("GET, HEAD")))
        .route(STOP, post(stop).fallback(async || not_allowed("POST")))
        .layer(DefaultBodyLimit::max(LARGEST))
}

async fn begin(
    State(app): Shared,
    program: Option<Extension<Program>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let read = || {
        operator(program)?;
        Asked::read(&[], std::iter::empty(), query.as_deref().unwrap_or_default())?;
        parsed::<Candidate>(&json_body(&headers, body, BEGIN)?)
    };
    let candidate = match read() {
        Ok(candidate) => candidate,
        Err(fault) => return refused(fault),
    };
    let begun = app.work(move |app| Ok(app.source.service::<u64>(&candidate.request(app.source.now())))).await;
    match begun.map_err(NotBegun::Fault).and_then(|begun| begun.map_err(NotBegun::from)) {
        Ok(number) => {
            let place = [(header::LOCATION, format!("{BEGIN}/{number}"))];
            let answer = (StatusCode::ACCEPTED, place, answered(&Started { number }));
            noted(WHAT_IF, format!("simulation {number} has begun"), answer)
        }
        Err(NotBegun::Mistakes(refusal)) => {
            let came = "no simulation has begun: the candidate has mistakes".to_owned();
            noted(WHAT_IF, came, (StatusCode::UNPROCESSABLE_ENTITY, answered(&NotValid::new(refusal))))
        }
        Err(NotBegun::Fault(fault)) => {
            noted(WHAT_IF, format!("no simulation has begun: {}", fault.what), refused(fault))
        }
    }
}

async fn show(
    State(app): Shared,
    Extension(visitor): Extension<Visitor>,
    path: Result<RawPathParams, RawPathParamsRejection>,
    RawQuery(query): RawQuery,
) -> Response {
    let work = async {
        require_operator(&visitor)?;
        let number = number(path, query.as_deref())?;
        let state: Simulation = app.work(move |app| ask(app, &Request::Simulation { number })).await?;
        SimulationAnswer::new(number, state)
    };
    match work.await {
        Ok(answer) => answered(&answer),
        Err(fault) => refused(fault),
    }
}

async fn stop(
    State(app): Shared,
    program: Option<Extension<Program>>,
    path: Result<RawPathParams, RawPathParamsRejection>,
    RawQuery(query): RawQuery,
) -> Response {
    let work = async {
        operator(program)?;
        let number = number(path, query.as_deref())?;
        let was_running = app.work(move |app| ask(app, &Request::StopSimulation { number })).await?;
        Ok(Stopped { number, was_running })
    };
    match work.await {
        Ok(stopped) => {
            let came = if stopped.was_running { "was stopped" } else { "had ended before it was stopped" };
            noted(WHAT_IF, format!("simulation {} {came}", stopped.number), answered(&stopped))
        }
        Err(fault) => refused(fault),
    }
}

impl Candidate {
    fn request(self, now: Millis) -> Request {
        let since = self.since.map_or(Some(now.saturating_sub(MONTH)), |since| since.0);
        Request::Simulate { configuration: self.configuration.0, since, until: self.until.and_then(|until| until.0) }
    }
}

fn number(path: Result<RawPathParams, RawPathParamsRejection>, query: Option<&str>) -> Result<u64, Fault> {
    let asked = super::asked(NUMBER, path, query)?;
    let number = asked.number("number").and_then(|number| u64::try_from(number).ok());
    number.ok_or_else(|| Fault::not_found("no simulation has this number"))
}

/// # Errors
/// If the visitor may only look.
fn require_operator(visitor: &Visitor) -> Result<(), Fault> {
    if visitor.role >= Role::Operator {
        return Ok(());
    }
    Err(Fault {
        status: StatusCode::FORBIDDEN,
        what: format!("only operators may try other rules, and see what came of it: the role is {}", visitor.role),
        remedy: "use a token of `rasadmin dashboard token add NAME --role operator`".to_owned(),
    })
}

fn answered(answer: &impl Serialize) -> Response {
    match json(answer) {
        Ok(answered) => ([(header::CONTENT_TYPE, answered.kind)], answered.text).into_response(),
        Err(fault) => refused(fault),
    }
}

#[cfg(test)]
mod tests;
