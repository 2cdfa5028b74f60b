//! Who is blocked.

use super::asked::{self, Asked};
use super::user::limits::Known;
use crate::app::{App, Shared};
use crate::changes::{are_for, shown_subject as shown};
use crate::fault::Fault;
use crate::visitor::Visitor;
use crate::{layout, parts};
use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};
use rasadmin_engine::effect::{Block, BlockSubject};
use rasadmin_policy::config::Config;
use rasadmin_service::blocks_in_force::BlocksInForce;
use serde::Deserialize;
use std::sync::Arc;

/// How many blocks the page has. There can be 10,000.
const ROWS: usize = 200;

/// What the page is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Query {
    /// A part of the name.
    q: String,
}

struct Blocks {
    server: String,
    config: Arc<Config>,
    query: Query,
    /// The latest first.
    rows: Vec<Block>,
    more: usize,
    known: Known,
}

/// The page.
pub async fn page(
    State(app): Shared,
    Extension(visitor): Extension<Visitor>,
    query: Asked<Query>,
) -> Result<Markup, Fault> {
    let query = asked::query(query)?;
    let blocks = app.work(|app| Ok(Blocks::read(app, query))).await?;
    Ok(layout::page(&visitor, &blocks.server, "/users", "Blocks", &blocks.content(&visitor)))
}

impl Blocks {
    fn read(app: &App, query: Query) -> Self {
        let config = app.source.config();
        let (found, known) = match app.source.blocks() {
            Ok(Some(found)) if found.in_part => (found, Known::InPart),
            Ok(Some(found)) => (found, Known::Yes),
            Ok(None) => {
                let why = format!("the journal {} has no records", config.journal.display());
                (BlocksInForce::default(), Known::Not(why))
            }
            Err(error) => (BlocksInForce::default(), Known::Not(format!("the journal cannot be read: {error}"))),
        };
        let part = asked::given(&query.q).map(str::to_lowercase);
        let fits =
            |block: &&Block| part.as_ref().is_none_or(|part| shown(&block.subject).to_lowercase().contains(part));
        let mut rows: Vec<Block> = found.blocks.iter().filter(fits).cloned().collect();
        let more = rows.len().saturating_sub(ROWS) + found.more;
        rows.truncate(ROWS);
        let server = config.server.as_ref().map(ToString::to_string).unwrap_or_default();
        Self { server, config, query, rows, more, known }
    }

    fn content(&self, visitor: &Visitor) -> Markup {
        html! {
            h1 { "Blocks" }
            form.filter method="get" action="/blocks" role="search" {
                label { "Name, or a part of it" input type="search" name="q" value=(self.query.q.trim()) maxlength="256"; }
                button type="submit" { "Search" }
                @if asked::given(&self.query.q).is_some() { a.button.plain href="/blocks" { "All blocks" } }
            }
            section.card {
                h2 { "In force now" }
                @match &self.known {
                    Known::Not(why) => p.error { "Who is blocked is not known here: " (parts::printable(why)) ". " code { "rasadmin blocks" } " shows it to an administrator." },
                    Known::InPart => p.error { "A part of the journal cannot be read, so blocks may be missing. " code { "rasadmin journal check" } " says which part." },
                    Known::Yes => {}
                }
                @if !self.rows.is_empty() { (self.table(visitor)) }
                @else if !matches!(self.known, Known::Not(_)) { p.empty { (self.nobody()) } }
                @if self.more > 0 { p.muted { (self.more) " more: search for a part of the name" } }
            }
            @if are_for(visitor) { (begin()) }
            p.muted.foot { "times: " (self.config.zone.iana_name().unwrap_or("UTC")) }
        }
    }

    fn nobody(&self) -> &'static str {
        match asked::given(&self.query.q) {
            Some(_) => "No block has this in the name. Search for a shorter part.",
            None => "Nobody is blocked.",
        }
    }

    fn table(&self, visitor: &Visitor) -> Markup {
        let zone = &self.config.zone;
        html! {
            div.scroll tabindex="0" role="region" aria-label="Blocks" { table {
                thead { tr {
                    th scope="col" { "blocked" } th scope="col" { "since" } th scope="col" { "until" }
                    th scope="col" { "reason" } th scope="col" { "by" }
                    @if are_for(visitor) { th scope="col" { span.sr { "change" } } }
                } }
                tbody { @for block in &self.rows { tr {
                    th scope="row" { (who(block)) }
                    td { (parts::time(block.since, zone)) }
                    td { @match block.until { Some(until) => (parts::time(until, zone)), None => "it is lifted" } }
                    td.wrap.text { (parts::text(block.reason.as_deref().unwrap_or_default())) }
                    td.wrap.text { (parts::text(block.by.as_deref().unwrap_or_default())) }
                    @if are_for(visitor) { td { a href=(lift(block)) aria-label={ "Lift the block of " (shown(&block.subject)) } { "Lift…" } } }
                } } }
            } }
        }
    }
}

/// Who is blocked; a user with a link.
fn who(block: &Block) -> Markup {
    match &block.subject {
        BlockSubject::User(user) => parts::user(Some(&user.domain), Some(&user.name), &user.name),
        claimed @ BlockSubject::ClaimedComputer(_) => html! { (shown(claimed)) },
    }
}

fn lift(block: &Block) -> String {
    match &block.subject {
        BlockSubject::User(user) => {
            asked::address("/change/unblock", &[("user", &parts::whole_name(&user.domain, &user.name))])
        }
        BlockSubject::ClaimedComputer(name) => asked::address("/change/unblock", &[("computer", name.as_str())]),
    }
}

/// Blocks somebody whom no other page shows.
fn begin() -> Markup {
    html! {
        section.card {
            h2 { "Block somebody else" }
            form.filter method="get" action="/change/block" {
                label { "User, such as CORP\\alice" input type="text" name="user" maxlength="256" required autocomplete="off" spellcheck="false"; }
                button type="submit" { "Block the user…" }
            }
            form.filter method="get" action="/change/block" {
                label { "Computer name that clients claim" input type="text" name="computer" maxlength="16" required autocomplete="off" spellcheck="false"; }
                button type="submit" { "Block the computer name…" }
            }
        }
    }
}
