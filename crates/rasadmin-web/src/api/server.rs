//! The server as a whole.

use super::asked::{Asked, Kind, query};
use super::endpoint::{Answered, Endpoint, Shape, inline, json, named};
use crate::app::App;
use crate::fault::Fault;
use crate::pages::now::attention::{self, Attention, Facts};
use crate::pages::now::health::Health;
use axum::http::StatusCode;
use rasadmin_answers::blocks::BlockRow;
use rasadmin_answers::configuration;
use rasadmin_ledger::report::{Overview, rfc3339};
use rasadmin_pipe::{Refusal, Request, Why};
use rasadmin_policy::Millis;
use schemars::JsonSchema;
use serde::Serialize;

/// What counts as lately, in milliseconds.
const LATELY: Millis = 3_600_000;

pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: "/api/v1/openapi.json",
        id: "openapi",
        title: "This document",
        says: "Every path with its parameters and answers, as OpenAPI 3.1.",
        parameters: &[],
        shape: Shape::Object,
        may_lack: false,
        work: |_, _| json(&super::document::document()),
    },
    Endpoint {
        path: "/api/v1/status",
        id: "status",
        title: "Whether anything needs attention, and how each part is",
        says: "The same as on the dashboard's first page. `rasadmin status`, on the server itself, checks more.",
        parameters: &[],
        shape: Shape::Json(inline::<Status>),
        may_lack: false,
        work: status,
    },
    Endpoint {
        path: "/api/v1/overview",
        id: "overview",
        title: "What happens now, and happened in the last hour",
        says: "As `rasadmin top --json`.",
        parameters: &[query("limit", Kind::Few, "How many sessions, and how many denials, the answer has at most.")],
        shape: Shape::Json(named::<Overview>),
        may_lack: false,
        work: |app, asked| {
            let (config, now) = (app.source.config(), app.source.now());
            let since = now.saturating_sub(LATELY);
            json(&app.source.ledger(|reader| reader.overview(&config.addresses, since, now, asked.few()))?)
        },
    },
    Endpoint {
        path: "/api/v1/configuration",
        id: "configuration",
        title: "Which configuration is in force, and what it has",
        says: "As `rasadmin config show --json`.",
        parameters: &[],
        shape: Shape::Json(inline::<configuration::Answer>),
        may_lack: false,
        work: |app, _| {
            let config = app.source.config();
            json(&configuration::Answer::new(&config, Some(app.source.config_fault().0), &config.ledger))
        },
    },
    Endpoint {
        path: "/api/v1/blocks",
        id: "blocks",
        title: "Who is blocked on this server",
        says: "As `rasadmin blocks --json`. They are read from the journal, or asked of the service.",
        parameters: &[],
        shape: Shape::Json(inline::<Vec<BlockRow>>),
        may_lack: false,
        work: blocks,
    },
    Endpoint {
        path: "/metrics",
        id: "metrics",
        title: "What the rasadmin service counts, for Prometheus",
        says: "As `rasadmin metrics` and docs/metrics.md. The service must run.",
        parameters: &[],
        shape: Shape::Text("text/plain; version=0.0.4; charset=utf-8"),
        may_lack: false,
        work: |app, _| {
            let text = app.source.service::<String>(&Request::Metrics {}).map_err(unanswered)?;
            Ok(Answered { kind: "text/plain; version=0.0.4; charset=utf-8", text })
        },
    },
];

/// The state of the server, as far as the dashboard knows it.
#[derive(Serialize, JsonSchema)]
struct Status {
    /// Now: RFC 3339, UTC.
    #[serde(serialize_with = "rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    time: Millis,
    /// The server's name, if the configuration sets one.
    server: Option<String>,
    /// The version of rasadmin that answers.
    version: &'static str,
    /// Whether nothing needs attention.
    all_well: bool,
    /// Whether the rasadmin service answers. Without it, nothing new comes into the ledger.
    service_answers: bool,
    /// What needs attention.
    attention: Vec<Attention>,
    /// How the parts of the server are.
    health: Health,
}

fn status(app: &App, _: &Asked) -> Result<Answered, Fault> {
    let (config, now) = (app.source.config(), app.source.now());
    let facts = app.source.ledger(|reader| Facts::read(reader, &config, now))?;
    let service = app.source.service(&Request::Status {});
    let attention = attention::all(&app.source, &service, &facts, now);
    json(&Status {
        time: now,
        server: config.server.as_ref().map(ToString::to_string),
        version: env!("CARGO_PKG_VERSION"),
        all_well: attention.is_empty(),
        service_answers: service.is_ok(),
        attention,
        health: Health::of(&app.source, service.as_ref().ok(), &facts.recorded),
    })
}

fn blocks(app: &App, _: &Asked) -> Result<Answered, Fault> {
    let remedy = "let this process read the journal, or run `rasadmin blocks` as an administrator";
    let found = app
        .source
        .blocks()
        .map_err(|error| Fault::unavailable(format_args!("the journal cannot be read: {error}"), remedy))?;
    let found = found.unwrap_or_default();
    if found.more > 0 {
        // A list that is not whole must not look like one that is.
        let what =
            format_args!("the service lists only {} of {} blocks", found.blocks.len(), found.blocks.len() + found.more);
        return Err(Fault::unavailable(what, remedy));
    }
    json(&found.blocks.iter().map(|block| BlockRow::new(&found.server, block)).collect::<Vec<_>>())
}

/// For a program that watches, all reasons are the same: there are no figures at the moment.
fn unanswered(error: rasadmin_pipe::Error) -> Fault {
    let status = match &error {
        rasadmin_pipe::Error::Refused(Refusal { why: Why::Forbidden, .. }) => StatusCode::FORBIDDEN,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    Fault { status, ..Fault::from(error) }
}
