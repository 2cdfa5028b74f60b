//! Deleting segments, and which may be deleted.

use crate::checkpoint;
use crate::cursor;
use crate::error::{Context, Error};
use crate::folder::{self, modified};
use crate::header::Header;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// When a segment may be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Every ledger that leaves its cursor here has its records, there is one at least, and it was not written since
    /// then, by the time of its file.
    Ingested {
        /// Since when.
        before: SystemTime,
    },
    /// The segments are longer than this together, in bytes: the oldest go, whether somebody has them or not.
    Limit {
        /// How long they may be.
        bytes: u64,
    },
}

/// A segment that was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    /// Its file.
    pub path: PathBuf,
    /// Its first record's number, and its last's.
    pub first: u64,
    /// See `first`.
    pub last: u64,
    /// Did every ledger have them? If not, they are lost.
    pub ingested: bool,
}

/// Deletes the oldest segments, as far as the rule allows, and returns them. It takes no lock, and reads a whole
/// checkpoint; two may do it at a time.
///
/// Whatever the rule, one stays unless a good checkpoint of a later record exists; and the two newest stay.
///
/// # Errors
/// If the folder or a segment's header cannot be read, or a segment not be deleted: [`Error::Io`].
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
        // It is read only when there is something to delete.
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

/// Windows keeps the name of a deleted file as long as somebody has it open: the file gets another name first.
fn delete(path: &Path) -> Result<(), Error> {
    let gone = path.with_extension("old");
    std::fs::rename(path, &gone).when("delete", path)?;
    let _ = std::fs::remove_file(gone);
    Ok(())
}
