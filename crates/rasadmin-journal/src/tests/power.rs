//! Power cuts: any sector that was not synced may be on disk or not.
//!
//! A model keeps what is certainly on disk for each file: its content at the last sync. A cut gives each sector that
//! content or the current one. After a failed sync, sectors that were written before it are never written again, as on
//! Linux, however many syncs succeed later.

use super::*;
use std::cell::RefCell;
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::rc::Rc;

const SECTOR: usize = 512;

/// A file, identified by a number, because files are renamed.
type Id = u64;

#[derive(Default)]
struct Disk {
    sure: HashMap<Id, Vec<u8>>,
    /// The file at its last failed sync.
    given_up: HashMap<Id, Vec<u8>>,
}

impl Disk {
    fn synced(&mut self, path: &Path, done: bool) {
        let (id, now) = (std::fs::metadata(path).unwrap().ino(), std::fs::read(path).unwrap());
        if !done {
            self.given_up.insert(id, now);
            return;
        }
        let whole: Vec<_> = (0..now.len()).step_by(SECTOR).map(|at| self.sector(id, &now, at, true)).collect();
        self.sure.insert(id, whole.concat());
    }

    /// What a sector is on disk, if the system wrote it since the last sync, or did not.
    fn sector(&self, id: Id, now: &[u8], at: usize, written: bool) -> Vec<u8> {
        let part = |bytes: &[u8]| bytes.get(at..(at + SECTOR).min(bytes.len())).unwrap_or_default().to_vec();
        let current = part(now);
        let mut sure = self.sure.get(&id).map(|bytes| part(bytes)).unwrap_or_default();
        sure.resize(current.len(), 0);
        let given_up = self.given_up.get(&id).is_some_and(|bytes| part(bytes) == current);
        if written && !given_up { current } else { sure }
    }

    /// The folder as it is after a cut.
    fn cut(&self, from: &Path, to: &Path, random: &mut Random) {
        std::fs::create_dir_all(to).unwrap();
        // Sometimes nearly all was written, sometimes nearly nothing.
        let of_ten = random.below(11);
        for ordinal in crate::folder::ordinals(from).unwrap() {
            let path = segment(from, ordinal);
            let (id, now) = (std::fs::metadata(&path).unwrap().ino(), std::fs::read(&path).unwrap());
            if !self.sure.contains_key(&id) && random.below(2) == 0 {
                continue; // Its name was not written.
            }
            let sectors = (0..now.len()).step_by(SECTOR);
            let whole: Vec<_> = sectors.map(|at| self.sector(id, &now, at, random.below(10) < of_ten)).collect();
            std::fs::write(segment(to, ordinal), whole.concat()).unwrap();
        }
    }

    fn after_the_cut(folder: &Path) -> Self {
        let mut disk = Self::default();
        for ordinal in crate::folder::ordinals(folder).unwrap() {
            let path = segment(folder, ordinal);
            disk.sure.insert(std::fs::metadata(&path).unwrap().ino(), std::fs::read(&path).unwrap());
        }
        disk
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}

/// The seeds to play: the first few, or RASADMIN_SEEDS as `FROM-TO`.
fn seeds() -> std::ops::RangeInclusive<u64> {
    let chosen = std::env::var("RASADMIN_SEEDS").unwrap_or_else(|_| "1-60".to_owned());
    let (from, to) = chosen.split_once('-').expect("FROM-TO");
    from.parse().unwrap()..=to.parse().unwrap()
}

/// What is recorded, by number; None for a gap.
type History = Vec<Option<String>>;

fn read(journal: &Journal, when: &str) -> History {
    let mut all = History::new();
    let read = journal.lock(soon()).unwrap().catch_up(|item| match item {
        Item::Record(record) => {
            assert_eq!(record.number, all.len() as u64 + 1);
            all.push(Some(String::from_utf8(record.payload.to_vec()).unwrap()));
        }
        Item::Gap { first, last } => {
            assert_eq!(first, all.len() as u64 + 1);
            all.resize(usize::try_from(last).unwrap(), None);
        }
    });
    if let Err(error) = read {
        panic!("{when}: {error}");
    }
    all
}

/// One life of the journal: appends, some synced, and some syncs fail. Returns the last number that is certainly on
/// disk.
fn live(when: &str, journal: &Journal, history: &mut History, life: u64, random: &mut Random) -> usize {
    let mut sure = 0;
    for turn in 0..random.below(60) {
        let mut guard = journal.lock(soon()).unwrap();
        guard.catch_up(|item| panic!("{when}: {item:?}")).unwrap();
        let text = format!("{life} {turn} {}", "p".repeat(usize::try_from(random.below(900)).unwrap()));
        let appended = guard.append(&[text.as_bytes()]);
        drop(guard);
        let last = match appended {
            Ok(appended) => appended.last,
            // The sync that fails was that of the next segment's space: nothing is recorded.
            Err(Error::Io(failed)) if failed.what == "sync" => continue,
            Err(error) => panic!("{error}"),
        };
        history.push(Some(text));
        assert_eq!(last.number, history.len() as u64);
        if random.below(8) == 0 {
            let active = crate::folder::survey(&journal.folder()).unwrap().highest;
            hooks::fail_sync(active);
        }
        if random.below(3) == 0 && journal.sync(&last).is_ok() {
            sure = history.len();
        }
    }
    hooks::fail_sync(u64::MAX);
    sure
}

/// The number of lives that found gaps, wrote records again, or found records lost.
#[derive(Debug, Default)]
struct Seen {
    gaps: usize,
    rewritten: usize,
    lost: usize,
}

/// Several lives, with a cut at the end of each. What was synced must be there, and everything that is there must have
/// been appended in this order. A stale record would differ from the history.
fn play(seed: u64, seen: &mut Seen) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let base = folder();
    let mut history = History::new();
    let mut folder = base.path().join("0");
    std::fs::create_dir(&folder).unwrap();
    let mut sure = 0;
    let mut missing = HashMap::new();
    for life in 0..6 {
        let when = format!("seed {seed} life {life}");
        let disk = Rc::new(RefCell::new(Disk::after_the_cut(&folder)));
        let hears = disk.clone();
        hooks::on_sync(move |path, done| hears.borrow_mut().synced(path, done));
        let journal = open(&folder);
        let found = read(&journal, &when);
        assert!(found.len() >= sure, "{when}: {} of {sure}", found.len());
        for (index, text) in found.iter().enumerate() {
            let known = &history[index];
            // What was missing may be found again, in a segment before: as it was, and never another.
            let healed = known.is_none() && text.as_ref() == missing.get(&index);
            let good = text == known || text.is_none() && index >= sure || healed;
            assert!(good, "{when} record {}: {text:?} instead of {known:?}", index + 1);
        }
        seen.lost += usize::from(found.len() < history.len());
        seen.gaps += usize::from(found.iter().any(Option::is_none));
        for (index, known) in history.iter().enumerate() {
            match (known, found.get(index)) {
                (Some(known), Some(None)) => drop(missing.insert(index, known.clone())),
                (_, None | Some(Some(_))) => drop(missing.remove(&index)),
                (None, Some(None)) => {}
            }
        }
        history = found;
        sure = sure.max(live(&when, &journal, &mut history, life, &mut random));
        seen.rewritten += usize::from(!disk.borrow().given_up.is_empty());
        let next = base.path().join((life + 1).to_string());
        disk.borrow().cut(&folder, &next, &mut random);
        folder = next;
    }
    hooks::on_sync(|_, _| ());
}

#[test]
fn what_was_synced_outlives_power_cuts_and_nothing_else_comes_back() {
    let mut seen = Seen::default();
    for seed in seeds() {
        play(seed, &mut seen);
    }
    // Else the test proves nothing.
    let enough = seen.gaps > 10 && seen.rewritten > 10 && seen.lost > 10;
    assert!(std::env::var_os("RASADMIN_SEEDS").is_some() || enough, "{seen:?}");
}

/// Two segments begin after the same record and lost their first ones. A new segment replaced the first of them, and
/// the second counted after it.
#[test]
fn power_cut_13819_a_segment_of_before_counts_behind_a_new_one() {
    play(13819, &mut Seen::default());
}
