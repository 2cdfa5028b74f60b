//! One decision: which rule decided, and why the others did not, from the facts and the configuration of that time.

use super::rules::evaluated::{self, Evaluated};
use crate::app::{App, Shared};
use crate::fault::Fault;
use crate::visitor::Visitor;
use crate::{layout, parts};
use axum::Extension;
use axum::extract::{Path, State};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rasadmin_answers::explain::{agrees, heading, overruled, verdict};
use rasadmin_engine::Stage;
use rasadmin_engine::explain::explain_recorded;
use rasadmin_ledger::report::DecisionRow;
use rasadmin_policy::config::Config;

/// A decision, and its explanation if the configuration of that time is still known.
struct Explained {
    row: DecisionRow,
    rules: Vec<Evaluated>,
    /// What was decided; None if it cannot be explained.
    verdict: Option<String>,
    /// What is to be said beside it.
    note: Option<&'static str>,
    zone: TimeZone,
    server: String,
}

/// The page.
pub async fn page(
    State(app): Shared,
    Extension(visitor): Extension<Visitor>,
    Path(number): Path<String>,
) -> Result<Markup, Fault> {
    let explained = app.work(move |app| Explained::read(app, &number)).await?;
    let title = format!("Decision {}", explained.row.id);
    Ok(layout::page(&visitor, &explained.server, "/sessions", &title, &explained.content()))
}

impl Explained {
    fn read(app: &App, number: &str) -> Result<Self, Fault> {
        let config = app.source.config();
        let missing = || Fault::not_found(format_args!("there is no decision {}", parts::printable(number)));
        let id = number.parse().map_err(|_| missing())?;
        let found = app.source.ledger(|reader| {
            let Some(row) = reader.decision(id)? else { return Ok(None) };
            Ok(Some((reader.config(&row.config)?, row)))
        })?;
        let (bundle, row) = found.ok_or_else(missing)?;
        let then: Option<Config> = bundle.and_then(|bundle| bundle.compile().ok());
        let server = config.server.as_ref().map(ToString::to_string).unwrap_or_default();
        let mut all = Self { row, rules: Vec::new(), verdict: None, note: None, zone: config.zone.clone(), server };
        if let Some(then) = then.filter(|_| all.row.imported.is_none()) {
            let row = &all.row;
            let stage = explain_recorded(&then, row.stage, row.facts.clone(), &row.groups, row.counted.clone());
            all.rules = Evaluated::all(&stage.rules);
            all.note = (!agrees(&stage, row) && !overruled(&stage, row))
                .then_some("This is not what the facts give under the configuration of that time: please report it.");
            all.verdict = Some(verdict(&stage, overruled(&stage, row)));
        } else {
            all.note = Some(match all.row.imported {
                Some(_) => "NPS refused this attempt before RRAS asked rasadmin: it comes from a log.",
                None => "The configuration of that time is not in the ledger any more, so the rules cannot be shown.",
            });
        }
        Ok(all)
    }

    fn content(&self) -> Markup {
        let row = &self.row;
        let denied = row.is_denied();
        html! {
            h1 { "Decision about the " (parts::stage(row.stage)) " " (parts::outcome(row)) }
            p {
                (parts::user(row.domain.as_ref(), row.name.as_ref(), &row.user_name)) " at " (parts::time(row.time, &self.zone))
                @if let Some(session) = row.session { ", in " a href={ "/sessions/" (session) } { "session " (session) } }
            }
            @if let Some(reason) = row.reason.as_deref().filter(|_| denied) { p.reason { (parts::printable(reason)) } }
            @if let Some(note) = self.note { p.muted { (note) } }
            div.columns {
                section.card {
                    h2 { "Rules, top down" }
                    @if let Some(verdict) = &self.verdict { p { (parts::commands(verdict)) "." } }
                    @if self.row.is_blocked() { (evaluated::without_the_block(&self.rules)) }
                    @else { (evaluated::list(&self.rules)) }
                }
                (self.facts())
            }
        }
    }

    fn facts(&self) -> Markup {
        let facts = &self.row.facts;
        let groups = self.row.groups.join(", ");
        let known = |text: Option<String>| text.unwrap_or_default();
        html! {
            section.card {
                h2 { "What was known" }
                dl.facts {
                    dt { "From" } dd.code { (parts::text(&known(facts.source.known().map(ToString::to_string)))) }
                    dt { "Tunnel" } dd { (parts::text(&known(facts.tunnel.known().map(|tunnel| tunnel.name().to_owned())))) }
                    dt { "Computer" } dd { (parts::text(&known(facts.computer.known().map(ToString::to_string)))) }
                    dt { "Port" } dd { (parts::text(&known(facts.port.known().map(ToString::to_string)))) }
                    dt { "Groups" } dd.wrap { (parts::text(&groups)) }
                    @if self.row.repeated > 0 { dt { "Repeated" } dd { (self.row.repeated) " times within a minute" } }
                    dt { "RRAS called" } dd.code { (function(self.row.stage)) }
                    dt { "Configuration" } dd.code { (parts::text(&self.row.config)) }
                }
            }
        }
    }
}

/// The function that RRAS called.
fn function(stage: Stage) -> &'static str {
    let heading = heading(stage);
    heading.split_once('(').map_or(heading, |(_, function)| function.trim_end_matches(')'))
}
