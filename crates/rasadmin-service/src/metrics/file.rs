//! The file for a textfile collector.

use crate::duty::Fault;
use rasadmin_text::printable_path;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

/// Windows does not replace a file while somebody reads it, which takes the collector a moment.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(50);

/// Writes the file so that a reader finds the old one or the new one, whole.
pub fn write(path: &Path, text: &str) -> Result<(), Fault> {
    #[cfg(windows)]
    refuse_folder_of_others(path)?;
    // Collectors read only names that end with `.prom`.
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let written = fill(&new, text).and_then(|()| replace(&new, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&new); // It may not exist.
        let what = format!("{}: the file of the metrics cannot be written: {error}", printable_path(path));
        Fault::new(what, "check that its folder exists and has room, or change service.metrics.file")
    })
}

/// SYSTEM deletes and creates files in the folder. Who can write it could redirect that to any file of the computer, by a
/// link in the place of the folder.
#[cfg(windows)]
fn refuse_folder_of_others(path: &Path) -> Result<(), Fault> {
    let folder = path.parent().unwrap_or(path);
    let refused = |why: String| {
        let what = format!("{}: the file of the metrics is not written: {why}", printable_path(path));
        Fault::new(what, "name a file in a folder that only administrators can write, such as one below Program Files")
    };
    match rasadmin_rights::unsafe_permissions(folder, rasadmin_rights::Object::Folder) {
        Ok(found) => found.first().map_or(Ok(()), |one| Err(refused(one.to_string()))),
        Err(error) => Err(refused(error.to_string())),
    }
}

/// Creates the file anew. Others may be able to write its folder, so a link there is not followed.
fn fill(new: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).open(new)?.write_all(text.as_bytes())
}

fn replace(new: &Path, path: &Path) -> io::Result<()> {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_is_replaced_whole_and_a_link_in_the_way_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rasadmin.prom");
        write(&path, "one\n").unwrap();
        let other = folder.path().join("other");
        fs::write(&other, "mine").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(&other, folder.path().join("rasadmin.prom.new")).unwrap();
        write(&path, "two\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
        assert_eq!(fs::read_to_string(&other).unwrap(), "mine");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left behind");
    }

    #[test]
    fn without_its_folder_it_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let fault = write(&folder.path().join("missing").join("rasadmin.prom"), "one\n").unwrap_err();
        assert!(fault.what.contains("rasadmin.prom: the file of the metrics cannot be written"), "{}", fault.what);
        assert!(fault.remedy.contains("its folder exists"), "{}", fault.remedy);
    }
}
