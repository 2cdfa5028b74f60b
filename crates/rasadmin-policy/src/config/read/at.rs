//! Positions in a table, and what is done at them.

use crate::config::wording::Meant;
use std::borrow::Cow;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The keys of a table with all positions, without what the text itself has.
pub(super) fn outline(table: &DeTable<'_>) -> DeTable<'static> {
    fn of(value: &Spanned<DeValue<'_>>) -> Spanned<DeValue<'static>> {
        let inside = match value.get_ref() {
            DeValue::Table(table) => DeValue::Table(outline(table)),
            DeValue::Array(array) => DeValue::Array(array.iter().map(of).collect()),
            _ => DeValue::Boolean(false),
        };
        Spanned::new(value.span(), inside)
    }
    let owned = |key: &Spanned<Cow<'_, str>>| Spanned::new(key.span(), Cow::Owned(key.get_ref().to_string()));
    table.iter().map(|(key, value)| (owned(key), of(value))).collect()
}

/// Puts what is meant in the place of a mistyped key or value.
pub(super) fn correct(table: &mut DeTable<'_>, span: &Range<usize>, meant: &Meant) -> bool {
    let found = table.iter().find(|(key, value)| within(span, &key.span()) || contains(value, span));
    let Some((key, at_key)) = found.map(|(key, _)| (key.clone(), within(span, &key.span()))) else { return false };
    match (meant, at_key) {
        (Meant::Key(name), true) => {
            if table.contains_key(name.as_str()) {
                return false;
            }
            let Some(value) = table.remove(&key) else { return false };
            table.insert(Spanned::new(key.span(), Cow::Owned(name.clone())), value);
            true
        }
        (Meant::Value(_), true) => false,
        (meant, false) => {
            let Some(value) = table.iter_mut().find(|(other, _)| **other == key).map(|(_, value)| value) else {
                return false;
            };
            correct_in(value, span, meant)
        }
    }
}

fn correct_in(value: &mut Spanned<DeValue<'_>>, span: &Range<usize>, meant: &Meant) -> bool {
    let place = value.span();
    match (value.get_mut(), meant) {
        (DeValue::Table(table), meant) => correct(table, span, meant),
        (DeValue::Array(array), meant) => {
            let inside = array.iter_mut().find(|value| contains(value, span));
            inside.is_some_and(|value| correct_in(value, span, meant))
        }
        (text @ DeValue::String(_), Meant::Value(right)) if place == *span => {
            *text = DeValue::String(Cow::Owned(right.clone()));
            true
        }
        _ => false,
    }
}

pub(super) fn within(inner: &Range<usize>, outer: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// The keys that lead to a position.
pub(super) fn path<'t>(table: &'t DeTable<'_>, span: &Range<usize>) -> Vec<&'t str> {
    let found = table.iter().find(|(key, value)| within(span, &key.span()) || contains(value, span));
    let Some((key, value)) = found else { return Vec::new() };
    let mut keys = vec![key.get_ref().as_ref()];
    if !within(span, &key.span()) {
        keys.extend(path_in(value, span));
    }
    keys
}

fn path_in<'t>(value: &'t Spanned<DeValue<'_>>, span: &Range<usize>) -> Vec<&'t str> {
    match value.get_ref() {
        DeValue::Table(table) => path(table, span),
        DeValue::Array(array) => {
            array.iter().find(|value| contains(value, span)).map_or_else(Vec::new, |value| path_in(value, span))
        }
        _ => Vec::new(),
    }
}

/// Takes out the innermost key or element that contains the position.
pub(super) fn take_out(table: &mut DeTable<'_>, span: &Range<usize>, gone: &mut Vec<String>) -> bool {
    let mut found = None;
    for (key, value) in table.iter_mut() {
        if within(span, &key.span()) {
            found = Some(key.clone());
            break;
        }
        if contains(value, span) {
            let inside = take_out_of(value, span, gone);
            if inside {
                return true;
            }
            found = Some(key.clone());
            break;
        }
    }
    found.is_some_and(|key| {
        gone.push(key.get_ref().to_string());
        let removed = table.remove(&key).is_some();
        if key.get_ref() == "time_zone" {
            // Another zone, so that hours do not seem to have none.
            table.insert(key.clone(), Spanned::new(key.span(), DeValue::String(Cow::Borrowed("UTC"))));
        }
        removed
    })
}

/// Does a value contain the position? The span of a table is that of its header, and does not contain its keys.
pub(super) fn contains(value: &Spanned<DeValue<'_>>, span: &Range<usize>) -> bool {
    within(span, &value.span())
        || match value.get_ref() {
            DeValue::Table(table) => {
                table.iter().any(|(key, value)| within(span, &key.span()) || contains(value, span))
            }
            DeValue::Array(array) => array.iter().any(|value| contains(value, span)),
            _ => false,
        }
}

fn take_out_of(value: &mut Spanned<DeValue<'_>>, span: &Range<usize>, gone: &mut Vec<String>) -> bool {
    match value.get_mut() {
        DeValue::Table(table) => take_out(table, span, gone),
        DeValue::Array(array) => {
            let Some(index) = array.iter().position(|value| contains(value, span)) else { return false };
            let inside = array.get_mut(index).is_some_and(|value| take_out_of(value, span, gone));
            if !inside {
                let rest = array.iter().enumerate().filter(|(at, _)| *at != index);
                *array = rest.map(|(_, value)| value.clone()).collect();
            }
            true
        }
        _ => false,
    }
}
