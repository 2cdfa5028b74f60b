//! Charts, as SVG, with the same figures as a table for those who cannot see them.

mod by_day;
mod frame;
mod time_axis;
mod traffic;

pub use by_day::{Bar, ByDay, Measure, by_day};
pub use traffic::{Interval, traffic};

use crate::parts::printable;
use frame::{Frame, HEIGHT, WIDTH};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rasadmin_answers::show;
use rasadmin_policy::Millis;

/// Counts of one kind over time.
pub struct Series {
    /// The kind.
    pub name: String,
    /// One count for each time.
    pub counts: Vec<u64>,
}

/// What a chart over time shows.
pub struct OverTime<'a> {
    /// What it is about.
    pub title: &'a str,
    /// What is counted: `sessions`.
    pub unit: &'a str,
    /// The times of the counts, evenly apart.
    pub times: &'a [Millis],
    /// The kinds, one upon the other.
    pub series: &'a [Series],
    /// Where the axis of time ends, if that is after the last count.
    pub until: Millis,
    /// For the axis.
    pub zone: &'a TimeZone,
}

/// Draws kinds one upon the other, each as an area.
pub fn over_time(chart: &OverTime<'_>) -> Markup {
    let OverTime { title, unit, times, series, until, zone } = *chart;
    let totals: Vec<u64> =
        (0..times.len()).map(|at| series.iter().filter_map(|one| one.counts.get(at)).sum()).collect();
    let top = nice_top(totals.iter().copied().max().unwrap_or(0));
    let (first, last) = (times.first().copied().unwrap_or(0), until.max(times.last().copied().unwrap_or(0)));
    let x = |time: Millis| WIDTH * share(time - first, last - first);
    let y = |count: u64| HEIGHT * (1.0 - share(i64::try_from(count).unwrap_or(i64::MAX), top.cast_signed()));
    let clock = |time: Millis| zone.to_datetime(show::at(time)).strftime("%H:%M").to_string();
    let step = times.get(1).map_or(1, |second| second - first).max(1);
    html! {
        figure.chart {
            figcaption {
                span.title { (title) }
                span.legend { @for (number, one) in series.iter().enumerate() {
                    span class={ "key key-" (number) } { (printable(&one.name)) }
                } }
            }
            (Frame {
                title,
                up: ticks(top).map(|tick| (y(tick), tick.to_string())).collect(),
                along: hours(first, last, zone).into_iter().map(|time| (x(time), clock(time))).collect(),
                inside: &html! {
                    @for number in (0..series.len()).rev() {
                        path class={ "area area-" (number) } d=(area(&series[..=number], times, &x, &y)) {}
                    }
                    @for (at, time) in times.iter().enumerate() {
                        rect.hover x=(rounded(x(*time))) y="0" width=(rounded(WIDTH * share(step, last - first))) height=(HEIGHT) {
                            title { (clock(*time)) ": " (totals[at]) " " (unit) (parts(series, at)) }
                        }
                    }
                },
            }.draw())
            details.figures {
                summary { "The figures as a table" }
                div.scroll tabindex="0" { table {
                    thead { tr { th scope="col" { "time" } @for one in series { th.number scope="col" { (printable(&one.name)) } } th.number scope="col" { "all" } } }
                    tbody { @for (at, time) in times.iter().enumerate() { tr {
                        th scope="row" { (clock(*time)) }
                        @for one in series { td.number { (one.counts.get(at).copied().unwrap_or(0)) } }
                        td.number { (totals[at]) }
                    } } }
                } }
            }
        }
    }
}

/// A bar of a share, with its words beside it.
pub fn bar(part: u64, whole: u64, words: &str) -> Markup {
    let percent = (100.0 * part as f64 / (whole as f64).max(1.0)).min(100.0);
    let level = if percent > 90.0 { "high" } else { "fine" };
    html! {
        svg.bar viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label=(words) {
            rect.track width="100" height="8" {}
            rect class=(level) width=(rounded(percent)) height="8" {}
        }
    }
}

/// The kinds at one time, in words.
fn parts(series: &[Series], at: usize) -> String {
    let parts: Vec<_> = series
        .iter()
        .filter_map(|one| Some((printable(&one.name), one.counts.get(at).copied().filter(|count| *count > 0)?)))
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    if parts.len() < 2 { String::new() } else { format!(" ({})", parts.join(", ")) }
}

/// The area under the sum of these kinds: a step for each count.
fn area(series: &[Series], times: &[Millis], x: &dyn Fn(Millis) -> f64, y: &dyn Fn(u64) -> f64) -> String {
    use std::fmt::Write;
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return String::new() };
    let mut path = format!("M{} {}", rounded(x(*first)), rounded(y(0)));
    for (at, time) in times.iter().enumerate() {
        let sum: u64 = series.iter().filter_map(|one| one.counts.get(at)).sum();
        let next = times.get(at + 1).unwrap_or(last);
        let _ = write!(path, "L{} {1}L{2} {1}", rounded(x(*time)), rounded(y(sum)), rounded(x(*next))); // Cannot fail.
    }
    let _ = write!(path, "L{} {}Z", rounded(x(*last)), rounded(y(0)));
    path
}

fn share(part: i64, whole: i64) -> f64 {
    part as f64 / (whole as f64).max(1.0)
}

/// To a tenth: finer is not seen, and longer.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// The end of an axis, no less than the highest count. Its quarters are 1, 2 or 5 times a power of ten.
fn nice_top(highest: u64) -> u64 {
    let powers = (0..18).map(|power| 10_u64.pow(power));
    let tops = powers.flat_map(|power| [1, 2, 5].map(|times| power.saturating_mul(4 * times)));
    tops.into_iter().find(|top| highest <= *top).unwrap_or(highest)
}

fn ticks(top: u64) -> impl Iterator<Item = u64> {
    (0..=4).map(move |quarter| top / 4 * quarter)
}

/// Full hours of a period, some hours apart, so that about six fit.
fn hours(first: Millis, last: Millis, zone: &TimeZone) -> Vec<Millis> {
    const HOUR: Millis = 3_600_000;
    let apart = [1, 2, 3, 4, 6, 12, 24].into_iter().find(|apart| (last - first) / (apart * HOUR) <= 8).unwrap_or(24);
    let all = (0..=(last - first) / HOUR).map(|hour| first + hour * HOUR);
    all.filter(|time| i64::from(zone.to_datetime(show::at(*time)).hour()) % apart == 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number_and_holds_everything() {
        assert_eq!([0, 3, 4, 5, 9, 21, 41, 101].map(nice_top), [4, 4, 4, 8, 20, 40, 80, 200]);
        for highest in 0..3000 {
            let top = nice_top(highest);
            assert!(top >= highest && top.is_multiple_of(4), "{highest}: {top}");
        }
    }

    #[test]
    fn an_area_is_a_step_for_each_count() {
        let series = [Series { name: "SSTP".into(), counts: vec![1, 3] }];
        let path = area(&series, &[0, 10], &|time| time as f64, &|count| count as f64);
        assert_eq!(path, "M0 0L0 1L10 1L10 3L10 3L10 0Z");
    }
}
