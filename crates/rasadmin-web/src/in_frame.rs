//! Shows a fault within the frame of the other pages, so that a visitor keeps the navigation.

use crate::app::App;
use crate::fault::Fault;
use crate::layout;
use crate::visitor::Visitor;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Gives the faults of these routes the frame. Without a visitor they stay as they are.
pub fn faults(routes: Router, app: Arc<App>) -> Router {
    routes.layer(from_fn_with_state(app, frame))
}

async fn frame(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let visitor = request.extensions().get::<Visitor>().cloned();
    let (section, path) = (section(request.uri().path()), request.uri().to_string());
    let looks = request.method().is_safe();
    // The pages of a list are asked for by links.
    let asked = looks && request.uri().query().is_some_and(|query| !query.contains("after="));
    // A file that the browser saves is not waited for, nor is the stream of events.
    let is_page = !matches!(request.uri().path(), "/reports.csv" | "/events");
    let answer = next.run(request).await;
    let (Some(visitor), Some(fault)) = (visitor, answer.extensions().get::<Fault>()) else { return answer };
    let server = app.source.config().server.as_ref().map(ToString::to_string).unwrap_or_default();
    // What cannot be read now can be later. A form is not sent again.
    let again = (looks && is_page && fault.status == StatusCode::SERVICE_UNAVAILABLE).then_some(path.as_str());
    let page = layout::fault_for(&visitor, &server, section, fault, again, asked).into_response();
    let (mut parts, _) = answer.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, page.into_body())
}

/// The place in the navigation that a path belongs to.
fn section(path: &str) -> &'static str {
    match path.split('/').nth(1).unwrap_or_default() {
        "" => "/",
        "sessions" | "decisions" => "/sessions",
        "users" | "blocks" => "/users",
        "addresses" => "/addresses",
        "rules" => "/rules",
        "reports" | "reports.csv" => "/reports",
        _ => "",
    }
}
