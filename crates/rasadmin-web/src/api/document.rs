//! The OpenAPI document. It is made from the same table as the routes.

mod simulations;

use super::asked::Parameter;
use super::changes::{self, CHANGES, Change, Changed};
use super::endpoint::{Endpoint, Shape};
use super::endpoints;
use super::error::ErrorAnswer;
use axum::http::StatusCode;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// What can go wrong at any path.
const ALWAYS: [(StatusCode, &str); 7] = [
    (StatusCode::BAD_REQUEST, "A parameter or a field is not known, not valid, missing, or comes twice."),
    (StatusCode::UNAUTHORIZED, "The request has no valid token, and no cookie of a visit."),
    (StatusCode::REQUEST_TIMEOUT, "The request was not complete, or not answered, in time."),
    (StatusCode::PAYLOAD_TOO_LARGE, "The request is larger than 64 KiB."),
    (StatusCode::MISDIRECTED_REQUEST, "The dashboard is not served under this name."),
    (StatusCode::INTERNAL_SERVER_ERROR, "A bug in rasadmin."),
    (StatusCode::SERVICE_UNAVAILABLE, "The ledger, the journal or the service cannot be asked at the moment."),
];

/// What can go wrong at some.
const NOT_FOUND: (StatusCode, &str) = (StatusCode::NOT_FOUND, "What was named does not exist.");
const CONFLICT: (StatusCode, &str) = (StatusCode::CONFLICT, "Several things have this name.");
const FORBIDDEN: (StatusCode, &str) = (StatusCode::FORBIDDEN, "The service refuses to answer this process.");

const DESCRIPTION: &str = "What the dashboard shows, for programs; and its changes and simulations, by POST, for tokens whose role \
    is operator. The answers are those of the commands with `--json`: \
    docs/json.md says what you can rely on, and docs/api.md how to get a token. Every time is in UTC, as RFC 3339 writes it. \
    Lists come a page at a time: `next` is the parameter `after` of the next page, and null on the last one.";

/// The document.
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    let error = generator.subschema_for::<ErrorAnswer>().to_value();
    let mut paths = Map::new();
    for endpoint in endpoints() {
        paths.insert(endpoint.path.to_owned(), json!({"get": operation(endpoint, &mut generator, &error)}));
    }
    for change in CHANGES {
        paths.insert(change.path.to_owned(), json!({"post": of_change(change, &mut generator, &error)}));
    }
    for (path, has) in simulations::paths(&mut generator, &error) {
        paths.insert(path.to_owned(), has);
    }
    let mut schemas = generator.take_definitions(true);
    schemas.values_mut().for_each(|schema| {
        if let Some(object) = schema.as_object_mut() {
            object.remove("$schema");
        }
    });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "rasadmin",
            "summary": "Sessions, decisions, users and addresses of a Windows VPN server",
            "description": DESCRIPTION,
            "version": "1",
        },
        "servers": [{"url": "/", "description": "The dashboard: `rasadmin serve`"}],
        "security": [{"token": []}, {"visit": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of `rasadmin dashboard token add`.",
                },
                "visit": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "rasadmin-8600",
                    "description": "The cookie of a person who has logged in. Its name has the port of the dashboard; \
                                    under TLS it begins with `__Host-`.",
                },
            },
        },
    })
}

fn operation(endpoint: &Endpoint, generator: &mut SchemaGenerator, error: &Value) -> Value {
    let more = match endpoint.id {
        "user" => vec![CONFLICT],
        "metrics" => vec![FORBIDDEN],
        _ => Vec::new(),
    };
    let lack = endpoint.may_lack.then_some(NOT_FOUND);
    let mut responses = faults(error, lack.into_iter().chain(more));
    responses.insert("200".to_owned(), answer(endpoint, generator));
    json!({
        "operationId": endpoint.id,
        "summary": endpoint.title,
        "description": endpoint.says,
        "parameters": endpoint.parameters.iter().map(parameter).collect::<Vec<_>>(),
        "responses": responses,
    })
}

/// What can go wrong with a change, beside what can at any path.
const OF_CHANGES: [(StatusCode, &str); 6] = [
    (
        StatusCode::FORBIDDEN,
        "The token's role is viewer, there is only a cookie, or the configuration lets the dashboard change nothing.",
    ),
    NOT_FOUND,
    (StatusCode::CONFLICT, "Nothing was done: there is nothing to change, or something has changed since you looked."),
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is not declared as JSON."),
    (StatusCode::UNPROCESSABLE_ENTITY, "The key was sent with another request."),
    (StatusCode::TOO_MANY_REQUESTS, "There were too many changes within an hour."),
];

fn of_change(change: &Change, generator: &mut SchemaGenerator, error: &Value) -> Value {
    let mut responses = faults(error, OF_CHANGES);
    let answer = generator.subschema_for::<Changed>().to_value();
    let known = "What came of it: all of it was done, or a part (`done` says which).";
    let not_yet = "It is not known yet: send the same request again, with the same key.";
    for (status, says, schema) in [("200", known, &answer), ("202", not_yet, &answer)] {
        responses.insert(status.to_owned(), content(says, schema));
    }
    json!({
        "operationId": change.kind.name(),
        "summary": change.title,
        "description": change.says,
        "security": [{"token": []}],
        "parameters": [{
            "name": changes::HEADER,
            "in": "header",
            "required": true,
            "description": "A key that you make up for this change, such as a new UUID. If you try again, send the same one: the \
                            change is not made twice, and the answer is that of the first request.",
            "schema": {"type": "string", "pattern": changes::PATTERN},
        }],
        "requestBody": {"required": true, "content": {"application/json": {"schema": (change.body)(generator).to_value()}}},
        "responses": responses,
    })
}

/// What can go wrong at any path, and what else can.
fn faults(error: &Value, more: impl IntoIterator<Item = (StatusCode, &'static str)>) -> Map<String, Value> {
    let all = ALWAYS.into_iter().chain(more);
    all.map(|(status, says)| (status.as_str().to_owned(), content(says, error))).collect()
}

/// An answer as JSON.
fn content(says: &str, schema: &Value) -> Value {
    json!({"description": says, "content": {"application/json": {"schema": schema}}})
}

fn parameter(of: &Parameter) -> Value {
    json!({
        "name": of.name,
        "in": if of.in_path { "path" } else { "query" },
        "required": of.required,
        "description": of.says,
        "schema": of.kind.schema(),
    })
}

fn answer(endpoint: &Endpoint, generator: &mut SchemaGenerator) -> Value {
    let (kind, schema) = match &endpoint.shape {
        Shape::Json(schema) => ("application/json", schema(generator).to_value()),
        Shape::Object => ("application/json", json!({"type": "object"})),
        Shape::Text(kind) => (*kind, json!({"type": "string"})),
        Shape::Page(row) => {
            let next = "The parameter `after` of the next page. Null on the last one.";
            let schema = json!({
                "type": "object",
                "required": ["rows", "next"],
                "properties": {
                    "rows": {"type": "array", "items": row(generator).to_value(), "description": "The rows."},
                    "next": {"type": ["string", "null"], "description": next},
                },
            });
            ("application/json", schema)
        }
    };
    json!({"description": endpoint.title, "content": {kind: {"schema": schema}}})
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::api::simulations::{BEGIN, ONE, STOP};
    use std::path::Path;

    #[test]
    fn the_document_is_fresh() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
        let text = serde_json::to_string_pretty(&document()).unwrap() + "\n";
        if std::env::var_os("RASADMIN_BLESS").is_some() {
            std::fs::write(&file, &text).unwrap();
        }
        let kept = std::fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
        assert!(kept == text, "docs/openapi.json is stale: run `cargo xtask bless`");
    }

    /// What is referred to is there, and the parameters of a path are those in its text.
    #[test]
    fn the_document_is_whole() {
        let document = document();
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(document.pointer(reference).is_some(), "{reference}");
        }
        let mut ids = std::collections::BTreeSet::new();
        for endpoint in endpoints() {
            assert!(ids.insert(endpoint.id), "{} comes twice", endpoint.id);
            let in_text: Vec<_> =
                endpoint.path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
            let in_path: Vec<_> = endpoint.parameters.iter().filter(|of| of.in_path).map(|of| of.name).collect();
            assert_eq!(in_text, in_path, "{}", endpoint.path);
            assert!(endpoint.title.len() < 80 && endpoint.says.ends_with('.'), "{}", endpoint.path);
        }
        for change in CHANGES {
            assert!(ids.insert(change.kind.name()), "{} comes twice", change.kind.name());
            assert!(change.title.len() < 80 && change.says.ends_with('.'), "{}", change.path);
            let schema =
                &document["paths"][change.path]["post"]["requestBody"]["content"]["application/json"]["schema"];
            let all = schema["oneOf"].as_array().map_or_else(|| vec![schema], |all| all.iter().collect());
            for one in all {
                assert_eq!(one["additionalProperties"], false, "{}: {one:#}", change.path);
                assert!(one["required"].as_array().unwrap().contains(&"reason".into()), "{}: {one:#}", change.path);
            }
        }
        for (path, method) in [(BEGIN, "post"), (ONE, "get"), (STOP, "post")] {
            let id = document["paths"][path][method]["operationId"].as_str().unwrap();
            assert!(ids.insert(id), "{id} comes twice");
        }
        assert_eq!(document["paths"].as_object().unwrap().len(), ids.len());
    }
}
