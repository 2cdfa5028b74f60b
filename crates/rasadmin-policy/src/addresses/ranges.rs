//! Ranges of addresses.

/// A range of numbers, both ends included.
pub type Range = (u64, u64);

/// Merges ranges that overlap or touch, in ascending order. So their ends are in ascending order too.
pub fn merged(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort_unstable();
    ranges.dedup_by(|next, before| {
        let together = next.0 <= before.1.saturating_add(1);
        before.1 = if together { before.1.max(next.1) } else { before.1 };
        together
    });
    ranges
}

/// Subtracts ranges from others. The result is in ascending order; the arguments need not be.
pub fn subtract(mut ranges: Vec<Range>, without: Vec<Range>) -> Vec<Range> {
    ranges.sort_unstable();
    let without = merged(without);
    ranges.into_iter().flat_map(|range| rest(range, &without)).collect()
}

/// What is left of a range without [`merged`] ranges, in ascending order.
pub fn rest((first, last): Range, without: &[Range]) -> impl Iterator<Item = Range> {
    let from = without.partition_point(|&(_, end)| end < first);
    let mut without = without[from..].iter().take_while(move |&&(begin, _)| begin <= last);
    let mut next = Some(first);
    std::iter::from_fn(move || {
        while let Some(first) = next {
            let Some(&(begin, end)) = without.next() else {
                next = None;
                return Some((first, last));
            };
            next = end.checked_add(1).filter(|&next| next <= last);
            if begin > first {
                return Some((first, begin - 1));
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_ranges_neither_overlap_nor_touch() {
        assert_eq!(merged(vec![(7, 9), (1, 2), (3, 4), (1, 1), (8, 8)]), [(1, 4), (7, 9)]);
        assert_eq!(merged(vec![(0, u64::MAX), (u64::MAX, u64::MAX)]), [(0, u64::MAX)]);
    }

    #[test]
    fn subtract_leaves_the_rest() {
        assert_eq!(subtract(vec![(1, 9)], vec![(3, 4), (9, 12)]), [(1, 2), (5, 8)]);
        assert_eq!(subtract(vec![(5, 9), (1, 3)], vec![]), [(1, 3), (5, 9)]);
        assert_eq!(subtract(vec![(1, 9)], vec![(0, 20)]), []);
        assert_eq!(subtract(vec![(0, u64::MAX)], vec![(0, 0), (u64::MAX, u64::MAX)]), [(1, u64::MAX - 1)]);
        assert_eq!(subtract(vec![(1, 3), (5, 9)], vec![(2, 6)]), [(1, 1), (7, 9)]);
        assert_eq!(subtract(vec![(1, 9)], vec![(2, 7), (3, 4)]), [(1, 1), (8, 9)]);
        assert_eq!(subtract(vec![(0, u64::MAX)], vec![(1, 1), (2, 2), (5, u64::MAX)]), [(0, 0), (3, 4)]);
    }
}
