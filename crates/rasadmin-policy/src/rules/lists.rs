//! Formats lists.

use crate::Name;

/// Formats a list on one line, shortened if it is long.
pub(crate) fn write<'a>(entries: impl IntoIterator<Item = &'a str>) -> String {
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
