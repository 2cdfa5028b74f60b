//! Owners and rights of the folder and its files.

#[cfg(unix)]
mod modes;
mod owners;

use super::*;
use crate::{LOCK, checkpoint, cursor, owner, rights};

/// A user that nothing here knows.
const OTHER_USER: u32 = 65_534;

/// Gives a file to another user. None if the current user may not do that: only root can.
#[cfg(unix)]
fn give_to_another_user(path: &Path) -> Option<()> {
    let given = std::os::unix::fs::chown(path, Some(OTHER_USER), None);
    if let Err(e) = &given {
        assert_eq!(e.kind(), std::io::ErrorKind::PermissionDenied);
        eprintln!("skipped: only root can give a file away");
    }
    given.ok()
}

/// As on Unix, under Wine, which starts the program but cannot wait for it. On Windows this needs a right that tests do
/// not have.
#[cfg(windows)]
fn give_to_another_user(path: &Path) -> Option<()> {
    let chown = Path::new(r"Z:\bin\chown");
    let unix = chown.exists().then(|| std::process::Command::new("winepath").arg("-u").arg(path).output().unwrap())?;
    let unix = String::from_utf8(unix.stdout).unwrap();
    let _ = std::process::Command::new(chown).arg(OTHER_USER.to_string()).arg(unix.trim()).status();
    let soon = soon();
    while owner::foreign(path).is_none() {
        assert!(Instant::now() < soon);
        std::thread::sleep(Duration::from_millis(1));
    }
    Some(())
}

/// The description.
fn why() -> String {
    let owner = if cfg!(windows) { "Anonymous".to_owned() } else { format!("the user with the number {OTHER_USER}") };
    format!("it belongs to {owner}")
}

/// A journal with some records, and all kinds of files.
fn whole() -> tempfile::TempDir {
    let folder = folder();
    #[cfg(unix)]
    modes::open_to(folder.path(), 0o700);
    let journal = open(folder.path());
    append_each(&journal, 100);
    checkpoint::write(folder.path(), &journal.position(), 1, b"ours").unwrap();
    cursor::write(folder.path(), "main", &journal.position()).unwrap();
    drop(journal.lock(soon()).unwrap().join_instance("token", "1").unwrap());
    folder
}

fn moved(notices: &[Notice], path: &Path) -> bool {
    notices
        .iter()
        .any(|notice| matches!(notice, Notice::MovedAside { from, why: w, .. } if from == path && *w == why()))
}
