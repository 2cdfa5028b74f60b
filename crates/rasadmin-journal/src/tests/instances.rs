//! Who belongs together.

use super::*;

fn join(journal: &Journal, token: &str) -> crate::Instance {
    journal.lock(soon()).unwrap().join_instance(token).unwrap()
}

fn lives(journal: &Journal) -> bool {
    journal.lock(soon()).unwrap().instance_lives().unwrap()
}

#[test]
fn who_comes_while_one_lives_joins_it_and_who_comes_later_begins_anew() {
    let folder = folder();
    let (one, two) = (open(folder.path()), open(folder.path()));
    assert!(!lives(&one));
    let first = join(&one, "first");
    assert!(lives(&one) && lives(&two));
    let second = join(&two, "second");
    assert_eq!((first.is_first(), first.token()), (true, "first"));
    assert_eq!((second.is_first(), second.token()), (false, "first"));
    drop(first);
    assert!(lives(&two), "one still lives");
    assert_eq!(join(&one, "third").token(), "first");
    drop(second);
    assert!(!lives(&two));
    let next = join(&one, "fourth\nline");
    assert_eq!((next.is_first(), next.token()), (true, "fourth line"));
}

/// A handle of the lock outlives its process, in a child that inherited it.
#[test]
fn a_holder_that_is_gone_does_not_count() {
    let folder = folder();
    let journal = open(folder.path());
    let held = join(&journal, "old");
    let path = folder.path().join(crate::INSTANCE);
    let text = std::fs::read_to_string(&path).unwrap();
    let (token, line) = text.split_once('\n').unwrap();
    assert_eq!(token, "old");
    // The same process number, created at another time.
    std::fs::write(&path, format!("old\n{}9\n", line.trim_end())).unwrap();
    assert!(!lives(&journal));
    let new = join(&journal, "new");
    assert_eq!((new.is_first(), new.token()), (true, "new"));
    assert!(lives(&journal));
    drop((held, new));
    assert!(!lives(&journal));
}

#[test]
fn what_is_no_lock_file_is_moved_aside() {
    let folder = folder();
    let journal = open(folder.path());
    std::fs::create_dir(folder.path().join(crate::INSTANCE)).unwrap();
    assert!(!lives(&journal));
    assert!(join(&journal, "new").is_first());
    assert_eq!(journal.take_notices().len(), 1);
}
