//! Cursors: how far each ledger has read, as files in the journal's folder. They keep segments from being deleted.
//!
//! A cursor's file is overwritten in place, because Windows cannot replace a file that somebody has open. A
//! half-written cursor is invalid, and a ledger without a valid cursor keeps all segments.

use crate::error::{Context, Error};
use crate::position::Position;
use std::path::Path;

pub(crate) const EXTENSION: &str = "cursor";

/// The length of every line, so that a new one overwrites all of the old one.
const LINE: usize = 160;

/// The cursor of one ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The ledger's name.
    pub ledger: String,
    /// The last record that the ledger has; None if the file is damaged.
    pub position: Option<Position>,
}

/// Is this a valid name of a ledger: 1 to 64 of `a-z`, `0-9`, `-` and `_`?
fn is_name(ledger: &str) -> bool {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    (1..=64).contains(&ledger.len()) && ledger.chars().all(known)
}

/// Writes a ledger's cursor to disk. `ledger` is 1 to 64 characters of `a-z`, `0-9`, `-` and `_`.
///
/// # Errors
/// [`Error::Io`], also for an invalid name; [`Error::Full`]; [`Error::Sync`].
pub fn write(folder: &Path, ledger: &str, position: &Position) -> Result<(), Error> {
    let path = folder.join(format!("{ledger}.{EXTENSION}"));
    if !is_name(ledger) {
        return Err(Error::new("write", &path, std::io::ErrorKind::InvalidInput.into()));
    }
    let text = position.to_string();
    let line = format!("{text} {:08x}", crc32c::crc32c(text.as_bytes()));
    let line = format!("{line:<width$}\n", width = LINE - 1);
    let mut moved = Vec::new();
    let mut file = crate::folder::open_or_make(&path, &mut moved)?;
    std::io::Write::write_all(&mut file, line.as_bytes()).when("write", &path)?;
    file.sync_all().when("sync", &path)
}

/// Lists all cursors in a folder, by name.
///
/// # Errors
/// If the folder cannot be listed.
pub fn list(folder: &Path) -> Result<Vec<Cursor>, Error> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).when("list", folder)? {
        let path = entry.when("list", folder)?.path();
        let ledger = path.file_stem().and_then(|stem| stem.to_str()).filter(|stem| is_name(stem)).map(str::to_owned);
        if let Some(ledger) = ledger.filter(|_| path.extension().is_some_and(|extension| extension == EXTENSION)) {
            all.push(Cursor { ledger, position: read(&path) });
        }
    }
    all.sort_by(|a, b| a.ledger.cmp(&b.ledger));
    Ok(all)
}

fn read(path: &Path) -> Option<Position> {
    let regular = std::fs::symlink_metadata(path).is_ok_and(|of| of.is_file() && of.len() == LINE as u64)
        && crate::owner::foreign(path).is_none();
    let line = regular.then(|| std::fs::read_to_string(path).ok())??;
    let (text, crc) = line.trim_end().rsplit_once(' ')?;
    (u32::from_str_radix(crc, 16) == Ok(crc32c::crc32c(text.as_bytes()))).then(|| text.parse().ok())?
}

/// Deletes the cursor of a ledger that is no longer used.
///
/// # Errors
/// If the file cannot be deleted.
pub fn forget(folder: &Path, ledger: &str) -> Result<(), Error> {
    let path = folder.join(format!("{ledger}.{EXTENSION}"));
    if is_name(ledger) { std::fs::remove_file(&path).when("delete", &path) } else { Ok(()) }
}
