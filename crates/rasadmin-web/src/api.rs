//! The API: what the pages show, for programs, as JSON.
//!
//! One table has every path. The router is made from it, and so is the OpenAPI document (docs/openapi.json): neither can
//! lack a path or a parameter that the other has.
//!
//! | module | has |
//! |---|---|
//! | `endpoint` | what a row of the table is |
//! | `asked` | parameters: what they may be, and their values |
//! | `document` | the OpenAPI document |
//! | `error` | why there is no answer |
//! | [`changes`] | changes, by POST: a table of their own, in the same document |
//! | `simulations` | other rules, tried on the past |
//! | the others | the paths, by what they are about |

mod addresses;
mod asked;
pub mod changes;
mod decisions;
mod document;
mod endpoint;
mod error;
mod explain;
mod reports;
mod rules;
mod server;
mod sessions;
mod simulations;
mod today;
mod users;

use crate::app::App;
use crate::fault::Fault;
use asked::{Asked, Parameter};
use axum::Router;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use endpoint::{Answered, Endpoint};
use error::not_allowed;
pub use error::refused;
use std::sync::Arc;

/// The table, in the order of the document.
fn endpoints() -> impl Iterator<Item = &'static Endpoint> {
    [
        server::ENDPOINTS,
        today::ENDPOINTS,
        sessions::ENDPOINTS,
        decisions::ENDPOINTS,
        users::ENDPOINTS,
        addresses::ENDPOINTS,
        reports::ENDPOINTS,
        rules::ENDPOINTS,
        explain::ENDPOINTS,
    ]
    .into_iter()
    .flatten()
}

/// The routes. They do not ask who the visitor is: `security` does, around all of them.
pub fn routes() -> Router<Arc<App>> {
    let nothing = any(async || refused(Fault::not_found("the API has no such path")));
    let others = Router::new()
        .route("/api", nothing.clone())
        .route("/api/", nothing.clone())
        .route("/api/{*path}", nothing)
        .merge(simulations::routes());
    endpoints().fold(others, |router, endpoint| {
        let answer = move |State(app): State<Arc<App>>,
                           path: Result<RawPathParams, RawPathParamsRejection>,
                           RawQuery(query)| { answer(app, endpoint, path, query) };
        router.route(endpoint.path, get(answer).fallback(async || not_allowed("GET, HEAD")))
    })
}

async fn answer(
    app: Arc<App>,
    endpoint: &'static Endpoint,
    path: Result<RawPathParams, RawPathParamsRejection>,
    query: Option<String>,
) -> Response {
    let answered = match asked(endpoint.parameters, path, query.as_deref()) {
        Ok(asked) => app.work(move |app| (endpoint.work)(app, &asked)).await,
        Err(fault) => Err(fault),
    };
    match answered {
        Ok(Answered { kind, text }) => ([(header::CONTENT_TYPE, kind)], text).into_response(),
        Err(fault) => refused(fault),
    }
}

/// What is asked for, in the path and in the query.
fn asked(
    parameters: &'static [Parameter],
    path: Result<RawPathParams, RawPathParamsRejection>,
    query: Option<&str>,
) -> Result<Asked, Fault> {
    match path {
        Ok(path) => Asked::read(parameters, path.iter(), query.unwrap_or_default()),
        Err(_) => Err(Fault::bad_request("the path is not valid UTF-8", "encode it as UTF-8, with percent signs")),
    }
}
