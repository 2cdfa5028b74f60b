//! Which segments may be deleted.

use super::*;
use crate::retain::{Rule, expire};
use crate::{Position, checkpoint, cursor};
use std::time::SystemTime;

fn later() -> Rule {
    Rule::Ingested { before: SystemTime::now() + Duration::from_secs(60) }
}

/// A journal of several segments, with the last number of each.
fn several(folder: &Path) -> (Journal, Vec<u64>) {
    let journal = open(folder);
    append_each(&journal, 150);
    let lasts = (1..).map(|ordinal| segment(folder, ordinal)).take_while(|path| path.exists()).count() as u64 - 1;
    let mut sum = 0;
    let lasts = (1..=lasts)
        .map(|ordinal| {
            sum += places(folder, ordinal).len() as u64 - 1;
            sum
        })
        .collect::<Vec<_>>();
    assert!(lasts.len() >= 5, "{lasts:?}");
    assert_eq!(lasts.last(), Some(&150));
    (journal, lasts)
}

fn numbers(rule: Rule, folder: &Path) -> Vec<(u64, u64, bool)> {
    expire(folder, rule).unwrap().into_iter().map(|gone| (gone.first, gone.last, gone.ingested)).collect()
}

#[test]
fn a_segment_goes_when_every_ledger_and_a_checkpoint_are_past_it_and_it_is_old() {
    let folder = folder();
    let (journal, lasts) = several(folder.path());
    let at = |number| Position { number, ..journal.position() };
    assert_eq!(numbers(later(), folder.path()), [], "no ledger");
    cursor::write(folder.path(), "one", &at(lasts[2])).unwrap();
    assert_eq!(numbers(later(), folder.path()), [], "no checkpoint");
    let path = checkpoint::write(folder.path(), &at(lasts[1]), 1, b"state").unwrap();
    cursor::write(folder.path(), "two", &at(lasts[0] - 1)).unwrap();
    assert_eq!(numbers(later(), folder.path()), [], "one ledger lacks its last record");
    cursor::write(folder.path(), "two", &at(lasts[0])).unwrap();
    let young = Rule::Ingested { before: SystemTime::now() - Duration::from_secs(3600) };
    assert_eq!(numbers(young, folder.path()), []);
    let good = std::fs::read(&path).unwrap();
    std::fs::write(&path, &good[..good.len() - 1]).unwrap();
    assert_eq!(numbers(later(), folder.path()), [], "a torn checkpoint is none");
    std::fs::write(&path, good).unwrap();
    assert_eq!(numbers(later(), folder.path()), [(1, lasts[0], true)]);
    assert!(!segment(folder.path(), 1).exists());
    assert_eq!(numbers(later(), folder.path()), []);
    cursor::write(folder.path(), "two", &at(150)).unwrap();
    cursor::write(folder.path(), "one", &at(150)).unwrap();
    let second = [(lasts[0] + 1, lasts[1], true)];
    assert_eq!(numbers(later(), folder.path()), second, "as far as the checkpoint goes");
    checkpoint::write(folder.path(), &at(150), 1, b"state").unwrap();
    std::fs::write(folder.path().join("two.cursor"), "damaged").unwrap();
    assert_eq!(numbers(later(), folder.path()), [], "a damaged cursor keeps everything");
    cursor::forget(folder.path(), "two").unwrap();
    let left = numbers(later(), folder.path());
    assert_eq!(left.last().map(|gone| gone.1), Some(lasts[lasts.len() - 3]), "the two newest stay");
    append_each(&journal, 50);
    let (all, notices, _) = recovered(folder.path());
    assert_eq!((all, notices), (numbered(lasts[lasts.len() - 3] + 1, 200), vec![]));
}

#[test]
fn over_the_limit_the_oldest_go_whether_brought_or_not_but_never_without_a_checkpoint() {
    let folder = folder();
    let (journal, lasts) = several(folder.path());
    let limit = Rule::Limit { bytes: 4096 * (lasts.len() as u64 - 2) };
    assert_eq!(numbers(limit, folder.path()), [], "no checkpoint");
    let at = |number| Position { number, ..journal.position() };
    let other = Position { journal: uuid::Uuid::from_u128(9), ..at(150) };
    checkpoint::write(folder.path(), &other, 1, b"state").unwrap();
    assert_eq!(numbers(limit, folder.path()), [], "another journal's checkpoint");
    checkpoint::write(folder.path(), &at(140), 1, b"state").unwrap();
    cursor::write(folder.path(), "one", &at(lasts[0])).unwrap();
    assert_eq!(numbers(limit, folder.path()), [(1, lasts[0], true), (lasts[0] + 1, lasts[1], false)]);
    assert_eq!(numbers(limit, folder.path()), []);
}

#[test]
fn a_follower_in_a_deleted_segment_goes_on_while_the_next_is_there() {
    let folder = folder();
    let (_journal, _) = several(folder.path());
    let mut follower = Follower::open(folder.path()).unwrap().unwrap();
    std::fs::rename(segment(folder.path(), 1), folder.path().join("gone")).unwrap();
    let mut all = Vec::new();
    follower.read(note(&mut all)).unwrap();
    assert_eq!(all, numbered(1, 150));
}
