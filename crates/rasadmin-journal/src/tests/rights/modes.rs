//! Rights on Unix: owner and mode.

use super::*;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

pub fn open_to(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[test]
fn folder_and_files_are_ours_alone_from_the_beginning() {
    let above = folder();
    let folder = above.path().join("made/journal");
    let journal = open(&folder);
    append_each(&journal, 100);
    checkpoint::write(&folder, &journal.position(), 1, b"state").unwrap();
    cursor::write(&folder, "main", &journal.position()).unwrap();
    drop(journal.lock(soon()).unwrap().join_instance("token", "1").unwrap());
    assert_eq!((mode(&folder), mode(&above.path().join("made"))), (0o700, 0o700));
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 5);
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    assert_eq!((rights::check(&folder), rights::mend(&folder)), (vec![], vec![]));
}

#[test]
fn what_others_can_write_or_read_is_reported_and_mended() {
    let folder = whole();
    let path = checkpoint::list(folder.path()).unwrap().remove(0);
    open_to(folder.path(), 0o777);
    open_to(&segment(folder.path(), 1), 0o666);
    open_to(&path, 0o602);
    open_to(&folder.path().join(LOCK), 0o644);
    let told: Vec<_> = rights::check(folder.path()).into_iter().map(|fault| (fault.path, fault.what)).collect();
    let everyone = |path: &Path, what: &str| (path.to_owned(), format!("it can be {what} by everyone"));
    for expected in [
        everyone(folder.path(), "written"),
        everyone(&segment(folder.path(), 1), "written"),
        everyone(&path, "written"),
        everyone(&folder.path().join(LOCK), "read"),
    ] {
        assert!(told.contains(&expected), "{expected:?} in {told:?}");
    }
    let notices = rights::mend(folder.path());
    let what = "it can be written by everyone".to_owned();
    assert_eq!(notices, [Notice::RightsMended { first: folder.path().to_owned(), what, others: 3 }]);
    assert_eq!(rights::check(folder.path()), []);
    assert_eq!((mode(folder.path()), mode(&path)), (0o700, 0o600));
    assert_eq!(rights::mend(folder.path()), [], "once");
    assert_eq!(followed(folder.path()), numbered(1, 100), "nothing is lost by it");
}

#[test]
fn a_last_good_configuration_that_others_can_write_does_not_become_a_good_one() {
    let folder = whole();
    let path = folder.path().join(rights::LAST_GOOD);
    fs::write(&path, "{}").unwrap();
    open_to(&path, 0o644);
    assert_eq!((rights::check(folder.path()), rights::mend(folder.path())), (vec![], vec![]), "nobody comes to it");
    assert_eq!(mode(&path), 0o600);
    open_to(&path, 0o666);
    assert!(matches!(&rights::mend(folder.path())[..], [Notice::MovedAside { from, .. }] if *from == path));
    assert!(!path.exists());
}

/// A user who can read a file can lock it.
#[test]
fn nobody_else_can_hold_the_lock() {
    let folder = whole();
    let lock = folder.path().join(LOCK);
    open_to(folder.path(), 0o755);
    open_to(&lock, 0o644);
    let reads = || {
        let mut cat = std::process::Command::new("cat");
        std::os::unix::process::CommandExt::uid(&mut cat, OTHER_USER);
        cat.arg(&lock).output().map(|done| done.status.success())
    };
    match reads() {
        Ok(true) => {}
        Ok(false) => return eprintln!("skipped: others cannot come to the folder for tests"),
        Err(_) => return eprintln!("skipped: only root can be somebody else"),
    }
    rights::mend(folder.path());
    assert!(!reads().unwrap());
    // Nor if only the file is mended.
    open_to(folder.path(), 0o755);
    assert!(!reads().unwrap());
}

#[test]
fn the_folder_of_another_user_gets_a_new_owner() {
    let folder = whole();
    let Some(()) = give_to_another_user(folder.path()) else { return };
    let fault = rights::Fault { path: folder.path().to_owned(), what: why(), must_go: false };
    assert_eq!(rights::check(folder.path()), [fault]);
    assert!(matches!(&rights::mend(folder.path())[..], [Notice::RightsMended { .. }]));
    assert_eq!((rights::check(folder.path()), fs::metadata(folder.path()).unwrap().uid()), (vec![], 0));
}

#[test]
fn in_a_scratch_folder_rights_stay_unless_another_user_has_marked_it() {
    let above = folder();
    let folder = above.path().join("journal");
    append_each(&open(&folder), 3);
    open_to(&folder, 0o755);
    let mark = above.path().join("rasadmin-scratch");
    fs::write(&mark, "").unwrap();
    assert_eq!((rights::check(&folder), rights::mend(&folder), mode(&folder)), (vec![], vec![], 0o755));
    let Some(()) = give_to_another_user(&mark) else { return };
    assert_eq!(rights::check(&folder).len(), 1);
    assert_eq!((rights::mend(&folder).len(), mode(&folder)), (1, 0o700));
}

#[test]
fn a_file_with_a_second_name_is_not_changed_and_is_reported() {
    let folder = whole();
    let file = segment(folder.path(), 1);
    fs::hard_link(&file, folder.path().join("other")).unwrap();
    open_to(&file, 0o664);
    let notices = rights::mend(folder.path());
    assert!(matches!(&notices[..], [Notice::NotMended { path, .. }] if *path == file), "{notices:?}");
    assert_eq!(mode(&file), 0o664);
    assert_eq!(followed(folder.path()), numbered(1, 100), "and it serves");
}

#[test]
fn the_remedy_does_not_make_a_planted_file_ours() {
    let folder = whole();
    open_to(folder.path(), 0o755);
    let faults = rights::check(folder.path());
    assert!(rights::remedy(folder.path(), &faults).starts_with("give it to root alone (`chown -R root:root"));
    assert!(rights::describe(&faults).unwrap().ends_with(": it can be read by everyone"));
    let path = folder.path().join(rights::LAST_GOOD);
    fs::write(&path, "{}").unwrap();
    open_to(&path, 0o666);
    let faults = rights::check(folder.path());
    let remedy = rights::remedy(folder.path(), &faults);
    assert!(remedy.starts_with(&format!("first move {} out of the folder", path.display())), "{remedy}");
    assert!(remedy.contains("chmod -R go= "), "{remedy}");
    assert!(rights::describe(&faults).unwrap().starts_with(path.to_str().unwrap()), "what must go comes first");
    assert_eq!(rights::describe(&[]), None);
}
