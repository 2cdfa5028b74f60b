//! The lists of a rule's conditions: read entry by entry, each fault at its place.

use super::Fault;
use crate::Name;
use crate::config::Mistake;
use crate::config::file::At;

/// A list's entries, read; faults are reported. An empty list is one: nothing would ever be in it.
pub(super) fn read<T, U>(
    field: &str,
    list: &At<Vec<At<T>>>,
    mistakes: &mut Vec<Mistake>,
    parse: impl Fn(&T) -> Result<U, Fault>,
) -> Vec<U> {
    not_empty(field, list, mistakes);
    let mut entries = Vec::with_capacity(list.get_ref().len());
    for text in list.get_ref() {
        match parse(text.get_ref()) {
            Ok(entry) => entries.push(entry),
            Err((what, help)) => mistakes.push(Mistake::at(text.span(), what, help)),
        }
    }
    entries
}

/// A list of values that serde has read, as bits.
pub(super) fn mask<T: Copy>(field: &str, list: &At<Vec<T>>, mistakes: &mut Vec<Mistake>, bit: impl Fn(T) -> u8) -> u8 {
    not_empty(field, list, mistakes);
    list.get_ref().iter().fold(0, |mask, &value| mask | 1 << bit(value))
}

/// Reports an empty list.
pub(super) fn not_empty<T>(field: &str, list: &At<Vec<T>>, mistakes: &mut Vec<Mistake>) {
    if list.get_ref().is_empty() {
        let what = format!("`{field}` is empty: it would never hold");
        mistakes.push(Mistake::at(list.span(), what, format!("name one, or leave `{field}` out")));
    }
}

/// A list as people read it, on one line.
pub(super) fn write<'a>(entries: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 8;
    let mut entries = entries.into_iter();
    let mut text =
        entries.by_ref().take(SHOWN).map(|entry| Name::new(entry).to_string()).collect::<Vec<_>>().join(", ");
    let rest = entries.count();
    if rest > 0 {
        text.push_str(&format!(" and {rest} more"));
    }
    text
}
