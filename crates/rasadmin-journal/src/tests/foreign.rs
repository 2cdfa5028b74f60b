//! Files that another program created, changed or deleted.

use super::*;

fn aside(notices: &[Notice]) -> Vec<(String, String)> {
    let moved = |notice: &Notice| match notice {
        Notice::MovedAside { from, to, why } => {
            assert!(std::fs::symlink_metadata(to).is_ok());
            assert!(std::fs::symlink_metadata(from).is_err() || from.is_file(), "gone, or made anew");
            Some((from.file_name().unwrap().to_string_lossy().into_owned(), why.clone()))
        }
        _ => None,
    };
    notices.iter().filter_map(moved).collect()
}

/// What has the name of the next segment, or of a later one, with the reason why it is moved.
fn put(path: &Path, kind: &str, other: &Path) {
    match kind {
        "directory" => {
            std::fs::create_dir(path).unwrap();
            std::fs::write(path.join("within"), "x").unwrap();
        }
        "garbage" => std::fs::write(path, vec![0x5a; 5000]).unwrap(),
        "cut off" => std::fs::write(path, &std::fs::read(segment(other, 1)).unwrap()[..50]).unwrap(),
        "renamed" => drop(std::fs::copy(segment(other, 1), path).unwrap()),
        "another journal's" => drop(std::fs::copy(segment(other, 2), path).unwrap()),
        #[cfg(unix)]
        "link" => std::os::unix::fs::symlink(segment(other, 1), path).unwrap(),
        #[cfg(unix)]
        "pipe" => assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success()),
        _ => panic!("{kind}"),
    }
}

const KINDS: &[(&str, &str)] = &[
    ("directory", "it is not a regular file"),
    ("garbage", "it does not have the header of a segment"),
    ("cut off", "it does not have the header of a segment"),
    ("renamed", "it was written under another name"),
    ("another journal's", "it does not continue a segment of this folder"),
    #[cfg(unix)]
    ("link", "it is not a regular file"),
    #[cfg(unix)]
    ("pipe", "it is not a regular file"),
];

#[test]
fn what_has_the_name_of_a_segment_is_moved_aside_and_reported() {
    let other = folder();
    append_each(&open(other.path()), 50);
    for (kind, why) in KINDS {
        let folder = folder();
        // The only thing there; and after a segment that is good.
        let at_first = segment(folder.path(), 2);
        put(&at_first, kind, other.path());
        if *kind == "another journal's" {
            std::fs::remove_file(&at_first).unwrap();
        }
        let journal = open(folder.path());
        let moved = aside(&journal.take_notices());
        let expected = ("0000000002.segment".to_owned(), (*why).to_owned());
        assert_eq!(moved, if *kind == "another journal's" { vec![] } else { vec![expected.clone()] }, "{kind}");
        append(&journal, 2).unwrap();
        drop(journal);
        std::fs::remove_file(&at_first).unwrap();
        put(&at_first, kind, other.path());
        assert_eq!(followed(folder.path()), numbered(1, 2), "{kind}: a follower passes over it");
        let (all, notices, journal) = recovered(folder.path());
        assert_eq!(all, numbered(1, 2), "{kind}");
        assert_eq!(aside(&notices), [expected], "{kind}");
        append_each(&journal, 60);
        assert_eq!(followed(folder.path()), numbered(1, 62), "{kind}");
    }
}

#[test]
fn what_takes_the_next_segments_place_while_the_journal_is_open_is_moved_at_the_roll() {
    let other = folder();
    append_each(&open(other.path()), 50);
    for (kind, _) in KINDS {
        let folder = folder();
        let journal = open(folder.path());
        put(&segment(folder.path(), 2), kind, other.path());
        append_each(&journal, 60);
        assert_eq!(followed(folder.path()), numbered(1, 60), "{kind}");
        assert_eq!(aside(&journal.take_notices()).len(), 1, "{kind}");
    }
}

#[test]
fn a_lock_file_that_is_none_is_moved_aside() {
    let folder = folder();
    std::fs::create_dir(folder.path().join(crate::LOCK)).unwrap();
    let journal = open(folder.path());
    assert_eq!(aside(&journal.take_notices()).len(), 1);
    append(&journal, 1).unwrap();
}

fn newer(path: &Path) {
    patch(path, |bytes| {
        bytes[8..12].copy_from_slice(&2_u32.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..92]);
        bytes[92..96].copy_from_slice(&crc.to_le_bytes());
    });
}

#[test]
fn a_program_that_does_not_know_the_version_appends_nothing() {
    let folder = folder();
    append_each(&open(folder.path()), 40);
    let known = places(folder.path(), 1).len() as u64 - 1;
    newer(&segment(folder.path(), 2));
    let before = std::fs::read(segment(folder.path(), 2)).unwrap();
    let refused = Journal::open(folder.path(), SMALL, soon()).unwrap_err();
    assert!(matches!(refused, Error::NewerVersion { version: 2, .. }), "{refused}");
    let mut follower = Follower::open(folder.path()).unwrap().unwrap();
    let mut seen = Vec::new();
    assert!(matches!(follower.read(note(&mut seen)), Err(Error::NewerVersion { version: 2, .. })));
    assert_eq!(seen, numbered(1, known), "what is known is read");
    // An older program goes on from a checkpoint of what it knows, and the newer one's segments stay.
    let position = follower.position();
    let journal = Journal::begin_new(folder.path(), SMALL, soon(), (position.number, position.crc)).unwrap();
    assert_ne!(journal.beginning().journal, position.journal);
    assert!(journal.start_at(&position).unwrap(), "the checkpoint's place fits");
    append_each(&journal, 3);
    assert_eq!(followed(folder.path()), numbered(known + 1, known + 3));
    assert_eq!(recovered(folder.path()).0, numbered(known + 1, known + 3));
    assert_eq!(std::fs::read(segment(folder.path(), 2)).unwrap(), before);
    let same = Journal::begin_new(folder.path(), SMALL, soon(), (0, 0)).unwrap();
    assert_eq!(same.beginning().journal, journal.beginning().journal, "it is done once");
}

#[test]
fn a_newer_version_that_begins_while_the_journal_is_open_ends_the_appending() {
    let folder = folder();
    let (old, new) = (open(folder.path()), open(folder.path()));
    append(&old, 1).unwrap();
    append(&new, 1).unwrap();
    let mut guard = new.lock(soon()).unwrap();
    guard.catch_up(|_| ()).unwrap();
    guard.seal().unwrap();
    drop(guard);
    newer(&segment(folder.path(), 2));
    assert!(matches!(append(&old, 1), Err(Error::NewerVersion { version: 2, .. })));
}

#[test]
fn files_moved_deleted_or_replaced_while_open_are_noticed() {
    type Change = fn(&Path);
    let changes: &[Change] = &[
        |folder| std::fs::rename(segment(folder, 1), folder.join("aside")).unwrap(),
        |folder| std::fs::remove_file(segment(folder, 1)).unwrap(),
        |folder| {
            let bytes = std::fs::read(segment(folder, 1)).unwrap();
            std::fs::rename(segment(folder, 1), folder.join("aside")).unwrap();
            std::fs::write(segment(folder, 1), bytes).unwrap();
        },
        |folder| std::fs::rename(folder.join(crate::LOCK), folder.join("aside")).unwrap(),
        #[cfg(unix)]
        |folder| {
            std::fs::rename(folder, folder.with_extension("aside")).unwrap();
            copy(&folder.with_extension("aside"), folder);
        },
        #[cfg(unix)]
        |folder| std::fs::rename(folder, folder.with_extension("aside")).unwrap(),
    ];
    for (index, change) in changes.iter().enumerate() {
        for at_a_roll in [false, true] {
            let base = folder();
            let folder = base.path().join("journal");
            let journal = open(&folder);
            append(&journal, 1).unwrap();
            let follower = Follower::open(&folder).unwrap().unwrap();
            journal.upkeep(Duration::from_secs(100)).unwrap();
            follower.check().unwrap();
            change(&folder);
            // Wine 8 keeps the name of a deleted file until it is closed, opens it by that name, and does not say that
            // it is being deleted. Windows refuses to open it, or has removed the name.
            if cfg!(windows) && index == 1 && std::fs::File::open(segment(&folder, 1)).is_ok() {
                continue;
            }
            if at_a_roll {
                let failed = (0..60).find_map(|_| append(&journal, 1).err());
                assert!(matches!(failed, Some(Error::Replaced(_))), "{index} {failed:?}");
            } else {
                journal.upkeep(Duration::from_millis(100_999)).unwrap();
                assert!(matches!(journal.upkeep(Duration::from_secs(101)), Err(Error::Replaced(_))), "{index}");
                assert!(index == 3 || matches!(follower.check(), Err(Error::Replaced(_))), "{index}");
            }
            assert!(matches!(append(&journal, 1), Err(Error::Replaced(_))), "for good");
            drop(journal);
            append_each(&open(&folder), 60);
        }
    }
}
