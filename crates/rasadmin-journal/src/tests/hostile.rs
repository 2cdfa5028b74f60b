//! Files with correct checksums whose numbers are absurd: the journal must neither panic, nor loop, nor use up memory.

use super::*;
use crate::frame;
use crate::header::{FIRST, Header};
use uuid::Uuid;

fn header(ordinal: u64) -> Header {
    let id = |number: u64| Uuid::from_u128(number.into());
    let predecessor = if ordinal == 1 { Uuid::nil() } else { id(ordinal - 1) };
    Header { journal: id(99), segment: id(ordinal), predecessor, ordinal, size: 4096, last: 0, last_crc: 0 }
}

/// Writes a segment of 4 KiB under an ordinal, which the header need not name.
fn forge(folder: &Path, ordinal: u64, header: &Header, frames: &[u8]) {
    let mut bytes = header.encode().to_vec();
    bytes.resize(usize::try_from(FIRST).unwrap(), 0);
    bytes.extend(frames);
    bytes.resize(4096, 0);
    std::fs::write(segment(folder, ordinal), bytes).unwrap();
}

fn record(previous: u32, number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::record(&mut bytes, previous, number, b"{}");
    bytes
}

#[test]
fn a_journal_at_the_highest_number_refuses_to_append() {
    let last = Header { last: u64::MAX, ..header(1) };
    let gap = frame::gap(0, 32, u64::MAX, 0);
    for (header, frames) in [(last, vec![]), (last, record(0, 0)), (header(1), gap)] {
        let folder = folder();
        forge(folder.path(), 1, &header, &frames);
        followed(folder.path());
        let refused = append_one(&open(folder.path())).unwrap_err();
        assert!(refused.to_string().contains("record numbers are used up"), "{refused}");
    }
}

fn append_one(journal: &Journal) -> Result<Appended, Error> {
    let mut guard = journal.lock(soon())?;
    guard.catch_up(|_| ())?;
    guard.append(&[b"{}"])
}

#[test]
fn a_record_with_number_0_behind_damage_is_cleared() {
    let folder = folder();
    let frames = [vec![0x5a; 64], record(0, 0)].concat();
    forge(folder.path(), 1, &header(1), &frames);
    let (all, notices, journal) = recovered(folder.path());
    assert!(all.is_empty(), "{all:?}");
    assert!(matches!(notices[..], [Notice::Stale { .. }]), "{notices:?}");
    assert_eq!(append_one(&journal).unwrap().first, 1);
}

#[test]
fn a_length_beyond_the_file_is_damage() {
    let folder = folder();
    let mut frames = record(0, 1);
    frames[4..8].copy_from_slice(&0xff00_0000_u32.to_le_bytes());
    forge(folder.path(), 1, &Header { size: u64::from(u32::MAX) & !7, ..header(1) }, &frames);
    assert!(followed(folder.path()).is_empty());
    let (all, notices, journal) = recovered(folder.path());
    assert!(all.is_empty(), "{all:?}");
    assert!(matches!(notices[..], [Notice::Torn { .. }]), "{notices:?}");
    assert_eq!(append_one(&journal).unwrap().first, 1);
}

/// The hole reaches to the end of the segment. A gap there would end where no frame can, and never count.
#[test]
fn a_segment_whose_size_is_not_a_multiple_of_8_is_moved_aside() {
    let folder = folder();
    forge(folder.path(), 1, &Header { size: 4095, ..header(1) }, &[]);
    forge(folder.path(), 2, &Header { last: 5, ..header(2) }, &record(0, 6));
    let (_, notices, _) = recovered(folder.path());
    assert!(matches!(notices[..], [Notice::MovedAside { .. }]), "{notices:?}");
}

/// The third file's header names the first segment's ordinal and identifier, and the second as the one before.
#[test]
fn segments_that_name_each_other_in_a_circle_do_not_stop_a_follower() {
    let folder = folder();
    for ordinal in [1, 2] {
        forge(folder.path(), ordinal, &header(ordinal), &[]);
    }
    forge(folder.path(), 3, &Header { predecessor: Uuid::from_u128(2), ..header(1) }, &[]);
    assert!(followed(folder.path()).is_empty());
}

#[test]
fn a_name_with_a_sign_does_not_count_as_a_segment_or_a_checkpoint() {
    let folder = folder();
    append_each(&open(folder.path()), 3);
    std::fs::write(folder.path().join("+000000001.segment"), "x").unwrap();
    std::fs::write(folder.path().join("+0000000000000000001-aaaaaaaa.checkpoint"), "x").unwrap();
    let (all, notices, _) = recovered(folder.path());
    assert_eq!((all, notices), (numbered(1, 3), vec![]));
    assert!(crate::checkpoint::list(folder.path()).unwrap().is_empty());
}

/// What was read before the failure must not count as what follows: it would look stale, and be erased.
#[test]
fn a_failed_read_loses_nothing() {
    let folder = folder();
    append(&open(folder.path()), 20).unwrap();
    let journal = open(folder.path());
    let mut guard = journal.lock(soon()).unwrap();
    let mut all = Vec::new();
    let mut note = note(&mut all);
    let failed = guard.catch_up(|item| {
        if matches!(item, Item::Record(record) if record.number == 2) {
            hooks::fail_read(1);
        }
        note(item);
    });
    assert!(matches!(failed, Err(Error::Io(_))), "{failed:?}");
    guard.catch_up(&mut note).unwrap();
    drop((guard, note));
    assert_eq!((all, journal.take_notices()), (numbered(1, 20), vec![]));
    assert_eq!(followed(folder.path()), numbered(1, 20));
}
