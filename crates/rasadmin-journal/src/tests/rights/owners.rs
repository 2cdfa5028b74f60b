//! Files of another user.

use super::*;
use crate::{inventory, lives_in};
use std::fs;

#[test]
fn a_planted_checkpoint_with_a_valid_checksum_is_not_loaded_and_moved_aside() {
    let folder = whole();
    let place = Follower::open(folder.path()).unwrap().unwrap().position();
    let planted = checkpoint::write(folder.path(), &crate::Position { number: 1_000, ..place }, 1, b"theirs").unwrap();
    assert_eq!(checkpoint::newest(folder.path(), |_, _| true).unwrap().0.unwrap().state, b"theirs", "it is valid");
    let Some(()) = give_to_another_user(&planted) else { return };
    let (found, passed) = checkpoint::newest(folder.path(), |_, _| true).unwrap();
    assert_eq!(found.unwrap().state, b"ours");
    assert_eq!(passed, [Notice::Unusable { path: planted.clone(), why: why() }]);
    assert!(moved(&rights::mend(folder.path()), &planted));
    assert!(!planted.exists());
}

#[test]
fn a_planted_segment_is_not_read_and_moved_aside() {
    let folder = whole();
    let last = inventory::take(folder.path()).unwrap().segments.pop().unwrap();
    let Some(()) = give_to_another_user(&last.path) else { return };
    let reader: Vec<_> = followed(folder.path());
    assert_eq!(reader, numbered(1, last.first - 1), "followers leave it out");
    let fault = rights::Fault { path: last.path.clone(), what: why(), must_go: true };
    // Under Wine there are more: it creates files that everyone can read.
    assert!(
        rights::check(folder.path()).contains(&fault) && (cfg!(windows) || rights::check(folder.path()).len() == 1)
    );
    assert!(!moved(&rights::mend(folder.path()), &last.path) && last.path.exists(), "it is moved under the lock");
    let journal = open(folder.path());
    assert!(moved(&journal.take_notices(), &last.path));
    append(&journal, 1).unwrap();
    assert_eq!(owner::foreign(&last.path), None, "one of ours has its place");
}

/// While the journal is open: the next segment's name.
#[test]
fn a_segment_that_is_planted_for_later_is_moved_aside_when_it_is_needed() {
    let folder = folder();
    let journal = open(folder.path());
    let planted = segment(folder.path(), 2);
    fs::write(&planted, [0; 4096]).unwrap();
    let Some(()) = give_to_another_user(&planted) else { return };
    append_each(&journal, 100);
    assert!(moved(&journal.take_notices(), &planted));
    assert_eq!(followed(folder.path()), numbered(1, 100));
}

#[test]
fn a_planted_cursor_lets_nothing_be_deleted() {
    let folder = whole();
    let path = folder.path().join("main.cursor");
    assert!(cursor::list(folder.path()).unwrap()[0].position.is_some());
    let Some(()) = give_to_another_user(&path) else { return };
    assert_eq!(cursor::list(folder.path()).unwrap()[0].position, None);
    assert!(moved(&rights::mend(folder.path()), &path));
}

#[test]
fn a_lock_of_somebody_else_is_none() {
    let folder = whole();
    let lock = folder.path().join(LOCK);
    let Some(()) = give_to_another_user(&lock) else { return };
    let held = fs::File::options().read(true).write(true).open(&lock).unwrap();
    assert!(crate::kernel::try_lock(&held, 0, crate::kernel::Mode::Exclusive).unwrap(), "the other user holds it");
    let began = Instant::now();
    lives_in(folder.path(), Duration::from_secs(60)).unwrap();
    assert!(began.elapsed() < Duration::from_secs(30), "nobody waits for that lock");
    let shortly = Instant::now() + Duration::from_millis(100);
    let journal = Journal::open(folder.path(), SMALL, shortly).unwrap();
    assert!(moved(&journal.take_notices(), &lock));
    append(&journal, 1).unwrap();
}

#[test]
fn an_instance_that_somebody_else_has_made_up_does_not_live() {
    let folder = whole();
    let path = folder.path().join(crate::INSTANCE);
    let created = crate::kernel::created(std::process::id()).unwrap();
    fs::write(&path, format!("token\n{} {created}\n", std::process::id())).unwrap();
    let held = fs::File::options().read(true).write(true).open(&path).unwrap();
    assert!(crate::kernel::try_lock(&held, 1 << 30, crate::kernel::Mode::Shared).unwrap());
    assert!(lives_in(folder.path(), Duration::from_secs(1)).unwrap());
    let Some(()) = give_to_another_user(&path) else { return };
    assert!(!lives_in(folder.path(), Duration::from_secs(1)).unwrap());
    let journal = open(folder.path());
    let mut guard = journal.lock(soon()).unwrap();
    assert!(!guard.instance_lives().unwrap());
    assert!(!lives_in(folder.path(), Duration::from_millis(10)).unwrap(), "nor for who does not get the lock");
    drop(guard);
    let joined = journal.lock(soon()).unwrap().join_instance("another", "1").unwrap();
    assert!(joined.is_first() && joined.token() == "another");
    assert!(moved(&journal.take_notices(), &path));
}
