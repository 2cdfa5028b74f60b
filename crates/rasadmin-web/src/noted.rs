//! What a page has the service do, for the log: logins and changes write their own lines.

use crate::attempts::shown;
use crate::gate::{Ends, Gate};
use crate::visitor::Visitor;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// What an answer has for the log.
#[derive(Clone, Debug)]
struct Noted {
    what: &'static str,
    came: String,
}

/// An answer with a line for the log: what the visitor asked for, and what came of it.
pub fn noted(what: &'static str, came: String, answer: impl IntoResponse) -> Response {
    let mut answer = answer.into_response();
    answer.extensions_mut().insert(Noted { what, came });
    answer
}

/// Writes what the pages' answers have for the log, with who asked, and from where.
pub fn write_down(routes: Router, gate: Arc<Gate>) -> Router {
    routes.layer(from_fn_with_state(gate, write))
}

async fn write(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let name = request.extensions().get::<Visitor>().map(|visitor| visitor.name.clone()).unwrap_or_default();
    let from = request.extensions().get::<Ends>().map_or(gate.served.listen, |ends| ends.remote).ip();
    let answer = next.run(request).await;
    if let Some(Noted { what, came }) = answer.extensions().get() {
        gate.audit(format_args!("{what} by `{}` from {}: {came}", shown(&name), from.to_canonical()));
    }
    answer
}
