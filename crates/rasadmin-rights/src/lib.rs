//! Folders that only administrators can write: making them, and saying who else can write one that is there.
//!
//! A configuration decides who gets into the network, and an admin DLL runs as SYSTEM: whoever can write one, or put
//! another in its place, is an administrator in all but name.

#![deny(unsafe_code)]

#[cfg(windows)]
mod accounts;
#[cfg(windows)]
mod descriptor;
pub mod private;
pub mod sddl;
#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;

use rasadmin_text::printable_path;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What is looked at: what others may not do differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// A file: others may not change or replace it.
    File,
    /// The folder of something that is to be kept: others may not add to it either.
    Folder,
    /// A folder further up: others may add to it, but not rename what is in it, nor itself.
    Above,
}

/// Somebody who is no administrator has power over a file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsafePermission {
    /// What he has power over.
    pub path: PathBuf,
    /// Who: a name that everybody knows, or a SID.
    pub who: String,
    /// Does it belong to him? Else he can write it.
    pub owns: bool,
}

impl fmt::Display for UnsafePermission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, who, owns } = self;
        let path = printable_path(path);
        write!(f, "{path}: {} {who}", if *owns { "it belongs to" } else { "it can be written by" })
    }
}

/// What to do about dangers of a folder, with all that is in it, or of a file.
pub fn remedy(path: &Path) -> String {
    let give = give(path, "go-w");
    if path.is_dir() { format!("check that nobody else has put anything there, and {give}") } else { give }
}

/// What to do if a folder or file does not belong to the administrators alone.
pub fn private_remedy(path: &Path) -> String {
    give(path, "go=")
}

fn give(path: &Path, mode: &str) -> String {
    let folder = path.is_dir();
    let path = printable_path(path);
    if cfg!(windows) {
        let (owner, all, inherit) = if folder { ("/a /r", " /t", "(OI)(CI)") } else { ("/a", "", "") };
        format!(
            "give it to the administrators alone (`takeown {owner} /f \"{path}\"`, then `icacls \"{path}\" /reset{all}`, \
             then `icacls \"{path}\" /inheritance:r /grant *S-1-5-18:{inherit}F *S-1-5-32-544:{inherit}F`), or use \
             another folder"
        )
    } else {
        let all = if folder { "-R " } else { "" };
        format!(
            "give it to root alone (`chown {all}root:root '{path}'`, `chmod {all}{mode} '{path}'`), or use another folder"
        )
    }
}

/// Who but administrators has power over the file or folder, and over every folder above it. What is not there is
/// passed over: of a path that does not exist yet, the folders that do are looked at.
///
/// # Errors
/// If the rights cannot be read.
pub fn dangers(path: &Path, object: Object) -> io::Result<Vec<UnsafePermission>> {
    let mut found = Vec::new();
    look(path, object, &mut found)?;
    // A link leads elsewhere: both ways count.
    if let Ok(real) = std::fs::canonicalize(path) {
        let real = plain(real);
        if !same(&real, path) {
            look(&real, object, &mut found)?;
        }
    }
    found.dedup();
    Ok(found)
}

fn look(path: &Path, object: Object, found: &mut Vec<UnsafePermission>) -> io::Result<()> {
    for (up, path) in path.ancestors().enumerate().filter(|(_, path)| !path.as_os_str().is_empty()) {
        let object = match (up, object) {
            (0, object) => object,
            (1, Object::File) => Object::Folder,
            _ => Object::Above,
        };
        match of(path, object) {
            Ok(dangers) => {
                for danger in dangers {
                    if !found.contains(&danger) {
                        found.push(danger);
                    }
                }
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Without the prefix that canonicalize puts before a local path on Windows.
fn plain(path: PathBuf) -> PathBuf {
    match path.to_str().and_then(|text| text.strip_prefix(r"\\?\")) {
        Some(rest) if rest.as_bytes().get(1) == Some(&b':') => PathBuf::from(rest),
        _ => path,
    }
}

fn same(a: &Path, b: &Path) -> bool {
    if cfg!(windows) { a.to_string_lossy().eq_ignore_ascii_case(&b.to_string_lossy()) } else { a == b }
}

#[cfg(windows)]
fn of(path: &Path, object: Object) -> io::Result<Vec<UnsafePermission>> {
    let text = descriptor::read(path)?;
    let powers = sddl::powers(&text, object)
        .ok_or_else(|| io::Error::other(format!("its rights are in a form that this program does not know: {text}")))?;
    Ok(powers
        .into_iter()
        .map(|power| UnsafePermission { path: path.to_owned(), who: power.who, owns: power.owns })
        .collect())
}

#[cfg(unix)]
use system::of;

/// Makes a folder, and those above it that are missing, for SYSTEM and Administrators only (on Unix for the user who
/// runs this only). Answers the folders made, the uppermost first.
///
/// # Errors
/// If one cannot be made; what was made before it is removed again.
pub fn create_folder(path: &Path) -> io::Result<Vec<PathBuf>> {
    let missing: Vec<PathBuf> =
        path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).map(Into::into).collect();
    let mut made = Vec::new();
    for folder in missing.into_iter().rev() {
        if let Err(e) = create(&folder) {
            for folder in made.iter().rev() {
                let _ = std::fs::remove_dir(folder); // The first error is the one to tell.
            }
            return Err(e);
        }
        made.push(folder);
    }
    Ok(made)
}

#[cfg(windows)]
fn create(path: &Path) -> io::Result<()> {
    descriptor::create_folder(path, sddl::ADMINISTRATORS_ONLY)
}

#[cfg(unix)]
fn create(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(all(test, windows))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use private::{Kind, Wrong};
    use std::time::{Duration, Instant};

    /// Wine keeps of an access list what fits a Unix mode, and shows one that it makes of the mode: enough for these.
    #[test]
    fn a_new_folder_is_for_administrators_and_one_for_everyone_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path().join("a\\b");
        assert_eq!(create_folder(&new).unwrap(), [folder.path().join("a"), new.clone()]);
        assert_eq!(create_folder(&new).unwrap(), Vec::<PathBuf>::new());
        assert_eq!(dangers(&new, Object::Folder).unwrap(), []);
        assert_eq!(sddl::powers(&descriptor::read(&new).unwrap(), Object::Folder), Some(vec![]));

        let open = folder.path().join("open");
        descriptor::create_folder(&open, "O:BAD:P(A;OICI;FA;;;WD)").unwrap();
        // Wine's new folders obey the umask; but Unix has one that everyone can write.
        let unix = Path::new(r"Z:\tmp");
        let everyones = if unix.is_dir() { unix } else { &open };
        for (path, object) in [(everyones, Object::Folder), (&everyones.join("rasadmin.dll"), Object::File)] {
            let found = dangers(path, object).unwrap();
            let everyone = format!("{}: it can be written by Everyone", everyones.display());
            assert!(found.iter().any(|danger| danger.to_string() == everyone), "{found:?}");
        }
        assert!(descriptor::create_folder(&open, sddl::ADMINISTRATORS_ONLY).is_err(), "it is there");
        assert!(create_folder(&folder.path().join("a|b")).is_err(), "no such name");
    }

    /// Wine ignores that a folder should inherit nothing: the folder above must belong to the administrators too.
    #[test]
    fn what_others_can_write_or_read_is_told_and_mended() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a\\journal");
        private::make_folder(&place).unwrap();
        let file = place.join("file");
        std::fs::write(&file, "text").unwrap();
        for (path, kind) in [(&place, Kind::Folder), (&file, Kind::File)] {
            descriptor::set(path, "O:BAD:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;WD)", false).unwrap();
            let everyone = "Everyone".to_owned();
            let expected = [Wrong::Writable(everyone.clone()), Wrong::Readable(everyone)];
            assert_eq!(private::look(path, kind).unwrap(), expected);
            private::mend(path, kind).unwrap();
            assert_eq!(private::look(path, kind).unwrap(), []);
        }
        assert_eq!(private::unbelievable(&file), None);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "text");
    }

    #[test]
    fn a_file_of_somebody_who_is_no_administrator_is_foreign() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "text").unwrap();
        assert_eq!(private::foreign(&file), None);
        if !Path::new(CHOWN).exists() {
            return; // On Windows only a right that this test has not gives a file away.
        }
        // Wine starts the program, and cannot wait for it.
        let _ = std::process::Command::new(CHOWN).arg("65534").arg(unix(&file)).status();
        let soon = Instant::now() + Duration::from_secs(10);
        while private::foreign(&file).is_none() {
            assert!(Instant::now() < soon, "{:?}", descriptor::owner(&file));
            std::thread::yield_now();
        }
        assert_eq!(
            private::foreign(&file).unwrap(),
            "Anonymous",
            "as Wine calls the users of Unix that it does not know"
        );
        assert_eq!(private::unbelievable(&file).unwrap(), "it belongs to Anonymous");
        let found = private::look(&file, Kind::File).unwrap();
        assert_eq!(found[0], Wrong::Foreign("Anonymous".into()));
    }

    const CHOWN: &str = r"Z:\bin\chown";

    fn unix(path: &Path) -> String {
        let out = std::process::Command::new("winepath").arg("-u").arg(path).output().unwrap();
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }
}
