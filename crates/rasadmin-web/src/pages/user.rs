//! Everything about one user.

mod by_day;
pub mod find;
pub mod limits;
mod refusals;
pub mod sessions;

use super::asked;
use crate::app::{App, Shared};
use crate::fault::Fault;
use crate::visitor::Visitor;
use crate::{changes, layout, parts};
use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use find::Found;
use limits::Known;
use maud::{Markup, html};
use rasadmin_answers::show::grouped;
use rasadmin_ledger::report::{KnownUser, ReservedAddress, UsageRow, UserReport};
use rasadmin_policy::config::Config;
use rasadmin_policy::{Identity, Millis};
use std::sync::Arc;

/// How many past sessions, and how many refusals, the page has. Lists of their own have all.
const ROWS: u32 = 25;

/// What the page shows.
struct User {
    now: Millis,
    config: Arc<Config>,
    report: UserReport,
    /// Whether it is known what the journal says: limits, and the block.
    known: Known,
    /// The use of this month, by day.
    usage: Vec<UsageRow>,
    /// The days of this month until today.
    days: Vec<String>,
}

enum Page {
    Of(Box<User>),
    /// Several users have the name.
    Which(String, Vec<KnownUser>),
}

/// The page.
pub async fn page(
    State(app): Shared,
    Extension(visitor): Extension<Visitor>,
    user: Result<Path<String>, PathRejection>,
) -> Result<Markup, Fault> {
    let not_a_name =
        |_| Fault::bad_request("the address has no valid user name", "choose the user in the list of users");
    let Path(typed) = user.map_err(not_a_name)?;
    let server = app.source.config().server.as_ref().map(ToString::to_string).unwrap_or_default();
    match app.work(move |app| read(app, &typed)).await? {
        Page::Of(user) => Ok(layout::page(&visitor, &server, "/users", &user.name(), &user.content(&visitor))),
        Page::Which(typed, all) => Ok(layout::page(&visitor, &server, "/users", "Which user?", &which(&typed, &all))),
    }
}

fn read(app: &App, typed: &str) -> Result<Page, Fault> {
    let (config, now) = (app.source.config(), app.source.now());
    let user = match find::user(app, &config, typed)? {
        Found::One(user) => user,
        Found::Several(all) => return Ok(Page::Which(typed.to_owned(), all)),
    };
    let days = by_day::days(now, &config.zone);
    let (in_force, known) = limits::of_user(app, &config, &user);
    let (report, usage) = app.source.ledger(|reader| {
        let report = reader.user(&user, &config, in_force.clone(), Some(ROWS))?;
        Ok((report, by_day::read(reader, &user, &days)?))
    })?;
    let is_known = report.known.is_some() || !report.reservations.is_empty() || report.block.is_some();
    if !is_known && report.groups.is_empty() {
        return Err(Fault {
            status: StatusCode::NOT_FOUND,
            what: format!("neither the ledger nor the configuration knows the user {}", parts::printable(typed)),
            remedy: "check the spelling, with the domain: CORP\\alice; or choose the user in the list of users"
                .to_owned(),
        });
    }
    let mut user = User { now, config, report, known, usage, days };
    sessions::see(&mut user.report.live, &app.source.live());
    Ok(Page::Of(Box::new(user)))
}

fn which(typed: &str, all: &[KnownUser]) -> Markup {
    html! {
        h1 { "Several users have the name " (parts::printable(typed)) }
        ul { @for user in all { li { (parts::user(Some(&user.domain), Some(&user.name), &user.name)) } } }
    }
}

impl User {
    /// The user's name, printable.
    fn name(&self) -> String {
        parts::printable(&sessions::typed(self))
    }

    fn identity(&self) -> Identity {
        Identity { domain: self.report.domain.clone(), name: self.report.name.clone() }
    }

    fn content(&self, visitor: &Visitor) -> Markup {
        let zone = &self.config.zone;
        html! {
            h1 { (self.name()) }
            @if self.report.known.is_none() {
                p.muted { "The ledger does not know this user: nobody of this name has connected or been denied. If you expected otherwise, look in the " a href="/users" { "list of users" } ". What follows is what the configuration says of such a user." }
            }
            @if let Some(block) = &self.report.block { (limits::block(block, zone)) }
            (changes::of_user(visitor, &self.config.domains, &self.identity(), self.report.live.len(), self.report.block.is_some()))
            div.columns {
                @if !self.report.limits.is_empty() { (limits::section(&self.report.limits, &self.known)) }
                (self.facts())
            }
            @if !self.report.denials.is_empty() { (refusals::section(self)) }
            (sessions::live(self))
            (sessions::past(self))
            (by_day::section(&self.usage, &self.days))
            @if self.report.denials.is_empty() { (refusals::section(self)) }
            p.muted.foot { "times: " (zone.iana_name().unwrap_or("UTC")) "; received and sent: by the server" }
        }
    }

    fn facts(&self) -> Markup {
        let report = &self.report;
        html! {
            section.card {
                h2 { "In short" }
                dl.facts {
                    dt { "Connected" } dd { (self.connected()) }
                    dt { "Groups" } dd { (tags(&report.groups)) }
                    dt { "Named in rules" } dd { (rules(&report.rules)) }
                    dt { "Reserved" } dd.code[!report.reservations.is_empty()] { (list(&report.reservations.iter().map(reserved).collect::<Vec<_>>())) }
                    dt { "Holds" } dd.code[!report.leases.is_empty()] {
                        @if report.leases.is_empty() { "none" }
                        @for (at, lease) in report.leases.iter().enumerate() {
                            @if at > 0 { ", " }
                            a href=(asked::address("/addresses", &[("address", &lease.address)])) { (parts::printable(&lease.address)) }
                        }
                    }
                    @if let Some(denied) = report.known.as_ref().and_then(|known| known.last_denied) {
                        dt { "Last denied" } dd { (parts::time(denied, &self.config.zone)) }
                    }
                    @if let Known::Not(why) = &self.known { dt { "Blocked" } dd { "not known here: " (parts::printable(why)) } }
                }
            }
        }
    }

    fn connected(&self) -> Markup {
        let zone = &self.config.zone;
        html! {
            @match (&self.report.known, self.report.live.len() as u64) {
                (None, _) => "never, as far as the ledger knows",
                (Some(known), 0) => @match known.last {
                    Some(last) => { "not now; " (parts::count(known.sessions, "session")) ", the last until " (parts::time(last, zone)) }
                    None => "never",
                },
                (Some(known), live) => { span.tag.live { (parts::count(live, "session")) " now" } "; " (grouped(known.sessions)) " in all" }
            }
        }
    }
}

fn list(all: &[String]) -> String {
    if all.is_empty() { "none".to_owned() } else { parts::printable(&all.join(", ")) }
}

/// Names of which each may have a comma.
fn tags(all: &[String]) -> Markup {
    html! {
        @if all.is_empty() { "none" }
        @for name in all { span.tag { (parts::printable(name)) } " " }
    }
}

/// Rules that name the user or a group of theirs, with links.
fn rules(all: &[String]) -> Markup {
    html! {
        @if all.is_empty() { "none" }
        @for name in all { span.tag { (parts::rule(name)) } " " }
    }
}

/// `10.8.0.9 and ::a11c:e on VPN2`.
pub(super) fn reserved(of: &ReservedAddress) -> String {
    let addresses = [of.ipv4.map(|ip| ip.to_string()), of.ipv6.map(|ip| ip.to_string())];
    let server = of.server.as_ref().map_or_else(String::new, |server| format!(" on {server}"));
    addresses.into_iter().flatten().collect::<Vec<_>>().join(" and ") + &server
}
