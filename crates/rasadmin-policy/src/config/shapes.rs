//! Other shapes in which people write hours and dates. They are brought into the one shape that the file's types have, with
//! their positions.

mod tables;

use super::{Mistake, hours};
use crate::shorten::shortened;
use std::borrow::Cow;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

type Value<'a> = Spanned<DeValue<'a>>;

/// Brings tables, the hours of all rules and their dates into the shapes of the file's types. Returns the mistakes in
/// what had no valid shape, but whose meaning is plain: the rest is checked as if it had been written well.
pub(super) fn unify(file: &mut DeTable<'_>, text: &str) -> Vec<Mistake> {
    let mut mistakes = tables::unify(file, text);
    for rule in members(value(file, "rules")) {
        let DeValue::Table(rule) = rule.get_mut() else { continue };
        if let Some(dates) = value(rule, "dates") {
            listed(dates);
            members(Some(dates)).for_each(quoted);
        }
        let Some(hours) = value(rule, "hours") else { continue };
        listed(hours);
        for hours in members(Some(hours)) {
            let span = hours.span();
            let meant = hours.get_ref().as_str().and_then(hours::meant);
            if let Some(meant) = &meant {
                mistakes.push(not_written_so("hours", hours, meant));
            }
            let written = meant.as_deref().or_else(|| hours.get_ref().as_str());
            if let Some(table) = written.and_then(|text| from_text(text, &span)) {
                *hours = Spanned::new(span, DeValue::Table(table));
            }
            let DeValue::Table(table) = hours.get_mut() else { continue };
            let Some(days) = value(table, "days") else { continue };
            let mut corrected = |days: &mut Value<'_>| {
                let Some(meant) = days.get_ref().as_str().and_then(hours::meant) else { return };
                mistakes.push(not_written_so("days", days, &meant));
                *days = Spanned::new(days.span(), string(&meant));
            };
            corrected(days);
            members(Some(days)).for_each(corrected);
            if let Some(list) = days.get_ref().as_str().map(|text| days_of(text, &days.span())) {
                *days = Spanned::new(days.span(), DeValue::Array(list));
            }
        }
    }
    mistakes
}

/// The mistake of hours or days whose meaning is plain.
fn not_written_so(kind: &str, value: &Value<'_>, meant: &str) -> Mistake {
    let written = shortened(value.get_ref().as_str().unwrap_or_default());
    let what = format!("`{written}` is not how {kind} are written");
    Mistake::at(value.span(), what, format!("write \"{}\"", shortened(meant)))
}

fn value<'t, 'a>(table: &'t mut DeTable<'a>, wanted: &str) -> Option<&'t mut Value<'a>> {
    table.iter_mut().find(|(key, _)| key.get_ref() == wanted).map(|(_, value)| value)
}

fn members<'t, 'a>(list: Option<&'t mut Value<'a>>) -> impl Iterator<Item = &'t mut Value<'a>> {
    let array = list.and_then(|list| match list.get_mut() {
        DeValue::Array(array) => Some(array),
        _ => None,
    });
    array.into_iter().flat_map(|array| array.iter_mut())
}

/// A single table or text becomes a list.
fn listed(value: &mut Value<'_>) {
    if matches!(value.get_ref(), DeValue::Table(_) | DeValue::String(_) | DeValue::Datetime(_)) {
        let mut list = DeArray::new();
        list.push(value.clone());
        *value = Spanned::new(value.span(), DeValue::Array(list));
    }
}

/// A date without quotes, which TOML knows too, becomes a text.
fn quoted(value: &mut Value<'_>) {
    if let Some(date) = value.get_ref().as_datetime().filter(|date| date.time.is_none()).map(ToString::to_string) {
        *value = Spanned::new(value.span(), string(&date));
    }
}

/// `mon-fri 08:00-18:00`, `sat+sun`, `22:00-06:00`: days, then times, either of which may be missing. `None` if the
/// text is something else.
fn from_text<'a>(text: &str, span: &Range<usize>) -> Option<DeTable<'a>> {
    let mut table = DeTable::new();
    let mut put = |key: &'static str, value| {
        table.insert(Spanned::new(span.clone(), Cow::Borrowed(key)), Spanned::new(span.clone(), value));
    };
    let (days, times) = text.split_at(text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len()));
    if !times.is_empty() {
        let (from, to) = times.split_once(['-', '–'])?;
        put("from", string(from));
        put("to", string(to));
    }
    if !days.trim().is_empty() {
        put("days", DeValue::Array(days_of(days, span)));
    }
    (!table.is_empty()).then_some(table)
}

fn days_of<'a>(text: &str, span: &Range<usize>) -> DeArray<'a> {
    let mut list = DeArray::new();
    let days = text.split([',', '+', ' ']).filter(|day| !day.is_empty());
    days.for_each(|day| list.push(Spanned::new(span.clone(), string(day))));
    list
}

fn string<'a>(text: &str) -> DeValue<'a> {
    DeValue::String(Cow::Owned(text.trim().to_owned()))
}
