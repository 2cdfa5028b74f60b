//! Reads a text into the file's types, and finds every mistake instead of only the first.
//!
//! serde stops at the first mistake. So each mistake is noted and taken out, and serde is asked again until it finds
//! no more.

use super::Mistake;
use super::file::File;
use super::{shapes, wording};
use serde::Deserialize;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// How many octets may be read again, in all rounds together. A large file full of mistakes must not hold up a
/// callback.
const READ_AGAIN: usize = 64 << 20;

/// Keys that other keys refer to. Without them, mistakes would be reported that are not there.
const REFERRED_TO: [&str; 5] = ["time_zone", "default_domain", "domains", "groups", "pools"];

/// Removes the byte order mark that editors on Windows write at the beginning of a file.
pub fn unmarked(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// A file as read.
pub struct Read<'a> {
    /// The file without its mistakes; `None` if too little is left to check its meaning.
    pub file: Option<File>,
    /// The mistakes.
    pub mistakes: Vec<Mistake>,
    whole: DeTable<'a>,
}

impl Read<'_> {
    /// Does a mistake in meaning only follow from another mistake that is already listed? It does if both are in the
    /// same rule, reservation or key.
    pub fn follows(&self, meaning: &Mistake) -> bool {
        let both = |value: &Spanned<DeValue<'_>>| {
            contains(value, &meaning.span) && self.mistakes.iter().any(|known| contains(value, &known.span))
        };
        self.whole.values().any(|value| match value.get_ref() {
            DeValue::Table(table) => table.values().any(both),
            DeValue::Array(array) => array.iter().any(both),
            _ => both(value),
        })
    }
}

impl Read<'_> {
    /// The position of the key that these keys lead to.
    pub fn position(&self, keys: &[&str]) -> Option<Range<usize>> {
        let (last, tables) = keys.split_last()?;
        let mut table = &self.whole;
        let find = |table: &DeTable<'_>, name: &str| table.iter().position(|(key, _)| key.get_ref() == name);
        for name in tables {
            table = table.values().nth(find(table, name)?)?.get_ref().as_table()?;
        }
        table.keys().nth(find(table, last)?).map(Spanned::span)
    }
}

/// Reads a file as far as possible, with every mistake.
pub fn read(text: &str) -> Read<'_> {
    let (table, syntax) = DeTable::parse_recoverable(text);
    let whole = table.get_ref().clone();
    if !syntax.is_empty() {
        return Read { file: None, mistakes: wording::of_syntax(&syntax, text), whole };
    }
    let (file, mistakes) = without_faults(table, text);
    Read { file, mistakes, whole }
}

fn without_faults(mut table: Spanned<DeTable<'_>>, text: &str) -> (Option<File>, Vec<Mistake>) {
    shapes::unify(table.get_mut());
    let (mut mistakes, mut gone) = (Vec::new(), Vec::new());
    for (of, key) in [("groups", "users"), ("pools", "addresses")] {
        for (name, span) in shapes::take_lists_out(table.get_mut(), of) {
            mistakes.push(wording::list_for_table(of, &name, key, span, text));
            gone.push(of.to_owned());
        }
    }
    // Each round takes something out, so this ends. The limit is for files full of mistakes.
    for _ in 0..(READ_AGAIN / text.len().max(1)).clamp(8, 200) {
        match File::deserialize(toml::de::Deserializer::from(table.clone())) {
            Ok(file) => {
                let enough = !gone.iter().any(|key: &String| REFERRED_TO.contains(&key.as_str()));
                return (enough.then_some(file), mistakes);
            }
            Err(e) => {
                let span = e.span().unwrap_or(0..0);
                // A key that was taken out is now missing, and a mistyped key stands for the right one.
                let missed = e.message().strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
                if !missed.is_some_and(|key| gone.iter().any(|one| one == key)) {
                    let mistake = wording::of_form(e.message(), span.clone(), &path(table.get_ref(), &span), text);
                    gone.extend(
                        mistake
                            .help
                            .strip_prefix("did you mean `")
                            .and_then(|h| h.split('`').next())
                            .map(str::to_owned),
                    );
                    mistakes.push(mistake);
                }
                let within =
                    table.get_ref().iter().find(|(key, value)| within(&span, &key.span()) || contains(value, &span));
                gone.extend(within.map(|(key, _)| key.get_ref().to_string()));
                if !take_out(table.get_mut(), &span, &mut gone) {
                    return (None, mistakes);
                }
            }
        }
    }
    (None, mistakes)
}

/// The journal's folder, as far as an invalid file still names it. The last good configuration is there.
pub fn journal_folder(text: &str) -> Option<String> {
    let (table, _) = DeTable::parse_recoverable(unmarked(text));
    let journal = table.get_ref().iter().find(|(key, _)| key.get_ref() == "journal")?.1;
    let folder = journal.get_ref().as_table()?.iter().find(|(key, _)| key.get_ref() == "folder")?.1;
    folder.get_ref().as_str().map(str::to_owned)
}

/// Does the text name a time zone?
pub fn names_zone(text: &str) -> bool {
    let (table, _) = DeTable::parse_recoverable(unmarked(text));
    table.get_ref().iter().any(|(key, _)| key.get_ref() == "time_zone")
}

fn within(inner: &Range<usize>, outer: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// The keys that lead to a position.
fn path<'t>(table: &'t DeTable<'_>, span: &Range<usize>) -> Vec<&'t str> {
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
fn take_out(table: &mut DeTable<'_>, span: &Range<usize>, gone: &mut Vec<String>) -> bool {
    let mut found = None;
    for (key, value) in table.iter_mut() {
        if within(span, &key.span()) {
            found = Some(key.clone());
            break;
        }
        if contains(value, span) {
            if take_out_of(value, span, gone) {
                return true;
            }
            found = Some(key.clone());
            break;
        }
    }
    found.is_some_and(|key| {
        gone.push(key.get_ref().to_string());
        table.remove(&key).is_some()
    })
}

/// Does a value contain the position? The span of a table is that of its header, and does not contain its keys.
fn contains(value: &Spanned<DeValue<'_>>, span: &Range<usize>) -> bool {
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
