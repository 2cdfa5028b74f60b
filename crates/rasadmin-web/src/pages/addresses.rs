//! The pools, the addresses that are held, those that are reserved, and who had one.

pub mod reserved;
mod who_had;

use super::asked::{self, Asked};
use crate::app::{App, Shared};
use crate::fault::Fault;
use crate::visitor::Visitor;
use crate::{changes, chart, layout, parts};
use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};
use rasadmin_answers::show::grouped;
use rasadmin_ledger::report::{LeaseRow, ListPage, PoolUse};
use rasadmin_policy::config::Config;
use reserved::Reserved;
use serde::Deserialize;
use std::sync::Arc;
use who_had::WhoHad;

/// How many leases a page has.
const ROWS: u32 = 100;

/// What the page is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Query {
    /// Leases of this pool only.
    pool: String,
    /// The last lease of the page before.
    after: String,
    /// The last user of the page of reservations before.
    reserved: String,
    /// Who had this address.
    address: String,
    /// At this time.
    at: String,
}

struct Addresses {
    server: String,
    config: Arc<Config>,
    query: Query,
    pools: Vec<PoolUse>,
    leases: ListPage<LeaseRow, i64>,
    reserved: Reserved,
    who_had: Option<WhoHad>,
}

/// The page.
pub async fn page(
    State(app): Shared,
    Extension(visitor): Extension<Visitor>,
    query: Asked<Query>,
) -> Result<Markup, Fault> {
    let query = asked::query(query)?;
    let addresses = app.work(|app| Addresses::read(app, query)).await?;
    Ok(layout::page(&visitor, &addresses.server, "/addresses", "Addresses", &addresses.content(&visitor)))
}

impl Addresses {
    fn read(app: &App, query: Query) -> Result<Self, Fault> {
        let config = app.source.config();
        let pool = asked::given(&query.pool);
        if let Some(pool) = pool.filter(|pool| !config.addresses.pools.iter().any(|of| of.name == **pool)) {
            let what = format!("the configuration has no pool `{}`", parts::printable(pool));
            return Err(Fault::bad_request(what, "choose one of those on the page of addresses"));
        }
        let no_place = |_| {
            Fault::bad_request(
                "the address does not say where the page begins",
                "begin with the first page of /addresses",
            )
        };
        let after = asked::given(&query.after).map(|after| after.parse::<i64>().map_err(no_place)).transpose()?;
        let question = who_had::question(&query.address, &query.at, &config.zone)?;
        let (held, leases, who_had) = app.source.ledger(|reader| {
            let who_had = question.map(|question| WhoHad::read(reader, question)).transpose()?;
            Ok((reader.pool_use()?, reader.lease_page(pool, after, ROWS)?, who_had))
        })?;
        let mut pools = PoolUse::of(&config.addresses.pools, &held);
        pools.sort_by(|one, other| other.percent().total_cmp(&one.percent()));
        let reserved = Reserved::read(
            &config.addresses,
            Some(query.reserved.as_str()).filter(|after| !after.is_empty()),
            reserved::ROWS,
        );
        let server = config.server.as_ref().map(ToString::to_string).unwrap_or_default();
        Ok(Self { server, config, query, pools, leases, reserved, who_had })
    }

    fn content(&self, visitor: &Visitor) -> Markup {
        html! {
            h1 { "Addresses" }
            section.card #who-had { (who_had::section(&self.query.address, &self.query.at, self.who_had.as_ref(), &self.config.zone)) }
            (self.pools())
            (self.leases(visitor))
            (self.reserved.section())
            p.muted.foot { "times: " (self.config.zone.iana_name().unwrap_or("UTC")) }
        }
    }

    fn pools(&self) -> Markup {
        html! {
            section.card {
                h2 { "Pools" }
                @if self.pools.is_empty() {
                    p.empty { "The configuration has no pools: RRAS's own addresses are kept. To give addresses from a pool, write " code { "[pools.staff]" } " into the configuration." }
                } @else {
                    ul.pools { @for pool in &self.pools { li {
                        @let words = format!("{} of {} held, {} free, {:.1} % full", grouped(pool.held), grouped(pool.size), grouped(pool.free()), pool.percent());
                        a.name href=(asked::address("/addresses", &[("pool", &pool.name)])) { (parts::printable(&pool.name)) }
                        " (IPv" (pool.family) ")"
                        (chart::bar(pool.held, pool.size, &words))
                        span.muted { (words) }
                    } } }
                }
            }
        }
    }

    fn leases(&self, visitor: &Visitor) -> Markup {
        html! {
            section.card #held {
                h2 { "Held now" }
                @if !self.config.addresses.pools.is_empty() { (self.filter()) }
                @if self.leases.rows.is_empty() {
                    @if self.query.after.trim().is_empty() { p.empty { "No address is held" @if let Some(pool) = asked::given(&self.query.pool) { " of the pool " (parts::printable(pool)) } ". It appears here within two seconds after a user has got it." } }
                    @else { p.empty { "No more addresses are held." } }
                } @else {
                    div.scroll tabindex="0" role="region" aria-label="Held now" { (who_had::table(&self.leases.rows, &self.config.zone, false, changes::are_for(visitor))) }
                }
                (self.pages())
            }
        }
    }

    /// Chooses a pool.
    fn filter(&self) -> Markup {
        let mut names: Vec<_> = self.config.addresses.pools.iter().map(|pool| pool.name.as_str()).collect();
        names.dedup();
        html! {
            form.filter method="get" action="/addresses" {
                label { "Pool"
                    select name="pool" {
                        option value="" { "all, and RRAS's own" }
                        @for name in names { option value=(name) selected[self.query.pool.trim() == name] { (parts::printable(name)) } }
                    }
                }
                button type="submit" { "Show" }
            }
        }
    }

    fn pages(&self) -> Markup {
        let page =
            |after: &str| asked::address("/addresses", &[("pool", self.query.pool.trim()), ("after", after)]) + "#held";
        let is_later = !self.query.after.trim().is_empty();
        html! {
            @if self.leases.next.is_some() || is_later {
                nav.pages aria-label="Pages of held addresses" {
                    @if is_later { a href=(page("")) { "First page" } }
                    @if let Some(next) = self.leases.next { a rel="next" href=(page(&next.to_string())) { "Next page" } }
                }
            }
        }
    }
}
