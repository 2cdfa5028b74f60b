//! From segment to segment, with a crash at every step.

use super::*;
use std::cell::RefCell;
use std::rc::Rc;

/// Records of every length, so that segments end with every possible room left.
#[test]
fn a_segment_can_end_at_every_place() {
    for length in (1..600).step_by(7) {
        let folder = folder();
        let journal = Journal::open(folder.path(), Options { durable: false, ..SMALL }, soon()).unwrap();
        let text = "y".repeat(length);
        let mut guard = journal.lock(soon()).unwrap();
        guard.catch_up(|_| ()).unwrap();
        let count = 2 * 4096 / (length + 24) + 3;
        for _ in 0..count {
            guard.append(&[text.as_bytes()]).unwrap();
        }
        drop(guard);
        let expected: Vec<_> = (1..=count).map(|n| format!("{n} {text}")).collect();
        assert_eq!(followed(folder.path()), expected, "{length}");
        let (all, notices, _) = recovered(folder.path());
        assert_eq!((all, notices), (expected, vec![]), "{length}");
        assert!(segment(folder.path(), 3).exists());
    }
}

#[test]
fn a_crash_at_every_step_of_a_roll_loses_and_doubles_nothing() {
    let folder = folder();
    let journal = open(folder.path());
    let copies = tempfile::tempdir().unwrap();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let (into, base) = (seen.clone(), copies.path().to_owned());
    hooks::watch(move |folder, what| {
        let to = base.join(into.borrow().len().to_string());
        copy(folder, &to);
        into.borrow_mut().push((what.to_owned(), to));
    });
    let mut acknowledged = Vec::new();
    for number in 1..=60 {
        append(&journal, 1).unwrap();
        acknowledged.resize(seen.borrow().len(), number - 1);
    }
    hooks::watch(|_, _| ());
    let steps: Vec<_> = seen.borrow().iter().map(|(what, _)| what.clone()).take(5).collect();
    assert_eq!(steps, ["prepared", "ended", "synced", "begun", "entered"]);
    assert!(seen.borrow().len() > 5, "{}", seen.borrow().len());
    for ((what, folder), acknowledged) in seen.borrow().iter().zip(acknowledged) {
        let expected = numbered(1, acknowledged);
        assert_eq!(followed(folder), expected, "{what}");
        let (all, notices, journal) = recovered(folder);
        assert_eq!((all, notices), (expected, vec![]), "{what}");
        append_each(&journal, 40);
        assert_eq!(followed(folder), numbered(1, acknowledged + 40), "{what}");
    }
}

/// A roll that fails at any of its writes is repeated, and loses nothing.
#[test]
fn a_roll_whose_writes_fail_is_tried_again() {
    for (ordinal, after) in [(1, 0), (1, 10), (2, 0), (2, 50)] {
        let folder = folder();
        let journal = open(folder.path());
        let mut done = 0;
        while (4096 - 512) / 300 > done {
            append(&journal, 1).unwrap();
            done += 1;
        }
        // The space of the next segment is written: what is written now is the end, and the next one's header.
        let long = "y".repeat(3000);
        let attempt = || {
            let mut guard = journal.lock(soon())?;
            guard.catch_up(|item| panic!("{item:?}"))?;
            guard.append(&[long.as_bytes()])
        };
        hooks::fail_write(ordinal, after);
        assert!(matches!(attempt(), Err(Error::Io(_))), "{ordinal} {after}");
        assert_eq!(hooks::write_fails(ordinal), None, "the fault was met");
        assert_eq!(followed(folder.path()), numbered(1, done), "{ordinal} {after}");
        let crashed = tempfile::tempdir().unwrap();
        copy(folder.path(), crashed.path());
        assert_eq!(recovered(crashed.path()).0, numbered(1, done), "{ordinal} {after}");
        assert_eq!(attempt().unwrap().first, done + 1);
        assert_eq!(followed(folder.path()).len() as u64, done + 1, "{ordinal} {after}");
        assert_eq!(recovered(folder.path()).0.len() as u64, done + 1, "{ordinal} {after}");
    }
}

/// A power cut takes the end of the old segment. The next segment's first record shows that the journal continues
/// there.
#[test]
fn the_next_segment_goes_on_though_the_end_of_the_last_is_lost() {
    let folder = folder();
    let journal = open(folder.path());
    append_each(&journal, 40);
    let places = places(folder.path(), 1);
    patch(&segment(folder.path(), 1), |bytes| bytes[places[places.len() - 1]..].fill(0));
    assert_eq!(followed(folder.path()), numbered(1, 40));
    let (all, notices, journal) = recovered(folder.path());
    assert_eq!((all, notices), (numbered(1, 40), vec![]));
    append_each(&journal, 5);
    assert_eq!(followed(folder.path()), numbered(1, 45));
}

/// Without syncs a power cut can take the old segment's last records, and leave the next segment's.
#[test]
fn a_hole_at_the_end_of_a_segment_is_a_gap() {
    let folder = folder();
    let journal = open(folder.path());
    append_each(&journal, 40);
    let places = places(folder.path(), 1);
    let in_first = places.len() as u64 - 1;
    patch(&segment(folder.path(), 1), |bytes| bytes[places[places.len() - 3]..].fill(0));
    assert_eq!(followed(folder.path()), numbered(1, in_first - 2));
    let (all, notices, journal) = recovered(folder.path());
    let mut expected = numbered(1, in_first - 2);
    expected.push(format!("{}-{in_first} missing", in_first - 1));
    expected.extend(numbered(in_first + 1, 40));
    assert_eq!(all, expected);
    assert!(matches!(notices[..], [Notice::Quarantined { .. }]), "{notices:?}");
    append_each(&journal, 1);
    expected.extend(numbered(41, 41));
    assert_eq!(followed(folder.path()), expected);
}

/// The next segment was begun, and a power cut took its first record: it does not count, and it is not in the way.
#[test]
fn a_segment_begun_and_without_a_record_is_used_again() {
    let folder = folder();
    append_each(&open(folder.path()), 40);
    let first = places(folder.path(), 1);
    patch(&segment(folder.path(), 1), |bytes| bytes[first[first.len() - 1]..].fill(0));
    std::fs::remove_file(segment(folder.path(), 3)).unwrap();
    let second = places(folder.path(), 2);
    patch(&segment(folder.path(), 2), |bytes| bytes[second[0]..second[0] + 32].fill(0));
    let in_first = first.len() as u64 - 1;
    let (all, aside, journal) = recovered(folder.path());
    assert_eq!(all, numbered(1, in_first));
    assert!(matches!(&aside[..], [Notice::MovedAside { .. }]), "what stood behind the hole is kept: {aside:?}");
    append_each(&journal, 40);
    assert_eq!(followed(folder.path()), numbered(1, in_first + 40));
    assert!(journal.take_notices().is_empty());
}

/// As above, and a second segment after it, which also lost its first record: it must not count after a new segment.
#[test]
fn segments_behind_the_end_never_count_again() {
    let folder = folder();
    let writer = open(folder.path());
    append_each(&writer, 5);
    let begin = |failing: u64| {
        hooks::fail_sync(failing);
        let last = writer.position();
        assert!(matches!(writer.sync(&last), Err(Error::Sync(_))));
        append_each(&writer, 1);
    };
    // The second and the third segment both begin behind record 5.
    writer.sync(&writer.position()).unwrap();
    append_each(&writer, 1);
    begin(1);
    begin(2);
    drop(writer);
    let first = places(folder.path(), 1);
    patch(&segment(folder.path(), 1), |bytes| bytes[first[5]..].fill(0));
    for ordinal in [2, 3] {
        let at = places(folder.path(), ordinal)[0];
        patch(&segment(folder.path(), ordinal), |bytes| bytes[at..at + 32].fill(0));
    }
    let (all, aside, journal) = recovered(folder.path());
    assert_eq!(all, numbered(1, 5));
    assert!(matches!(&aside[..], [Notice::MovedAside { .. }, Notice::MovedAside { .. }]), "{aside:?}");
    let mut guard = journal.lock(soon()).unwrap();
    guard.catch_up(|item| panic!("{item:?}")).unwrap();
    guard.seal().unwrap();
    drop(guard);
    for number in 6..40 {
        let mut guard = journal.lock(soon()).unwrap();
        guard.catch_up(|item| panic!("{item:?}")).unwrap();
        assert_eq!(guard.append(&[text(number).as_bytes()]).unwrap().first, number);
    }
    assert_eq!(followed(folder.path()), numbered(1, 39));
    assert_eq!(recovered(folder.path()).0, numbered(1, 39));
}

#[test]
fn a_missing_segment_is_a_gap_and_a_missing_beginning_is_none() {
    let folder = folder();
    append_each(&open(folder.path()), 100);
    let counts: Vec<_> = (1..=3).map(|ordinal| places(folder.path(), ordinal).len() as u64 - 1).collect();
    std::fs::remove_file(segment(folder.path(), 2)).unwrap();
    let second = counts[0] + counts[1];
    let mut expected = numbered(1, counts[0]);
    expected.push(format!("{}-{second} missing", counts[0] + 1));
    expected.extend(numbered(second + 1, 100));
    assert_eq!(followed(folder.path()), expected);
    assert_eq!(recovered(folder.path()).0, expected);
    std::fs::remove_file(segment(folder.path(), 1)).unwrap();
    let (all, _, journal) = recovered(folder.path());
    assert_eq!(all, numbered(second + 1, 100));
    assert_eq!(journal.beginning().number, second);
    append_each(&journal, 1);
}

/// A reader whose position is in an old segment, or in a deleted one.
#[test]
fn a_place_is_found_in_any_segment_and_a_strange_one_in_none() {
    let folder = folder();
    let journal = open(folder.path());
    let mut all = Vec::new();
    for _ in 0..60 {
        all.push(append(&journal, 1).unwrap().last);
    }
    for position in &all {
        let mut follower = Follower::open(folder.path()).unwrap().unwrap();
        assert!(follower.start_at(position).unwrap());
        let mut rest = Vec::new();
        follower.read(note(&mut rest)).unwrap();
        assert_eq!(rest, numbered(position.number + 1, 60));
        let other = crate::Position { crc: position.crc ^ 1, ..*position };
        assert!(!follower.start_at(&other).unwrap());
        let other = crate::Position { number: position.number + 60, ..*position };
        assert!(!follower.start_at(&other).unwrap());
        let other = crate::Position { journal: uuid::Uuid::from_u128(7), ..*position };
        assert!(!follower.start_at(&other).unwrap());
    }
}
