//! Tables that were written as lists, and lists that were written as tables.

use super::{Value, value};
use crate::config::{Mistake, wording};
use std::borrow::Cow;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// Brings the tables of a file into shape.
pub(super) fn unify(file: &mut DeTable<'_>, text: &str) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for list in ["rules", "reservations"] {
        if let Some(value) = value(file, list).filter(|value| value.get_ref().is_table()) {
            into_list(value, list, text, &mut mistakes);
        }
    }
    for (of, key) in [("groups", "users"), ("pools", "addresses")] {
        let Some(table) = value(file, of) else { continue };
        into_table(table, of, text, &mut mistakes);
        let DeValue::Table(table) = table.get_mut() else { continue };
        for (name, value) in table.iter_mut().filter(|(_, value)| value.get_ref().is_array()) {
            mistakes.push(wording::list_for_table(of, name.get_ref(), key, value.span(), text));
            let inside = std::mem::replace(value.get_mut(), DeValue::Table(DeTable::new()));
            let DeValue::Array(list) = inside else { continue };
            // `[[pools.staff]]` has one table; a list without a name of its own is what the usual key has.
            let first = list.iter().find_map(|entry| entry.get_ref().as_table().cloned());
            let table = first.unwrap_or_else(|| {
                let mut table = DeTable::new();
                let list = Spanned::new(value.span(), DeValue::Array(list));
                table.insert(Spanned::new(value.span(), Cow::Borrowed(key)), list);
                table
            });
            *value.get_mut() = DeValue::Table(table);
        }
    }
    mistakes
}

/// `[rules]` becomes a list with one table, and `[rules.office]` one with a table that has the name.
fn into_list<'a>(value: &mut Value<'a>, list: &str, text: &str, mistakes: &mut Vec<Mistake>) {
    let span = value.span();
    let DeValue::Table(table) = std::mem::replace(value.get_mut(), DeValue::Array(DeArray::new())) else { return };
    let mut tables = DeArray::new();
    if list == "rules" && !table.is_empty() && table.values().all(|value| value.get_ref().is_table()) {
        for (name, mut table) in table {
            mistakes.push(wording::single_table(list, Some(name.get_ref()), table.span(), text));
            if let DeValue::Table(rule) = table.get_mut()
                && rule.get("name").is_none()
            {
                let text = Spanned::new(name.span(), DeValue::String(name.get_ref().clone()));
                rule.insert(Spanned::new(name.span(), Cow::Borrowed("name")), text);
            }
            tables.push(table);
        }
    } else {
        mistakes.push(wording::single_table(list, None, span.clone(), text));
        tables.push(Spanned::new(span, DeValue::Table(table)));
    }
    *value.get_mut() = DeValue::Array(tables);
}

/// `[[pools]]` with a name becomes the table of this name.
fn into_table<'a>(value: &mut Value<'a>, of: &str, text: &str, mistakes: &mut Vec<Mistake>) {
    let all_tables = |list: &DeArray<'_>| list.iter().all(|entry| entry.get_ref().is_table());
    if !matches!(value.get_ref(), DeValue::Array(list) if all_tables(list)) {
        return;
    }
    let DeValue::Array(list) = std::mem::replace(value.get_mut(), DeValue::Table(DeTable::new())) else { return };
    let mut tables = DeTable::new();
    for mut entry in list {
        let name = match entry.get_mut() {
            DeValue::Table(table) => table.remove("name"),
            _ => None,
        };
        let text_of = |name: &Value<'a>| match name.get_ref() {
            DeValue::String(text) => Some(Spanned::new(name.span(), text.clone())),
            _ => None,
        };
        let name = name.as_ref().and_then(text_of);
        let shown = name.as_ref().map(|name| name.get_ref().as_ref());
        mistakes.push(wording::list_of_tables(of, shown, entry.span(), text));
        if let Some(name) = name {
            tables.insert(name, entry);
        }
    }
    *value.get_mut() = DeValue::Table(tables);
}
