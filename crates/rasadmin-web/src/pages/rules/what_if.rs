//! Other rules: a candidate configuration, tried on the attempts of the past.
//!
//! The rasadmin service simulates it, in the background and one at a time. So these pages are for operators: viewers let the
//! service do nothing. They do not see the text of the configuration either, with which the form begins.

pub mod candidates;
mod form;
mod listing;
mod outcome;
mod progress;

use crate::app::{App, Shared};
use crate::fault::Fault;
use crate::layout;
use crate::noted::noted;
use crate::pages::asked::{self, Asked};
use crate::visitor::{Role, Visitor};
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use candidates::{Candidate, Candidates};
use form::Page;
use rasadmin_pipe::{Configuration, Error, Request, Simulation};
use serde::Deserialize;
use std::sync::Arc;

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/rules/what-if", get(ask).post(begin))
        .route("/rules/what-if/{number}", get(show))
        .route("/rules/what-if/{number}/stop", post(stop))
        .layer(Extension(Arc::new(Candidates::default())))
}

type Kept = Extension<Arc<Candidates>>;

/// What the log calls it.
pub const WHAT_IF: &str = "what-if";

/// What the form begins with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Query {
    /// The candidate of this simulation; without it, the configuration in force.
    candidate: String,
}

/// The form.
async fn ask(
    State(app): Shared,
    Extension(visitor): Extension<Visitor>,
    Extension(candidates): Kept,
    query: Asked<Query>,
) -> Result<Response, Fault> {
    require_operator(&visitor)?;
    let query = asked::query(query)?;
    let kept = asked::given(&query.candidate).and_then(|number| candidates.find(number.parse().ok()?));
    let latest = candidates.latest();
    let page = app
        .work(move |app| {
            let now = app.source.now();
            let config = app.source.config();
            let in_force = app.source.service::<Configuration>(&Request::Configuration {}).map_err(Fault::from);
            let fault = in_force.as_ref().err().cloned();
            let candidate = kept.unwrap_or_else(|| {
                let text = in_force.map_or_else(|_| config.bundle.text.clone(), |in_force| in_force.text);
                Candidate::of_last_month(text, now, &config.zone)
            });
            Ok(Page { candidate, mistakes: None, fault, latest, config })
        })
        .await?;
    // The form is there, even if the text cannot be tried now.
    Ok(page.answer(StatusCode::OK, &visitor))
}

/// Begins a simulation. Its result has an address of its own, so that a reload does not begin another.
async fn begin(
    State(app): Shared,
    Extension(visitor): Extension<Visitor>,
    Extension(candidates): Kept,
    sent: Result<Form<Candidate>, FormRejection>,
) -> Result<Response, Fault> {
    require_operator(&visitor)?;
    let Form(sent) = sent.map_err(|_| Fault::bad_request("the form is not complete", "open the page again"))?;
    let latest = candidates.latest();
    let candidate = sent.normal();
    app.work(move |app| {
        let config = app.source.config();
        let started = candidate.request(&config.zone).map(|request| app.source.service::<u64>(&request));
        let (mistakes, fault) = match started {
            Ok(Ok(number)) => {
                candidates.keep(number, candidate);
                let began = format!("simulation {number} has begun");
                return Ok(noted(WHAT_IF, began, Redirect::to(&format!("/rules/what-if/{number}"))));
            }
            Ok(Err(Error::Refused(refusal))) if !refusal.mistakes.is_empty() => (Some(refusal), None),
            Ok(Err(error)) => (None, Some(error.into())),
            Err(fault) => (None, Some(fault)),
        };
        let wrong = fault.as_ref().map_or(StatusCode::UNPROCESSABLE_ENTITY, |fault: &Fault| fault.status);
        let why = fault.as_ref().map_or("the candidate has mistakes", |fault| &fault.what);
        let came = format!("no simulation has begun: {why}");
        Ok(noted(WHAT_IF, came, Page { candidate, mistakes, fault, latest, config }.answer(wrong, &visitor)))
    })
    .await
}

/// How far a simulation is, or what came of it.
async fn show(
    State(app): Shared,
    Extension(visitor): Extension<Visitor>,
    Extension(candidates): Kept,
    Path(number): Path<String>,
) -> Result<Response, Fault> {
    require_operator(&visitor)?;
    let number = parsed(&number)?;
    let state: Simulation = app.work(move |app| simulation(app, &Request::Simulation { number })).await?;
    let config = app.source.config();
    let server = config.server.as_ref().map(ToString::to_string).unwrap_or_default();
    let kept = candidates.find(number);
    let content = progress::content(number, &state, kept.as_ref(), &visitor.csrf, &config)?;
    Ok(layout::page(&visitor, &server, "/rules", "What if", &content).into_response())
}

/// Stops a simulation.
async fn stop(
    State(app): Shared,
    Extension(visitor): Extension<Visitor>,
    Path(number): Path<String>,
) -> Result<Response, Fault> {
    require_operator(&visitor)?;
    let number = parsed(&number)?;
    let was_running: bool = app.work(move |app| simulation(app, &Request::StopSimulation { number })).await?;
    let came = if was_running { "was stopped" } else { "had ended before it was stopped" };
    let came = format!("simulation {number} {came}");
    Ok(noted(WHAT_IF, came, Redirect::to(&format!("/rules/what-if/{number}"))))
}

/// Asks about a simulation. The service refuses only if it does not have it.
fn simulation<T: serde::de::DeserializeOwned>(app: &App, request: &Request) -> Result<T, Fault> {
    app.source.service(request).map_err(|error| match error {
        Error::Refused(_) => Fault {
            status: StatusCode::NOT_FOUND,
            what: "this simulation is not kept any more: its result stays for an hour, or until the next simulation starts"
                .to_owned(),
            remedy: "begin another one under Rules, `Try other rules`".to_owned(),
        },
        error => error.into(),
    })
}

fn parsed(number: &str) -> Result<u64, Fault> {
    number.parse().map_err(|_| Fault::not_found("there is no such simulation"))
}

/// # Errors
/// If the visitor may only look.
fn require_operator(visitor: &Visitor) -> Result<(), Fault> {
    if visitor.role >= Role::Operator {
        return Ok(());
    }
    Err(Fault {
        status: StatusCode::FORBIDDEN,
        what: "only operators may try other rules: the rasadmin service simulates one candidate at a time, and the form shows \
               the text of the configuration; your role is viewer"
            .to_owned(),
        remedy: "ask an operator; an administrator gives the role with `rasadmin dashboard user add NAME --role operator`"
            .to_owned(),
    })
}
