//! A month, summed up: by user, group, tunnel, day or rule.

mod table;

use super::asked::{self, Asked};
use super::being;
use crate::app::{App, Shared};
use crate::chart::{Bar, ByDay, Measure, by_day};
use crate::fault::Fault;
use crate::heavy::{self, Answer, Share};
use crate::visitor::Visitor;
use crate::{layout, parts};
use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rasadmin_answers::{report, show};
use rasadmin_ledger::report::{GroupBy, SortBy, Total, month};
use rasadmin_policy::Millis;
use serde::Deserialize;
use std::time::Duration;

/// How many rows the table has. The CSV has all.
const ROWS: usize = 100;

/// What a report sums by, by its word in the address.
const BY: [(&str, GroupBy); 5] = [
    ("user", GroupBy::User),
    ("group", GroupBy::Group),
    ("tunnel", GroupBy::Tunnel),
    ("day", GroupBy::Day),
    ("rule", GroupBy::Rule),
];

/// The orders. The first is that of the report itself.
const ORDERS: [(&str, Option<SortBy>); 5] = [
    ("", None),
    ("time", Some(SortBy::Time)),
    ("octets", Some(SortBy::Octets)),
    ("sessions", Some(SortBy::Sessions)),
    ("denied", Some(SortBy::Denied)),
];

/// What the page is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Query {
    /// The month: `2026-11`.
    month: String,
    /// `user` and so on.
    by: String,
    /// The order.
    sort: String,
}

/// A report.
struct Report {
    server: String,
    zone: TimeZone,
    now: Millis,
    /// When the sums were made. None if they are being made.
    made: Option<Millis>,
    /// How far they are.
    share: Share,
    /// The month, and the months before and after it.
    months: [String; 3],
    from: Millis,
    to: Millis,
    by: GroupBy,
    /// The order that was asked for.
    sort: &'static str,
    /// All rows, by their keys, or in the order that was asked for.
    totals: Vec<Total>,
}

/// The page.
pub async fn page(
    State(app): Shared,
    Extension(visitor): Extension<Visitor>,
    query: Asked<Query>,
) -> Result<Markup, Fault> {
    let query = asked::query(query)?;
    let report = app.work(move |app| Report::read(app, &query, heavy::PAGE)).await?;
    let page = if report.made.is_some() { layout::page } else { layout::unfinished };
    Ok(page(&visitor, &report.server, "/reports", &report.title(), &report.content()))
}

/// The same as a file, with all rows.
pub async fn csv(State(app): Shared, query: Asked<Query>) -> Result<Response, Fault> {
    let query = asked::query(query)?;
    let report = app.work(move |app| Report::read(app, &query, heavy::PROGRAM)).await?;
    if report.made.is_none() {
        let what = format!("the figures are being made: {}", report.share.words());
        return Err(Fault::unavailable(what, "try again in some seconds"));
    }
    let name = format!("attachment; filename=\"rasadmin-{}-by-{}.csv\"", report.months[1], report::title(report.by));
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, report::csv(report.by, &report.totals)).into_response())
}

/// The month of a time: `2026-11`.
fn month_of(time: Millis, zone: &TimeZone) -> String {
    zone.to_datetime(show::at(time)).strftime("%Y-%m").to_string()
}

/// A month for people: `November 2026`.
fn month_in_words(month: &str) -> String {
    let first: Option<jiff::civil::Date> = format!("{month}-01").parse().ok();
    first.map_or_else(|| month.to_owned(), |day| day.strftime("%B %Y").to_string())
}

/// This month, as the page shows it first.
pub fn this_month(app: &App) -> Option<(Millis, Millis)> {
    let config = app.source.config();
    month(&month_of(app.source.now(), &config.zone), &config.zone)
}

impl Report {
    fn read(app: &App, query: &Query, patience: Duration) -> Result<Self, Fault> {
        let (config, now) = (app.source.config(), app.source.now());
        let zone = config.zone.clone();
        let (_, by) = asked::word("report by", &query.by, &BY)?;
        let (sort, order) = asked::word("order", &query.sort, &ORDERS)?;
        let asked = asked::given(&query.month).map_or_else(|| month_of(now, &zone), str::to_owned);
        let not_a_month = || {
            let what = format!("`{}` is not a month", parts::printable(&asked));
            Fault::bad_request(what, "write one like 2026-11")
        };
        let (from, to) = month(&asked, &zone).ok_or_else(not_a_month)?;
        let (made, mut totals, share) = match app.source.sums(by, from, to, patience)? {
            Answer::Ready(sums) => (Some(sums.made), sums.totals.clone(), Share::default()),
            Answer::Being(share) => (None, Vec::new(), share),
        };
        if let Some(order) = order {
            order.sort(&mut totals);
        }
        let months = [from - 1, from, to].map(|time| month_of(time, &zone));
        let server = config.server.as_ref().map(ToString::to_string).unwrap_or_default();
        Ok(Self { server, zone, now, made, share, months, from, to, by, sort, totals })
    }

    fn title(&self) -> String {
        format!("{} by {}", self.months[1], report::title(self.by))
    }

    /// The address of a report, or of its file.
    fn address(&self, path: &str, month: &str, by: GroupBy, sort: &str) -> String {
        let by = if by == GroupBy::User { "" } else { report::title(by) };
        asked::address(path, &[("month", month), ("by", by), ("sort", sort)])
    }

    fn content(&self) -> Markup {
        let [before, this, after] = &self.months;
        let month = |month: &str| self.address("/reports", month, self.by, self.sort);
        html! {
            h1 { "Report of " (month_in_words(this)) " by " (report::title(self.by)) }
            form.filter method="get" action="/reports" {
                label { "Month" input type="month" name="month" value=(this) pattern="[0-9]{4}-[0-9]{2}" placeholder="2026-11" required; }
                label { "By" select name="by" {
                    @for (word, by) in BY { option value=(word) selected[by == self.by] { (word) } }
                } }
                button type="submit" { "Show" }
                @if rasadmin_ledger::report::month(before, &self.zone).is_some() { a.button.plain rel="prev" href=(month(before)) { "← " (month_in_words(before)) } }
                @if self.to <= self.now { a.button.plain rel="next" href=(month(after)) { (month_in_words(after)) " →" } }
                a.button.plain href=(self.address("/reports.csv", this, self.by, self.sort)) { "CSV" }
            }
            @match self.made {
                Some(made) => div #live { (self.report(made)) }
                None => {
                    @let address = self.address("/reports", this, self.by, self.sort);
                    div #live data-live=(address) data-every=(being::EVERY) { (being::card(self.share, &address)) }
                }
            }
        }
    }

    fn report(&self, made: Millis) -> Markup {
        html! {
            section.card {
                h2.sr { "The report" }
                @if self.totals.is_empty() { (self.nothing()) } @else { (self.chart()) (table::table(self)) }
            }
            p.muted.foot {
                (parts::time(self.from, &self.zone)) " to " (parts::time(self.to, &self.zone)) ", "
                (self.zone.iana_name().unwrap_or("UTC")) ", as of " (parts::short_time(made, self.now, &self.zone))
                "; received and sent: by the server, in sessions that have ended"
            }
        }
    }

    fn nothing(&self) -> Markup {
        html! {
            @if self.from > self.now {
                p.empty { "This month is still to come: nothing has happened in it. Choose an earlier month." }
            } @else {
                p.empty { "The ledger has no session and no denial of this month. Choose another month; sessions of before rasadmin can be imported with " code { "rasadmin import" } "." }
            }
        }
    }

    /// A bar for each day of a report by day.
    fn chart(&self) -> Markup {
        if self.by != GroupBy::Day {
            return html! {};
        }
        let days = days(self.from, self.to.min(self.now.saturating_add(1)), &self.zone);
        let bars: Vec<_> = days
            .into_iter()
            .map(|day| {
                let total = self.totals.iter().find(|total| total.key.as_deref() == Some(&day));
                let words = total.map_or_else(
                    || "nobody".to_owned(),
                    |total| format!("{}, {}", report::connected(total), parts::count(total.sessions, "session")),
                );
                Bar { day, value: total.map_or(0, |total| total.seconds), words }
            })
            .collect();
        by_day(&ByDay { title: "Connected, by day", measure: Measure::Time, days: &bars, table: &html! {} })
    }
}

/// The days from one time to another.
fn days(from: Millis, to: Millis, zone: &TimeZone) -> Vec<String> {
    let [first, last] = [from, to.saturating_sub(1)].map(|time| zone.to_datetime(show::at(time)).date());
    first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last).map(|day| day.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_has_all_its_days() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a time zone");
        let (from, to) = month("2026-10", &zone).expect("a month");
        let all = days(from, to, &zone);
        assert_eq!((all.len(), all[0].as_str(), all[30].as_str()), (31, "2026-10-01", "2026-10-31"));
        assert_eq!(days(from, from + 1, &zone), ["2026-10-01"]);
        assert_eq!(month_in_words("2026-10"), "October 2026");
        assert_eq!((month_of(from - 1, &zone), month_of(to, &zone)), ("2026-09".to_owned(), "2026-11".to_owned()));
    }
}
