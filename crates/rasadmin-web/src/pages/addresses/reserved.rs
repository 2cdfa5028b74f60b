//! The reservations of the configuration.

use crate::pages::{asked, user};
use crate::parts;
use maud::{Markup, html};
use rasadmin_ledger::report::ReservedAddress;
use rasadmin_policy::addresses::{Plan, Reservation};
use rasadmin_policy::{Identity, Name};
use schemars::JsonSchema;
use serde::Serialize;
use std::net::{Ipv4Addr, Ipv6Addr};

/// How many users a page has.
pub const ROWS: usize = 100;

/// A page of reservations.
pub struct Reserved {
    pub rows: Vec<ReservedRow>,
    /// Whether this is not the first page.
    is_later: bool,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// A user, and the addresses that are reserved for them.
#[derive(Serialize, JsonSchema)]
pub struct ReservedRow {
    /// The user's domain in upper case, as `[domains]` maps it.
    domain: Name,
    /// The user's name in upper case, without the domain.
    name: Name,
    /// The addresses.
    addresses: Vec<ReservedAddress>,
}

impl Reserved {
    /// So many users by name, after one of them.
    pub fn read(plan: &Plan, after: Option<&str>, limit: usize) -> Self {
        let mut all: Vec<_> = plan.reservations.iter().map(|(user, of)| (written(user), user, of)).collect();
        all.retain(|(written, ..)| after.is_none_or(|after| written.as_str() > after));
        all.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        let is_cut = all.len() > limit;
        all.truncate(limit);
        let next = all.last().filter(|_| is_cut).map(|(written, ..)| written.clone());
        let row = |(_, user, of): (String, &Identity, &Vec<Reservation>)| ReservedRow {
            domain: user.domain.clone(),
            name: user.name.clone(),
            addresses: of.iter().map(address).collect(),
        };
        let rows = all.into_iter().map(row).collect();
        Self { rows, is_later: after.is_some(), next }
    }

    /// The list.
    pub fn section(&self) -> Markup {
        let page = |after: &str| asked::address("/addresses", &[("reserved", after)]) + "#reserved";
        html! {
            section.card #reserved {
                h2 { "Reserved" }
                @if self.rows.is_empty() {
                    p.empty { "The configuration reserves no " @if self.is_later { "more " } "addresses. To always give a user the same one, write it under " code { "[[reservations]]" } "." }
                } @else {
                    div.scroll tabindex="0" role="region" aria-label="Reserved" { table {
                        thead { tr { th scope="col" { "user" } th scope="col" { "addresses" } } }
                        tbody { @for ReservedRow { domain, name, addresses } in &self.rows { tr {
                            th scope="row" { (parts::user(Some(domain), Some(name), name)) }
                            td.code.wrap { (parts::text(&addresses.iter().map(user::reserved).collect::<Vec<_>>().join(", "))) }
                        } } }
                    } }
                }
                @if self.next.is_some() || self.is_later {
                    nav.pages aria-label="Pages of reservations" {
                        @if self.is_later { a href=(page("")) { "First page" } }
                        @if let Some(next) = &self.next { a rel="next" href=(page(next)) { "Next page" } }
                    }
                }
            }
        }
    }
}

fn written(user: &Identity) -> String {
    format!("{}\\{}", user.domain.as_str(), user.name.as_str())
}

fn address(of: &Reservation) -> ReservedAddress {
    ReservedAddress {
        server: of.server.clone(),
        ipv4: of.ipv4.and_then(|number| u32::try_from(number).ok()).map(Ipv4Addr::from_bits),
        ipv6: of.ipv6.map(|number| Ipv6Addr::from_bits(number.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_begins_after_the_last_user_of_the_page_before() {
        let user = |number: usize| Identity { domain: Name::new("CORP"), name: Name::new(&format!("U{number:03}")) };
        let of = |number| vec![Reservation { server: None, ipv4: Some(0x0a08_0000 + number as u64), ipv6: None }];
        let reservations = (1..=150).map(|number| (user(number), of(number))).collect();
        let plan = Plan {
            pools: Vec::new(),
            reservations,
            reserved: Default::default(),
            server: Default::default(),
            default_pools: [None; 2],
            sticky: true,
            reservation_held: rasadmin_policy::addresses::ReservationHeld::Pool,
        };
        let first = Reserved::read(&plan, None, ROWS);
        assert_eq!((first.rows.len(), first.next.as_deref()), (100, Some(r"CORP\U100")));
        let second = Reserved::read(&plan, first.next.as_deref(), ROWS);
        assert_eq!((second.rows.len(), second.next.as_deref()), (50, None));
        let shown = second.section().into_string();
        assert!(shown.contains("U101") && shown.contains("10.8.0.101"), "{shown}");
        assert!(Reserved::read(&plan, Some("~"), ROWS).section().into_string().contains("no more"));
    }
}
