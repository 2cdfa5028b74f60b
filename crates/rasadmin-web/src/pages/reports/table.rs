//! A report's rows.

use super::{ORDERS, ROWS, Report};
use crate::parts;
use maud::{Markup, html};
use rasadmin_answers::report;
use rasadmin_answers::show::grouped;
use rasadmin_ledger::report::{DecidedBy, GroupBy, SortBy, Total};

/// The table, and what its marks mean. As for people everywhere: the most first, but days in their order.
pub fn table(of: &Report) -> Markup {
    let mut rows: Vec<Total> = of.totals.clone();
    if of.sort.is_empty() && of.by != GroupBy::Day {
        SortBy::Time.sort(&mut rows);
    }
    let all = rows.len();
    rows.truncate(if of.by == GroupBy::Day { all } else { ROWS });
    let any = |amount: fn(&Total) -> u64| rows.iter().any(|total| amount(total) > 0);
    let (estimated, denied) = (any(|total| total.estimated), any(|total| total.denied));
    let users = of.by != GroupBy::User;
    let longest = rows.iter().map(|total| total.seconds).max().unwrap_or(0);
    html! {
        div.scroll tabindex="0" role="region" aria-label="The report" { table {
            thead { tr {
                th scope="col" { (report::title(of.by)) }
                (head(of, "sessions", "sessions"))
                @if users { th.number scope="col" { "users" } }
                (head(of, "time", "connected"))
                th scope="col" { span.sr { "share of the longest" } }
                (head(of, "octets", "received"))
                (head(of, "octets", "sent"))
                @if estimated { th.number scope="col" { "estimated" } }
                @if denied { (head(of, "denied", "denied")) }
            } }
            tbody { @for total in &rows { tr {
                th scope="row" { (name(of.by, total)) }
                td.number { (grouped(total.sessions)) }
                @if users { td.number { (grouped(total.users)) } }
                td.number { (report::connected(total)) }
                td.share { (share(total.seconds, longest)) }
                td.number { (report::octets(total.input_octets, total.input)) }
                td.number { (report::octets(total.output_octets, total.output)) }
                @if estimated { td.number { @if total.estimated > 0 { (grouped(total.estimated)) } } }
                @if denied { td.number { @if total.denied > 0 { (grouped(total.denied)) } } }
            } } }
        } }
        @for line in report::marks(&rows) { p.muted { (line) } }
        @if rows.len() < all { p.muted { "These are the first " (rows.len()) " of " (grouped(all as u64)) " rows. The CSV has all." } }
    }
}

/// A head that sorts, the most first.
fn head(of: &Report, sort: &str, title: &str) -> Markup {
    let default = if of.by == GroupBy::Day { "" } else { ORDERS[1].0 };
    let sorted = if of.sort.is_empty() { default } else { of.sort };
    let address = of.address("/reports", &of.months[1], of.by, sort);
    html! { th.number scope="col" aria-sort=[(sorted == sort).then_some("descending")] { a href=(address) { (title) } } }
}

fn name(by: GroupBy, total: &Total) -> Markup {
    html! {
        @match (by, &total.key) {
            // The key is as people read it. If something in it is escaped, the page of the user has another address.
            (GroupBy::User, Some(user)) if user.matches('\\').count() < 2 => a href={ "/users/" (parts::encoded(user)) } { (parts::printable(user)) },
            (GroupBy::Rule, Some(rule)) if total.decided_by == Some(DecidedBy::Rule) => (parts::rule(rule)),
            _ => (parts::printable(&report::row_name(by, total))),
        }
    }
}

/// A bar beside a number that is there to read.
fn share(part: u64, whole: u64) -> Markup {
    let percent = (100.0 * part as f64 / (whole as f64).max(1.0)).round();
    html! {
        svg.bar viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" {
            rect.track width="100" height="8" {}
            rect.fine width=(percent) height="8" {}
        }
    }
}
