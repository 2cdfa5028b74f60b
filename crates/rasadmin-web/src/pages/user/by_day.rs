//! What the user has used this month, by day, as quotas count it.

use crate::chart::{Bar, ByDay, Measure, by_day};
use crate::parts;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rasadmin_answers::show::{self, grouped};
use rasadmin_ledger::report::{Filter, Reader, UsageRow, UserFilter};
use rasadmin_policy::{Identity, Millis};

/// The days of this month until today: `2026-11-01` and so on.
pub fn days(now: Millis, zone: &TimeZone) -> Vec<String> {
    let today = zone.to_datetime(show::at(now)).date();
    today
        .first_of_month()
        .series(jiff::Span::new().days(1))
        .take_while(|day| *day <= today)
        .map(|day| day.to_string())
        .collect()
}

/// The use of these days. Days without any have no row.
pub fn read(reader: &Reader, user: &Identity, days: &[String]) -> Result<Vec<UsageRow>, rasadmin_ledger::Error> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(Vec::new()) };
    let who = UserFilter { domain: Some(user.domain.clone()), name: user.name.clone() };
    reader.usage(&Filter { user: Some(who), ..Filter::default() }, first, last, &|day| day.to_owned())
}

/// The days as bars of one measure.
fn bars(usage: &[UsageRow], days: &[String], of: impl Fn(&UsageRow) -> u64, words: fn(u64) -> String) -> Vec<Bar> {
    let bar = |day: &String| {
        let value = usage.iter().filter(|row| row.from == *day).map(&of).sum();
        Bar { day: day.clone(), value, words: words(value) }
    };
    days.iter().map(bar).collect()
}

/// The charts, and the table of both.
pub fn section(usage: &[UsageRow], days: &[String]) -> Markup {
    let time = bars(usage, days, |row| row.seconds, show::duration);
    let octets = bars(usage, days, |row| row.input_octets.saturating_add(row.output_octets), show::octets);
    let table = html! {
        details.figures {
            summary { "The figures as a table" }
            div.scroll tabindex="0" { table {
                thead { tr {
                    th scope="col" { "day" } th.number scope="col" { "sessions" } th.number scope="col" { "connected" }
                    th.number scope="col" { "received" } th.number scope="col" { "sent" }
                } }
                tbody { @for row in usage { tr {
                    th scope="row" { (row.from) }
                    td.number { (grouped(row.sessions)) }
                    td.number { (show::duration(row.seconds)) }
                    td.number { (parts::octets(Some(row.input_octets))) }
                    td.number { (parts::octets(Some(row.output_octets))) }
                } } }
            } }
        }
    };
    html! {
        section.card {
            h2 { "Use this month, by sessions that have ended" }
            @if time.iter().chain(&octets).all(|bar| bar.value == 0) {
                p.empty { "No session of this user has ended this month." }
            } @else {
                (by_day(&ByDay { title: "Connected, by day", measure: Measure::Time, days: &time, table: &html! {} }))
                (by_day(&ByDay { title: "Received and sent, by day", measure: Measure::Octets, days: &octets, table: &table }))
                p.muted { "Quotas also count the sessions that are connected now." }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_days_of_a_month_end_today() {
        // 2026-11-03, 00:30 UTC.
        let days = days(1_793_665_800_000, &TimeZone::UTC);
        assert_eq!(days, ["2026-11-01", "2026-11-02", "2026-11-03"]);
    }
}
