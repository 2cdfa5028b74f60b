//! Checkpoints that are torn, damaged or foreign: the newest intact one is used.

use super::*;
use crate::checkpoint::{self, newest};
use crate::{Position, cursor};
use uuid::Uuid;

pub fn position(number: u64) -> Position {
    Position { journal: Uuid::from_u128(1), segment: Uuid::from_u128(2), number, crc: 3 }
}

fn number(found: Option<checkpoint::Checkpoint>) -> Option<u64> {
    found.map(|found| found.position.number)
}

#[test]
fn the_newest_good_one_that_fits_is_found() {
    let folder = folder();
    assert_eq!(newest(folder.path(), |_, _| true).unwrap(), (None, vec![]));
    for number in [5, 100, 20] {
        checkpoint::write(folder.path(), &position(number), 7, format!("state {number}").as_bytes()).unwrap();
    }
    let (found, passed) = newest(folder.path(), |_, _| true).unwrap();
    let expected = checkpoint::Checkpoint { position: position(100), version: 7, state: b"state 100".to_vec() };
    assert_eq!((found, passed), (Some(expected), vec![]));
    let (found, passed) = newest(folder.path(), |position, version| position.number < 100 && version == 7).unwrap();
    assert_eq!((number(found), passed.len()), (Some(20), 1));
    let names = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 3, "nothing else is left");
    let again = checkpoint::write(folder.path(), &position(100), 7, b"another").unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4, "a name of its own each time");
    checkpoint::prune(folder.path(), 2).unwrap();
    assert_eq!(checkpoint::list(folder.path()).unwrap().len(), 2);
    assert!(again.exists());
}

#[test]
fn one_that_is_written_bit_by_bit_counts_once_it_is_whole() {
    let folder = folder();
    let found = || newest(folder.path(), |_, _| true).unwrap();
    let mut writer = checkpoint::Writer::begin(folder.path(), &position(9), 7).unwrap();
    for part in ["a state", " in", " slices"] {
        writer.append(part.as_bytes()).unwrap();
        writer.sync().unwrap();
        assert_eq!(found(), (None, vec![]));
    }
    let path = writer.finish().unwrap();
    let expected = checkpoint::Checkpoint { position: position(9), version: 7, state: b"a state in slices".to_vec() };
    assert_eq!(found(), (Some(expected), vec![]));
    let mut writer = checkpoint::Writer::begin(folder.path(), &position(10), 7).unwrap();
    writer.append(b"never finished").unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    drop(writer);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [path]);
}

#[test]
fn one_that_is_torn_or_rotten_anywhere_is_passed_over() {
    let folder = folder();
    checkpoint::write(folder.path(), &position(1), 1, b"older").unwrap();
    let path = checkpoint::write(folder.path(), &position(2), 1, b"newer state").unwrap();
    let good = std::fs::read(&path).unwrap();
    let look = || {
        let (found, passed) = newest(folder.path(), |_, _| true).unwrap();
        (number(found), passed.len())
    };
    for cut in 0..good.len() {
        std::fs::write(&path, &good[..cut]).unwrap();
        assert_eq!(look(), (Some(1), 1), "{cut}");
    }
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(look(), (Some(1), 1), "{bit}");
    }
    std::fs::write(&path, [&good[..], b"x"].concat()).unwrap();
    assert_eq!(look(), (Some(1), 1), "longer than it says");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert_eq!(look(), (Some(1), 1));
    std::fs::write(folder.path().join("99999999999999999999-aaaaaaaa.part"), &good).unwrap();
    assert_eq!(look(), (Some(1), 1), "an unfinished one is not looked at");
}

#[test]
fn the_newest_good_ones_stay_and_damaged_ones_do_not_count_among_them() {
    let folder = folder();
    let [oldest, older, rotten, newest] =
        [1, 2, 3, 4].map(|number| checkpoint::write(folder.path(), &position(number), 1, &[7; 100_000]).unwrap());
    patch(&rotten, |bytes| bytes[90_000] ^= 1);
    checkpoint::prune(folder.path(), 2).unwrap();
    let kept = [&oldest, &older, &rotten, &newest].map(|path| path.exists());
    assert_eq!(kept, [false, true, true, true]);
}

#[test]
fn a_version_that_is_not_known_is_passed_over() {
    let folder = folder();
    checkpoint::write(folder.path(), &position(1), 1, b"older").unwrap();
    let path = checkpoint::write(folder.path(), &position(2), 1, b"newer").unwrap();
    patch(&path, |bytes| {
        bytes[8] = 2;
        let crc = crc32c::crc32c(&bytes[..76]);
        bytes[76..80].copy_from_slice(&crc.to_le_bytes());
    });
    let (found, passed) = newest(folder.path(), |_, _| true).unwrap();
    assert_eq!(number(found), Some(1));
    assert!(passed[0].to_string().contains("its version is 2"), "{passed:?}");
}

#[test]
fn cursors_are_read_back_and_damaged_ones_are_known_as_such() {
    let folder = folder();
    cursor::write(folder.path(), "sqlite", &position(u64::MAX)).unwrap();
    cursor::write(folder.path(), "sqlite", &position(7)).unwrap();
    cursor::write(folder.path(), "fleet-2", &position(9)).unwrap();
    let path = folder.path().join("fleet-2.cursor");
    let read = || cursor::list(folder.path()).unwrap().into_iter().map(|c| (c.ledger, c.position)).collect::<Vec<_>>();
    let sqlite = ("sqlite".to_owned(), Some(position(7)));
    assert_eq!(read(), [("fleet-2".to_owned(), Some(position(9))), sqlite.clone()]);
    let good = std::fs::read(&path).unwrap();
    for cut in 0..good.len() {
        std::fs::write(&path, &good[..cut]).unwrap();
        assert_eq!(read(), [("fleet-2".to_owned(), None), sqlite.clone()], "{cut}");
    }
    cursor::forget(folder.path(), "fleet-2").unwrap();
    assert_eq!(read(), [sqlite]);
    for name in ["", "../x", "A", "a.b", &"a".repeat(65)] {
        assert!(matches!(cursor::write(folder.path(), name, &position(1)), Err(Error::Io(_))), "{name}");
    }
}
