//! Compares the journal with the minimum cost of its guarantees on this machine: `floor [FOLDER] [SESSIONS]`.
//!
//! A session is six records, two of which are synced. The floor writes the same bytes under the same lock to a file
//! whose space was written before, with the same syncs; it reads, checks and remembers nothing. Both are measured
//! alternately in one run. The ratio matters, because the times depend on the machine.
#![allow(clippy::unwrap_used)]

mod bare;

use bare::{Bare, soon};
use rasadmin_journal::{Journal, Options};
use std::time::{Duration, Instant};

/// The lengths of a session's records: four short ones, two long ones.
const LENGTHS: [usize; 6] = [420, 491, 460, 380, 610, 400];

/// The synced records: the accept and the hangup.
const SYNCED: [usize; 2] = [1, 4];

fn append(journal: &Journal, payload: &[u8], sync: bool, now: Duration) {
    let mut guard = journal.lock(soon()).unwrap();
    guard.catch_up(|_| ()).unwrap();
    let last = guard.append(&[payload]).unwrap().last;
    drop(guard);
    if sync {
        journal.sync(&last).unwrap();
    }
    journal.upkeep(now).unwrap();
}

/// Measured times.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn take(&mut self, work: impl FnOnce()) {
        let began = Instant::now();
        work();
        self.0.push(began.elapsed());
    }

    /// In microseconds: the median, the 99th percentile, the longest, the mean.
    fn numbers(&mut self) -> [f64; 4] {
        self.0.sort_unstable();
        let of = |time: Duration| time.as_secs_f64() * 1e6;
        let at = |part: usize| of(self.0[(self.0.len() - 1) * part / 100]);
        let sum: Duration = self.0.iter().sum();
        [at(50), at(99), at(100), of(sum) / f64::from(u32::try_from(self.0.len()).unwrap())]
    }
}

fn row(name: &str, times: &mut Times) -> [f64; 4] {
    let numbers = times.numbers();
    let [median, p99, longest, mean] = numbers;
    println!("{name:44} {median:>9.1} {p99:>9.1} {longest:>9.1} {mean:>9.1}");
    numbers
}

fn compare(name: &str, bare: &mut Times, ours: &mut Times) {
    let floor = row(&format!("{name}, floor"), bare);
    let journal = row(&format!("{name}, journal"), ours);
    println!("{:44} {:>9.2} {:>29.2}\n", "  ratio", journal[0] / floor[0], journal[3] / floor[3]);
}

fn main() {
    let folder = std::env::args().nth(1).map_or_else(std::env::temp_dir, Into::into);
    let sessions: usize = std::env::args().nth(2).map_or(3000, |count| count.parse().unwrap());
    let folder = folder.join(format!("rasadmin-floor-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    println!("{:44} {:>9} {:>9} {:>9} {:>9}", "microseconds", "median", "p99", "longest", "mean");
    let payloads = LENGTHS.map(|length| vec![b'x'; length]);
    let frames = LENGTHS.map(|length| vec![b'x'; (24 + length).next_multiple_of(8)]);
    let began = Instant::now();
    for (name, durable) in [("session, two syncs", true), ("session, no sync", false)] {
        let place = folder.join(name);
        std::fs::create_dir_all(&place).unwrap();
        let mut bare = Bare::new(&place);
        let options = Options { durable, ..Options::default() };
        let ours = Journal::open(&place.join("journal"), options, soon()).unwrap();
        let (mut by_bare, mut by_ours) = (Times::default(), Times::default());
        let count = if durable { sessions } else { sessions * 10 };
        for turn in 0..count {
            let synced = |index| durable && SYNCED.contains(&index);
            let mut floor =
                || by_bare.take(|| frames.iter().enumerate().for_each(|(i, bytes)| bare.append(bytes, synced(i))));
            let mut journal = || {
                by_ours.take(|| {
                    let each = payloads.iter().enumerate();
                    each.for_each(|(i, bytes)| append(&ours, bytes, synced(i), began.elapsed()));
                });
            };
            if turn % 2 == 0 {
                floor();
                journal();
            } else {
                journal();
                floor();
            }
        }
        compare(name, &mut by_bare, &mut by_ours);
    }
    let place = folder.join("one");
    let mut bare = Bare::new(&folder);
    let options = Options { durable: false, ..Options::default() };
    let [one, two] = [0, 1].map(|_| Journal::open(&place, options, soon()).unwrap());
    let (mut by_bare, mut alone, mut by_turns) = (Times::default(), Times::default(), Times::default());
    for _ in 0..sessions * 20 {
        by_bare.take(|| bare.append(&frames[1], false));
        alone.take(|| append(&one, &payloads[1], false, began.elapsed()));
    }
    compare("one record, no sync", &mut by_bare, &mut alone);
    two.lock(soon()).unwrap().catch_up(|_| ()).unwrap();
    for turn in 0..sessions * 20 {
        let journal = if turn % 2 == 0 { &one } else { &two };
        by_turns.take(|| append(journal, &payloads[1], false, began.elapsed()));
    }
    compare("one record, two by turns", &mut by_bare, &mut by_turns);
    let mut reading = Times::default();
    let mut count = 0_u64;
    reading.take(|| {
        let journal = Journal::open(&place, options, soon()).unwrap();
        journal.lock(soon()).unwrap().catch_up(|_| count += 1).unwrap();
    });
    let a_second = Duration::from_secs(1).as_secs_f64() * 1e6 * f64::from(u32::try_from(count).unwrap());
    println!("reading: {count} records, {:.0} a second", a_second / reading.numbers()[0]);
    std::fs::remove_dir_all(&folder).unwrap();
}
