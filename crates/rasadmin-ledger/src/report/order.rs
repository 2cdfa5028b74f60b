//! The order of a report's rows.

use super::Total;
use std::cmp::Reverse;

/// What a report's rows are sorted by, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortBy {
    /// Octets in both directions.
    Octets,
    /// The time connected.
    Time,
    /// The number of sessions.
    Sessions,
    /// The number of denials.
    Denied,
}

impl SortBy {
    /// Sorts rows, the most first. Rows that are equal in this keep their order.
    pub fn sort(self, rows: &mut [Total]) {
        rows.sort_by_key(|row| {
            let octets = row.input_octets.saturating_add(row.output_octets);
            Reverse(match self {
                Self::Octets => (octets, row.seconds, row.sessions),
                Self::Time => (row.seconds, row.sessions, row.denied),
                Self::Sessions => (row.sessions, row.seconds, row.denied),
                Self::Denied => (row.denied, row.sessions, row.seconds),
            })
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_come_first() {
        let row = |key: &str, octets, seconds, sessions, denied| Total {
            key: Some(key.to_owned()),
            input_octets: octets,
            output_octets: 1,
            seconds,
            sessions,
            denied,
            ..Total::default()
        };
        let sorted = |by: SortBy| {
            let mut rows = [row("a", 1, 2, 3, 4), row("b", 4, 1, 2, 3), row("c", 3, 4, 1, 2), row("d", 2, 3, 4, 1)];
            by.sort(&mut rows);
            rows.map(|row| row.key.unwrap_or_default()).concat()
        };
        let all = [SortBy::Octets, SortBy::Time, SortBy::Sessions, SortBy::Denied].map(sorted);
        assert_eq!(all, ["bcda", "cdab", "dabc", "abcd"]);
    }
}
