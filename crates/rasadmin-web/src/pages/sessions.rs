//! Who is connected, and who was.

mod columns;
mod search;

use super::asked;
use crate::app::{App, Shared};
use crate::fault::Fault;
use crate::sorted::{self, By, Order, Seen};
use crate::visitor::Visitor;
use crate::{layout, parts};
use axum::Extension;
use axum::extract::State;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rasadmin_answers::show::grouped;
use rasadmin_ledger::RowId;
use rasadmin_ledger::report::SessionRow;
use rasadmin_policy::Millis;
use rasadmin_policy::config::Config;
use search::{Asked, TUNNELS};
use std::sync::Arc;

/// How many rows a page has.
const ROWS: u32 = 50;

/// Periods that the page offers if there are too many sessions to sort them: words, and days.
const PERIODS: [(&str, Millis); 3] = [("the last 24 hours", 1), ("the last 7 days", 7), ("the last 31 days", 31)];

/// What the page shows.
pub struct Sessions {
    asked: Asked,
    chosen: Option<Vec<&'static str>>,
    order: Order,
    rows: Vec<SessionRow>,
    /// Where the next page begins.
    next: Option<(i64, RowId)>,
    /// How many sessions the list has, if that is known.
    all: Option<usize>,
    is_too_long: bool,
    seen: Seen,
    looked_at: Millis,
    now: Millis,
    zone: TimeZone,
    config: Arc<Config>,
}

/// The page.
pub async fn page(
    State(app): Shared,
    Extension(visitor): Extension<Visitor>,
    query: asked::Asked<Asked>,
) -> Result<Markup, Fault> {
    let asked = asked::query(query)?;
    let sessions = app.work(move |app| Sessions::read(app, asked)).await?;
    let server = sessions.config.server.as_ref().map(ToString::to_string).unwrap_or_default();
    Ok(layout::page(&visitor, &server, "/sessions", "Sessions", &sessions.content()))
}

impl Sessions {
    fn read(app: &App, asked: Asked) -> Result<Self, Fault> {
        let (config, now) = (app.source.config(), app.source.now());
        let zone = config.zone.clone();
        let chosen = asked.chosen_columns()?;
        let order = asked.order()?;
        let live = app.source.live();
        let seen = live.sessions.iter().map(|session| (session.session.to_string(), *session)).collect();
        let sorted::Page { rows, next, all, is_too_long } =
            sorted::page(app, asked.search(&config, ROWS)?, order, ROWS, &seen)?;
        let looked_at = live.looked_at;
        Ok(Self { asked, chosen, order, rows, next, all, is_too_long, seen, looked_at, now, zone, config })
    }

    /// The address of what is new, if the page follows it. Sorted lists of all sessions do not: they cost more.
    fn live(&self) -> Option<String> {
        let is_first = asked::given(&self.asked.after).is_none();
        let follows = self.asked.is_live() || self.order == Order::default();
        (is_first && follows).then(|| self.asked.address(None))
    }

    fn content(&self) -> Markup {
        html! {
            h1 { "Sessions" }
            (self.form())
            div #live data-live=[self.live()] {
                @if self.is_too_long { (self.too_long()) } @else if self.rows.is_empty() { (self.nothing()) } @else { section.card { h2.sr { "List" } (self.table()) } (self.turn()) }
            }
        }
    }

    fn form(&self) -> Markup {
        let Asked { q, user, address, computer, tunnel, rule, since, until, .. } = &self.asked;
        html! {
            form.filter method="get" action="/sessions" role="search" {
                label.wide { "User, address or computer" input type="search" name="q" value=(q.trim()) placeholder="alice, CORP\\alice, 10.20.16.9, LAPTOP-7" autocomplete="off" spellcheck="false"; }
                label.check { input type="checkbox" name="live" value="1" checked[self.asked.is_live()]; "connected now" }
                button type="submit" { "Search" }
                @if self.asked.is_restricted() { a.button.plain href="/sessions" { "Clear" } }
                a.button.plain href="/decisions" { "Decisions" }
                @if !self.order.word().is_empty() { input type="hidden" name="sort" value=(self.order.word()); }
                @if asked::given(&self.asked.columns).is_some() { input type="hidden" name="columns" value=(self.asked.columns.trim()); }
                details.more-fields open[self.asked.has_more()] {
                    summary { "More conditions, and columns" }
                    div.fields {
                        label { "User" input type="search" name="user" value=(user.trim()) autocomplete="off"; }
                        label { "Address" input type="search" name="address" value=(address.trim()) autocomplete="off"; }
                        label { "Computer" input type="search" name="computer" value=(computer.trim()) autocomplete="off"; }
                        label { "Tunnel" select name="tunnel" {
                            option value="" { "any" }
                            @for one in TUNNELS { option value=(one) selected[tunnel.trim().eq_ignore_ascii_case(one)] { (one) } }
                        } }
                        label { "Let in by" select name="rule" {
                            option value="" { "any rule" }
                            @for one in self.config.rules.names() { option value=(one) selected[rule.trim() == one] { (parts::printable(one)) } }
                            @if !rule.trim().is_empty() && !self.config.rules.names().any(|one| one == rule.trim()) {
                                option value=(rule.trim()) selected { (parts::printable(rule.trim())) }
                            }
                        } }
                        label { "Began from" input type="datetime-local" name="since" value=(since.trim()); }
                        label { "Began before" input type="datetime-local" name="until" value=(until.trim()); }
                    }
                    (self.choose_columns())
                }
            }
        }
    }

    fn nothing(&self) -> Markup {
        html! {
            section.card {
                h2.sr { "List" }
                p.empty {
                    @if self.asked.is_only_live() && asked::given(&self.asked.after).is_none() {
                        "Nobody is connected. A user who connects appears here within two seconds."
                    } @else if self.asked.is_restricted() || asked::given(&self.asked.after).is_some() {
                        "No sessions match. A user or a computer is found by the whole name. Leave something out, or " a href="/sessions" { "look at all of them" } "."
                    } @else {
                        "There are no sessions yet. A user who connects appears here within two seconds."
                    }
                }
            }
        }
    }

    /// What to do instead of waiting.
    fn too_long(&self) -> Markup {
        let since = |days: Millis| self.asked.since(asked::moment_text(self.now - days * 86_400_000, &self.zone));
        html! {
            section.card {
                h2.sr { "List" }
                p.empty { "More than " (grouped(u64::from(sorted::MOST))) " sessions match: too many to sort them in this order. Choose a user or a shorter time." }
                p.empty {
                    @if self.asked.has_no_time() { @for (words, days) in PERIODS { a.tag href=(since(days)) { (words) } " " } }
                    a href=(self.asked.sorted(Order::default())) { "In the order of their begin" }
                }
            }
        }
    }

    fn table(&self) -> Markup {
        let columns = self.columns();
        html! {
            div.scroll tabindex="0" role="region" aria-label="The sessions" { table {
                thead { tr {
                    (self.head("user", "user", ""))
                    th scope="col" { "session" }
                    @for column in &columns { (self.head(if column.word == "state" { "ended" } else { column.word }, column.title, column.class)) }
                } }
                tbody { @for row in &self.rows { tr {
                    th scope="row" { (parts::user(row.domain.as_ref(), row.name.as_ref(), &row.user_name)) }
                    td { a href={ "/sessions/" (row.id) } { (row.id) } }
                    @for column in &columns {
                        td class=[(!column.class.is_empty()).then_some(column.class)] { ((column.cell)(self, row).unwrap_or_else(parts::none)) }
                    }
                } } }
            } }
            p.muted.foot {
                (self.zone.iana_name().unwrap_or("UTC")) " · received and sent by the server"
                @if columns.iter().any(|column| column.word == "heard") { " · last heard: when octets last came from the client" }
                @if let Some(all) = self.all { " · " (grouped(all as u64)) @if all == 1 { " session" } @else { " sessions" } " in all" }
            }
        }
    }

    /// A head. If the list can be in the order of the column, it is a link; if it is, the link turns it round.
    fn head(&self, word: &str, title: &str, class: &str) -> Markup {
        let class = Some(class).filter(|class| *class == "number");
        let missing = if self.asked.is_live() { By::Ended } else { By::Heard };
        let next = self.order.next(word).filter(|next| next.by != missing);
        let is_this = next.is_some_and(|next| next.by == self.order.by);
        let direction = if self.order.is_ascending() { "ascending" } else { "descending" };
        html! {
            th scope="col" class=[class] aria-sort=[is_this.then_some(direction)] {
                @if let Some(next) = next { a href=(self.asked.sorted(next)) { (title) } } @else { (title) }
            }
        }
    }

    fn turn(&self) -> Markup {
        let is_later = asked::given(&self.asked.after).is_some();
        let [first, next] = if self.order == Order::default() {
            if self.asked.is_live() { ["First page", "More sessions"] } else { ["The latest", "Earlier sessions"] }
        } else {
            ["First page", "Next page"]
        };
        html! {
            @if is_later || self.next.is_some() {
                nav.pages aria-label="Pages" {
                    @if is_later { a href=(self.asked.address(None)) { (first) } }
                    @if self.next.is_some() { a rel="next" href=(self.asked.address(self.next)) { (next) } }
                }
            }
        }
    }
}
