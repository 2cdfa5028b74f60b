//! Decisions.

use super::asked::{AFTER_ROW, Asked, Kind, LIMIT, Parameter, SINCE, UNTIL, USER, path, query};
use super::endpoint::{Answered, Endpoint, Shape, inline, json, named, page_of};
use crate::app::App;
use crate::fault::Fault;
use rasadmin_answers::explain::StageAnswer;
use rasadmin_ledger::report::{DecisionRow, DecisionSearch, Outcome};
use rasadmin_policy::Stage;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error;

const NUMBER: Parameter = path("number", Kind::Number, "The decision's number.");

/// The outcomes, as the ledger has them.
const OUTCOMES: &[&str] = &["allow", "allow for now", "deny"];

/// The events, as the ledger has them.
const STAGES: &[&str] = &["ipv4-address", "ipv6-address", "connection", "link", "reauthentication", "endpoint-change"];

pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: "/api/v1/decisions",
        id: "decisions",
        title: "Decisions, the latest first",
        says: "As `rasadmin decisions --json`, also attempts that NPS refused, if their logs were imported.",
        parameters: &[
            query("outcome", Kind::Word(OUTCOMES), "Only decisions with this outcome."),
            query("stage", Kind::Word(STAGES), "Only decisions about this event."),
            query(
                "rule",
                Kind::Text,
                "Only what this rule decided, or what is in its place: `(default)`, `(blocked)`.",
            ),
            USER,
            query("server", Kind::Text, "Only decisions of this RRAS server."),
            SINCE,
            UNTIL,
            LIMIT,
            AFTER_ROW,
        ],
        shape: Shape::Page(named::<DecisionRow>),
        may_lack: true,
        work: list,
    },
    Endpoint {
        path: "/api/v1/decisions/{number}",
        id: "decision",
        title: "One decision",
        says: "The same as its row in the list.",
        parameters: &[NUMBER],
        shape: Shape::Json(named::<DecisionRow>),
        may_lack: true,
        work: |app, asked| json(&find(app, asked)?),
    },
    Endpoint {
        path: "/api/v1/decisions/{number}/explanation",
        id: "decisionExplanation",
        title: "Why a decision was made",
        says: "As `rasadmin explain --decision`: from the facts of that time, under the configuration of that time.",
        parameters: &[NUMBER],
        shape: Shape::Json(inline::<Vec<StageAnswer<'static>>>),
        may_lack: true,
        work: |app, asked| super::explain::past(app, &[find(app, asked)?]),
    },
];

fn list(app: &App, asked: &Asked) -> Result<Answered, Fault> {
    let search = DecisionSearch {
        filter: asked.filter(&app.source.config())?,
        outcome: asked.text("outcome").map(|outcome| match outcome {
            "deny" => Outcome::Denied,
            "allow" => Outcome::Allowed,
            _ => Outcome::ForNow,
        }),
        rule: asked.text("rule").map(str::to_owned),
        stage: asked.text("stage").and_then(stage),
        after: asked.after_row(),
    };
    let rows = app.source.ledger(|reader| reader.search_decisions(&search))?;
    page_of(rows, asked.limit(), |last| format!("{}-{}", last.time, last.id))
}

fn stage(name: &str) -> Option<Stage> {
    let name: serde::de::value::StrDeserializer<'_, Error> = name.into_deserializer();
    Stage::deserialize(name).ok()
}

fn find(app: &App, asked: &Asked) -> Result<DecisionRow, Fault> {
    let number = asked.number("number").unwrap_or_default();
    let found = app.source.ledger(|reader| reader.decision(number))?;
    found.ok_or_else(|| Fault {
        remedy: "GET /api/v1/decisions lists them".to_owned(),
        ..Fault::not_found(format_args!("there is no decision {number}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_can_be_asked_for() {
        for name in STAGES {
            assert_eq!(stage(name).map(Stage::name), Some(*name));
        }
    }
}
