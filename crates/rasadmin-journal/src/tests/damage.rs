//! Torn, damaged and stale frames.

use super::*;

#[test]
fn what_is_appended_is_read_by_followers_and_by_the_next_who_opens() {
    let folder = folder();
    let journal = open(folder.path());
    let appended = append(&journal, 3).unwrap();
    assert_eq!((appended.first, appended.last.number), (1, 3));
    let mut follower = Follower::open(folder.path()).unwrap().unwrap();
    let mut all = Vec::new();
    follower.read(note(&mut all)).unwrap();
    append_each(&journal, 2);
    follower.read(note(&mut all)).unwrap();
    follower.read(note(&mut all)).unwrap();
    assert_eq!(all, numbered(1, 5));
    assert_eq!(follower.position(), journal.position());
    assert_eq!(recovered(folder.path()).0, numbered(1, 5));
    let again = Journal::open(folder.path(), SMALL, soon()).unwrap();
    assert!(again.start_at(&appended.last).unwrap());
    let mut rest = Vec::new();
    again.lock(soon()).unwrap().catch_up(note(&mut rest)).unwrap();
    assert_eq!(rest, numbered(4, 5));
}

#[test]
fn appending_unread_and_what_cannot_fit_is_refused_and_records_nothing() {
    let folder = folder();
    let journal = open(folder.path());
    let mut guard = journal.lock(soon()).unwrap();
    assert!(matches!(guard.append(&[b"{}"]), Err(Error::Behind)));
    guard.catch_up(|_| ()).unwrap();
    let most = 4096 - 512 - 24 - 24;
    assert!(matches!(guard.append(&[b"{}", b""]), Err(Error::Size { length: 0, .. })));
    let refused = guard.append(&[&vec![b'x'; most + 1]]).unwrap_err();
    assert!(matches!(refused, Error::Size { length, most: m } if length == most + 1 && m == most as u64), "{refused}");
    guard.append(&[&vec![b'x'; most]]).unwrap();
    drop(guard);
    assert_eq!(followed(folder.path()).len(), 1);
}

/// A failed write may have written some of the records completely.
#[test]
fn a_failed_write_records_nothing_wherever_it_failed() {
    for after in (0..700).step_by(11) {
        let folder = folder();
        let journal = open(folder.path());
        append(&journal, 2).unwrap();
        hooks::fail_write(1, after);
        assert!(matches!(append(&journal, 4), Err(Error::Io(_))));
        assert_eq!(followed(folder.path()), numbered(1, 2), "{after}");
        append(&journal, 1).unwrap();
        let (all, notices, _) = recovered(folder.path());
        assert_eq!((all, notices), (numbered(1, 3), vec![]), "{after}");
    }
}

/// If they cannot be erased either, they come back as if another process had appended them.
#[test]
fn what_a_failed_write_left_comes_back_in_the_next_catching_up() {
    let folder = folder();
    let journal = open(folder.path());
    append(&journal, 2).unwrap();
    let places = places(folder.path(), 1);
    let first_whole = crate::frame::span(text(3).len());
    hooks::fail_write(1, usize::try_from(first_whole).unwrap() + 10);
    hooks::fail_write(1, 0);
    let mut guard = journal.lock(soon()).unwrap();
    guard.catch_up(|_| ()).unwrap();
    let texts = [text(3), text(4)];
    guard.append(&texts.each_ref().map(String::as_bytes)).unwrap_err();
    assert!(matches!(guard.append(&[b"{}"]), Err(Error::Behind)), "not before it is known what is there");
    let mut back = Vec::new();
    guard.catch_up(note(&mut back)).unwrap();
    assert_eq!(back, numbered(3, 3));
    drop(guard);
    let at = places[2] as u64 + first_whole;
    assert_eq!(journal.take_notices(), [Notice::Torn { path: segment(folder.path(), 1), at }]);
    append(&journal, 1).unwrap();
    assert_eq!(recovered(folder.path()).0, numbered(1, 4));
}

/// A record that is cut off at any byte, by a power cut or a kill, is erased. All records before it stay.
#[test]
fn a_tail_torn_at_every_byte() {
    let whole = folder();
    append(&open(whole.path()), 3).unwrap();
    let places = places(whole.path(), 1);
    let (from, to) = (places[2], places[3]);
    for cut in from..to {
        let folder = folder();
        copy(whole.path(), folder.path());
        patch(&segment(folder.path(), 1), |bytes| bytes[cut..].fill(0));
        // The last bytes may be padding.
        let intact =
            std::fs::read(segment(folder.path(), 1)).unwrap() == std::fs::read(segment(whole.path(), 1)).unwrap();
        let left = if intact { 3 } else { 2 };
        assert_eq!(followed(folder.path()), numbered(1, left), "{cut}");
        let (all, notices, journal) = recovered(folder.path());
        assert_eq!(all, numbered(1, left), "{cut}");
        let torn = !intact && cut > from;
        assert_eq!(notices.len(), usize::from(torn), "{cut} {notices:?}");
        assert!(notices.iter().all(|notice| matches!(notice, Notice::Torn { at, .. } if *at == from as u64)));
        append(&journal, 1).unwrap();
        assert_eq!(followed(folder.path()), numbered(1, left + 1), "{cut}");
    }
}

/// The file itself may be shorter than the segment.
#[test]
fn a_file_cut_off_at_every_byte() {
    let whole = folder();
    append(&open(whole.path()), 3).unwrap();
    let places = places(whole.path(), 1);
    for cut in places[0]..places[3] {
        let folder = folder();
        copy(whole.path(), folder.path());
        patch(&segment(folder.path(), 1), |bytes| bytes.truncate(cut));
        let left = places.iter().filter(|place| **place <= cut).count() as u64 - 1;
        let (all, _, journal) = recovered(folder.path());
        assert_eq!(all, numbered(1, left), "{cut}");
        append_each(&journal, 60);
        assert_eq!(followed(folder.path()), numbered(1, left + 60), "{cut}");
    }
}

#[test]
fn a_rotten_record_is_quarantined_by_who_appends_and_stops_who_follows() {
    for (rotten, missing) in [(2..3, "3-3 missing"), (1..4, "2-4 missing"), (0..1, "1-1 missing")] {
        for zero in [false, true] {
            let folder = folder();
            append(&open(folder.path()), 6).unwrap();
            let places = places(folder.path(), 1);
            patch(&segment(folder.path(), 1), |bytes| {
                for at in &mut bytes[places[rotten.start]..places[rotten.end]] {
                    *at = if zero { 0 } else { *at ^ 0x40 };
                }
            });
            let mut follower = Follower::open(folder.path()).unwrap().unwrap();
            let mut seen = Vec::new();
            follower.read(note(&mut seen)).unwrap();
            let before = rotten.start as u64;
            assert_eq!(seen, numbered(1, before), "it waits");
            let (all, notices, journal) = recovered(folder.path());
            let mut expected = numbered(1, before);
            expected.push(missing.to_owned());
            expected.extend(numbered(rotten.end as u64 + 1, 6));
            assert_eq!(all, expected);
            let [Notice::Quarantined { first, last, saved: Some(saved), .. }] = &notices[..] else {
                panic!("{notices:?}")
            };
            assert_eq!((*first, *last), (before + 1, rotten.end as u64));
            assert_eq!(std::fs::read(saved).unwrap().len(), places[rotten.end] - places[rotten.start]);
            append(&journal, 1).unwrap();
            expected.extend(numbered(7, 7));
            follower.read(note(&mut seen)).unwrap();
            assert_eq!(seen, expected, "and goes on");
            let (again, notices, _) = recovered(folder.path());
            assert_eq!((again, notices), (expected, vec![]), "it is done once");
        }
    }
}

/// A power cut takes record 4 and leaves 5 to 8. A process took the hole for the end, and wrote another record there,
/// of the same or another length. What was after the hole must not count after it.
#[test]
fn stale_records_behind_a_hole_are_not_revived() {
    for shorter in [0, 8, 16] {
        let folder = folder();
        let journal = open(folder.path());
        let same = |n: u64| format!("{{\"n\":{n},\"more\":\"the same length\"}}");
        let mut guard = journal.lock(soon()).unwrap();
        guard.catch_up(|_| ()).unwrap();
        for n in 1..=8 {
            guard.append(&[same(n).as_bytes()]).unwrap();
        }
        drop(guard);
        let places = places(folder.path(), 1);
        let crc_of_3 = std::fs::read(segment(folder.path(), 1)).unwrap()[places[2] + 8..places[2] + 12].to_vec();
        let mut other = Vec::new();
        let text = same(9);
        let text = &text[..text.len() - shorter];
        crate::frame::record(&mut other, u32::from_le_bytes(crc_of_3.try_into().unwrap()), 4, text.as_bytes());
        patch(&segment(folder.path(), 1), |bytes| bytes[places[3]..places[3] + other.len()].copy_from_slice(&other));
        let (all, notices, journal) = recovered(folder.path());
        let mut expected: Vec<_> = (1..=3).map(|n| format!("{n} {}", same(n))).collect();
        expected.push(format!("4 {text}"));
        assert_eq!(all, expected);
        assert!(matches!(&notices[..], [Notice::Stale { saved: Some(_), .. }]), "{notices:?}");
        for n in 5..=8 {
            let mut guard = journal.lock(soon()).unwrap();
            guard.catch_up(|item| panic!("{item:?}")).unwrap();
            guard.append(&[same(n + 10).as_bytes()]).unwrap();
            expected.push(format!("{n} {}", same(n + 10)));
            drop(guard);
            assert_eq!(followed(folder.path()), expected);
        }
        assert_eq!(recovered(folder.path()).0, expected);
    }
}

#[test]
fn a_follower_waits_at_half_a_record_and_reads_it_once_it_is_whole() {
    let folder = folder();
    let journal = open(folder.path());
    append(&journal, 4).unwrap();
    let whole = std::fs::read(segment(folder.path(), 1)).unwrap();
    let places = places(folder.path(), 1);
    for cut in (places[2]..places[4]).step_by(3) {
        let mut follower = Follower::open(folder.path()).unwrap().unwrap();
        patch(&segment(folder.path(), 1), |bytes| bytes[cut..].fill(0));
        let mut seen = Vec::new();
        follower.read(note(&mut seen)).unwrap();
        // The last bytes of a frame may be padding.
        let third = cut >= places[3] || whole[cut..places[3]].iter().all(|byte| *byte == 0);
        let fourth = whole[cut..places[4]].iter().all(|byte| *byte == 0);
        assert_eq!(seen, numbered(1, 2 + u64::from(third) + u64::from(fourth)), "{cut}");
        patch(&segment(folder.path(), 1), |bytes| bytes.copy_from_slice(&whole));
        follower.read(note(&mut seen)).unwrap();
        assert_eq!(seen, numbered(1, 4), "{cut}");
    }
}
