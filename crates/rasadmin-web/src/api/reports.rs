//! Reports and use.

use super::asked::{Asked, Kind, LIMIT, SINCE, UNTIL, USER, path, query};
use super::endpoint::{Answered, Endpoint, Shape, inline, json, named, no_such_place, page_of};
use crate::app::App;
use crate::fault::Fault;
use crate::heavy;
use jiff::civil::Date;
use rasadmin_answers::show;
use rasadmin_ledger::report::{Filter, GroupBy, SortBy, Total, UsageRow, month};
use rasadmin_policy::Millis;
use rasadmin_policy::config::file::Period;
use rasadmin_policy::rules::period_dates;

const BY: [(&str, GroupBy); 5] = [
    ("user", GroupBy::User),
    ("group", GroupBy::Group),
    ("tunnel", GroupBy::Tunnel),
    ("day", GroupBy::Day),
    ("rule", GroupBy::Rule),
];

const ORDERS: [(&str, SortBy); 4] =
    [("time", SortBy::Time), ("octets", SortBy::Octets), ("sessions", SortBy::Sessions), ("denied", SortBy::Denied)];

pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: "/api/v1/usage",
        id: "usage",
        title: "Connect time and octets, as quotas count them",
        says: "As `rasadmin usage --json`: by user, then by period. Days are those of the configuration's time zone, and \
               each is counted as a whole. This month, if no time is named.",
        parameters: &[
            query("per", Kind::Word(&["day", "week", "month"]), "What a row sums up. A month, if it is left out."),
            USER,
            SINCE,
            UNTIL,
            LIMIT,
            query(
                "after",
                Kind::UsageRow,
                "Continue after this row: the `next` of the page before, with the same parameters.",
            ),
        ],
        shape: Shape::Page(named::<UsageRow>),
        may_lack: true,
        work: usage,
    },
    Endpoint {
        path: "/api/v1/report/{by}",
        id: "report",
        title: "Sums over a month or another period",
        says: "As `rasadmin report --json`. Of a month, of the time from `since` to `until`, or of what both have in common; \
               of this month, if nothing is named. All rows are there, unless `limit` says otherwise. That of a \
               month may be some minutes old on a large ledger.",
        parameters: &[
            path("by", Kind::Word(&["user", "group", "tunnel", "day", "rule"]), "What a row is."),
            query("month", Kind::Month, "The month, in the configuration's time zone."),
            SINCE,
            UNTIL,
            query(
                "sort",
                Kind::Word(&["time", "octets", "sessions", "denied"]),
                "The most first. In the order of the keys, if it is left out.",
            ),
            query("limit", Kind::Number, "Only the first rows."),
        ],
        shape: Shape::Json(inline::<Vec<Total>>),
        may_lack: true,
        work: report,
    },
];

fn usage(app: &App, asked: &Asked) -> Result<Answered, Fault> {
    let (config, now) = (app.source.config(), show::at(app.source.now()));
    let zone = &config.zone;
    let day = |time| period_dates(Period::Day, time, zone).0;
    let first =
        asked.time("since").map_or_else(|| period_dates(Period::Month, now, zone).0, |since| day(show::at(since)));
    // Until is not included.
    let last = asked.time("until").map_or_else(|| day(now), |until| day(show::at(until.saturating_sub(1))));
    let period = match asked.text("per") {
        Some("day") => Period::Day,
        Some("week") => Period::Week,
        _ => Period::Month,
    };
    let period_of = |day: &str| {
        let noon = day.parse::<Date>().and_then(|date| zone.to_timestamp(date.at(12, 0, 0, 0)));
        noon.map_or_else(|_| day.to_owned(), |noon| period_dates(period, noon, zone).0)
    };
    let days = Filter { user: asked.user(&config)?, ..Filter::default() };
    let mut rows = app.source.ledger(|reader| reader.usage(&days, &first, &last, &period_of))?;
    if let Some(after) = asked.text("after") {
        let begin = rows.iter().position(|row| key(row) == after).ok_or_else(no_such_place)?;
        rows.drain(..=begin);
    }
    page_of(rows, asked.limit(), key)
}

fn key(row: &UsageRow) -> String {
    format!("{}:{}\\{}", row.from, row.domain.as_str(), row.name.as_str())
}

fn report(app: &App, asked: &Asked) -> Result<Answered, Fault> {
    let (config, now) = (app.source.config(), app.source.now());
    let zone = &config.zone;
    let word = asked.needed("by");
    let by = BY.iter().find(|(of, _)| *of == word).map_or(GroupBy::User, |(_, by)| *by);
    let this_month = || zone.to_datetime(show::at(now)).strftime("%Y-%m").to_string();
    let of_month = |text: &str| {
        let unknown = || Fault::bad_request(format_args!("the calendar has no month `{text}`"), "choose another month");
        month(text, zone).ok_or_else(unknown)
    };
    let (since, until) = (asked.time("since"), asked.time("until"));
    let (first, end) = match (asked.text("month"), since, until) {
        (Some(text), ..) => of_month(text)?,
        (None, None, None) => of_month(&this_month())?,
        (None, ..) => (Millis::MIN, now),
    };
    let (from, to) = (since.unwrap_or(first), until.unwrap_or(end));
    let (from, to) = if asked.text("month").is_some() { (from.max(first), to.min(end)) } else { (from, to) };
    if to <= from {
        // In no time, nothing happens.
        return json(&[(); 0]);
    }
    let mut totals = if since.is_none() && until.is_none() {
        // The pages keep those of whole months.
        app.source.sums(by, from, to, heavy::PROGRAM)?.ready()?.totals.clone()
    } else {
        app.source.ledger(|reader| reader.totals(by, from, to, now, &config, zone))?
    };
    if let Some((_, order)) = ORDERS.iter().find(|(word, _)| Some(*word) == asked.text("sort")) {
        order.sort(&mut totals);
    }
    let limit = asked.number("limit").and_then(|limit| usize::try_from(limit).ok());
    totals.truncate(limit.unwrap_or(usize::MAX));
    json(&totals)
}
