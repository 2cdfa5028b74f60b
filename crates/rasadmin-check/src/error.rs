//! The error for a file that cannot be checked.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why a file could not be checked. The exit code is 2, because there is no result about an admin DLL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CannotCheck {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl CannotCheck {
    pub(crate) fn new(path: &Path, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { path: path.to_owned(), what: what.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for CannotCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = rasadmin_text::printable_path(&self.path);
        write!(f, "cannot check {path}: {}; {}", self.what, self.remedy)
    }
}

impl std::error::Error for CannotCheck {}
