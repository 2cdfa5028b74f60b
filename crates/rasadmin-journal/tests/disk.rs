//! A full disk and a read-only disk, on real file systems that the test mounts.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod small_disk;

use rasadmin_journal::{Error, Follower, Item, Journal, Options, checkpoint};
use small_disk::{mount, on_a_small_disk};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn fill(disk: &Path) {
    let mut file = std::fs::File::options().append(true).create(true).open(disk.join("filler")).unwrap();
    while file.write(&[1; 4096]).is_ok_and(|some| some > 0) {}
}

fn append(journal: &Journal) -> Result<u64, Error> {
    append_long(journal, 1000)
}

fn append_long(journal: &Journal, length: usize) -> Result<u64, Error> {
    let mut guard = journal.lock(soon())?;
    guard.catch_up(|_| ())?;
    let last = guard.append(&[&vec![b'x'; length]])?.last;
    drop(guard);
    journal.sync(&last)?;
    Ok(last.number)
}

fn numbers(folder: &Path) -> Vec<u64> {
    let mut all = Vec::new();
    let mut follower = Follower::open(folder).unwrap().unwrap();
    follower
        .read(|item| match item {
            Item::Record(record) => all.push(record.number),
            gap @ Item::Gap { .. } => panic!("{gap:?}"),
        })
        .unwrap();
    all
}

#[test]
fn a_full_disk_refuses_nothing_for_which_space_was_written_and_loses_nothing() {
    on_a_small_disk("a_full_disk_refuses_nothing_for_which_space_was_written_and_loses_nothing", 12, |disk| {
        let folder = disk.join("journal");
        let options = Options { segment: 1024 * 1024, ..Options::default() };
        let journal = Journal::open(&folder, options, soon()).unwrap();
        // Enough for the next segment's space to be written, too.
        for _ in 0..20 {
            append(&journal).unwrap();
        }
        fill(disk);
        let mut last = 20;
        let refused = loop {
            match append(&journal) {
                Ok(number) => last = number,
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, Error::Full(_)), "{refused}");
        assert!(last > 2000, "two segments: {last}");
        for _ in 0..3 {
            assert!(matches!(append(&journal), Err(Error::Full(_))), "and again");
        }
        // The segment was not ended for want of a next one: a shorter record still fits.
        last += 1;
        assert_eq!(append_long(&journal, 10).unwrap(), last);
        assert_eq!(numbers(&folder), (1..=last).collect::<Vec<_>>());
        assert!(matches!(checkpoint::write(&folder, &journal.position(), 1, &[7; 8192]), Err(Error::Full(_))));
        assert_eq!(checkpoint::list(&folder).unwrap().len(), 0);
        // Another process, which starts now.
        let other = Journal::open(&folder, options, soon()).unwrap();
        assert!(matches!(append(&other), Err(Error::Full(_))));
        std::fs::remove_file(disk.join("filler")).unwrap();
        assert_eq!(append(&other).unwrap(), last + 1);
        assert_eq!(append(&journal).unwrap(), last + 2);
        assert_eq!(numbers(&folder), (1..=last + 2).collect::<Vec<_>>());
        assert!(journal.take_notices().is_empty() && other.take_notices().is_empty());
    });
}

#[test]
fn a_journal_cannot_begin_on_a_full_disk_and_begins_later() {
    on_a_small_disk("a_journal_cannot_begin_on_a_full_disk_and_begins_later", 12, |disk| {
        let folder = disk.join("journal");
        std::fs::create_dir(&folder).unwrap();
        fill(disk);
        let refused = Journal::open(&folder, Options::default(), soon()).unwrap_err();
        assert!(matches!(refused, Error::Full(_)), "{refused}");
        std::fs::remove_file(disk.join("filler")).unwrap();
        assert_eq!(append(&Journal::open(&folder, Options::default(), soon()).unwrap()).unwrap(), 1);
    });
}

#[test]
fn a_journal_that_is_read_only_can_be_followed() {
    on_a_small_disk("a_journal_that_is_read_only_can_be_followed", 12, |disk| {
        let folder = disk.join("journal");
        let journal = Journal::open(&folder, Options::default(), soon()).unwrap();
        append(&journal).unwrap();
        drop(journal);
        mount(&["-o", "remount,ro"], disk);
        let refused = Journal::open(&folder, Options::default(), soon()).unwrap_err();
        assert!(matches!(refused, Error::Io(_)), "{refused}");
        assert_eq!(numbers(&folder), [1]);
    });
}
