//! The simulations in the document.

use super::{NOT_FOUND, content, faults, parameter};
use crate::api::simulations::{BEGIN, Candidate, NUMBER, NotValid, ONE, STOP, SimulationAnswer, Started, Stopped};
use axum::http::StatusCode;
use schemars::SchemaGenerator;
use serde_json::{Value, json};

const FORBIDDEN: (StatusCode, &str) = (
    StatusCode::FORBIDDEN,
    "The role is viewer, there is only a cookie for a POST, or the service refuses this process.",
);

/// What can go wrong when one begins, beside what can at any path.
const OF_BEGIN: [(StatusCode, &str); 3] = [
    FORBIDDEN,
    (StatusCode::CONFLICT, "Another simulation runs, or the service cannot begin one at the moment."),
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is not declared as JSON."),
];

/// The paths, each with what it has.
pub fn paths(generator: &mut SchemaGenerator, error: &Value) -> [(&'static str, Value); 3] {
    let number: Vec<_> = NUMBER.iter().map(parameter).collect();
    let mut begun = faults(error, OF_BEGIN);
    begun.insert("202".to_owned(), content("It has begun.", &generator.subschema_for::<Started>().to_value()));
    let mistakes = generator.subschema_for::<NotValid>().to_value();
    begun.insert("422".to_owned(), content("The candidate has mistakes, and was not tried.", &mistakes));
    let body = generator.subschema_for::<Candidate>().to_value();
    let begin = json!({
        "operationId": "simulate",
        "summary": "Try a candidate configuration on the past",
        "description": "What `rasadmin replay` does, with the attempts that the ledger has. The rasadmin service simulates it in \
                        the background, one candidate at a time. The configuration in force stays as it is.",
        "security": [{"token": []}],
        "requestBody": {"required": true, "content": {"application/json": {"schema": body}}},
        "responses": begun,
    });
    let mut shown = faults(error, [FORBIDDEN, NOT_FOUND]);
    let answer = generator.subschema_for::<SimulationAnswer>().to_value();
    shown.insert("200".to_owned(), content("How far it is, or what came of it.", &answer));
    let one = json!({
        "operationId": "simulation",
        "summary": "How far a simulation is, or what came of it",
        "description": "A result is kept for an hour, or until the next simulation starts. Only operators may see it.",
        "parameters": number,
        "responses": shown,
    });
    let mut stopped = faults(error, [FORBIDDEN, NOT_FOUND]);
    let answer = generator.subschema_for::<Stopped>().to_value();
    stopped.insert("200".to_owned(), content("It does not run any more.", &answer));
    let stop = json!({
        "operationId": "stopSimulation",
        "summary": "Stop a simulation",
        "description": "If it has ended already, nothing happens. The request needs no body.",
        "security": [{"token": []}],
        "parameters": number,
        "responses": stopped,
    });
    [(BEGIN, json!({"post": begin})), (ONE, json!({"get": one})), (STOP, json!({"post": stop}))]
}
