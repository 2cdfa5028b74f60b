//! The rules in force.

use super::asked::Asked;
use super::endpoint::{Answered, Endpoint, Shape, inline, json};
use crate::app::App;
use crate::fault::Fault;
use rasadmin_ledger::report::rfc3339_or_null;
use rasadmin_policy::Millis;
use rasadmin_policy::config::file::Action;
use schemars::JsonSchema;
use serde::Serialize;

/// Matches are counted for so long, in milliseconds: 30 days.
const LATELY: Millis = 30 * 86_400_000;

pub static ENDPOINTS: &[Endpoint] = &[Endpoint {
    path: "/api/v1/rules",
    id: "rules",
    title: "The rules, and what each has decided",
    says: "The rules of the configuration in force, in the order in which they are evaluated; the last is the default. \
           Decisions are counted for the last 30 days.",
    parameters: &[],
    shape: Shape::Json(inline::<Vec<RuleRow>>),
    may_lack: false,
    work: rules,
}];

/// A rule, and what it has decided in the last 30 days.
#[derive(Serialize, JsonSchema)]
struct RuleRow {
    /// The rule's name. Null is the default.
    rule: Option<String>,
    /// `allow` or `deny`.
    action: &'static str,
    /// Its reason. Null if it has none.
    reason: Option<String>,
    /// Its conditions, of which all must hold.
    conditions: Vec<ConditionRow>,
    /// How many of its decisions allowed. RRAS asks several times for each connection, and each counts.
    allowed: u64,
    /// How many of its decisions denied. A refusal that repeats within a minute counts once.
    denied: u64,
    /// How many active sessions it was to end.
    cut: u64,
    /// The number of its last decision, however old. Null if it has decided nothing.
    last_decision: Option<i64>,
    /// When it last decided: RFC 3339, UTC. Null if it has decided nothing.
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    last: Option<Millis>,
}

/// A condition of a rule.
#[derive(Serialize, JsonSchema)]
struct ConditionRow {
    /// Its name in the configuration.
    field: &'static str,
    /// What it asks for, as text.
    asked: String,
}

fn rules(app: &App, _: &Asked) -> Result<Answered, Fault> {
    let config = app.source.config();
    let since = app.source.now().saturating_sub(LATELY);
    let rows = app.source.ledger(|reader| {
        let cut = reader.cut_by_rules(since)?;
        let described = config.rules.described().into_iter();
        let rows = described.map(|of| {
            let hits = reader.hits(of.rule, since)?;
            Ok(RuleRow {
                rule: of.rule.map(str::to_owned),
                action: match of.action {
                    Action::Allow => "allow",
                    Action::Deny => "deny",
                },
                reason: of.reason.map(str::to_owned),
                conditions: of
                    .conditions
                    .iter()
                    .map(|(field, asked)| ConditionRow { field, asked: (*asked).to_owned() })
                    .collect(),
                allowed: hits.allowed,
                denied: hits.denied,
                cut: cut.iter().find(|cut| of.rule == Some(cut.rule.as_str())).map_or(0, |cut| cut.sessions),
                last_decision: hits.last.map(|(id, _)| id),
                last: hits.last.map(|(_, time)| time),
            })
        });
        rows.collect::<Result<Vec<_>, _>>()
    })?;
    json(&rows)
}
