//! Puts a list together that RRAS gives in parts: it is complete, or there is none.

use crate::Failure;
use std::collections::BTreeSet;

/// The most entries that a list can have. RRAS has far fewer ports.
pub(super) const MOST: usize = 65_536;
/// How often a list is read that changes while it is read in parts.
const ATTEMPTS: usize = 3;

/// A part of a list, as a function of RRAS returned it.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// A copy of the entries.
    pub bytes: Vec<u8>,
    /// The number of entries from where the part begins to the end of the list, as RRAS says it.
    pub total: u32,
    /// Where to go on, if this is not the end (ERROR_MORE_DATA).
    pub next: Option<u32>,
}

/// Reads a whole list. `part` gets the place to go on, `entry` the bytes of an entry of `size` bytes, and `handle` is
/// what no two entries share.
///
/// # Errors
/// Those of `part` and `entry`; [`Failure::Malformed`] if RRAS contradicts itself; [`Failure::Changed`] if the list is
/// in parts that do not fit together, three times.
pub(super) fn whole<T>(
    size: usize,
    mut part: impl FnMut(u32) -> Result<Part, Failure>,
    entry: impl Fn(&[u8]) -> Result<T, Failure>,
    handle: impl Fn(&T) -> u64,
) -> Result<Vec<T>, Failure> {
    for _ in 0..ATTEMPTS {
        match attempt(size, &mut part, &entry, &handle) {
            Err(Failure::Changed) => {}
            read => return read,
        }
    }
    Err(Failure::Changed)
}

fn attempt<T>(
    size: usize,
    part: &mut impl FnMut(u32) -> Result<Part, Failure>,
    entry: &impl Fn(&[u8]) -> Result<T, Failure>,
    handle: &impl Fn(&T) -> u64,
) -> Result<Vec<T>, Failure> {
    let mut list = Vec::new();
    let mut seen = BTreeSet::new();
    let mut at = 0;
    let first = part(at)?;
    let (all, in_parts) = (first.total as usize, first.next.is_some());
    // What does not fit is a change if others come between the parts, and nonsense otherwise.
    let wrong = |what: String| if in_parts { Failure::Changed } else { Failure::Malformed(what) };
    let mut now = first;
    loop {
        let left = now.total as usize;
        // The page says that the total counts from where a part begins. One that counts the whole list is accepted.
        if left != all && left + list.len() != all {
            return Err(Failure::Changed);
        }
        let before = list.len();
        for bytes in now.bytes.chunks_exact(size) {
            let entry = entry(bytes)?;
            let handle = handle(&entry);
            if !seen.insert(handle) {
                return Err(wrong(format!("two entries have the handle {handle}")));
            }
            list.push(entry);
        }
        let count = list.len();
        let Some(next) = now.next else {
            let fits = count == all;
            return if fits { Ok(list) } else { Err(wrong(format!("it ends after {count} of {all} entries"))) };
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
