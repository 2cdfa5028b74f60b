//! What happens now.

pub mod attention;
pub mod day;
pub mod health;

use super::{asked, decisions};
use crate::app::{App, Shared};
use crate::fault::Fault;
use crate::visitor::Visitor;
use crate::{chart, layout, parts};
use attention::{Attention, Facts};
use axum::Extension;
use axum::extract::State;
use day::Day;
use health::Health;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rasadmin_answers::show::{self, grouped};
use rasadmin_ledger::report::{Filter, PoolUse, Refused, SessionRow, decided_by_in_words};
use rasadmin_pipe::Request;
use rasadmin_policy::Millis;

/// How many of the latest sessions are listed.
const LATEST: u32 = 10;

/// What the page shows.
struct Now {
    now: Millis,
    zone: TimeZone,
    server: String,
    day: Day,
    refused: Vec<Refused>,
    pools: Vec<PoolUse>,
    latest: Vec<SessionRow>,
    attention: Vec<Attention>,
    health: Health,
}

/// The page.
pub async fn page(State(app): Shared, Extension(visitor): Extension<Visitor>) -> Result<Markup, Fault> {
    let now = app.work(Now::read).await?;
    Ok(layout::page(&visitor, &now.server, "/", "Now", &now.content()))
}

/// Reads what the page needs, so that the first visitor does not wait for the disk.
pub fn warm(app: &App) {
    drop(Now::read(app));
}

impl Now {
    fn read(app: &App) -> Result<Self, Fault> {
        let (config, now) = (app.source.config(), app.source.now());
        let zone = config.zone.clone();
        let midnight = day::midnight(now, &zone);
        let latest = Filter { limit: Some(LATEST), ..Filter::default() };
        let (day, latest, facts) = app.source.ledger(|reader| {
            let facts = Facts::read(reader, &config, now)?;
            Ok((Day::read(reader, midnight, now)?, reader.sessions(&latest, true)?, facts))
        })?;
        let service = app.source.service(&Request::Status {});
        let attention = attention::all(&app.source, &service, &facts, now);
        let Facts { recorded, refused, mut pools } = facts;
        // The fullest first: that is what people look for here.
        pools.sort_by(|one, other| other.percent().total_cmp(&one.percent()));
        let health = Health::of(&app.source, service.as_ref().ok(), &recorded);
        let server = config.server.as_ref().map(ToString::to_string).unwrap_or_default();
        Ok(Self { now, zone, server, day, refused, pools, latest, attention, health })
    }

    fn content(&self) -> Markup {
        html! {
            div #live data-live="/" {
                h1.sr { "Now" }
                (self.figures())
                (attention::list(&self.attention))
                section.card.wide { (self.day.chart(self.now, &self.zone)) }
                div.columns {
                    div.stack { (self.latest()) (health::card(&self.health, self.now, &self.zone)) }
                    div.stack { (self.refusals()) (self.pools()) }
                }
                p.muted.foot { "as of " (parts::time(self.now, &self.zone)) " · " (self.zone.iana_name().unwrap_or("UTC")) }
            }
        }
    }

    fn figures(&self) -> Markup {
        let refusals: u64 = self.refused.iter().map(|refused| refused.times).sum();
        let Day { live, began, ended, most, input_octets, output_octets, .. } = &self.day;
        html! {
            dl.figures-row {
                div { dt { "Connected" } dd { (grouped(*live)) } dd.sub { "most today: " (grouped(*most)) } }
                div { dt { "Began today" } dd { (grouped(*began)) } dd.sub { (grouped(*ended)) " ended" } }
                div { dt { "Denied today" } dd { (grouped(refusals)) } dd.sub { a href="#refusals" { "by rule" } } }
                div { dt { "Traffic of today's ended sessions" }
                    dd { (show::octets(input_octets.saturating_add(*output_octets))) }
                    dd.sub { (show::octets(*input_octets)) " received, " (show::octets(*output_octets)) " sent" }
                }
            }
        }
    }

    fn latest(&self) -> Markup {
        html! {
            section.card {
                h2 { "Latest connections" a.more href="/sessions?live=1" { "all " (grouped(self.day.live)) } }
                @if self.latest.is_empty() {
                    p.empty { "Nobody is connected. A user who connects appears here within two seconds." }
                } @else {
                    div.scroll tabindex="0" { table {
                        thead { tr { th scope="col" { "user" } th scope="col" { "since" } th scope="col" { "address" } th scope="col" { "tunnel" } th scope="col" { "from" } } }
                        tbody { @for session in &self.latest { tr {
                            th scope="row" { (parts::user(session.domain.as_ref(), session.name.as_ref(), &session.user_name)) }
                            td { a href={ "/sessions/" (session.id) } { (parts::short_time(session.acct_start_time, self.now, &self.zone)) } }
                            td.code { (parts::text(session.framed_ip_address.as_deref().unwrap_or_default())) }
                            td { (parts::text(session.tunnel_type.as_deref().unwrap_or_default())) }
                            td.code { (parts::text(&session.calling_station_id)) }
                        } } }
                    } }
                }
            }
        }
    }

    fn refusals(&self) -> Markup {
        let since = asked::moment_text(day::midnight(self.now, &self.zone), &self.zone);
        html! {
            section.card #refusals {
                h2 { "Denied today" a.more href=(decisions::denials("", &since)) { "all decisions" } }
                @if self.refused.is_empty() {
                    p.empty { "Nobody was denied today." }
                } @else {
                    div.scroll tabindex="0" { table {
                        thead { tr { th scope="col" { "by" } th scope="col" { "because" } th.number scope="col" { "times" } th scope="col" { "last" } } }
                        tbody { @for refused in &self.refused { tr {
                            @let by = decided_by_in_words(refused.rule.as_deref(), refused.refusal.as_deref());
                            th scope="row" { a href=(decisions::denials(&by, &since)) { (parts::printable(&by)) } }
                            td.wrap { (parts::text(refused.reason.as_deref().unwrap_or_default())) }
                            td.number { (grouped(refused.times)) }
                            td { (parts::short_time(refused.last, self.now, &self.zone)) }
                        } } }
                    } }
                }
            }
        }
    }

    fn pools(&self) -> Markup {
        html! {
            section.card {
                h2 { "Address pools" a.more href="/addresses" { "addresses" } }
                @if self.pools.is_empty() {
                    p.empty { "The configuration has no pools: RRAS's own addresses are kept." }
                } @else {
                    ul.pools { @for pool in &self.pools { li {
                        @let words = format!("{} of {} in use, {:.1} %", grouped(pool.held), grouped(pool.size), pool.percent());
                        span.name { (parts::printable(&pool.name)) @if pool.family == 6 { " (IPv6)" } }
                        (chart::bar(pool.held, pool.size, &words))
                        span.muted { (words) }
                    } } }
                }
            }
        }
    }
}
