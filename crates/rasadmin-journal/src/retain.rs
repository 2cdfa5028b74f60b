//! Deletes segments that are no longer needed.

use crate::checkpoint;
use crate::cursor;
use crate::error::{Context, Error};
use crate::folder::{self, modified};
use crate::header::Header;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Which segments may be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Segments whose records every ledger with a cursor in this folder has read, if there is at least one, and whose
    /// file was last written before a time.
    Ingested {
        /// The time.
        before: SystemTime,
    },
    /// The oldest segments, while all segments together are longer than this, whether a ledger has read them or not.
    Limit {
        /// The limit, in bytes.
        bytes: u64,
    },
}

/// A deleted segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    /// Its file.
    pub path: PathBuf,
    /// The number of its first record.
    pub first: u64,
    /// The number of its last record.
    pub last: u64,
    /// True if every ledger had read its records. If not, they are lost.
    pub ingested: bool,
}

/// Deletes the oldest segments as far as the rule allows, and returns them. Takes no lock, and reads a whole
/// checkpoint. Two processes may do this at the same time.
///
/// Whatever the rule, a segment stays until there is a good checkpoint of a later record, and the two newest segments
/// stay.
///
/// # Errors
/// [`Error::Io`] if the folder or a segment's header cannot be read, or a segment cannot be deleted.
pub fn expire(folder: &Path, rule: Rule) -> Result<Vec<Expired>, Error> {
    let chain = folder::survey(folder)?.chain;
    let Some(journal) = chain.last().map(|header| header.journal) else { return Ok(Vec::new()) };
    let of_it = |position: &crate::Position| position.journal == journal;
    let cursors = cursor::list(folder)?;
    let has = |last: u64| {
        let past = |c: &cursor::Cursor| c.position.is_some_and(|position| of_it(&position) && position.number >= last);
        !cursors.is_empty() && cursors.iter().all(past)
    };
    let mut length: u64 = chain.iter().map(|header| file_length(folder, header)).fold(0, u64::saturating_add);
    let mut expired = Vec::new();
    let mut checkpoint = None;
    for pair in chain.windows(2).take(chain.len().saturating_sub(2)) {
        let [old, next] = pair else { break };
        let path = crate::segment::path(folder, old.ordinal);
        let ingested = has(next.last);
        let may = match rule {
            Rule::Ingested { before } => ingested && modified(&path).is_some_and(|at| at < before),
            Rule::Limit { bytes } => length > bytes,
        };
        if !may {
            break;
        }
        // Read only if there is something to delete.
        let known = match checkpoint {
            Some(known) => known,
            None => {
                checkpoint::newest(folder, |position, _| of_it(position))?.0.map_or(0, |found| found.position.number)
            }
        };
        checkpoint = Some(known);
        if known < next.last {
            break;
        }
        length -= file_length(folder, old).min(length);
        delete(&path)?;
        expired.push(Expired { path, first: old.last.saturating_add(1), last: next.last, ingested });
    }
    Ok(expired)
}

fn file_length(folder: &Path, header: &Header) -> u64 {
    std::fs::symlink_metadata(crate::segment::path(folder, header.ordinal)).map_or(0, |of| of.len())
}

/// Windows keeps the name of a deleted file while somebody has it open, so the file is renamed first.
fn delete(path: &Path) -> Result<(), Error> {
    let gone = path.with_extension("old");
    std::fs::rename(path, &gone).when("delete", path)?;
    let _ = std::fs::remove_file(gone);
    Ok(())
}
