//! Adds up RRAS's 32-bit counters to sums beyond 4 GiB.
//!
//! RRAS counts octets and frames in 32 bits, so a counter starts again at zero after 4,294,967,295. Two readings of a
//! live connection show how much was counted between them, if at most one such wrap lies between. The frames prove it:
//! a frame carries at most 1,600 octets, and there are far fewer frames than octets.

use crate::effect::{CountedSession, FRAME, Usage, WRAP};
use crate::now::{Id, Mono};
use serde::{Deserialize, Serialize};

/// The highest rate that a client is assumed to reach, in octets per second: 2 Gbit/s. RRAS does not report the speed of
/// a tunnel.
const FASTEST: u64 = 250_000_000;

/// What a session has sent and received, from all readings of its counters. Of each pair, the first is client to server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Octets.
    pub octets: [u64; 2],
    /// Frames.
    pub frames: [u64; 2],
    /// The last reading: octets, then frames.
    last: [u32; 4],
    /// When it was taken.
    at: Mono,
    /// Are the octets exact? Otherwise there may have been more.
    pub exact: bool,
}

impl Counted {
    /// Of the first reading.
    pub fn first(reading: &Usage, at: Mono) -> Self {
        Self {
            octets: [reading.input_octets, reading.output_octets],
            frames: [reading.input_packets, reading.output_packets],
            last: counters(reading),
            at,
            exact: reading.is_exact(),
        }
    }

    /// With another reading.
    #[must_use]
    pub fn then(self, reading: &Usage, at: Mono) -> Self {
        let now = counters(reading);
        let grown: [u64; 4] = std::array::from_fn(|of| u64::from(now[of].wrapping_sub(self.last[of])));
        let possible = FASTEST.saturating_mul(at.since(self.at) / 1000 + 1);
        let frames_counted = now[2] > 0 || now[3] > 0 || self.last[2] > 0 || self.last[3] > 0;
        let carried = |way: usize| grown[way + 2].saturating_mul(FRAME);
        let started_again = (0..2).any(|way| {
            // A counter that is smaller than before has wrapped if so much can pass in the time, and if the frames can
            // carry it. Otherwise it has started again, and with it that of the frames.
            let fewer_frames = now[way + 2] < self.last[way + 2] && carried(way) >= WRAP;
            let frames_allow = !frames_counted || carried(way) >= grown[way];
            fewer_frames || (now[way] < self.last[way] && !(grown[way] <= possible && frames_allow))
        });
        // So many frames cannot carry one wrap more than the octets show.
        let certain = (0..2).all(|way| (grown[way]..WRAP).contains(&carried(way)));
        let grown = if started_again { now.map(u64::from) } else { grown };
        let plus =
            |sums: [u64; 2], of: usize| [sums[0].saturating_add(grown[of]), sums[1].saturating_add(grown[of + 1])];
        Self {
            octets: plus(self.octets, 0),
            frames: plus(self.frames, 2),
            last: now,
            at,
            exact: self.exact && certain && !started_again,
        }
    }

    /// Of a session that lives again, and of which only so many octets are known. There may have been more.
    pub fn resumed(octets: [u64; 2], at: Mono) -> Self {
        let frames = [0; 2];
        Self { octets, frames, last: low(octets, frames), at, exact: false }
    }

    /// Has something happened since an earlier reading that later readings will not show: a counter has started again, or
    /// the octets are not exact any more?
    pub fn must_be_recorded_since(&self, earlier: &Self) -> bool {
        let offset = |of: &Self| {
            let low = low(of.octets, of.frames);
            std::array::from_fn::<u32, 4, _>(|at| low[at].wrapping_sub(of.last[at]))
        };
        offset(self) != offset(earlier) || self.exact != earlier.exact
    }

    /// When the counters were read last.
    pub const fn read_at(&self) -> Mono {
        self.at
    }

    /// As an effect has it.
    pub fn of(&self, session: Id) -> CountedSession {
        let Self { octets, frames, last, exact, .. } = *self;
        CountedSession { session, octets, frames, exact, counters: (last != low(octets, frames)).then_some(last) }
    }

    /// From an effect.
    pub fn from_effect(counted: &CountedSession, at: Mono) -> Self {
        let CountedSession { octets, frames, exact, .. } = *counted;
        Self { octets, frames, last: counted.counters.unwrap_or_else(|| low(octets, frames)), at, exact }
    }

    /// How much was counted since an earlier reading: the octets and the frames of the direction that has more.
    pub fn since(&self, earlier: &Self) -> (u64, u64) {
        let more = |now: [u64; 2], then: [u64; 2]| {
            (0..2).map(|way| now[way].saturating_sub(then[way])).max().unwrap_or_default()
        };
        (more(self.octets, earlier.octets), more(self.frames, earlier.frames))
    }
}

/// The lower 32 bits of each sum.
fn low(octets: [u64; 2], frames: [u64; 2]) -> [u32; 4] {
    [octets[0], octets[1], frames[0], frames[1]].map(|sum| (sum % WRAP) as u32)
}

/// The counters of a reading. RRAS's have 32 bits.
fn counters(reading: &Usage) -> [u32; 4] {
    low([reading.input_octets, reading.output_octets], [reading.input_packets, reading.output_packets])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(input: u64, frames: u64) -> Usage {
        Usage { input_octets: input % WRAP, input_packets: frames % WRAP, ..Usage::default() }
    }

    fn input(counted: Counted) -> (u64, bool) {
        (counted.octets[0], counted.exact)
    }

    fn first(input: u64, frames: u64) -> Counted {
        Counted::first(&reading(input, frames), Mono(0))
    }

    #[test]
    fn six_gibibytes_are_counted_exactly() {
        let mut counted = first(0, 0);
        // A gibibyte every ten seconds, in frames of 1,024 octets.
        for gibibytes in 1..=6_u64 {
            counted = counted.then(&reading(gibibytes << 30, gibibytes << 20), Mono(gibibytes * 10_000));
        }
        assert_eq!(input(counted), (6 << 30, true));
        assert_eq!(counted.frames[0], 6 << 20);
    }

    #[test]
    fn a_first_reading_that_may_have_wrapped_is_a_bound() {
        assert_eq!(input(first(100, 1)), (100, true));
        assert_eq!(input(first(100, 10_000_000)), (100, false));
        let later = first(100, 10_000_000).then(&reading(200, 10_000_001), Mono(5000));
        assert_eq!(input(later), (200, false));
    }

    #[test]
    fn a_wrap_that_nobody_saw_is_not_called_exact() {
        let counted = first(1000, 10);
        // An hour later: 4 GiB and 500 octets more, in frames of 1,000.
        let frames = 10 + WRAP / 1000;
        assert_eq!(input(counted.then(&reading(1500, frames), Mono(3_600_000))), (1500, false));
    }

    #[test]
    fn counters_that_start_again_are_added() {
        let counted = first(3_000_000_000, 2_000_000);
        // It would be a wrap of 1.3 GB: too much for a second.
        let again = counted.then(&reading(1_000_000, 1000), Mono(1000));
        assert_eq!(input(again), (3_001_000_000, false));
        assert_eq!(again.frames[0], 2_001_000);
        // The frames rule a wrap out even if there is time for one.
        assert_eq!(input(counted.then(&reading(1_000_000, 1000), Mono(3_600_000))), (3_001_000_000, false));
        // So do frames that cannot carry so much.
        assert_eq!(input(counted.then(&reading(1_000_000, 2_000_009), Mono(3_600_000))), (3_001_000_000, false));
    }

    #[test]
    fn octets_count_once_if_frames_are_not_counted() {
        let mut counted = first(1000, 0);
        for octets in [2000, 3000, 3000, 4000] {
            counted = counted.then(&reading(octets, 0), Mono(octets));
        }
        assert_eq!(input(counted), (4000, false));
        // A wrap is then believed if it fits the time.
        let counted = first(WRAP - 1000, 0).then(&reading(500, 0), Mono(5000));
        assert_eq!(input(counted), (WRAP + 500, false));
    }

    #[test]
    fn a_session_that_nothing_passes_stays_exact() {
        let counted = first(1000, 1);
        assert_eq!(input(counted.then(&reading(1000, 1), Mono(86_400_000))), (1000, true));
    }

    #[test]
    fn a_wrap_that_fits_the_time_is_one() {
        let counted = first(WRAP - 1000, 2_600_000);
        let counted = counted.then(&reading(WRAP + 500, 2_600_001), Mono(1000));
        assert_eq!(input(counted), (WRAP + 500, true));
    }

    #[test]
    fn fewer_frames_have_started_again_even_with_more_octets() {
        let again = first(1000, 10).then(&reading(2000, 2), Mono(1000));
        assert_eq!((again.octets[0], again.frames[0], again.exact), (3000, 12, false));
    }

    #[test]
    fn a_session_that_lives_again_goes_on_from_what_is_known() {
        let counted = Counted::resumed([6 << 30, 0], Mono(0)).then(&reading((6 << 30) + 500, 7_000_000), Mono(1000));
        assert_eq!(input(counted), ((6 << 30) + 500, false));
    }

    #[test]
    fn what_later_readings_do_not_show_must_be_recorded() {
        let before = first(3_000_000_000, 2_000_000);
        assert!(!before.then(&reading(3_000_000_900, 2_000_001), Mono(1000)).must_be_recorded_since(&before));
        assert!(before.then(&reading(1000, 10), Mono(1000)).must_be_recorded_since(&before));
        let uncertain = before.then(&reading(3_000_000_900, 9_000_000), Mono(1000));
        assert!(uncertain.must_be_recorded_since(&before));
        assert!(!uncertain.then(&reading(3_000_001_000, 9_000_001), Mono(2000)).must_be_recorded_since(&uncertain));
    }

    #[test]
    fn frames_wrap_too() {
        let counted = Counted { exact: true, ..first(7, WRAP - 1) };
        let counted = counted.then(&reading(1007, WRAP + 1), Mono(5000));
        assert_eq!((counted.octets[0], counted.frames[0], counted.exact), (1007, WRAP + 1, true));
    }

    #[test]
    fn an_effect_has_all_of_it() {
        let started_again = first(3_000_000_000, 2_000_000).then(&reading(1_000_000, 1000), Mono(1000));
        for (counted, congruent) in [(first(WRAP - 1, 7), true), (started_again, false)] {
            let effect = counted.of(Id(9));
            assert_eq!(effect.counters.is_none(), congruent);
            assert_eq!(Counted::from_effect(&effect, counted.read_at()), counted);
        }
    }

    #[test]
    fn what_was_counted_since_is_that_of_the_busier_direction() {
        let one = Usage { output_octets: 10, output_packets: 1, ..Usage::default() };
        let one = Counted::first(&one, Mono(0));
        let other = Usage { input_octets: 5, input_packets: 4, output_octets: 100, output_packets: 2, seconds: 0 };
        assert_eq!(one.then(&other, Mono(5000)).since(&one), (90, 4));
    }
}
