//! Paths that follow from a configuration's.

use std::path::{Path, PathBuf};

/// The default name of the journal's folder, beside the configuration.
pub(super) const JOURNAL: &str = "journal";

/// The path of the last good configuration in the journal's folder.
pub fn last_good(journal: &Path) -> PathBuf {
    journal.join("last-good.json")
}

/// The folder of a file.
pub(super) fn folder(file: &Path) -> PathBuf {
    file.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// The path beside the configuration. A copy is saved there too, because the journal's folder may be moved, and a
/// missing file cannot name it.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(".last-good.json");
    path.into()
}
