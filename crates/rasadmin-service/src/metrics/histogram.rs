//! How often something took how long.

/// The upper ends of the buckets, in microseconds: from what a call takes that only reads memory, to what nobody would
/// wait for.
pub const BOUNDS: [u32; 14] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000];

/// Counts by duration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// For each bound, how many took no longer; in each bucket, those of the earlier ones are not counted again.
    buckets: [u64; BOUNDS.len()],
    /// All of them.
    pub count: u64,
    /// Their sum, in microseconds.
    pub sum: u64,
}

impl Histogram {
    /// Counts one.
    pub fn add(&mut self, micros: u32) {
        if let Some(bucket) = BOUNDS.iter().zip(&mut self.buckets).find(|(bound, _)| micros <= **bound) {
            *bucket.1 += 1;
        }
        self.count += 1;
        self.sum += u64::from(micros);
    }

    /// For each bound, how many took no longer than that.
    pub fn cumulative(&self) -> impl Iterator<Item = (u32, u64)> {
        BOUNDS.into_iter().zip(self.buckets).scan(0, |sum, (bound, count)| {
            *sum += count;
            Some((bound, *sum))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_counts_everything_that_took_no_longer() {
        let mut histogram = Histogram::default();
        [100, 101, 1_000, 6_000_000].into_iter().for_each(|micros| histogram.add(micros));
        let counts: Vec<_> = histogram.cumulative().collect();
        assert_eq!(counts[..4], [(100, 1), (250, 2), (500, 2), (1_000, 3)]);
        assert_eq!((counts[13], histogram.count, histogram.sum), ((5_000_000, 3), 4, 6_001_201));
    }
}
