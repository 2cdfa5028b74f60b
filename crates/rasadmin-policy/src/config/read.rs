//! Reads a text into the file's types, and finds every mistake instead of only the first.
//!
//! serde stops at the first mistake. So each mistake is noted and taken out, and serde is asked again until it finds
//! no more.

use super::Mistake;
use super::file::File;
use crate::suggest;
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

/// Reads a file as far as possible, with every mistake.
pub fn read(text: &str) -> Read<'_> {
    let (table, syntax) = DeTable::parse_recoverable(text);
    let whole = table.get_ref().clone();
    if !syntax.is_empty() {
        return Read { file: None, mistakes: syntax.iter().map(syntax_mistake).collect(), whole };
    }
    let (file, mistakes) = without_faults(table, text);
    Read { file, mistakes, whole }
}

fn without_faults(mut table: Spanned<DeTable<'_>>, text: &str) -> (Option<File>, Vec<Mistake>) {
    let (mut mistakes, mut gone) = (Vec::new(), Vec::new());
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
                    let mistake = mistake(e.message(), span.clone(), text);
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

fn syntax_mistake(e: &toml::de::Error) -> Mistake {
    let span = e.span().unwrap_or(0..0);
    let (what, expected) = e.message().split_once(", expected ").unwrap_or((e.message(), ""));
    let help = match (what, expected) {
        ("duplicate key", _) => "it was set before: remove one of the two".to_owned(),
        (_, "") => String::new(),
        _ => format!("expected {expected}"),
    };
    Mistake::at(span, what.replace('\n', ", "), help)
}

/// Translates serde's messages.
fn mistake(message: &str, span: Range<usize>, text: &str) -> Mistake {
    let message = message.trim();
    let quoted = |at: &str| at.split('`').nth(1).unwrap_or_default().to_owned();
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let names: Vec<&str> = rest.split('`').skip(3).step_by(2).collect();
        let otherwise = format!("the keys here are {}", names.join(", "));
        return Mistake::at(
            span,
            format!("unknown key `{}`", quoted(rest)),
            suggest::help(&quoted(rest), names, otherwise),
        );
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        let names: Vec<&str> = rest.split('`').skip(3).step_by(2).collect();
        let otherwise = format!("it can be {}", names.join(", "));
        return Mistake::at(
            span,
            format!("`{}` is not a valid value", quoted(rest)),
            suggest::help(&quoted(rest), names, otherwise),
        );
    }
    if let Some(rest) = message.strip_prefix("missing field ") {
        let key = quoted(rest);
        let help = match key.as_str() {
            "default" => "state what decides if no rule does: [default] with action = \"deny\" or \"allow\"".to_owned(),
            "action" => "write action = \"allow\" or action = \"deny\"".to_owned(),
            "per" => "write per = \"day\", \"week\" or \"month\"".to_owned(),
            key => format!("write {key} = ..."),
        };
        return Mistake::at(header(text, span), format!("the key `{key}` is missing"), help);
    }
    if let Some(rest) = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: ")) {
        let (found, expected) = rest.split_once(", expected ").unwrap_or((rest, "something else"));
        let expected = match expected {
            "a sequence" => "a list: [\"...\", \"...\"]".to_owned(),
            "a map" => "a table: { key = value }".to_owned(),
            "a string" => "a text in quotes".to_owned(),
            "u32" => "a whole number, 0 or more".to_owned(),
            "a boolean" => "true or false".to_owned(),
            other => other.replace("struct ", "a table of ").replace("internally tagged ", ""),
        };
        return Mistake::at(
            span,
            format!("{} is not valid here", found.replace("string", "text")),
            format!("expected {expected}"),
        );
    }
    if message == "wanted string or table" {
        return Mistake::at(span, "this is not valid here", "expected a text in quotes");
    }
    Mistake::at(span, message.replace('\n', ", "), String::new())
}

/// Shortens the span of a table to its first line.
fn header(text: &str, span: Range<usize>) -> Range<usize> {
    let end = text.get(span.clone()).and_then(|inside| inside.find('\n')).map_or(span.end, |at| span.start + at);
    span.start..end
}
