//! Which processes belong to an instance.

use super::*;

fn join(journal: &Journal, token: &str) -> crate::Instance {
    journal.lock(soon()).unwrap().join_instance(token, "1").unwrap()
}

fn lives(journal: &Journal) -> bool {
    journal.lock(soon()).unwrap().instance_lives().unwrap()
}

#[test]
fn a_process_joins_a_live_instance_and_otherwise_begins_a_new_one() {
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
    let [process, created, name] = line.trim_end().split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
    std::fs::write(&path, format!("old\n{process} {created}9 {name}\n")).unwrap();
    assert!(!lives(&journal));
    let new = join(&journal, "new");
    assert_eq!((new.is_first(), new.token()), (true, "new"));
    assert!(lives(&journal));
    drop((held, new));
    assert!(!lives(&journal));
}

#[test]
fn who_joins_learns_once_which_processes_are_gone() {
    let folder = folder();
    let journal = open(folder.path());
    let join = |name| journal.lock(soon()).unwrap().join_instance("token", name).unwrap();
    let one = join("one");
    let path = folder.path().join(crate::INSTANCE);
    // Number and time of creation of no process.
    let text = std::fs::read_to_string(&path).unwrap() + "1 9 two\n1 9 three\n";
    std::fs::write(&path, &text).unwrap();
    assert_eq!(join("four").gone(), ["two", "three"]);
    let mut five = join("five");
    assert_eq!(five.gone(), ["two", "three"], "until somebody has closed what they left");
    journal.lock(soon()).unwrap().forget_gone(&mut five).unwrap();
    assert_eq!(join("six").gone(), [""; 0]);
    assert!(std::fs::read_to_string(&path).unwrap().starts_with(text.lines().next().unwrap()));
    drop((one, five));
    assert!(!lives(&journal), "the lock is what counts");
    assert_eq!(join("seven").gone(), [""; 0], "a new instance");
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
