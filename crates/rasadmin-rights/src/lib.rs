//! Folders that only administrators can write: creates them, and finds who else can write an existing one.
//!
//! A configuration decides who gets into the network, and an admin DLL runs as SYSTEM. Anyone who can write one of
//! them, or replace it, has an administrator's power.

#![deny(unsafe_code)]

pub mod account;
#[cfg(windows)]
mod accounts;
pub mod dashboard;
#[cfg(windows)]
mod descriptor;
#[cfg(windows)]
mod local_memory;
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

/// The kind of object to inspect: which rights are unsafe depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// A file: others may not change or replace it.
    File,
    /// The folder that contains the object: others may not add to it either.
    Folder,
    /// A folder further up: others may add to it, but may not rename it or anything in it.
    Above,
}

/// An account that is not an administrator's can write a file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsafePermission {
    /// The file or folder.
    pub path: PathBuf,
    /// The account: a well-known name, or a SID.
    pub who: String,
    /// True if the account owns it; false if the account can only write it.
    pub owns: bool,
}

impl fmt::Display for UnsafePermission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, who, owns } = self;
        let path = printable_path(path);
        write!(f, "{path}: {} {who}", if *owns { "it belongs to" } else { "it can be written by" })
    }
}

/// What to do about unsafe permissions of a file, or of a folder with everything in it: text for a message.
pub fn remedy(path: &Path) -> String {
    let give = give(path, "go-w");
    if path.is_dir() { format!("check that nobody else has put anything there, and {give}") } else { give }
}

/// What to do if a file or folder does not belong to the administrators alone: text for a message.
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
             then `icacls \"{path}\" /inheritance:r /grant \"*S-1-5-18:{inherit}F\" \"*S-1-5-32-544:{inherit}F\"`), or \
             use another folder"
        )
    } else {
        let all = if folder { "-R " } else { "" };
        format!(
            "give it to root alone (`chown {all}root:root '{path}'`, `chmod {all}{mode} '{path}'`), or use another folder"
        )
    }
}

/// Finds who can write a file or folder, or any folder above it, and is not an administrator. Parts of the path that do
/// not exist are skipped, so the path of a future file works too.
///
/// # Errors
/// If the rights cannot be read.
pub fn unsafe_permissions(path: &Path, object: Object) -> io::Result<Vec<UnsafePermission>> {
    let mut found = Vec::new();
    look(path, object, &mut found)?;
    // If the path has links, both ways to the file count.
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
            Ok(permissions) => {
                for permission in permissions {
                    if !found.contains(&permission) {
                        found.push(permission);
                    }
                }
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Removes the prefix that canonicalize puts before a local path on Windows.
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
    let grants = sddl::grants(&text, object)
        .ok_or_else(|| io::Error::other(format!("its rights are in a form that this program does not know: {text}")))?;
    Ok(grants
        .into_iter()
        .map(|grant| UnsafePermission { path: path.to_owned(), who: grant.who, owns: grant.owns })
        .collect())
}

#[cfg(unix)]
use system::of;

/// The account that runs this process, as in `CORP\alice`; `None` if the system does not say.
pub fn account_name() -> Option<String> {
    system::account_name().ok()
}

/// Creates a folder and its missing parents for SYSTEM and Administrators only (on Unix for the current user only).
/// Returns the folders it created, the uppermost first.
///
/// # Errors
/// If a folder cannot be created. The folders created before it are then removed again.
pub fn create_folder(path: &Path) -> io::Result<Vec<PathBuf>> {
    let missing: Vec<PathBuf> =
        path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).map(Into::into).collect();
    let mut made = Vec::new();
    for folder in missing.into_iter().rev() {
        if let Err(e) = create(&folder) {
            for folder in made.iter().rev() {
                let _ = std::fs::remove_dir(folder); // Report the first error.
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
    use private::{Kind, PermissionFault};
    use std::time::{Duration, Instant};

    /// Wine reduces an access list to a Unix mode, and builds the list that it shows from the mode: enough for this
    /// test.
    #[test]
    fn a_new_folder_is_for_administrators_and_one_for_everyone_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path().join("a\\b");
        assert_eq!(create_folder(&new).unwrap(), [folder.path().join("a"), new.clone()]);
        assert_eq!(create_folder(&new).unwrap(), Vec::<PathBuf>::new());
        assert_eq!(unsafe_permissions(&new, Object::Folder).unwrap(), []);
        assert_eq!(sddl::grants(&descriptor::read(&new).unwrap(), Object::Folder), Some(vec![]));

        let open = folder.path().join("open");
        descriptor::create_folder(&open, "O:BAD:P(A;OICI;FA;;;WD)").unwrap();
        // Wine's new folders obey the umask; but Unix has one that everyone can write.
        let unix = Path::new(r"Z:\tmp");
        let everyones = if unix.is_dir() { unix } else { &open };
        for (path, object) in [(everyones, Object::Folder), (&everyones.join("rasadmin.dll"), Object::File)] {
            let found = unsafe_permissions(path, object).unwrap();
            let everyone = format!("{}: it can be written by Everyone", everyones.display());
            assert!(found.iter().any(|permission| permission.to_string() == everyone), "{found:?}");
        }
        assert!(descriptor::create_folder(&open, sddl::ADMINISTRATORS_ONLY).is_err(), "it is there");
        assert!(create_folder(&folder.path().join("a|b")).is_err(), "no such name");
    }

    /// PowerShell reads `(OI)` outside quotation marks as a command, and `*S-1-5-18` as a pattern.
    #[test]
    fn the_remedy_can_be_pasted_into_either_shell() {
        let text = remedy(tempfile::tempdir().unwrap().path());
        assert!(text.contains(r#"/grant "*S-1-5-18:(OI)(CI)F" "*S-1-5-32-544:(OI)(CI)F"`"#), "{text}");
    }

    /// Wine ignores that a folder should inherit nothing: the folder above must belong to the administrators too.
    #[test]
    fn what_others_can_write_or_read_is_found_and_mended() {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("a\\journal");
        private::make_folder(&journal).unwrap();
        let file = journal.join("file");
        std::fs::write(&file, "text").unwrap();
        for (path, kind) in [(&journal, Kind::Folder), (&file, Kind::File)] {
            descriptor::set(path, "O:BAD:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;WD)", false).unwrap();
            let everyone = "Everyone".to_owned();
            let expected = [PermissionFault::Writable(everyone.clone()), PermissionFault::Readable(everyone)];
            assert_eq!(private::inspect(path, kind).unwrap(), expected);
            private::mend(path, kind).unwrap();
            assert_eq!(private::inspect(path, kind).unwrap(), []);
        }
        assert_eq!(private::why_untrusted(&file), None);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "text");
    }

    #[test]
    fn a_file_of_a_user_who_is_not_an_administrator_is_foreign() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "text").unwrap();
        assert_eq!(private::foreign(&file), None);
        if !Path::new(CHOWN).exists() {
            return; // Windows does not let this test give a file to another user.
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
        assert_eq!(private::why_untrusted(&file).unwrap(), "it belongs to Anonymous");
        let found = private::inspect(&file, Kind::File).unwrap();
        assert_eq!(found[0], PermissionFault::Foreign("Anonymous".into()));
    }

    const CHOWN: &str = r"Z:\bin\chown";

    fn unix(path: &Path) -> String {
        let out = std::process::Command::new("winepath").arg("-u").arg(path).output().unwrap();
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }
}
