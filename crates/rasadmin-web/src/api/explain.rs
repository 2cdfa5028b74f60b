//! What would be decided, and why something was.

use super::asked::{Asked, Kind, needed, query};
use super::endpoint::{Answered, Endpoint, Shape, inline, json};
use super::sessions::TUNNELS;
use crate::app::App;
use crate::fault::Fault;
use crate::pages::user::limits::{self, Known};
use axum::http::StatusCode;
use rasadmin_answers::explain::{Answer, StageAnswer, with_tunnels};
use rasadmin_engine::explain::{Question, StageExplained, explain_recorded};
use rasadmin_ledger::report::DecisionRow;
use rasadmin_pipe::{Connecting, Request};
use rasadmin_policy::config::Config;
use rasadmin_policy::{InterfaceType, Name, Quarantine, Tunnel};
use std::collections::HashMap;
use std::net::IpAddr;

const QUARANTINES: &[&str] = &["normal", "quarantine", "probation", "not-capable"];
const INTERFACES: &[&str] = &["client", "home-router", "full-router", "dedicated", "other"];

pub static ENDPOINTS: &[Endpoint] = &[Endpoint {
    path: "/api/v1/explain",
    id: "explain",
    title: "What would happen to a user who connected",
    says: "As `rasadmin explain --user --json`. What is left out counts as absent; without a tunnel, the answer says what would \
           happen with each. Nothing is changed, and nobody is connected.",
    parameters: &[
        needed("user", Kind::Text, "The user, as RRAS would pass the name."),
        query("tunnel", Kind::Word(TUNNELS), "The tunnel."),
        query("from", Kind::Address, "The client's public address."),
        query("at", Kind::Time, "The time. Now, if it is left out."),
        query("computer", Kind::Text, "The name of the client's computer."),
        query("port", Kind::Text, "The port: `VPN2-127`."),
        query("domain", Kind::Text, "The logon domain, which RRAS passes with the connection."),
        query("quarantine", Kind::Word(QUARANTINES), "The quarantine state. `normal`, if it is left out."),
        query("interface", Kind::Word(INTERFACES), "The type of the interface. `client`, if it is left out."),
        query("ipv6", Kind::Flag, "Also explain the IPv6 interface identifier."),
    ],
    shape: Shape::Json(inline::<Answer<'static>>),
    may_lack: false,
    work: explain,
}];

fn explain(app: &App, asked: &Asked) -> Result<Answered, Fault> {
    let config = app.source.config();
    let (state, server, known) = limits::state(&config);
    if let Known::Not(_) = known {
        // The service may read the journal.
        let answer = app.source.service::<serde_json::Value>(&Request::Explain(connecting(asked)));
        // It answers one question at a time.
        let busy = |fault: Fault| match fault.status {
            StatusCode::CONFLICT => Fault { status: StatusCode::SERVICE_UNAVAILABLE, ..fault },
            _ => fault,
        };
        return json(&answer.map_err(Fault::from).map_err(busy)?);
    }
    let name = |parameter| asked.text(parameter).map(Name::new);
    let word = |parameter, usual| asked.text(parameter).unwrap_or(usual);
    let question = Question {
        user: Name::new(asked.needed("user")),
        domain: name("domain").unwrap_or_default(),
        at: limits::at(asked.time("at").unwrap_or_else(|| app.source.now()), &state),
        server,
        port: name("port"),
        tunnel: asked.text("tunnel").and_then(|name| Tunnel::ALL.into_iter().find(|tunnel| tunnel.name() == name)),
        source: asked.ip("from").map(|address: IpAddr| address.to_canonical()),
        computer: name("computer"),
        quarantine: Quarantine::from_name(word("quarantine", "normal")),
        interface: InterfaceType::from_name(word("interface", "client")),
        offer: None,
        ipv6: asked.flag("ipv6"),
    };
    let all = with_tunnels(&config, &state, &question);
    json(&Answer::new(&config.hash, &all))
}

/// The same question for the service.
fn connecting(asked: &Asked) -> Connecting {
    let text = |parameter| asked.text(parameter).map(str::to_owned);
    Connecting {
        user: asked.needed("user").to_owned(),
        domain: text("domain"),
        tunnel: text("tunnel"),
        source: asked.ip("from"),
        computer: text("computer"),
        port: text("port"),
        at: asked.time("at"),
        quarantine: text("quarantine"),
        interface: text("interface"),
        offer: None,
        ipv6: asked.flag("ipv6"),
    }
}

/// Why past decisions were made, each under the configuration of its time.
pub fn past(app: &App, decisions: &[DecisionRow]) -> Result<Answered, Fault> {
    let mut configs: HashMap<&str, Config> = HashMap::new();
    for decision in decisions {
        if let Some(why) = &decision.imported {
            let what = format!("decision {} was imported from a log ({why}): rasadmin was not asked", decision.id);
            return Err(Fault { remedy: "its reason is in its row".to_owned(), ..Fault::not_found(what) });
        }
        if !configs.contains_key(decision.config.as_str()) {
            configs.insert(&decision.config, config_of(app, &decision.config)?);
        }
    }
    let with_config = decisions.iter().filter_map(|decision| Some((decision, configs.get(decision.config.as_str())?)));
    let stages: Vec<(&DecisionRow, StageExplained<'_>)> = with_config
        .map(|(row, config)| {
            (row, explain_recorded(config, row.stage, row.facts.clone(), &row.groups, row.counted.clone()))
        })
        .collect();
    let answers: Vec<_> = stages.iter().map(|(decision, stage)| StageAnswer::new(stage, Some(decision))).collect();
    json(&answers)
}

fn config_of(app: &App, hash: &str) -> Result<Config, Fault> {
    let lost = |why: &str| Fault {
        remedy: "the row of the decision says what was decided".to_owned(),
        ..Fault::not_found(format_args!("the configuration {hash} of that time {why}"))
    };
    let bundle = app.source.ledger(|reader| reader.config(hash))?;
    let bundle =
        bundle.ok_or_else(|| lost("is not in the ledger: it is from before rasadmin kept them, or was purged"))?;
    bundle.compile().map_err(|_| lost("is not understood by this rasadmin any more"))
}
