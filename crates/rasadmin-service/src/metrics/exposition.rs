//! Prometheus' text format.

use super::histogram::Histogram;
use rasadmin_text::printable;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// The types of metrics.
#[derive(Clone, Copy)]
pub enum Kind {
    /// It only grows, or begins again at 0.
    Counter,
    /// It goes up and down.
    Gauge,
    /// How often something took how long.
    Histogram,
}

/// A text in this format, as it is made.
#[derive(Default)]
pub struct Exposition(String);

/// One metric and its samples, by their labels.
pub struct Family {
    name: &'static str,
    help: &'static str,
    kind: Kind,
    samples: BTreeMap<String, f64>,
    /// The lines of histograms, whose order is that of the bounds.
    histograms: String,
}

impl Family {
    /// Without samples, nothing of it is written.
    pub const fn new(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name, help, kind, samples: BTreeMap::new(), histograms: String::new() }
    }

    /// Adds a sample. If there is one with the same labels, its value grows: no sample may be there twice.
    pub fn add(&mut self, labels: &[(&str, &str)], value: f64) {
        let labels = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", Escaped(value)));
        *self.samples.entry(labels.collect::<Vec<_>>().join(",")).or_default() += value;
    }

    /// Adds a histogram with one label, each of whose values is added once. Its durations become seconds.
    pub fn add_histogram(&mut self, (label, value): (&str, &str), histogram: &Histogram) {
        let (name, of) = (self.name, format!("{label}=\"{}\"", Escaped(value)));
        let lines = &mut self.histograms;
        // To a text: cannot fail.
        for (bound, count) in histogram.cumulative() {
            let _ = writeln!(lines, "{name}_bucket{{{of},le=\"{}\"}} {count}", f64::from(bound) / 1e6);
        }
        let _ = writeln!(lines, "{name}_bucket{{{of},le=\"+Inf\"}} {}", histogram.count);
        #[allow(clippy::cast_precision_loss)] // Exact for 285 years of waiting.
        let sum = histogram.sum as f64 / 1e6;
        let _ = writeln!(lines, "{name}_sum{{{of}}} {sum}");
        let _ = writeln!(lines, "{name}_count{{{of}}} {}", histogram.count);
    }

    /// As [`add`](Self::add), in one expression.
    #[must_use]
    pub fn with(mut self, labels: &[(&str, &str)], value: f64) -> Self {
        self.add(labels, value);
        self
    }
}

impl Exposition {
    /// Writes a metric.
    pub fn push(&mut self, family: &Family) {
        let Family { name, help, kind, samples, histograms } = family;
        if samples.is_empty() && histograms.is_empty() {
            return;
        }
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let mut lines = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
        for (labels, value) in samples {
            let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
            let _ = writeln!(lines, "{name}{labels} {value}"); // To a text: cannot fail.
        }
        self.0 += &lines;
        self.0 += histograms;
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.0
    }
}

/// A label's value: what a stranger may have chosen, on one line, and safe to print.
struct Escaped<'v>(&'v str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in printable(self.0).chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(labels: &[(&str, &str)], value: f64) -> String {
        let mut text = Exposition::default();
        text.push(&Family::new("a_total", Kind::Counter, "What.").with(labels, value));
        text.into_text()
    }

    #[test]
    fn a_sample_is_a_line_whatever_its_label_is() {
        assert_eq!(text(&[], 3.0), "# HELP a_total What.\n# TYPE a_total counter\na_total 3\n");
        let hostile = text(&[("rule", "a\"} 9\nb{c=\"\\"), ("outcome", "\u{1b}[2J\u{202e}é")], 0.5);
        let line = hostile.lines().nth(2);
        let expected = r#"a_total{rule="a\"} 9\\nb{c=\"\\",outcome="\\u{1b}[2J\\u{202e}é"} 0.5"#;
        assert_eq!((line, hostile.lines().count()), (Some(expected), 3));
    }

    #[test]
    fn no_sample_is_there_twice() {
        let family = Family::new("a", Kind::Gauge, "What.").with(&[("of", "\u{1b}")], 1.0);
        let mut text = Exposition::default();
        text.push(&family.with(&[("of", "\\u{1b}")], 2.0));
        text.push(&Family::new("b", Kind::Gauge, "Nothing."));
        assert!(text.into_text().ends_with("gauge\na{of=\"\\\\u{1b}\"} 3\n"));
    }

    #[test]
    fn large_numbers_have_no_exponent() {
        assert!(text(&[], 1e18).ends_with(" 1000000000000000000\n"));
    }
}
