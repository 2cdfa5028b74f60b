//! Puts a list together that RRAS gives in parts: it is complete, or there is none.

use crate::Failure;
use std::collections::BTreeSet;

/// The most entries that a list can have. RRAS has far fewer ports.
pub(super) const MOST: usize = 65_536;
/// How often a list in parts is read until it does not change.
const ATTEMPTS: usize = 4;

/// A part of a list, as a function of RRAS returned it.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// A copy of the entries.
    pub bytes: Vec<u8>,
    /// The number of entries from here to the end of the list, as RRAS says it.
    pub total: u32,
    /// Where to go on, if this is not the end (ERROR_MORE_DATA).
    pub next: Option<u32>,
}

/// Reads a whole list. `part` gets the place to go on, `entry` the bytes of an entry of `size` bytes, and `handle` is
/// what no two entries share.
///
/// If one connection ends and another begins between two parts, the totals may fit although an entry is missing. So a list
/// in parts counts only if it was the same twice.
///
/// # Errors
/// Those of `part` and `entry`; [`Failure::Malformed`] if RRAS contradicts itself; [`Failure::Changed`] if the list is
/// in parts, and another at each reading.
pub(super) fn whole<T>(
    size: usize,
    mut part: impl FnMut(u32) -> Result<Part, Failure>,
    entry: impl Fn(&[u8]) -> Result<T, Failure>,
    handle: impl Fn(&T) -> u64,
) -> Result<Vec<T>, Failure> {
    let mut before = None;
    for _ in 0..ATTEMPTS {
        match attempt(size, &mut part, &entry, &handle) {
            Ok(read) if !read.in_parts || before.as_ref() == Some(&read.handles) => return Ok(read.list),
            Ok(read) => before = Some(read.handles),
            Err(Failure::Changed) => before = None,
            Err(failure) => return Err(failure),
        }
    }
    Err(Failure::Changed)
}

/// One reading of a list.
struct Reading<T> {
    list: Vec<T>,
    handles: BTreeSet<u64>,
    in_parts: bool,
}

fn attempt<T>(
    size: usize,
    part: &mut impl FnMut(u32) -> Result<Part, Failure>,
    entry: &impl Fn(&[u8]) -> Result<T, Failure>,
    handle: &impl Fn(&T) -> u64,
) -> Result<Reading<T>, Failure> {
    let (mut list, mut handles, mut at) = (Vec::new(), BTreeSet::new(), 0);
    let mut now = part(at)?;
    let (all, in_parts) = (now.total as usize, now.next.is_some());
    // What does not fit is a change if others come between the parts, and nonsense otherwise.
    let wrong = |what: String| if in_parts { Failure::Changed } else { Failure::Malformed(what) };
    loop {
        let before = list.len();
        for bytes in now.bytes.chunks_exact(size) {
            let entry = entry(bytes)?;
            let handle = handle(&entry);
            if !handles.insert(handle) {
                return Err(wrong(format!("two entries have the handle {handle}")));
            }
            list.push(entry);
        }
        let count = list.len();
        let Some(next) = now.next else {
            let fits = count == all;
            let whole = Reading { list, handles, in_parts };
            return if fits { Ok(whole) } else { Err(wrong(format!("it ends after {count} of {all} entries"))) };
        };
        if next == at || next == 0 || count == before {
            return Err(Failure::Malformed(format!(
                "it has more than {count} entries and does not say how to read them"
            )));
        }
        if count > MOST {
            return Err(too_many(count));
        }
        at = next;
        now = part(at)?;
    }
}

/// More entries than any server can have.
pub(super) fn too_many(count: usize) -> Failure {
    Failure::Malformed(format!("it claims to have {count} entries; the limit is {MOST}"))
}

#[cfg(test)]
mod tests;
