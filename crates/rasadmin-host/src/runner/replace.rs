//! Replaces a file of the run, as an editor or a script would.

use crate::scenario::Replacement;
use std::fs::File;
use std::io::Error;
use std::path::Path;

/// Replaces the file with a copy of another, in one step, so that no reader sees only a part of it.
pub(super) fn replace(folder: &Path, replacement: &Replacement, scenario_folder: &Path) -> Result<(), String> {
    let Replacement { name, with, same_time } = replacement;
    let with = scenario_folder.join(with);
    let (old, new) = (folder.join(name), folder.join(format!("{name}.new")));
    let failed = |path: &Path, e: Error| format!("cannot replace `{name}`: {}: {e}", path.display());
    let time = std::fs::metadata(&old).and_then(|metadata| metadata.modified()).map_err(|e| failed(&old, e))?;
    std::fs::copy(&with, &new).map_err(|e| failed(&with, e))?;
    if *same_time {
        let set = File::options().write(true).open(&new).and_then(|file| file.set_modified(time));
        set.map_err(|e| failed(&new, e))?;
    }
    std::fs::rename(&new, &old).map_err(|e| failed(&old, e))
}
