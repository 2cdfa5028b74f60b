//! The state on disk, in the journal's folder.

use crate::state::State;
use crate::two_files::{self, TwoFiles};
use std::path::Path;

/// The names of the files.
pub const FILES: [&str; 2] = ["service-state-0.json", "service-state-1.json"];

/// In the journal's folder. Returns the last state of an earlier process too.
pub(crate) fn open(folder: &Path) -> (TwoFiles, Option<State>) {
    TwoFiles::open(folder, FILES)
}

/// The last state that was written to a journal's folder; None if there is none.
pub fn read(folder: &Path) -> Option<State> {
    two_files::read(folder, FILES)
}
