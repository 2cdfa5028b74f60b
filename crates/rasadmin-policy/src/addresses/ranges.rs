//! Ranges of addresses.

/// A range of numbers, both ends included.
pub type Range = (u64, u64);

/// Subtracts ranges from others. The result is in ascending order; the arguments need not be.
pub fn subtract(mut ranges: Vec<Range>, mut without: Vec<Range>) -> Vec<Range> {
    ranges.sort_unstable();
    without.sort_unstable();
    // Merge those that overlap, so that their ends are in ascending order too.
    without.dedup_by(|next, before| {
        let overlap = next.0 <= before.1;
        before.1 = if overlap { before.1.max(next.1) } else { before.1 };
        overlap
    });
    let mut left = Vec::new();
    for (mut first, last) in ranges {
        let mut used_up = false;
        let from = without.partition_point(|&(_, end)| end < first);
        for &(begin, end) in without[from..].iter().take_while(|&&(begin, _)| begin <= last) {
            if begin > first {
                left.push((first, begin - 1));
            }
            if end >= last {
                used_up = true;
                break;
            }
            first = first.max(end + 1);
        }
        if !used_up {
            left.push((first, last));
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subtract_leaves_the_rest() {
        assert_eq!(subtract(vec![(1, 9)], vec![(3, 4), (9, 12)]), [(1, 2), (5, 8)]);
        assert_eq!(subtract(vec![(5, 9), (1, 3)], vec![]), [(1, 3), (5, 9)]);
        assert_eq!(subtract(vec![(1, 9)], vec![(0, 20)]), []);
        assert_eq!(subtract(vec![(0, u64::MAX)], vec![(0, 0), (u64::MAX, u64::MAX)]), [(1, u64::MAX - 1)]);
        assert_eq!(subtract(vec![(1, 3), (5, 9)], vec![(2, 6)]), [(1, 1), (7, 9)]);
        assert_eq!(subtract(vec![(1, 9)], vec![(2, 7), (3, 4)]), [(1, 1), (8, 9)]);
    }
}
