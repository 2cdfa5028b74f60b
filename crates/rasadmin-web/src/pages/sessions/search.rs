//! What is asked for, as the address of the page has it.

use super::columns::COLUMNS;
use crate::fault::Fault;
use crate::pages::asked::{self, given};
use crate::sorted::{By, Order};
use rasadmin_ledger::RowId;
use rasadmin_ledger::report::{Filter, SessionSearch, UserFilter};
use rasadmin_policy::config::Config;
use rasadmin_policy::{Millis, Name};
use serde::Deserialize;
use std::net::IpAddr;

/// The tunnels that can be asked for.
pub const TUNNELS: [&str; 4] = ["SSTP", "IKEv2", "L2TP", "PPTP"];

/// The form of the page. What is empty does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// A user, an address, or a computer.
    pub q: String,
    pub user: String,
    pub address: String,
    pub computer: String,
    pub tunnel: String,
    pub rule: String,
    pub since: String,
    pub until: String,
    /// Anything: only those who are connected now.
    pub live: String,
    /// The order.
    pub sort: String,
    /// The columns that are shown, if not those that the page chooses: `address,port`.
    pub columns: String,
    /// The row after which the page begins: `1795424400000-241`.
    pub after: String,
}

impl Asked {
    /// The fields of the form and their values.
    fn fields(&self) -> [(&'static str, &str); 11] {
        [
            ("q", &*self.q),
            ("user", &self.user),
            ("address", &self.address),
            ("computer", &self.computer),
            ("tunnel", &self.tunnel),
            ("rule", &self.rule),
            ("since", &self.since),
            ("until", &self.until),
            ("live", &self.live),
            ("sort", &self.sort),
            ("columns", &self.columns),
        ]
        .map(|(name, value)| (name, value.trim()))
    }

    /// The order. Only those who are connected were heard, and none of them has ended: a form keeps the order of before.
    ///
    /// # Errors
    /// If there is no such order.
    pub fn order(&self) -> Result<Order, Fault> {
        let order = Order::of(&self.sort)?;
        let has_none = if self.is_live() { By::Ended } else { By::Heard };
        Ok(if order.by == has_none { Order::default() } else { order })
    }

    /// Whether anything is asked for but the whole list.
    pub fn is_restricted(&self) -> bool {
        self.fields().iter().any(|(name, value)| !matches!(*name, "sort" | "columns") && !value.is_empty())
    }

    /// Whether nothing is asked for but who is connected.
    pub fn is_only_live(&self) -> bool {
        self.fields().iter().all(|(name, value)| matches!(*name, "live" | "sort" | "columns") || value.is_empty())
            && self.is_live()
    }

    /// Whether anything is asked for that the first line of the form does not have.
    pub fn has_more(&self) -> bool {
        self.fields().iter().any(|(name, value)| !matches!(*name, "q" | "live" | "sort") && !value.is_empty())
    }

    /// Whether no period is asked for.
    pub fn has_no_time(&self) -> bool {
        given(&self.since).is_none() && given(&self.until).is_none()
    }

    pub fn is_live(&self) -> bool {
        given(&self.live).is_some()
    }

    /// The address of the page that begins after a row.
    pub fn address(&self, after: Option<(Millis, RowId)>) -> String {
        let after = after.map(asked::row_text).unwrap_or_default();
        let mut fields = self.fields().to_vec();
        fields.push(("after", &after));
        asked::address("/sessions", &fields)
    }

    /// The address of the first page in another order.
    pub fn sorted(&self, order: Order) -> String {
        Self { sort: order.word(), ..self.clone() }.address(None)
    }

    /// The address of the first page of sessions that began later than a time of the zone.
    pub fn since(&self, since: String) -> String {
        Self { since, ..self.clone() }.address(None)
    }

    /// The address of this page with other columns.
    pub fn with_columns(&self, columns: &str) -> String {
        let after = asked::row(&self.after).ok().flatten();
        Self { columns: columns.to_owned(), ..self.clone() }.address(after)
    }

    /// The columns that were chosen. None if none were.
    ///
    /// # Errors
    /// If there is no such column.
    pub fn chosen_columns(&self) -> Result<Option<Vec<&'static str>>, Fault> {
        let Some(columns) = given(&self.columns) else { return Ok(None) };
        let words = COLUMNS.map(|column| (column.word, column.word));
        let column = |word| asked::word("column", word, &words).map(|(_, word)| word);
        columns.split(',').map(column).collect::<Result<_, _>>().map(Some)
    }

    /// The search in the ledger.
    ///
    /// # Errors
    /// If something that is asked for is not valid.
    pub fn search(&self, config: &Config, limit: u32) -> Result<SessionSearch, Fault> {
        let (mut user, mut address, mut name) = (given(&self.user), given(&self.address), None);
        if let Some(q) = given(&self.q) {
            let kind = if q.parse::<IpAddr>().is_ok() {
                &mut address
            } else if q.contains(['\\', '@', '/']) {
                &mut user
            } else {
                &mut name
            };
            if kind.replace(q).is_some() {
                let what =
                    format!("`{}` is searched for, and another one in its own field", rasadmin_text::printable(q));
                return Err(Fault::bad_request(what, "leave one of them out"));
            }
        }
        let user = user.map(|user| {
            let remedy = r"write `alice`, `CORP\alice` or `alice@corp.example`";
            UserFilter::typed(user, &config.domains)
                .ok_or_else(|| Fault::bad_request("this is not a user's name", remedy))
        });
        let tunnel = given(&self.tunnel).map(|asked| {
            let known = TUNNELS.into_iter().find(|tunnel| tunnel.eq_ignore_ascii_case(asked));
            let no_tunnel = || Fault::bad_request("there is no such tunnel", "choose one of the list");
            known.map(str::to_owned).ok_or_else(no_tunnel)
        });
        let time = |text: &str| given(text).map(|text| asked::moment(text, &config.zone)).transpose();
        Ok(SessionSearch {
            filter: Filter {
                user: user.transpose()?,
                since: time(&self.since)?,
                until: time(&self.until)?,
                limit: Some(limit),
                ..Filter::default()
            },
            live: self.is_live(),
            tunnel: tunnel.transpose()?,
            address: address.map(str::to_owned),
            computer: given(&self.computer).map(str::to_owned),
            name: name.map(Name::new),
            rule: given(&self.rule).map(str::to_owned),
            after: asked::row(&self.after)?,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::path::Path;

    fn config() -> Config {
        let none = &mut |_: &str| Err("none".to_owned());
        let text = "default_domain = 'CORP'\ndefault.action = 'allow'\ntime_zone = 'Europe/Berlin'\n";
        rasadmin_policy::config::parse("c", text, Path::new("/f"), none).unwrap()
    }

    #[test]
    fn an_address_asks_for_the_same_again() {
        let asked = Asked {
            user: r"CORP\a&b".into(),
            live: "1".into(),
            tunnel: " ".into(),
            after: "5-6".into(),
            ..Asked::default()
        };
        assert_eq!(asked.address(Some((7, 9))), "/sessions?user=CORP%5Ca%26b&live=1&after=7-9");
        let order = Order::of("-user").unwrap();
        assert_eq!(asked.sorted(order), "/sessions?user=CORP%5Ca%26b&live=1&sort=-user");
        assert_eq!(asked.sorted(Order::default()), "/sessions?user=CORP%5Ca%26b&live=1");
        assert_eq!(
            asked.since("2026-11-23T08:30".into()),
            "/sessions?user=CORP%5Ca%26b&since=2026-11-23T08%3A30&live=1"
        );
        assert_eq!(asked.with_columns("port"), "/sessions?user=CORP%5Ca%26b&live=1&columns=port&after=5-6");
        assert!(asked.is_restricted() && !Asked { sort: "user".into(), ..Asked::default() }.is_restricted());
        assert_eq!(Asked::default().address(None), "/sessions");
    }

    #[test]
    fn a_search_has_what_the_form_has() {
        let asked = Asked {
            user: "alice".into(),
            tunnel: "sstp".into(),
            rule: "staff".into(),
            since: "2026-11-23T08:30".into(),
            after: "1795424400000-241".into(),
            ..Asked::default()
        };
        let search = asked.search(&config(), 51).unwrap();
        assert_eq!((search.tunnel.as_deref(), search.after), (Some("SSTP"), Some((1_795_424_400_000, 241))));
        assert_eq!((search.filter.since, search.filter.limit), (Some(1_795_419_000_000), Some(51)), "in the zone");
        assert_eq!(search.filter.user.unwrap().name.as_str(), "ALICE");
        assert_eq!(search.rule.as_deref(), Some("staff"));
    }

    #[test]
    fn one_field_takes_a_user_an_address_or_a_computer() {
        let search = |q: &str| Asked { q: q.into(), ..Asked::default() }.search(&config(), 1).unwrap();
        assert_eq!(search("2001:db8::1").address.as_deref(), Some("2001:db8::1"));
        assert_eq!(search(r"corp\alice").filter.user.unwrap().domain.unwrap().as_str(), "CORP");
        assert_eq!(search(" LAPTOP-7 ").name, Some(Name::new("LAPTOP-7")));
        let two = Asked { q: "10.0.0.1".into(), address: "10.0.0.2".into(), ..Asked::default() };
        assert_eq!(two.search(&config(), 1).unwrap_err().status.as_u16(), 400);
    }

    #[test]
    fn an_order_that_a_list_does_not_have_is_the_usual_one() {
        let order = |sort: &str, live: &str| {
            Asked { sort: sort.into(), live: live.into(), ..Asked::default() }.order().map(Order::word).ok()
        };
        assert_eq!((order("-heard", "1"), order("-heard", "")), (Some("-heard".into()), Some(String::new())));
        assert_eq!((order("ended", ""), order("ended", "1")), (Some("ended".into()), Some(String::new())));
        assert_eq!(order("colour", ""), None);
    }

    #[test]
    fn columns_are_those_that_there_are() {
        let columns = |columns: &str| {
            let asked = Asked { columns: columns.into(), ..Asked::default() };
            asked.chosen_columns().map(|all| all.map(|all| all.join(" "))).map_err(|fault| fault.status.as_u16())
        };
        assert_eq!(columns(" "), Ok(None));
        assert_eq!(columns("address,port"), Ok(Some("address port".to_owned())));
        assert_eq!(columns("address,shoe size"), Err(400));
    }

    #[test]
    fn what_is_not_valid_is_refused_with_a_remedy() {
        let with = |change: fn(&mut Asked, String), value: &str| {
            let mut asked = Asked::default();
            change(&mut asked, value.to_owned());
            asked.search(&config(), 1).map_err(|fault| fault.status.as_u16())
        };
        assert_eq!(with(|asked, value| asked.since = value, "2026-13-01T00:00").unwrap_err(), 400);
        assert_eq!(with(|asked, value| asked.after = value, "x-7").unwrap_err(), 400);
        assert_eq!(with(|asked, value| asked.tunnel = value, "GRE").unwrap_err(), 400);
        assert_eq!(with(|asked, value| asked.user = value, r"\").unwrap_err(), 400);
    }
}
