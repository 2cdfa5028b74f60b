//! Reads the lists of a rule's conditions, entry by entry. Each mistake gets its position.

use super::Mistake;
use super::file::At;
use crate::rules::Fault;

/// Reads a list's entries and reports mistakes. An empty list is a mistake: its condition would never hold.
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

/// Reports an empty list.
pub(super) fn not_empty<T>(field: &str, list: &At<Vec<T>>, mistakes: &mut Vec<Mistake>) {
    if list.get_ref().is_empty() {
        let what = format!("`{field}` is empty: it would never hold");
        mistakes.push(Mistake::at(list.span(), what, format!("name one, or leave `{field}` out")));
    }
}
