//! The files in the folder of a torture run.

use std::path::{Path, PathBuf};

/// The journal's folder.
pub fn journal_in(folder: &Path) -> PathBuf {
    folder.join("journal")
}

/// The ledger's file.
pub fn ledger_in(folder: &Path) -> PathBuf {
    folder.join("rasadmin.db")
}
