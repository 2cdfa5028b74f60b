//! Spans of time on the calendar.

/// A span of time, in seconds since 1970 (UTC). It includes its beginning and excludes its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first second.
    pub begin: i64,
    /// The first second after it.
    pub end: i64,
}

/// Disjoint spans in ascending order.
#[derive(Debug, Default)]
pub(super) struct Spans(Box<[Span]>);

impl Spans {
    pub(super) fn new(spans: impl IntoIterator<Item = Span>) -> Self {
        let mut spans: Vec<Span> = spans.into_iter().collect();
        spans.sort_unstable();
        spans.dedup_by(|next, last| {
            let meet = next.begin <= last.end;
            if meet {
                last.end = last.end.max(next.end);
            }
            meet
        });
        Self(spans.into())
    }

    /// Is a moment, in seconds since 1970, in one of them?
    pub(super) fn contain(&self, second: i64) -> bool {
        let after = self.0.partition_point(|span| span.begin <= second);
        after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|span| second < span.end)
    }
}
