//! The parts of the addresses that pools have: each address is in one part only, of one pool.

use crate::addresses::Family;
use crate::addresses::ranges::{Range, merged, rest};
use std::collections::HashSet;

/// A position in the file.
pub(super) type Span = std::ops::Range<usize>;

/// A part of a pool.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub range: Range,
    /// The position of the entry that lists it.
    pub span: Span,
}

/// An entry with an address that another entry has too.
#[derive(Clone, Debug)]
pub(super) struct Overlap {
    pub span: Span,
    pub family: Family,
    /// The first such address.
    pub address: u64,
    /// The entry's pool, by its place in the file's table.
    pub pool: usize,
    /// The other entry's pool.
    pub other: usize,
}

/// Divides a pool's entries into disjoint parts, in ascending order, without what is excluded ([`merged`]). They are not
/// more than the entries and the exclusions together: two entries that overlap are not both cut by each exclusion.
pub(super) fn of_pool(
    (pool, family): (usize, Family),
    mut listed: Vec<Part>,
    excluded: &[Range],
    overlaps: &mut Vec<Overlap>,
) -> Vec<Part> {
    listed.sort_by_key(|part| part.range);
    let mut parts = Vec::new();
    let mut reaches: Option<u64> = None;
    for Part { range: (first, last), span } in listed {
        let shared = reaches.filter(|&end| first <= end).map(|end| (first, end.min(last)));
        // What both list may be excluded.
        if let Some((address, _)) = shared.and_then(|shared| rest(shared, excluded).next()) {
            overlaps.push(Overlap { span: span.clone(), family, address, pool, other: pool });
        }
        if let Some(own) = beyond((first, last), reaches) {
            parts.extend(rest(own, excluded).map(|range| Part { range, span: span.clone() }));
        }
        reaches = reaches.max(Some(last));
    }
    parts
}

/// Leaves each address to one of the pools: to the one whose part begins first.
pub(super) fn of_all(pools: &mut [(Family, Vec<Part>)], overlaps: &mut Vec<Overlap>) {
    let mut all: Vec<(Family, Part, usize)> = Vec::new();
    for (at, (family, parts)) in pools.iter_mut().enumerate() {
        all.extend(parts.drain(..).map(|part| (*family, part, at)));
    }
    all.sort_by_key(|(family, part, _)| (*family, part.range));
    let mut reaches: Option<(Family, u64, usize)> = None;
    for (family, Part { range: (first, last), span }, at) in all {
        let before = reaches.filter(|(before, ..)| *before == family);
        // The parts of one pool are disjoint, so the other one's pool is another one.
        if let Some((.., other)) = before.filter(|&(_, end, _)| first <= end) {
            overlaps.push(Overlap { span: span.clone(), family, address: first, pool: at, other });
        }
        if let Some(range) = beyond((first, last), before.map(|(_, end, _)| end))
            && let Some((_, parts)) = pools.get_mut(at)
        {
            parts.push(Part { range, span });
            reaches = Some((family, last, at));
        }
    }
}

/// One overlap of each entry, in the order of the file.
pub(super) fn of_entries(mut overlaps: Vec<Overlap>) -> Vec<Overlap> {
    let mut known = HashSet::new();
    overlaps.retain(|overlap| known.insert(overlap.span.start));
    overlaps.sort_by_key(|overlap| overlap.span.start);
    overlaps
}

/// The part of a range after an address.
fn beyond((first, last): Range, end: Option<u64>) -> Option<Range> {
    let first = end.map_or(Some(first), |end| end.checked_add(1).map(|next| next.max(first)))?;
    (first <= last).then_some((first, last))
}

/// Is any of a range's addresses in one of these ([`merged`])?
pub(super) fn has((first, last): Range, ranges: &[Range]) -> bool {
    ranges.get(ranges.partition_point(|&(_, end)| end < first)).is_some_and(|&(begin, _)| begin <= last)
}

/// All addresses that are listed, [`merged`].
pub(super) fn all_of(listed: &[Part]) -> Vec<Range> {
    merged(listed.iter().map(|part| part.range).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(ranges: impl IntoIterator<Item = Range>) -> Vec<Part> {
        (0..).zip(ranges).map(|(at, range)| Part { range, span: at..at + 1 }).collect()
    }

    fn ranges(parts: &[Part]) -> Vec<Range> {
        parts.iter().map(|part| part.range).collect()
    }

    /// Each of the thousand entries would be cut by each of the thousand exclusions.
    #[test]
    fn the_parts_are_not_more_than_entries_and_exclusions() {
        let excluded = merged((0..1_000).map(|at| (at * 2, at * 2)).collect());
        let (mut overlaps, all) = (Vec::new(), || listed((0..1_000).map(|_| (0, u64::MAX))));
        let parts = of_pool((0, Family::Ipv6), all(), &excluded, &mut overlaps);
        assert_eq!((parts.len(), overlaps.len()), (1_000, 999));
        let mut pools: Vec<_> =
            (0..10).map(|at| (Family::Ipv6, of_pool((at, Family::Ipv6), all(), &[], &mut overlaps))).collect();
        of_all(&mut pools, &mut overlaps);
        assert_eq!(pools.iter().map(|(_, parts)| parts.len()).sum::<usize>(), 1);
    }

    #[test]
    fn each_address_is_in_one_part() {
        let mut overlaps = Vec::new();
        let parts =
            of_pool((0, Family::Ipv4), listed([(10, 20), (1, 12), (15, 30), (16, 17)]), &[(11, 13)], &mut overlaps);
        assert_eq!(ranges(&parts), [(1, 10), (14, 20), (21, 30)]);
        let other = of_pool((1, Family::Ipv4), listed([(25, 40), (2, 3), (12, 12)]), &[], &mut Vec::new());
        let of_ipv6 = of_pool((2, Family::Ipv6), listed([(1, 40)]), &[], &mut Vec::new());
        let mut pools = [(Family::Ipv4, parts), (Family::Ipv4, other), (Family::Ipv6, of_ipv6)];
        of_all(&mut pools, &mut overlaps);
        let [(_, first), (_, second), (_, third)] = &pools;
        assert_eq!(ranges(first), [(1, 10), (14, 20), (21, 30)]);
        assert_eq!(ranges(second), [(12, 12), (31, 40)]);
        assert_eq!(ranges(third), [(1, 40)]);
        // One of each entry: 10-20 shares 10, 15-30 shares 15, 16-17 shares both.
        let found: Vec<_> = overlaps.iter().map(|found| (found.pool, found.other, found.address)).collect();
        assert_eq!(found, [(0, 0, 10), (0, 0, 15), (0, 0, 16), (1, 0, 2), (1, 0, 25)]);
    }
}
