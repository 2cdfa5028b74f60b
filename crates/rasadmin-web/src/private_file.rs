//! Files that only their owner may read: they appear whole, and are private from the start.

use rasadmin_rights::dashboard;
use rasadmin_rights::private::{self, Kind, PermissionFault};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Windows does not replace a file while another program has it open, such as a virus scanner.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(50);

/// Where the next text of a file is written.
pub fn next_to(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

/// Who can read a file besides its owner and the dashboard's service, as the end of a sentence. None if nobody can, or if the
/// file is missing. In a scratch folder, only its owner matters.
pub fn reader(path: &Path) -> Option<String> {
    if path.parent().is_some_and(private::is_scratch) {
        return None;
    }
    let wrong = private::inspect(path, Kind::File).unwrap_or_default();
    // The dashboard's own account must read it.
    let is_other =
        |wrong: &&PermissionFault| matches!(wrong, PermissionFault::Readable(who) if who != dashboard::ACCOUNT);
    let reader = wrong.iter().find(is_other);
    reader.map(PermissionFault::to_string)
}

/// Puts bytes into a file. A reader finds the old file or the new one, whole.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = next_to(path);
    // What a process left that ended while it wrote.
    if let Err(error) = fs::remove_file(&new)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let written = private::only_ours(OpenOptions::new().write(true).create_new(true)).open(&new).and_then(|mut to| {
        // Before the bytes. On Windows, only an administrator's file can be given away; another's has the rights of its
        // folder.
        let _ = private::mend(&new, Kind::File);
        to.write_all(bytes)?;
        to.sync_all()
    });
    let done = written.and_then(|()| replace(&new, path));
    if done.is_err() {
        let _ = fs::remove_file(&new); // The first error is the one to report.
    }
    done
}

/// Gives a file another's name, and replaces what has it.
pub fn replace(new: &Path, path: &Path) -> io::Result<()> {
    let mut tries = 1;
    loop {
        match fs::rename(new, path) {
            Err(error) if cfg!(windows) && error.kind() == io::ErrorKind::PermissionDenied && tries < TRIES => {
                tries += 1;
                std::thread::sleep(PAUSE);
            }
            done => return done,
        }
    }
}
