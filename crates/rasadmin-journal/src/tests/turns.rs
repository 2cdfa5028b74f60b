//! Several appenders in one process, in turns.

use super::*;

#[test]
fn two_journals_of_one_folder_see_each_others_records_in_order() {
    let folder = folder();
    let (one, two) = (open(folder.path()), open(folder.path()));
    let (mut by_one, mut by_two) = (Vec::new(), Vec::new());
    for turn in 0..100 {
        let (journal, seen) = if turn % 3 == 0 { (&one, &mut by_one) } else { (&two, &mut by_two) };
        let mut guard = journal.lock(soon()).unwrap();
        guard.catch_up(note(seen)).unwrap();
        let number = guard.position().number + 1;
        assert_eq!(number, turn + 1);
        let appended = guard.append(&[text(number).as_bytes()]).unwrap();
        assert_eq!((appended.first, appended.last.number), (number, number));
        seen.push(format!("{number} {}", text(number)));
    }
    one.lock(soon()).unwrap().catch_up(note(&mut by_one)).unwrap();
    assert_eq!(by_one, numbered(1, 100));
    assert_eq!(followed(folder.path()), numbered(1, 100));
}

#[test]
fn what_was_read_without_the_lock_is_not_caught_up_with_again() {
    let folder = folder();
    let (one, two) = (open(folder.path()), open(folder.path()));
    let (mut ahead, mut caught_up) = (Vec::new(), Vec::new());
    // Over several segments.
    for turn in 0..60 {
        append(&one, 10).unwrap();
        // The lock is held, and nobody waits for it.
        let mut guard = one.lock(soon()).unwrap();
        guard.catch_up(|_| ()).unwrap();
        two.read_ahead(note(&mut ahead)).unwrap();
        drop(guard);
        if turn % 7 == 0 {
            append(&one, 1).unwrap();
            let mut guard = two.lock(soon()).unwrap();
            guard.catch_up(note(&mut caught_up)).unwrap();
            ahead.append(&mut caught_up);
            guard.append(&[b"own"]).unwrap();
            ahead.push(format!("{} own", guard.position().number));
        }
    }
    assert_eq!(ahead.len() as u64, 60 * 10 + 9 * 2);
    let numbers: Vec<u64> = ahead.iter().map(|item| item.split(' ').next().unwrap().parse().unwrap()).collect();
    assert!(numbers.into_iter().eq(1..=60 * 10 + 9 * 2), "{ahead:?}");
    assert!(std::fs::read_dir(folder.path()).unwrap().count() > 5, "there are several segments");
}

#[test]
fn who_waits_for_the_lock_gives_up_at_the_deadline_and_gets_it_when_it_is_free() {
    let folder = folder();
    let (one, two) = (open(folder.path()), open(folder.path()));
    let guard = one.lock(soon()).unwrap();
    let early = Instant::now();
    let deadline = early + Duration::from_millis(30);
    // Another journal, and the same one on another thread.
    for journal in [&one, &two] {
        let refused = std::thread::scope(|scope| scope.spawn(|| journal.lock(deadline).map(|_| ())).join()).unwrap();
        assert!(matches!(refused, Err(Error::Locked)));
    }
    assert!(matches!(Journal::open(folder.path(), SMALL, deadline), Err(Error::Locked)));
    assert!(early.elapsed() >= Duration::from_millis(30));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| two.lock(soon()).map(|_| ()));
        std::thread::sleep(Duration::from_millis(5));
        drop(guard);
        waiting.join().unwrap().unwrap();
    });
}

#[test]
fn threads_share_one_journal() {
    let folder = folder();
    let journal = open(folder.path());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let last = append(&journal, 1).unwrap().last;
                    journal.sync(&last).unwrap();
                    journal.upkeep(Duration::ZERO).unwrap();
                }
            });
        }
    });
    assert_eq!(followed(folder.path()), numbered(1, 200));
}

/// The next segment's space is there before it is needed: in portions, with the appends.
#[test]
fn the_next_segments_space_is_written_in_portions() {
    let folder = folder();
    let journal = open(folder.path());
    let length = || std::fs::metadata(segment(folder.path(), 2)).map_or(0, |of| of.len());
    assert_eq!(length(), 0);
    for portion in 1..=10 {
        append(&journal, 1).unwrap();
        assert_eq!(length(), (512 * portion).min(4096));
    }
    let before = std::fs::metadata(segment(folder.path(), 1)).unwrap().len();
    assert_eq!(before, 4096, "and the present one's from the beginning");
}

#[test]
fn a_seal_begins_a_segment_unless_the_present_one_is_empty() {
    let folder = folder();
    let journal = open(folder.path());
    let seal = || {
        let mut guard = journal.lock(soon()).unwrap();
        guard.catch_up(|_| ()).unwrap();
        guard.seal().unwrap();
    };
    seal();
    assert!(!segment(folder.path(), 2).exists());
    append(&journal, 1).unwrap();
    seal();
    seal();
    append(&journal, 1).unwrap();
    assert_eq!(places(folder.path(), 2).len(), 2);
    assert_eq!(followed(folder.path()), numbered(1, 2));
}
