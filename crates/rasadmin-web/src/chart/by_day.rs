//! What there was on each day, as a bar: time or octets.

use super::frame::{Frame, HEIGHT, WIDTH};
use super::rounded;
use maud::{Markup, html};

/// One day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// The day: `2026-11-23`.
    pub day: String,
    /// Its time in seconds, or its octets.
    pub value: u64,
    /// The same in words, with its mark if it is not exact.
    pub words: String,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Seconds.
    Time,
    /// Octets.
    Octets,
}

impl Measure {
    /// A quarter of the axis, so that the axis has room for the most.
    fn step(self, most: u64) -> u64 {
        let quarter = most.div_ceil(4);
        let step = match self {
            Self::Time => times().find(|step| *step >= quarter),
            Self::Octets => sizes().find(|step| *step >= quarter),
        };
        step.unwrap_or(quarter)
    }

    /// A value on an axis with these steps.
    fn short(self, value: u64, step: u64) -> String {
        match self {
            Self::Time => short(value),
            Self::Octets => (value / unit(step).1).to_string(),
        }
    }

    /// What the axis has, if its values do not say so.
    fn unit(self, step: u64) -> Option<&'static str> {
        (self == Self::Octets).then(|| unit(step).0)
    }
}

/// What a chart shows.
pub struct ByDay<'a> {
    /// What it is about.
    pub title: &'a str,
    /// What its days measure.
    pub measure: Measure,
    /// The days in their order.
    pub days: &'a [Bar],
    /// The same figures as a table.
    pub table: &'a Markup,
}

/// Draws the days.
pub fn by_day(chart: &ByDay<'_>) -> Markup {
    let ByDay { title, measure, days, table } = *chart;
    let step = measure.step(days.iter().map(|bar| bar.value).max().unwrap_or(0));
    let top = step.saturating_mul(4);
    let of_top = |value: u64| HEIGHT * (value as f64 / top as f64).min(1.0);
    let width = WIDTH / (days.len() as f64).max(1.0);
    let apart = days.len().div_ceil(16).max(1);
    let title = measure.unit(step).map_or_else(|| title.to_owned(), |unit| format!("{title}, in {unit}"));
    html! {
        figure.chart {
            figcaption { span.title { (title) } }
            (Frame {
                title: &title,
                up: (0..=4).map(|quarter| step.saturating_mul(quarter)).map(|tick| (HEIGHT - of_top(tick), measure.short(tick, step))).collect(),
                along: days.iter().enumerate().step_by(apart).map(|(at, bar)| (width * (at as f64 + 0.5), day_of_month(&bar.day).to_owned())).collect(),
                inside: &html! {
                    @for (at, bar) in days.iter().enumerate() {
                        @let x = width * at as f64;
                        rect.day x=(rounded(x + width * 0.12)) y=(rounded(HEIGHT - of_top(bar.value))) width=(rounded(width * 0.76)) height=(rounded(of_top(bar.value))) {}
                        rect.hover x=(rounded(x)) y="0" width=(rounded(width)) height=(HEIGHT) { title { (bar.day) ": " (bar.words) } }
                    }
                },
            }.draw())
            (table)
        }
    }
}

/// `23`, of `2026-11-23`.
fn day_of_month(day: &str) -> &str {
    day.rsplit('-').next().unwrap_or(day).trim_start_matches('0')
}

/// Round times.
fn times() -> impl Iterator<Item = u64> {
    const HOUR: u64 = 3_600;
    let steps = [60, 300, 900, 1_800, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR];
    // Beyond a day: whole days, 1, 2 or 5 times a power of ten.
    let days = (0..13).flat_map(|power| [1, 2, 5].map(|times| times * 10_u64.pow(power) * 24 * HOUR));
    steps.into_iter().chain(days)
}

/// Round numbers of octets: 1, 2 or 5 times 1, 10 or 100 of each unit.
fn sizes() -> impl Iterator<Item = u64> {
    let of_unit = [1, 2, 5, 10, 20, 50, 100, 200, 500];
    (0..6).flat_map(move |power| of_unit.map(|times| times * 1_024_u64.pow(power)))
}

/// The largest unit of which a step is a whole number, and its size in octets.
fn unit(step: u64) -> (&'static str, u64) {
    let units =
        [("PiB", 5), ("TiB", 4), ("GiB", 3), ("MiB", 2), ("KiB", 1)].map(|(name, power)| (name, 1_024_u64.pow(power)));
    units.into_iter().find(|(_, size)| step >= *size && step.is_multiple_of(*size)).unwrap_or(("B", 1))
}

/// A time on the axis: `30m`, `6h`, `1h30`, `2d`.
fn short(seconds: u64) -> String {
    match seconds {
        0 => "0".to_owned(),
        _ if seconds.is_multiple_of(86_400) => format!("{}d", seconds / 86_400),
        _ if seconds.is_multiple_of(3_600) => format!("{}h", seconds / 3_600),
        3_601.. => format!("{}h{:02}", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}m", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rasadmin_answers::show;

    #[test]
    fn an_axis_holds_everything_in_round_steps() {
        let hour = 3_600;
        let axis_of = |measure: Measure, most| {
            let step = measure.step(most);
            assert!(step.saturating_mul(4) >= most, "{most}");
            (0..=4).map(|quarter| measure.short(step.saturating_mul(quarter), step)).collect::<Vec<_>>().join(" ")
        };
        let axis = |longest| axis_of(Measure::Time, longest);
        assert_eq!(axis(0), "0 1m 2m 3m 4m");
        assert_eq!(axis(7 * hour), "0 2h 4h 6h 8h");
        assert_eq!(axis(2 * hour), "0 30m 1h 1h30 2h");
        assert_eq!(axis(96 * hour + 1), "0 2d 4d 6d 8d");
        axis(u64::MAX);
        let axis = |most| axis_of(Measure::Octets, most);
        assert_eq!(axis(0), "0 1 2 3 4");
        assert_eq!(axis(2_000_000_000), "0 500 1000 1500 2000");
        assert_eq!(axis(5_000), "0 2 4 6 8");
        axis(u64::MAX);
        let unit = |most| Measure::Octets.unit(Measure::Octets.step(most));
        assert_eq!([0, 5_000, 2_000_000_000].map(unit), [Some("B"), Some("KiB"), Some("MiB")]);
    }

    #[test]
    fn each_day_is_a_bar_with_its_value() {
        let days = [("2026-11-01", 3_600), ("2026-11-02", 14_400)];
        let days = days.map(|(day, seconds)| Bar { day: day.into(), value: seconds, words: show::duration(seconds) });
        let drawn = by_day(&ByDay { title: "Connected", measure: Measure::Time, days: &days, table: &html! {} });
        let drawn = drawn.into_string();
        assert!(drawn.contains("<title>2026-11-02: 4h 00m</title>"), "{drawn}");
        assert!(drawn.contains(r#"<rect class="day" x="560" y="0" width="380" height="190">"#), "{drawn}");
        assert!(drawn.contains(r#"height="47.5""#), "a quarter of it: {drawn}");
    }
}
