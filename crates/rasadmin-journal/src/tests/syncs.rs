//! Failed syncs: the records are written again.

use super::*;
use std::cell::RefCell;
use std::rc::Rc;

#[test]
fn a_failed_sync_closes_the_segment_and_its_records_are_written_again() {
    let folder = folder();
    let journal = open(folder.path());
    let other = open(folder.path());
    let synced = append(&journal, 3).unwrap().last;
    journal.sync(&synced).unwrap();
    append(&other, 2).unwrap();
    let last = append(&journal, 2).unwrap().last;
    let mut follower = Follower::open(folder.path()).unwrap().unwrap();
    let mut seen = Vec::new();
    follower.read(note(&mut seen)).unwrap();
    hooks::fail_sync(1);
    assert!(matches!(journal.sync(&last), Err(Error::Sync(_))));
    assert!(matches!(journal.sync(&last), Err(Error::Sync(_))), "the system says it once, the journal each time");
    let mut guard = journal.lock(soon()).unwrap();
    guard.catch_up(|item| panic!("{item:?}")).unwrap();
    let again = guard.rewrite().unwrap();
    drop(guard);
    assert_eq!((again.number, again.crc), (7, last.crc), "the same numbers");
    assert_ne!(again.segment, last.segment);
    journal.sync(&last).unwrap();
    // The disk has nothing of the old segment behind what was synced: the next has it, others' records too.
    let lost = tempfile::tempdir().unwrap();
    copy(folder.path(), lost.path());
    let places = places(lost.path(), 1);
    patch(&segment(lost.path(), 1), |bytes| bytes[places[3]..].fill(0));
    assert_eq!(followed(lost.path()), numbered(1, 7));
    let (all, notices, survivor) = recovered(lost.path());
    assert_eq!((all, notices), (numbered(1, 7), vec![]));
    append(&survivor, 1).unwrap();
    assert_eq!(followed(lost.path()), numbered(1, 8));
    // And those who read all of it read nothing twice.
    append(&other, 1).unwrap();
    append(&journal, 1).unwrap();
    follower.read(note(&mut seen)).unwrap();
    assert_eq!(seen, numbered(1, 9));
    assert_eq!(recovered(folder.path()).0, numbered(1, 9));
}

#[test]
fn appending_after_a_failed_sync_writes_again_by_itself() {
    let folder = folder();
    let journal = open(folder.path());
    let last = append(&journal, 4).unwrap().last;
    hooks::fail_sync(1);
    journal.sync(&last).unwrap_err();
    let next = append(&journal, 1).unwrap().last;
    assert_eq!(places(folder.path(), 2).len(), 6, "all five stand in the second");
    journal.sync(&next).unwrap();
    assert_eq!(recovered(folder.path()).0, numbered(1, 5));
    let mut again = Follower::open(folder.path()).unwrap().unwrap();
    assert!(again.start_at(&last).unwrap(), "a place in the closed segment is found");
    let mut rest = Vec::new();
    again.read(note(&mut rest)).unwrap();
    assert_eq!(rest, numbered(5, 5));
}

/// The sync of a roll fails: the same.
#[test]
fn a_failed_sync_at_a_roll() {
    let folder = folder();
    let journal = open(folder.path());
    append_each(&journal, 10);
    hooks::fail_sync(1);
    append_each(&journal, 60);
    assert_eq!(followed(folder.path()), numbered(1, 70));
    patch(&segment(folder.path(), 1), |bytes| bytes[512..].fill(0));
    assert_eq!(recovered(folder.path()).0, numbered(1, 70), "nothing of the first was known to be on disk");
}

/// Killed while the records are written again: the next process that appends continues.
#[test]
fn a_crash_at_every_step_of_writing_again() {
    let folder = folder();
    let journal = open(folder.path());
    append(&journal, 2).unwrap();
    journal.sync(&journal.position()).unwrap();
    append(&journal, 5).unwrap();
    let whole = tempfile::tempdir().unwrap();
    copy(folder.path(), whole.path());
    let copies = tempfile::tempdir().unwrap();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let (into, base) = (seen.clone(), copies.path().to_owned());
    hooks::watch(move |folder, what| {
        let to = base.join(what);
        copy(folder, &to);
        into.borrow_mut().push(what.to_owned());
    });
    hooks::fail_sync(1);
    journal.sync(&journal.position()).unwrap_err();
    let mut guard = journal.lock(soon()).unwrap();
    guard.catch_up(|_| ()).unwrap();
    guard.rewrite().unwrap();
    drop(guard);
    hooks::watch(|_, _| ());
    assert_eq!(*seen.borrow(), ["synced", "begun", "entered", "copied"]);
    for partly in [3, 4, 5, 6] {
        // Some of the records were written, the rest not.
        let to = copies.path().join(format!("partly {partly}"));
        copy(&copies.path().join("copied"), &to);
        let places = places(&to, 2);
        patch(&segment(&to, 2), |bytes| bytes[places[partly - 2] + 3..].fill(0));
        seen.borrow_mut().push(format!("partly {partly}"));
    }
    for what in seen.borrow().iter() {
        let folder = copies.path().join(what);
        // Followers wait for what may be written again; those that have read it keep it.
        let seen = followed(&folder);
        assert!(seen.len() >= 2 && numbered(1, 7).starts_with(&seen), "{what}");
        for position in [None, Some(2), Some(3), Some(7)] {
            let copied = tempfile::tempdir().unwrap();
            copy(&folder, copied.path());
            let journal = open(copied.path());
            if let Some(number) = position {
                let mut from = None;
                let beginning = journal.beginning();
                // A position in a copy that has everything in one segment.
                let mut reader = Follower::open(whole.path()).unwrap().unwrap();
                let of = |r: crate::Record<'_>| crate::Position { number: r.number, crc: r.crc, ..beginning };
                reader
                    .read(|item| match item {
                        Item::Record(record) if record.number == number => from = Some(of(record)),
                        _ => (),
                    })
                    .unwrap();
                assert!(journal.start_at(&from.unwrap()).unwrap(), "{what} {number}");
            }
            let mut all = Vec::new();
            let mut guard = journal.lock(soon()).unwrap();
            guard.catch_up(note(&mut all)).unwrap();
            drop(guard);
            assert_eq!(all, numbered(position.map_or(1, |number| number + 1), 7), "{what} {position:?}");
            append_each(&journal, 50);
            assert_eq!(followed(copied.path()), numbered(1, 57), "{what} {position:?}");
        }
    }
}

#[test]
fn a_sync_covers_what_was_appended_before_it() {
    let folder = folder();
    let journal = open(folder.path());
    let first = append(&journal, 1).unwrap().last;
    let second = append(&journal, 1).unwrap().last;
    journal.sync(&second).unwrap();
    hooks::fail_sync(1);
    journal.sync(&first).unwrap();
    let third = append(&journal, 1).unwrap().last;
    journal.sync(&third).unwrap_err();
}

#[test]
fn without_durability_a_roll_syncs_nothing() {
    let folder = folder();
    let journal = Journal::open(folder.path(), Options { durable: false, ..SMALL }, soon()).unwrap();
    hooks::fail_sync(1);
    append_each(&journal, 60);
    assert!(hooks::sync_fails(1), "nobody met the fault");
    assert_eq!(followed(folder.path()), numbered(1, 60));
}
