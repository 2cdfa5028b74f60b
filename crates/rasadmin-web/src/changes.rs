//! What an operator changes: disconnect, block, unblock, release, close.
//!
//! Each change has a page that shows what it does to whom, `/change/KIND?…`, whose form is sent once, and a page with what
//! came of it. The rasadmin service does it, over its pipe: this process writes nothing. The API makes the same changes for
//! programs, from the same parts: `api::changes`.

mod apply;
mod confirm;
mod fields;
mod kind;
mod links;
mod once;
mod operator;
mod outcome;
pub mod perform;
mod proposal;
mod reason;
mod service;
mod shown;
mod subject;

use crate::app::App;
use crate::fault::Fault;
use crate::gate::{Ends, Gate};
use crate::pages::asked::{self, Asked};
use crate::{api, in_frame, layout};
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router, middleware};
use confirm::Again;
pub use fields::{Fields, How, Until};
pub use kind::Kind;
pub use links::{are_for, of_session, of_user};
use maud::{Markup, html};
use once::{Once, Started};
use operator::Operator;
pub use outcome::Outcome;
use perform::Asker;
pub use proposal::{Proposal, What};
use shown::Shown;
use std::sync::Arc;
use std::time::{Duration, Instant};
pub use subject::shown as shown_subject;

/// How long the answer about an outcome waits for it.
const WAIT: Duration = Duration::from_secs(10);

/// What the pages of changes use.
struct Changes {
    app: Arc<App>,
    gate: Arc<Gate>,
    once: Once,
}

type Shared = State<Arc<Changes>>;

/// The routes. Nobody but an operator gets through: the check is around all of them.
pub fn routes(app: Arc<App>, gate: Arc<Gate>) -> Router {
    let of_the_api = api::changes::routes(app.clone(), gate.clone());
    let changes = Arc::new(Changes { app: app.clone(), gate, once: Once::default() });
    let routes = Router::new()
        .route("/change/{kind}", get(confirm).post(begin))
        .route("/change/result/{token}", get(result))
        .route_layer(middleware::from_fn(operator::require))
        .with_state(changes);
    in_frame::faults(routes, app).merge(of_the_api)
}

/// The page that asks.
async fn confirm(
    State(changes): Shared,
    Extension(operator): Extension<Operator>,
    Path(kind): Path<String>,
    query: Asked<Fields>,
) -> Result<Markup, Fault> {
    let (kind, fields) = (Kind::named(&kind)?, asked::query(query)?);
    let proposal = changes.app.work(move |app| Proposal::read(app, kind, &fields)).await?;
    ask(&changes, &operator, &proposal, &Again::default())
}

/// Asks, and keeps what the page shows.
fn ask(changes: &Changes, operator: &Operator, proposal: &Proposal, again: &Again) -> Result<Markup, Fault> {
    let shown = Shown::of(proposal);
    let once = changes.once.offer(&operator.csrf, shown, Instant::now()).map_err(no_random)?;
    let content = confirm::content(proposal, operator, &once, again);
    Ok(layout::page(operator, &proposal.server, proposal.section(), &proposal.title(), &content))
}

/// Begins the change. What comes of it has a page of its own, so that a reload does not send it again.
async fn begin(
    State(changes): Shared,
    Extension(operator): Extension<Operator>,
    Extension(ends): Extension<Ends>,
    Path(kind): Path<String>,
    form: Result<Form<Fields>, FormRejection>,
) -> Result<Response, Fault> {
    let kind = Kind::named(&kind)?;
    let Form(fields) = form.map_err(|_| Fault::bad_request("the form is not complete", "open its page again"))?;
    let token = fields.once.clone();
    let asked = fields.asked(kind)?;
    let page = || Ok(Redirect::to(&format!("/change/result/{token}")).into_response());
    // A second click comes when the session may have ended already: it sees what came of the first.
    if changes.once.outcome(&operator.csrf, &token, Instant::now()).is_some() {
        return page();
    }
    let subject = fields.page();
    let Some(was) = changes.once.shown(&operator.csrf, &token, Instant::now()) else {
        return not_offered(&changes, &operator, &subject).await;
    };
    let read = changes.app.work(move |app| Proposal::read(app, kind, &fields)).await;
    let proposal = read.map_err(nothing_done)?;
    // Only what the page showed is done. Between this look and the service's own, milliseconds remain.
    let differences = was.differences(&proposal, asked.keep_away);
    if !differences.is_empty() {
        let page = ask(&changes, &operator, &proposal, &Again { differences, reason: asked.reason })?;
        return Ok((StatusCode::CONFLICT, page).into_response());
    }
    match changes.once.begin(&operator.csrf, &token, Instant::now()) {
        Started::First(ended) => {
            let asker = Asker { name: operator.name.clone(), from: ends.remote.ip() };
            let ended = move |outcome| drop(ended.send_replace(Some(Arc::new(outcome))));
            perform::begin(changes.app.clone(), changes.gate.clone(), proposal, asked, asker, ended);
        }
        Started::Again => {}
        Started::Unknown => return not_offered(&changes, &operator, &subject).await,
    }
    page()
}

/// The form cannot be sent, but may have been: what came of it is not kept for ever.
async fn not_offered(
    changes: &Changes,
    operator: &Operator,
    (address, name): &(String, &str),
) -> Result<Response, Fault> {
    let server = server(&changes.app).await?;
    let content = html! {
        h1 tabindex="-1" autofocus { "Conflict" }
        p { "The form is more than an hour old, or not from this visit: this request changed nothing." }
        p { "If the form was sent before, see " a href=(address) { (name) } ". Otherwise open its page again." }
    };
    Ok((StatusCode::CONFLICT, layout::page(operator, &server, "", "Conflict", &content)).into_response())
}

/// The change has become impossible since its page was made.
fn nothing_done(fault: Fault) -> Fault {
    Fault { what: format!("{}: nothing was done", fault.what), ..fault }
}

/// The server's name, as pages show it.
async fn server(app: &Arc<App>) -> Result<String, Fault> {
    app.work(|app| Ok(app.source.config().server.as_ref().map(ToString::to_string).unwrap_or_default())).await
}

/// What came of a change.
async fn result(
    State(changes): Shared,
    Extension(operator): Extension<Operator>,
    Path(token): Path<String>,
) -> Result<Response, Fault> {
    let ended = changes.once.outcome(&operator.csrf, &token, Instant::now()).ok_or_else(|| Fault {
        status: StatusCode::NOT_FOUND,
        what: "what came of this change is not kept any more: it was more than an hour ago, or in another visit"
            .to_owned(),
        remedy: "see the pages of the session or the user".to_owned(),
    })?;
    let outcome = perform::wait(ended).await;
    let server = server(&changes.app).await?;
    let page = |title: &str, content: &Markup| layout::page(&operator, &server, "", title, content);
    let Some(outcome) = outcome else {
        let mut answer = page("Not done yet", &outcome::not_yet()).into_response();
        answer.headers_mut().insert(header::REFRESH, HeaderValue::from_static("2"));
        return Ok(answer);
    };
    Ok(page(&outcome.title, &outcome.content()).into_response())
}

fn no_random(error: getrandom::Error) -> Fault {
    Fault::unavailable(format_args!("the system has no random numbers ({error})"), "try again")
}

#[cfg(test)]
pub mod tests;
