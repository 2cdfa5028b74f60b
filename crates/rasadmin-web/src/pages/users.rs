//! The users that the ledger knows.

use super::asked::{self, Asked};
use super::being;
use crate::app::{App, Shared};
use crate::fault::Fault;
use crate::heavy::{self, Answer, AskedUsers, USERS, Users as Page};
use crate::visitor::Visitor;
use crate::{layout, parts};
use axum::Extension;
use axum::extract::State;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rasadmin_answers::show::grouped;
use rasadmin_engine::effect::BlockSubject;
use rasadmin_ledger::report::{KnownUser, UserOrder, UserPlace};
use rasadmin_policy::config::Config;
use rasadmin_policy::{Identity, Millis, Name};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The orders, by their word in the address.
const ORDERS: [(&str, UserOrder); 5] = [
    ("user", UserOrder::Name),
    ("live", UserOrder::Live),
    ("sessions", UserOrder::Sessions),
    ("last", UserOrder::Last),
    ("denied", UserOrder::LastDenied),
];

/// What the page is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Query {
    /// A part of the name.
    q: String,
    /// The order.
    sort: String,
    /// The last user of the page before.
    after: String,
}

struct Users {
    server: String,
    config: Arc<Config>,
    query: Query,
    sort: &'static str,
    now: Millis,
    users: Answer<Page>,
    /// Who is blocked. None if not all of it is known here.
    blocked: Option<BTreeSet<Identity>>,
}

/// The page.
pub async fn page(
    State(app): Shared,
    Extension(visitor): Extension<Visitor>,
    query: Asked<Query>,
) -> Result<Markup, Fault> {
    let query = asked::query(query)?;
    let users = app.work(move |app| Users::read(app, query)).await?;
    let page = if matches!(users.users, Answer::Ready(_)) { layout::page } else { layout::unfinished };
    Ok(page(&visitor, &users.server, "/users", "Users", &users.content()))
}

/// A place in the list, in an address: `7:CORP\ALICE`.
pub fn written(place: &UserPlace) -> String {
    format!("{}:{}\\{}", place.amount, place.domain.as_str(), place.name.as_str())
}

/// The place in an address.
pub fn place(text: &str) -> Option<UserPlace> {
    let (amount, user) = text.split_once(':')?;
    let (domain, name) = user.split_once('\\')?;
    let stored = |text: &str| Name::from_stored(text.to_owned());
    Some(UserPlace { amount: amount.parse().ok()?, domain: stored(domain), name: stored(name) })
}

/// Where the page begins. Spaces are kept: a name may end with one.
fn begins_after(text: &str) -> Result<Option<UserPlace>, Fault> {
    let remedy = "begin with the first page of /users";
    let no_place = || Fault::bad_request("the address does not say where the page begins", remedy);
    if text.is_empty() { Ok(None) } else { place(text).map(Some).ok_or_else(no_place) }
}

impl Users {
    fn read(app: &App, query: Query) -> Result<Self, Fault> {
        let (sort, order) = asked::word("order", &query.sort, &ORDERS)?;
        let after = begins_after(&query.after)?;
        let part = asked::given(&query.q).map(str::to_owned);
        let users = app.source.users(AskedUsers { order, part, after, limit: USERS }, heavy::PAGE)?;
        let config = app.source.config();
        let server = config.server.as_ref().map(ToString::to_string).unwrap_or_default();
        let is_ready = matches!(users, Answer::Ready(_));
        let blocked = if is_ready { blocked(app) } else { None };
        Ok(Self { server, config, query, sort, now: app.source.now(), users, blocked })
    }

    fn content(&self) -> Markup {
        html! {
            h1 { "Users" }
            form.filter method="get" action="/users" role="search" {
                label { "Name, or a part of it" input type="search" name="q" value=(self.query.q.trim()) maxlength="256"; }
                @if self.sort != ORDERS[0].0 { input type="hidden" name="sort" value=(self.sort); }
                button type="submit" { "Search" }
                a.button.plain href="/blocks" { "Who is blocked" }
                @if asked::given(&self.query.q).is_some() { a.button.plain href=(self.address("", "")) { "All users" } }
            }
            @match &self.users {
                Answer::Ready(users) => div #live { (self.list(users)) }
                Answer::Being(share) => {
                    @let address = self.address(self.query.q.trim(), &self.query.after);
                    div #live data-live=(address) data-every=(being::EVERY) { (being::card(*share, &address)) }
                }
            }
        }
    }

    fn list(&self, Page { made, page }: &Page) -> Markup {
        let zone = &self.config.zone;
        html! {
            section.card {
                h2.sr { "List" }
                @if page.rows.is_empty() { (self.nobody()) } @else { (self.table(&page.rows)) (self.pages(page.next.as_ref())) }
            }
            p.muted.foot {
                "times: " (zone.iana_name().unwrap_or("UTC")) ", as of " (parts::short_time(*made, self.now, zone))
                @if self.blocked.is_none() { "; who is blocked is not known at the moment" }
            }
        }
    }

    /// The address of a page of this order.
    fn address(&self, q: &str, after: &str) -> String {
        asked::address("/users", &[("q", q), ("sort", self.sort_if_chosen()), ("after", after)])
    }

    fn sort_if_chosen(&self) -> &str {
        if self.sort == ORDERS[0].0 { "" } else { self.sort }
    }

    fn nobody(&self) -> Markup {
        html! {
            @if let Some(part) = asked::given(&self.query.q) {
                p.empty { "No user of the ledger has “" (parts::printable(part)) "” in the name. Search for a shorter part." }
            } @else if !self.query.after.is_empty() {
                p.empty { "There are no more users. " a href=(self.address("", "")) { "The first page" } }
            } @else {
                p.empty { "The ledger knows no users yet. A user who connects, or is denied, appears here within two seconds." }
                p.empty { "If users do connect: " code { "rasadmin status" } " says whether they are recorded." }
            }
        }
    }

    fn table(&self, rows: &[KnownUser]) -> Markup {
        let zone = &self.config.zone;
        html! {
            div.scroll tabindex="0" role="region" aria-label="The users" { table {
                thead { tr {
                    (self.head("user", "user", "ascending", ""))
                    th scope="col" { "groups" }
                    (self.head("live", "live", "descending", "number"))
                    (self.head("sessions", "sessions", "descending", "number"))
                    (self.head("last", "last seen", "descending", ""))
                    (self.head("denied", "last denied", "descending", ""))
                } }
                tbody { @for user in rows { tr {
                    th scope="row" {
                        (parts::user(Some(&user.domain), Some(&user.name), &user.name))
                        @if self.is_blocked(user) { " " span.tag.denied { "blocked" } }
                    }
                    td.wrap { (parts::text(&groups(&self.config, &user.domain, &user.name))) }
                    td.number { @if user.live_sessions > 0 { span.tag.live { (grouped(user.live_sessions)) } } @else { "0" } }
                    td.number { (grouped(user.sessions)) }
                    td { (time(user.last, zone)) }
                    td { (time(user.last_denied, zone)) }
                } } }
            } }
        }
    }

    fn is_blocked(&self, user: &KnownUser) -> bool {
        let blocked = self.blocked.as_ref();
        blocked
            .is_some_and(|blocked| blocked.contains(&Identity { domain: user.domain.clone(), name: user.name.clone() }))
    }

    /// A head that sorts.
    fn head(&self, sort: &str, title: &str, direction: &str, class: &str) -> Markup {
        let sorted = (self.sort == sort).then_some(direction);
        let chosen = if sort == ORDERS[0].0 { "" } else { sort };
        let address = asked::address("/users", &[("q", self.query.q.trim()), ("sort", chosen)]);
        html! { th scope="col" class=[(!class.is_empty()).then_some(class)] aria-sort=[sorted] { a href=(address) { (title) } } }
    }

    /// Where the list goes on.
    fn pages(&self, next: Option<&UserPlace>) -> Markup {
        let q = self.query.q.trim();
        html! {
            @if next.is_some() || !self.query.after.is_empty() {
                nav.pages aria-label="Pages" {
                    @if !self.query.after.is_empty() { a href=(self.address(q, "")) { "First page" } }
                    @if let Some(next) = next { a rel="next" href=(self.address(q, &written(next))) { "Next page" } }
                }
            }
        }
    }
}

/// The users who are blocked. None if not all of them are known.
fn blocked(app: &App) -> Option<BTreeSet<Identity>> {
    // Before the first record, nobody is.
    let blocks = app.source.blocks().ok()?.unwrap_or_default();
    let users = blocks.blocks.into_iter().filter_map(|block| match block.subject {
        BlockSubject::User(user) => Some(user),
        BlockSubject::ClaimedComputer(_) => None,
    });
    (blocks.more == 0 && !blocks.in_part).then(|| users.collect())
}

/// When something last was; a dash if it never was.
fn time(time: Option<i64>, zone: &TimeZone) -> Markup {
    match time {
        Some(time) => parts::time(time, zone),
        None => html! { span.muted title="never" { "–" } },
    }
}

/// The user's groups in the configuration.
fn groups(config: &Config, domain: &Name, name: &Name) -> String {
    let of = config.groups.of(&Identity { domain: domain.clone(), name: name.clone() });
    of.iter().map(|group| config.groups.name(group)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_survives_the_address() {
        for (domain, name) in
            [("CORP", "ALICE"), ("", "HOST/PC:7"), ("CORP", r"A\B"), ("CORP", "A\u{1b}B"), ("CORP", "BOB ")]
        {
            let there = UserPlace { amount: 7, domain: Name::new(domain), name: Name::new(name) };
            assert_eq!(begins_after(&written(&there)), Ok(Some(there)));
        }
        for not in [" ", "7", "x:CORP\\A", "7:ALICE"] {
            assert!(begins_after(not).is_err(), "{not}");
        }
        assert_eq!(begins_after(""), Ok(None));
    }
}
