//! Files of the run that a scenario replaces, as an editor or a script would.

use crate::scenario::Replacement;
use std::fs::File;
use std::io::Error;
use std::path::Path;

/// Replaces the file of that name with a copy of the other one, in one step: nobody sees a part of it. `beside` is the
/// scenario's folder.
pub(super) fn replace(folder: &Path, replacement: &Replacement, beside: &Path) -> Result<(), String> {
    let Replacement { name, with, same_time } = replacement;
    let with = beside.join(with);
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
