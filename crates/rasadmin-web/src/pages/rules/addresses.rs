//! Which address a user gets, if the configuration says so.

use crate::pages::asked;
use crate::parts;
use maud::{Markup, html};
use rasadmin_answers::show::grouped;
use rasadmin_policy::addresses::{Family, PoolId, ReservationHeld, WhenExhausted};
use rasadmin_policy::config::Config;
use rasadmin_policy::rules::GroupId;

/// The order in which an address is chosen. Nothing if RRAS's own addresses are kept for everybody.
pub fn section(config: &Config) -> Markup {
    let plan = &config.addresses;
    if plan.pools.is_empty() && plan.reservations.is_empty() {
        return html! {};
    }
    let rules: Vec<_> = config.rules.described().into_iter().filter(|rule| rule.pools != [None; 2]).collect();
    let groups: Vec<_> = config
        .groups
        .names()
        .zip(0..)
        .map(|(name, at)| (name, <[_; 2]>::from(config.groups.pools(GroupId(at)))))
        .filter(|(_, pools)| *pools != [None; 2])
        .collect();
    html! {
        section.card #addresses {
            h2 { "Which address a user gets: the first that applies" a.more href="/addresses" { "addresses" } }
            ol.plan {
                @if !plan.reservations.is_empty() {
                    li {
                        "the user's reserved address: " a href="/addresses#reserved" { (grouped(plan.reservations.len() as u64)) " users have one" }
                        @if plan.reservation_held == ReservationHeld::Refuse { "; while another session holds it, the connection ends" }
                    }
                }
                @for rule in &rules { li { "allowed by " (rule.rule.map(parts::rule).unwrap_or_default()) ": " (pools(config, rule.pools)) } }
                @for (group, of) in &groups { li { "member of the group " (parts::printable(group)) ": " (pools(config, *of)) } }
                @if plan.default_pools != [None; 2] { li { "everybody else: " (pools(config, plan.default_pools)) } }
                @else { li { "everybody else: RRAS's own address is kept" } }
            }
            @for pool in &plan.pools {
                @let next = pool.next.and_then(|id| plan.pools.get(id.0 as usize));
                @if let Some(next) = next { p.muted { "If the pool " (parts::printable(&pool.name)) " is exhausted, " (parts::printable(&next.name)) " serves." } }
                @else if pool.when_exhausted == WhenExhausted::KeepOffer { p.muted { "If the pool " (parts::printable(&pool.name)) " is exhausted, RRAS's own address is kept." } }
            }
            @if plan.sticky { p.muted { "A user gets the same address again, if it is free." } }
        }
    }
}

fn pools(config: &Config, of: [Option<PoolId>; 2]) -> Markup {
    let found = of.into_iter().flatten().filter_map(|id| config.addresses.pools.get(id.0 as usize));
    html! {
        @for (at, pool) in found.enumerate() {
            @if at > 0 { ", " }
            a href=(asked::address("/addresses", &[("pool", &pool.name)])) { "pool " (parts::printable(&pool.name)) }
            @if pool.family == Family::Ipv6 { " (IPv6)" }
        }
    }
}
