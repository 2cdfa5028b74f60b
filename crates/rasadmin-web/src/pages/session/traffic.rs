//! The octets of a session over time.

use super::Session;
use crate::chart::{self, Interval};
use maud::{Markup, html};
use rasadmin_ledger::report::OctetsRow;
use rasadmin_policy::Millis;

/// What is shorter is joined with its neighbour: a rate of a few seconds says little, and would be the highest.
const SHORTEST: Millis = 60_000;

/// What had passed at a time.
type Sums = (Millis, [u64; 2]);

impl Session {
    /// The chart, or why there is none.
    pub(super) fn traffic(&self) -> Markup {
        let intervals = intervals(self.row.acct_start_time, &self.octets, self.last_sums());
        html! {
            section.card {
                h2 { "Traffic over time" }
                @if intervals.is_empty() {
                    p.empty { (self.no_traffic()) }
                } @else {
                    (chart::traffic(&intervals, &self.zone))
                    p.muted {
                        "Octets over time are recorded about every five minutes while the rasadmin service monitors a session, and less "
                        "often in a session of many hours. A value is the mean between two of them."
                    }
                }
            }
        }
    }

    /// At the end, or at the last look of the service.
    fn last_sums(&self) -> Option<Sums> {
        match (self.seen, self.row.acct_stop_time) {
            (Some(seen), None) => Some((self.looked_at, seen.octets)),
            (_, stop) => Some((stop?, [self.row.acct_input_octets?, self.row.acct_output_octets?])),
        }
    }

    fn no_traffic(&self) -> &'static str {
        if self.row.imported.is_some() {
            "There are no octets over time: the log that this session was imported from does not have them."
        } else if self.row.is_live() {
            "There are no octets over time yet. The rasadmin service records them about every five minutes while it monitors a session."
        } else {
            "There are no octets over time: the rasadmin service did not monitor this session, it was too short, or nothing was sent."
        }
    }
}

/// What passed from each time to the next. Nothing without a sample: a single mean would say nothing about when.
fn intervals(start: Millis, samples: &[OctetsRow], last: Option<Sums>) -> Vec<Interval> {
    let mut points: Vec<Sums> = vec![(start, [0, 0])];
    for sample in samples {
        let last_time = points.last().map_or(start, |point| point.0);
        if sample.time - last_time >= SHORTEST {
            points.push((sample.time, [sample.input_octets, sample.output_octets]));
        }
    }
    if let Some((end, sums)) = last.filter(|_| !samples.is_empty()) {
        if points.len() > 1 && points.last().is_some_and(|point| end - point.0 < SHORTEST) {
            points.pop();
        }
        if points.last().is_some_and(|point| end > point.0) {
            points.push((end, sums));
        }
    }
    let between = |two: &[Sums]| {
        let passed = |way: usize| two[1].1[way].saturating_sub(two[0].1[way]);
        Interval { from: two[0].0, to: two[1].0, octets: [passed(0), passed(1)] }
    };
    points.windows(2).map(between).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(samples: &[(Millis, u64)], last: Option<(Millis, u64)>) -> Vec<(Millis, Millis, u64)> {
        let row = |(second, octets): &(Millis, u64)| OctetsRow {
            time: second * 1000,
            input_octets: *octets,
            output_octets: 0,
        };
        let samples: Vec<_> = samples.iter().map(row).collect();
        let all = intervals(0, &samples, last.map(|(second, octets)| (second * 1000, [octets, 0])));
        all.into_iter().map(|one| (one.from / 1000, one.to / 1000, one.octets[0])).collect()
    }

    #[test]
    fn each_interval_has_what_passed_in_it() {
        assert_eq!(of(&[(300, 10), (600, 15)], Some((700, 16))), [(0, 300, 10), (300, 600, 5), (600, 700, 1)]);
        assert_eq!(of(&[(300, 10)], None), [(0, 300, 10)]);
    }

    #[test]
    fn what_is_shorter_than_a_minute_is_joined() {
        assert_eq!(of(&[(5, 1), (300, 10), (600, 15)], Some((601, 16))), [(0, 300, 10), (300, 601, 6)]);
        assert_eq!(of(&[(5, 1)], Some((7, 2))), [(0, 7, 2)]);
    }

    #[test]
    fn without_samples_there_is_nothing() {
        assert_eq!(of(&[], Some((700, 16))), []);
        assert_eq!(of(&[(5, 1)], None), [], "it has just begun");
    }

    #[test]
    fn a_clock_that_was_set_back_leaves_times_in_order() {
        assert_eq!(of(&[(300, 10), (600, 15)], Some((400, 16))), [(0, 300, 10), (300, 400, 6)]);
    }
}
