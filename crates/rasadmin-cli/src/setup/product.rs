//! Which DLLs are rasadmin's: their files are read, never loaded.

use crate::error::{CommandError, Result};
use crate::scratch::this_program;
use rasadmin_setup::registration::List;
use rasadmin_setup::version_marker;
use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The DLLs of a list that are rasadmin's, with their version; `None` if the file is missing.
#[derive(Debug, Default)]
pub struct Own(HashMap<String, Option<String>>);

impl Own {
    /// Looks at every DLL that the list names.
    pub fn of(list: &List) -> Self {
        let mut own = HashMap::new();
        for dll in list.named() {
            let path = file_of(dll);
            match version_marker::version_of(&path) {
                Ok(Some(version)) => drop(own.insert(key(dll), Some(version))),
                // Only the name is left of a file that is missing.
                Err(e) if e.kind() == ErrorKind::NotFound && named_as_ours(&path) => drop(own.insert(key(dll), None)),
                _ => {}
            }
        }
        Self(own)
    }

    /// Whether this DLL is rasadmin's.
    pub fn has(&self, dll: &str) -> bool {
        self.0.contains_key(&key(dll))
    }

    /// Its version, if its file exists.
    pub fn version(&self, dll: &str) -> Option<&str> {
        self.0.get(&key(dll))?.as_deref()
    }
}

fn key(dll: &str) -> String {
    dll.to_lowercase()
}

/// `rasadmin.dll`, or a name that an upgrade gives.
fn named_as_ours(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    name == "rasadmin.dll" || upgrade_name(&name)
}

/// `rasadmin-VERSION.dll`: a name that only an upgrade gives.
fn upgrade_name(name: &str) -> bool {
    name.strip_prefix("rasadmin-")
        .and_then(|rest| rest.strip_suffix(".dll"))
        .is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
}

/// The file of an entry of the list. Windows looks for a bare name in the system's folder.
pub fn file_of(dll: &str) -> PathBuf {
    let path = PathBuf::from(dll);
    if path.is_absolute() {
        return path;
    }
    match std::env::var_os("SystemRoot") {
        Some(root) => PathBuf::from(root).join("System32").join(path),
        None => path,
    }
}

/// The DLL to install: the one that the user named, or the one beside this command.
pub fn to_install(named: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = named {
        return crate::format::dll_file(path);
    }
    let command = this_program()?;
    let file = format!("{}rasadmin{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let path = command.with_file_name(file);
    if path.is_file() {
        return Ok(path);
    }
    Err(CommandError::file(&path, "the file does not exist beside this command").hint("name the DLL with --dll"))
}

/// A name beside the registered DLL: with the version, and if another file has that name, with a digest too. Returns
/// the path, and whether the file is there already.
pub fn name_for_upgrade(registered: &Path, version: &str, bytes: &[u8]) -> (PathBuf, bool) {
    let there = |path: &Path| std::fs::read(path).is_ok_and(|there| there == bytes);
    let plain = registered.with_file_name(format!("rasadmin-{version}.dll"));
    if !plain.exists() || there(&plain) {
        let is_there = plain.exists();
        return (plain, is_there);
    }
    let path = registered.with_file_name(format!("rasadmin-{version}-{}.dll", &digest(bytes)[..12]));
    let is_there = there(&path);
    (path, is_there)
}

/// SHA-256, hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// DLLs in these folders that an upgrade has left, apart from those in `spared`.
pub fn leftovers<'a>(folders: impl IntoIterator<Item = &'a Path>, spared: &[PathBuf]) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for entry in folders.into_iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten() {
        let path = entry.path();
        let same = |other: &PathBuf| key(&other.to_string_lossy()) == key(&path.to_string_lossy());
        if upgrade_name(&entry.file_name().to_string_lossy().to_lowercase())
            && !spared.iter().chain(&found).any(same)
            && version_marker::version_of(&path).is_ok_and(|version| version.is_some())
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const OURS: &[u8] = b"...rasadmin-product/0.2.0\n...";

    #[test]
    fn an_upgrade_gets_a_name_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let registered = folder.path().join("rasadmin.dll");
        let plain = folder.path().join("rasadmin-0.2.0.dll");
        assert_eq!(name_for_upgrade(&registered, "0.2.0", OURS), (plain.clone(), false));
        std::fs::write(&plain, OURS).unwrap();
        assert_eq!(name_for_upgrade(&registered, "0.2.0", OURS), (plain.clone(), true));
        let (other, there) = name_for_upgrade(&registered, "0.2.0", b"another build");
        assert!(!there && other != plain && upgrade_name(&other.file_name().unwrap().to_string_lossy()));
    }

    #[test]
    fn only_what_an_upgrade_made_is_a_leftover() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["rasadmin.dll", "rasadmin-0.1.0.dll", "rasadmin-0.2.0.dll", "rasadmin-mine.dll"] {
            std::fs::write(path(name), OURS).unwrap();
        }
        std::fs::write(path("rasadmin-9.dll"), "somebody else's").unwrap();
        let found = leftovers([folder.path(), folder.path()], &[path("rasadmin-0.2.0.dll")]);
        assert_eq!(found, [path("rasadmin-0.1.0.dll")]);
    }

    #[test]
    fn a_strangers_dll_is_never_ours_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        std::fs::write(path("rasadmin.dll"), "somebody else's").unwrap();
        std::fs::write(path("renamed.dll"), OURS).unwrap();
        let text = [path("rasadmin.dll"), path("renamed.dll"), path("rasadmin-0.1.dll"), path("gone.dll")].join(";");
        let own = Own::of(&List::read(&text, &|_| None).unwrap());
        let ours = ["rasadmin.dll", "renamed.dll", "rasadmin-0.1.dll", "gone.dll"].map(|name| own.has(&path(name)));
        assert_eq!(ours, [false, true, true, false]);
        assert_eq!((own.version(&path("renamed.dll")), own.version(&path("rasadmin-0.1.dll"))), (Some("0.2.0"), None));
    }
}
