//! The decisions of a ledger, by user, rule, outcome, stage and time.

use super::asked::{self, Asked};
use crate::app::{App, Shared};
use crate::fault::Fault;
use crate::visitor::Visitor;
use crate::{layout, parts};
use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};
use rasadmin_engine::Stage;
use rasadmin_ledger::report::{DECIDED_BY_NPS, DecisionRow, DecisionSearch, Filter, Outcome, UserFilter};
use rasadmin_policy::Millis;
use rasadmin_policy::config::Config;
use serde::Deserialize;
use std::sync::Arc;

/// How many rows a page has.
const ROWS: u32 = 50;

/// The outcomes, by their word in the address. What was denied is asked for most.
const OUTCOMES: [(&str, Option<Outcome>); 4] = [
    ("denied", Some(Outcome::Denied)),
    ("allowed", Some(Outcome::Allowed)),
    ("allowed-for-now", Some(Outcome::ForNow)),
    ("any", None),
];

const STAGES: [Stage; 6] = [
    Stage::Ipv4Address,
    Stage::Ipv6Address,
    Stage::Connection,
    Stage::Link,
    Stage::Reauthentication,
    Stage::EndpointChange,
];

/// What the page is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Query {
    user: String,
    rule: String,
    outcome: String,
    stage: String,
    since: String,
    until: String,
    /// The row after which the page begins.
    after: String,
}

/// The address of the denials by a rule, or what lists show in its place, from a time on.
pub fn denials(rule: &str, since: &str) -> String {
    asked::address("/decisions", &[("rule", rule), ("since", since)])
}

/// The address of the denials of a user.
pub fn denials_of(user: &str) -> String {
    asked::address("/decisions", &[("user", user)])
}

struct Decisions {
    query: Query,
    outcome: &'static str,
    rows: Vec<DecisionRow>,
    more: bool,
    now: Millis,
    config: Arc<Config>,
}

/// The page.
pub async fn page(
    State(app): Shared,
    Extension(visitor): Extension<Visitor>,
    query: Asked<Query>,
) -> Result<Markup, Fault> {
    let query = asked::query(query)?;
    let decisions = app.work(|app| Decisions::read(app, query)).await?;
    let server = decisions.config.server.as_ref().map(ToString::to_string).unwrap_or_default();
    Ok(layout::page(&visitor, &server, "/sessions", "Decisions", &decisions.content()))
}

impl Query {
    fn search(&self, config: &Config, limit: u32) -> Result<DecisionSearch, Fault> {
        let user = asked::given(&self.user).map(|user| {
            let remedy = r"write `alice`, `CORP\alice` or `alice@corp.example`";
            UserFilter::typed(user, &config.domains)
                .ok_or_else(|| Fault::bad_request("this is not a user's name", remedy))
        });
        let stages = STAGES.map(|stage| (stage.name(), stage));
        let stage = asked::given(&self.stage).map(|stage| asked::word("stage", stage, &stages)).transpose()?;
        let time = |text: &str| asked::given(text).map(|text| asked::moment(text, &config.zone)).transpose();
        Ok(DecisionSearch {
            filter: Filter {
                user: user.transpose()?,
                since: time(&self.since)?,
                until: time(&self.until)?,
                limit: Some(limit),
                ..Filter::default()
            },
            outcome: asked::word("outcome", &self.outcome, &OUTCOMES)?.1,
            rule: asked::given(&self.rule).map(str::to_owned),
            stage: stage.map(|(_, stage)| stage),
            after: asked::row(&self.after)?,
        })
    }

    fn address(&self, after: &str) -> String {
        let fields = [
            ("user", &*self.user),
            ("rule", &self.rule),
            ("outcome", &self.outcome),
            ("stage", &self.stage),
            ("since", &self.since),
            ("until", &self.until),
            ("after", after),
        ];
        asked::address("/decisions", &fields.map(|(name, value)| (name, value.trim())))
    }
}

impl Decisions {
    fn read(app: &App, query: Query) -> Result<Self, Fault> {
        let (config, now) = (app.source.config(), app.source.now());
        let search = query.search(&config, ROWS + 1)?;
        let (outcome, _) = asked::word("outcome", &query.outcome, &OUTCOMES)?;
        let mut rows = app.source.ledger(|reader| reader.search_decisions(&search))?;
        let more = rows.len() > ROWS as usize;
        rows.truncate(ROWS as usize);
        Ok(Self { query, outcome, rows, more, now, config })
    }

    fn content(&self) -> Markup {
        html! {
            h1 { "Decisions" }
            (self.form())
            section.card {
                h2.sr { "List" }
                @if self.rows.is_empty() { (self.nothing()) } @else { (self.table()) }
            }
            (self.turn())
            p.muted.foot { "times: " (self.config.zone.iana_name().unwrap_or("UTC")) }
        }
    }

    fn form(&self) -> Markup {
        let Query { user, rule, stage, since, until, .. } = &self.query;
        html! {
            form.filter method="get" action="/decisions" role="search" {
                label { "User" input type="search" name="user" value=(user.trim()) placeholder="alice, CORP\\alice" autocomplete="off"; }
                label { "Outcome" select name="outcome" {
                    @for (word, _) in OUTCOMES { option value=(word) selected[word == self.outcome] { (word.replace('-', " ")) } }
                } }
                label { "Decided by" input type="search" name="rule" value=(rule.trim()) list="rules" placeholder="any rule" autocomplete="off"; }
                datalist #rules {
                    @for rule in self.config.rules.names() { option value=(rule) {} }
                    option value="(default)" {}
                    option value=(DECIDED_BY_NPS) {}
                }
                label { "About" select name="stage" {
                    option value="" { "anything" }
                    @for one in STAGES { option value=(one.name()) selected[stage.trim() == one.name()] { (parts::stage(one)) } }
                } }
                label { "From" input type="datetime-local" name="since" value=(since.trim()); }
                label { "Before" input type="datetime-local" name="until" value=(until.trim()); }
                button type="submit" { "Search" }
                @if self.query.address("") != "/decisions" { a.button.plain href="/decisions" { "Clear" } }
            }
        }
    }

    fn nothing(&self) -> Markup {
        html! {
            @if self.query.address(&self.query.after) == "/decisions" {
                p.empty { "Nobody was denied, as far as the ledger knows. A denial appears here within two seconds after it was made." }
            } @else {
                p.empty { "No decisions match. A user is found by the whole name. Leave something out, choose another outcome, or " a href="/decisions" { "look at all denials" } "." }
            }
        }
    }

    fn table(&self) -> Markup {
        let any = |has: fn(&DecisionRow) -> bool| self.rows.iter().any(has);
        let reasons = any(|row| row.reason.is_some());
        let tunnels = any(|row| row.facts.tunnel.known().is_some());
        let outcomes = self.outcome == "any";
        html! {
            div.scroll tabindex="0" role="region" aria-label="Decisions" { table {
                thead { tr {
                    th scope="col" { "time" } th scope="col" { "user" }
                    @if outcomes { th scope="col" { "outcome" } }
                    th scope="col" { "by" }
                    @if reasons { th scope="col" { "because" } }
                    th scope="col" { "about" } th scope="col" { "from" }
                    @if tunnels { th scope="col" { "tunnel" } }
                    th.number scope="col" { "session" }
                } }
                tbody { @for row in &self.rows { tr {
                    td { a href={ "/decisions/" (row.id) } { (parts::short_time(row.time, self.now, &self.config.zone)) } @if row.repeated > 0 { span.muted { " and " (row.repeated) " more" } } }
                    th scope="row" { (parts::user(row.domain.as_ref(), row.name.as_ref(), &row.user_name)) }
                    @if outcomes { td { (parts::outcome(row)) } }
                    td { (parts::printable(&row.decided_by())) }
                    @if reasons { td.wrap { (parts::text(row.reason.as_deref().unwrap_or_default())) } }
                    td { (parts::stage(row.stage)) }
                    td.code { (parts::text(&row.facts.source.known().map(ToString::to_string).unwrap_or_default())) }
                    @if tunnels { td { (parts::text(row.facts.tunnel.known().map(|tunnel| tunnel.name()).unwrap_or_default())) } }
                    td.number { @match row.session { Some(session) => a href={ "/sessions/" (session) } { (session) }, None => (parts::none()) } }
                } } }
            } }
        }
    }

    fn turn(&self) -> Markup {
        let last = self.rows.last().filter(|_| self.more);
        let is_later = asked::given(&self.query.after).is_some();
        html! {
            @if is_later || last.is_some() {
                nav.pages aria-label="Pages" {
                    @if is_later { a href=(self.query.address("")) { "The latest" } }
                    @if let Some(last) = last {
                        a rel="next" href=(self.query.address(&asked::row_text((last.time, last.id)))) { "Earlier decisions" }
                    }
                }
            }
        }
    }
}
