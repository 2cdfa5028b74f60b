//! The DLL's log.

use super::facts::{Facts, Mark};
use rasadmin_system::places;
use schemars::JsonSchema;
use serde::Serialize;

/// The DLL's log.
#[derive(Default, Serialize, JsonSchema)]
pub struct Log {
    /// The path of its file.
    file: String,
    /// Whether the file exists.
    exists: bool,
}

/// Whether the log exists, and its size.
pub fn check(facts: &mut Facts) -> Log {
    let path = places::log_file();
    match std::fs::metadata(&path) {
        Ok(metadata) => {
            let kib = metadata.len().div_ceil(1024);
            facts.add(Mark::Ok, "log", format!("{}, {kib} KiB", path.display()));
        }
        Err(_) => facts.add(Mark::Note, "log", format!("{}: it does not exist yet", path.display())),
    }
    Log { file: path.display().to_string(), exists: path.exists() }
}
