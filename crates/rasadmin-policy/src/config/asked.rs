//! What the conditions of rules ask for, as text for explanations.

use super::file::At;
use crate::rules::{Limit, lists as written};

/// Formats a list's texts, and the file that has more of them.
pub(super) fn with_file(
    list: &Option<At<Vec<At<String>>>>,
    file: Option<&At<String>>,
    count: usize,
    noun: &str,
) -> String {
    let s = if count == 1 { "" } else { "s" };
    let file = file.map(|file| format!("{} ({count} {noun}{s})", written::write([file.get_ref().as_str()])));
    list.as_ref().map(texts).into_iter().chain(file).collect::<Vec<_>>().join(", ")
}

/// Formats a list's texts, for a condition that may be an exception.
pub(super) fn excepting(field: &str, list: &At<Vec<At<String>>>) -> String {
    if field.starts_with("not_") { format!("none of {}", texts(list)) } else { texts(list) }
}

/// Formats a list's texts.
pub(super) fn texts(list: &At<Vec<At<String>>>) -> String {
    written::write(list.get_ref().iter().map(|text| text.get_ref().as_str()))
}

pub(super) fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// An amount as the file writes it.
pub(super) fn as_written(at_least: &Option<At<String>>, below: &Option<At<String>>) -> String {
    match (at_least, below) {
        (Some(text), _) => format!("at least {}", text.get_ref().trim()),
        (None, Some(text)) => format!("below {}", text.get_ref().trim()),
        (None, None) => String::new(), // A mistake that is already listed.
    }
}

pub(super) fn bound(limit: Limit) -> String {
    match limit {
        Limit::AtLeast(n) => format!("at least {n}"),
        Limit::Below(n) => format!("below {n}"),
    }
}
