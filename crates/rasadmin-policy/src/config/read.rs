//! Reads a text into the file's types, and finds every mistake instead of only the first.
//!
//! serde stops at the first mistake. So each mistake is noted and taken out, and serde is asked again until it finds
//! no more.

mod at;

use super::Mistake;
use super::file::File;
use super::shapes;
use super::wording::{self, Syntax};
use at::{contains, correct, outline, path, take_out, within};
use serde::Deserialize;
use std::borrow::Cow;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// How many octets may be read again, in all rounds together. A large file full of mistakes must not hold up a
/// callback.
const READ_AGAIN: usize = 64 << 20;

/// Tables that other keys refer to. Without them, mistakes would be reported that are not there.
const REFERRED_TO: [&str; 2] = ["groups", "pools"];

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
    /// The positions of what is not certain because of them.
    uncertain: Vec<Range<usize>>,
    whole: DeTable<'a>,
}

impl Read<'_> {
    /// Does a mistake in meaning at this position only follow from another mistake that is already listed? It does if the
    /// same key has both, or if the key in which it is stands for the whole rule or reservation.
    pub fn follows(&self, meaning: &Range<usize>) -> bool {
        follows(&self.whole, &self.uncertain, meaning)
    }
}

/// Is a position in the keys or the values of a table?
fn has(table: &DeTable<'_>, span: &Range<usize>) -> bool {
    table.iter().any(|(key, value)| within(span, &key.span()) || contains(value, span))
}

/// See [`Read::follows`].
fn follows(whole: &DeTable<'_>, uncertain: &[Range<usize>], span: &Range<usize>) -> bool {
    let unsure = |value: &Spanned<DeValue<'_>>, key: Option<&Range<usize>>| {
        let is_in = |known: &Range<usize>| {
            contains(value, known) || key.is_some_and(|key| within(known, key) || within(key, known))
        };
        uncertain.iter().any(|known| is_in(known) || known.contains(&span.start))
    };
    let of_table = |table: &DeTable<'_>, all: &[&str]| {
        let at = table.iter().find(|(key, value)| within(span, &key.span()) || contains(value, span));
        at.is_none_or(|(key, value)| all.contains(&key.get_ref().as_ref()) || unsure(value, Some(&key.span())))
    };
    whole.iter().any(|(key, value)| match value.get_ref() {
        _ if !within(span, &key.span()) && !contains(value, span) => false,
        // Nothing within a table makes its name unknown, or the table a list.
        DeValue::Table(table) if !wording::is_table_of_file(key.get_ref()) && !has(table, span) => {
            uncertain.iter().any(|known| known.contains(&span.start))
        }
        DeValue::Table(table) => of_table(table, &[]),
        DeValue::Array(array) => {
            array.iter().filter(|entry| contains(entry, span) && unsure(entry, None)).any(|entry| {
                // What a rule lacks may be in what was taken out of it.
                let rule = entry.get_ref().as_table().filter(|_| key.get_ref() == "rules");
                rule.is_none_or(|rule| of_table(rule, &["name", "when_exceeded", "pool", "ipv6_pool"]))
            })
        }
        _ => unsure(value, Some(&key.span())),
    })
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
    if syntax.is_empty() {
        let mut form = Form::default();
        let file = form.read(table, text);
        return Read { file, mistakes: form.mistakes, uncertain: form.uncertain, whole };
    }
    let syntax = all_of_syntax(&syntax, text);
    let Some(readable) = syntax.readable else {
        return Read { file: None, mistakes: syntax.mistakes, uncertain: Vec::new(), whole };
    };
    let (table, _) = DeTable::parse_recoverable(&readable);
    let whole = outline(table.get_ref());
    let mut form = Form::default();
    let file = form.read(table, text);
    form.mistakes.retain(|mistake| !follows(&whole, &syntax.uncertain, &mistake.span));
    let mistakes = syntax.mistakes.into_iter().chain(form.mistakes).collect();
    let uncertain = syntax.uncertain.into_iter().chain(form.uncertain).collect();
    Read { file, mistakes, uncertain, whole }
}

/// The mistakes in a file's syntax. One may hide others from the parser, so it reads again without what confused it.
fn all_of_syntax(errors: &[toml::de::Error], text: &str) -> Syntax {
    let mut all = wording::of_syntax(errors, text);
    for _ in 0..(READ_AGAIN / text.len().max(1)).clamp(1, 8) {
        let Some(readable) = &all.readable else { break };
        let (_, errors) = DeTable::parse_recoverable(readable);
        let again = wording::of_syntax(&errors, readable);
        if !all.add(again, text) {
            break;
        }
    }
    all
}

/// The mistakes in a file's form, as they are found.
#[derive(Default)]
struct Form {
    mistakes: Vec<Mistake>,
    uncertain: Vec<Range<usize>>,
    /// The keys that were taken out.
    gone: Vec<String>,
}

impl Form {
    /// Reads the table into the file's types. What they refuse is corrected if its meaning is plain, and else taken out.
    fn read(&mut self, mut table: Spanned<DeTable<'_>>, text: &str) -> Option<File> {
        self.mistakes = shapes::unify(table.get_mut(), text);
        // Each round corrects something or takes it out, so this ends. The limit is for files full of mistakes.
        for _ in 0..(READ_AGAIN / text.len().max(1)).clamp(8, 200) {
            let e = match File::deserialize(toml::de::Deserializer::from(table.clone())) {
                Ok(file) => {
                    let enough = !self.gone.iter().any(|key| REFERRED_TO.contains(&key.as_str()));
                    return enough.then_some(file);
                }
                Err(e) => e,
            };
            let span = e.span().unwrap_or(0..0);
            // A key that was taken out is now missing.
            let missed = e.message().strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
            if !missed.is_some_and(|key| self.gone.iter().any(|one| one == key)) {
                self.mistakes.push(wording::of_form(e.message(), span.clone(), &path(table.get_ref(), &span), text));
            }
            let corrected = wording::meant(e.message()).is_some_and(|meant| correct(table.get_mut(), &span, &meant));
            if corrected {
                // It may have another shape than the right key has.
                let found = shapes::unify(table.get_mut(), text);
                let news = |span: &Range<usize>| {
                    !self.mistakes.iter().any(|known| known.span.start <= span.end && span.start <= known.span.end)
                };
                let found: Vec<_> = found.into_iter().filter(|mistake| news(&mistake.span)).collect();
                self.mistakes.extend(found);
                continue;
            }
            self.uncertain.push(span.clone());
            let named = match path(table.get_ref(), &span)[..] {
                [of, name] if REFERRED_TO.contains(&of) => Some((of.to_owned(), name.to_owned())),
                _ => None,
            };
            if !take_out(table.get_mut(), &span, &mut self.gone) {
                return None;
            }
            // Others may refer to its name.
            if let Some((of, name)) = named
                && let Some(DeValue::Table(all)) = table.get_mut().get_mut(of.as_str()).map(Spanned::get_mut)
            {
                let empty = DeValue::Table(DeTable::new());
                all.insert(Spanned::new(span.clone(), Cow::Owned(name)), Spanned::new(span, empty));
            }
        }
        None
    }
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
