//! Traffic in two directions over time, as rates.

use super::frame::{Frame, HEIGHT, WIDTH};
use super::time_axis::TimeAxis;
use super::{rounded, share, ticks};
use crate::parts;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rasadmin_answers::show;
use rasadmin_policy::Millis;
use std::fmt::Write;

/// The directions, as the server sees them.
const DIRECTIONS: [&str; 2] = ["received", "sent"];

/// What passed between two times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// When it begins.
    pub from: Millis,
    /// When it ends, which is later.
    pub to: Millis,
    /// Octets that passed in it: received, sent.
    pub octets: [u64; 2],
}

impl Interval {
    /// The mean rate of a direction, in bits per second.
    fn rate(&self, direction: usize) -> u64 {
        let span = u128::from(self.to.abs_diff(self.from).max(1));
        u64::try_from(u128::from(self.octets[direction]) * 8_000 / span).unwrap_or(u64::MAX)
    }
}

/// Draws the rates of intervals, each of which begins where the one before it ends.
pub fn traffic(intervals: &[Interval], zone: &TimeZone) -> Markup {
    let (Some(first), Some(last)) = (intervals.first(), intervals.last()) else { return html! {} };
    let (from, to) = (first.from, last.to);
    let top = top(intervals.iter().flat_map(|one| [one.rate(0), one.rate(1)]).max().unwrap_or(0));
    let (unit, of_unit) = unit(top / 4);
    let x = |time: Millis| rounded(WIDTH * share(time - from, to - from));
    let y = |rate: u64| rounded(HEIGHT * (1.0 - rate as f64 / top as f64));
    let axis = TimeAxis::of(from, to, zone);
    let title = format!("Mean rate, in {unit}");
    html! {
        figure.chart {
            figcaption {
                span.title { (title) }
                span.legend { @for (number, name) in DIRECTIONS.iter().enumerate() { span class={ "key key-" (number) } { (name) } } }
            }
            (Frame {
                title: &title,
                up: ticks(top).map(|tick| (y(tick), (tick / of_unit).to_string())).collect(),
                along: axis.ticks.iter().map(|(time, words)| (x(*time), words.clone())).collect(),
                inside: &html! {
                    @for direction in 0..2 { path class={ "rate rate-" (direction) } d=(steps(intervals, direction, &x, &y)) {} }
                    @for one in intervals {
                        rect.hover x=(x(one.from)) y="0" width=(rounded(x(one.to) - x(one.from))) height=(HEIGHT) { title { (in_words(one, &axis)) } }
                    }
                },
            }.draw())
            details.figures {
                summary { "The figures as a table" }
                div.scroll tabindex="0" { table {
                    thead { tr { th scope="col" { "time" } @for name in DIRECTIONS { th.number scope="col" { (name) } th.number scope="col" { "rate" } } } }
                    tbody { @for one in intervals { tr {
                        th scope="row" { (axis.part(one.from, one.to)) }
                        @for direction in 0..2 {
                            td.number { (parts::octets(Some(one.octets[direction]))) }
                            td.number { (rate(one.rate(direction))) }
                        }
                    } } }
                } }
            }
        }
    }
}

/// `10:05 to 10:10: received 1.2 Mbit/s (45.0 MiB), sent 16.0 kbit/s (600.0 KiB)`.
fn in_words(one: &Interval, axis: &TimeAxis<'_>) -> String {
    let mut words = format!("{}:", axis.part(one.from, one.to));
    for (direction, name) in DIRECTIONS.iter().enumerate() {
        let (rate, octets) = (rate(one.rate(direction)), show::octets(one.octets[direction]));
        let comma = if direction > 0 { "," } else { "" };
        let _ = write!(words, "{comma} {name} {rate} ({octets})"); // Cannot fail.
    }
    words
}

/// A step for each interval, down to the axis at both ends.
fn steps(intervals: &[Interval], direction: usize, x: &dyn Fn(Millis) -> f64, y: &dyn Fn(u64) -> f64) -> String {
    let Some(first) = intervals.first() else { return String::new() };
    let mut path = format!("M{} {}", x(first.from), y(0));
    for one in intervals {
        let _ = write!(path, "V{}H{}", y(one.rate(direction)), x(one.to)); // Cannot fail.
    }
    let _ = write!(path, "V{}Z", y(0)); // Cannot fail.
    path
}

/// The end of the axis, no less than the highest rate, and not much more. Its quarters are whole numbers of a unit.
fn top(highest: u64) -> u64 {
    let powers = (0..18).map(|power| 10_u64.pow(power));
    let mut tops = powers.flat_map(|power| [1, 2, 3, 4, 5, 6, 8].map(|times| power.saturating_mul(4 * times)));
    tops.find(|top| highest <= *top).unwrap_or(highest)
}

/// The largest unit of which there is at least one, and its size in bits per second.
fn unit(rate: u64) -> (&'static str, u64) {
    let units = [("Tbit/s", 1_000_000_000_000), ("Gbit/s", 1_000_000_000), ("Mbit/s", 1_000_000), ("kbit/s", 1_000)];
    units.into_iter().find(|(_, size)| rate >= *size).unwrap_or(("bit/s", 1))
}

/// A rate for people: `1.2 Mbit/s`.
fn rate(bits: u64) -> String {
    match unit(bits) {
        (unit, 1) => format!("{bits} {unit}"),
        (unit, size) => format!("{:.1} {unit}", bits as f64 / size as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Millis = 60_000;

    fn two() -> [Interval; 2] {
        let of = |from, to, octets| Interval { from: from * MINUTE, to: to * MINUTE, octets };
        [of(0, 5, [37_500_000, 0]), of(5, 15, [0, 75_000])]
    }

    #[test]
    fn a_rate_is_what_passed_in_the_time_of_its_interval() {
        assert_eq!(two().map(|one| [0, 1].map(|way| one.rate(way))), [[1_000_000, 0], [0, 1_000]]);
        assert_eq!(Interval { from: 0, to: 1, octets: [u64::MAX, 0] }.rate(0), u64::MAX);
        assert_eq!([0, 999, 1_000, 1_250_000].map(rate), ["0 bit/s", "999 bit/s", "1.0 kbit/s", "1.2 Mbit/s"]);
    }

    #[test]
    fn an_axis_holds_everything_in_whole_quarters() {
        assert_eq!([0, 4, 5, 9, 13, 86, 101].map(top), [4, 4, 8, 12, 16, 120, 120]);
        for highest in 0..3_000 {
            let top = top(highest);
            assert!(
                top >= highest && top.is_multiple_of(4) && (top / 4).is_multiple_of(unit(top / 4).1),
                "{highest}: {top}"
            );
        }
    }

    #[test]
    fn each_interval_is_a_step_with_its_values_and_a_row() {
        let drawn = traffic(&two(), &TimeZone::UTC).into_string();
        // Of 1.2 Mbit/s, of which a quarter is 300 kbit/s.
        assert!(drawn.contains(r#"<path class="rate rate-0" d="M0 190V31.7H333.3V190H1000V190Z">"#), "{drawn}");
        assert!(drawn.contains("Mean rate, in kbit/s") && drawn.contains(">1200</text>"), "{drawn}");
        let first = "<title>00:00 to 00:05: received 1.0 Mbit/s (35.8 MiB), sent 0 bit/s (0 B)</title>";
        assert!(drawn.contains(first), "{drawn}");
        assert_eq!(drawn.matches("<tr>").count(), 3, "{drawn}");
    }

    #[test]
    fn without_traffic_or_with_far_too_much_it_is_still_drawn() {
        for octets in [[0, 0], [u64::MAX, u64::MAX]] {
            let drawn = traffic(&[Interval { from: 0, to: 1, octets }], &TimeZone::UTC).into_string();
            assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
        }
    }
}
