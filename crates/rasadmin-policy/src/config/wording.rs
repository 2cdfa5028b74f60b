//! The mistakes in a file's form, in words: what is wrong with what was written, and what to write instead. Neither
//! serde nor the parser knows what the writer wanted.

use super::{Mistake, file, quotes};
use crate::suggest;
use serde::de::DeserializeOwned;
use std::ops::Range;

const DUPLICATE: &str = "duplicate key";

/// The lists of tables.
const LISTS: [&str; 2] = ["rules", "reservations"];

/// Words the mistakes in the syntax.
pub(super) fn of_syntax(errors: &[toml::de::Error], text: &str) -> Vec<Mistake> {
    let twice = |e: &&toml::de::Error| e.message().starts_with(DUPLICATE);
    // Two rules with one bracket are one table, in which every key is there twice. The text is searched once for each
    // list, however many such keys there are: RRAS waits meanwhile.
    let merged = LISTS.into_iter().find_map(|list| {
        let is_list = |e: &toml::de::Error| e.span().and_then(|span| text.get(span)) == Some(list);
        errors.iter().filter(twice).any(is_list).then(|| single_bracket(text, list))?
    });
    let mut lines = quotes::Lines::of(text);
    let without_twice = merged.is_some();
    let others = errors.iter().filter(|e| !(without_twice && twice(e))).map(|e| of_one(e, &mut lines));
    merged.into_iter().chain(others).collect()
}

fn of_one(e: &toml::de::Error, lines: &mut quotes::Lines<'_>) -> Mistake {
    let span = e.span().unwrap_or(0..0);
    if let Some(mistake) = lines.mistake(span.start) {
        return mistake;
    }
    let (what, expected) = e.message().split_once(", expected ").unwrap_or((e.message(), ""));
    let help = match (what, expected) {
        (DUPLICATE, _) => "it was set before: remove one of the two".to_owned(),
        (_, "") => String::new(),
        _ => format!("expected {expected}"),
    };
    Mistake::at(span, what.replace('\n', ", "), help)
}

/// Words a mistake that serde found. `path` is the keys that lead to it.
pub(super) fn of_form(message: &str, span: Range<usize>, path: &[&str], text: &str) -> Mistake {
    let message = message.trim();
    if let Some(rest) = message.strip_prefix("unknown field ") {
        return unknown_key(rest, span, text);
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        let (value, names) = (quoted(rest), known(rest));
        let otherwise = format!("it can be {}", names.join(", "));
        let help = suggest::help(value, names, otherwise);
        return Mistake::at(span, format!("`{value}` is not a valid value"), help);
    }
    if let Some(rest) = message.strip_prefix("missing field ") {
        let key = quoted(rest);
        let help = match key {
            "default" => "state what decides if no rule does: [default] with action = \"deny\" or \"allow\"".to_owned(),
            "action" => "write action = \"allow\" or action = \"deny\"".to_owned(),
            "per" => "write per = \"day\", \"week\" or \"month\"".to_owned(),
            key => format!("write {key} = ..."),
        };
        return Mistake::at(header(text, span), format!("the key `{key}` is missing"), help);
    }
    if let Some(rest) = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: ")) {
        return wrong_type(rest, span, path, text);
    }
    if message == "wanted string or table" {
        return Mistake::at(span, "this is not valid here", "expected a text in quotes");
    }
    Mistake::at(span, message.replace('\n', ", "), String::new())
}

/// The first word in backticks.
fn quoted(message: &str) -> &str {
    message.split('`').nth(1).unwrap_or_default()
}

/// The other words in backticks: what serde would know.
fn known(message: &str) -> Vec<&str> {
    message.split('`').skip(3).step_by(2).collect()
}

fn unknown_key(rest: &str, span: Range<usize>, text: &str) -> Mistake {
    let (key, names) = (quoted(rest), known(rest));
    if let Some(mistake) = below_a_table(key, &span, text) {
        return mistake;
    }
    let otherwise = || {
        let tables = tables_with(key);
        if tables.is_empty() {
            return format!("the keys here are {}", names.join(", "));
        }
        format!("it is a key of {}: write it below that line", tables.join(" and of "))
    };
    let help =
        suggest::nearest(key, names.iter().copied()).map_or_else(otherwise, |name| format!("did you mean `{name}`?"));
    Mistake::at(span, format!("unknown key `{key}`"), help)
}

/// The mistake of a key of the whole file that was written below a table, and so became a key of the table.
fn below_a_table(key: &str, span: &Range<usize>, text: &str) -> Option<Mistake> {
    let above = text.get(..span.start)?.lines().rev();
    let table = above.map(|line| line.split('#').next().unwrap_or_default().trim()).find(|line| is_header(line))?;
    if !keys::<file::File>().iter().any(|known| known == key) {
        return None;
    }
    let what = format!("`{key}` is below {table}, so it is read as a key of that table");
    Some(Mistake::at(span.clone(), what, "move it above the first [table] of the file"))
}

/// Is a line the header of a table: `[pools.staff]`, `[[rules]]`?
fn is_header(line: &str) -> bool {
    let key = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
    key.is_some_and(|key| key.chars().all(|c| c.is_alphanumeric() || "[]._- \"'".contains(c)) && !key.starts_with('"'))
}

/// The tables that have a key with this name.
fn tables_with(key: &str) -> Vec<&'static str> {
    let tables = [
        ("[default]", keys::<file::Default>()),
        ("[server]", keys::<file::Server>()),
        ("[groups.NAME]", keys::<file::Group>()),
        ("[[rules]]", keys::<file::Rule>()),
        ("[limits]", keys::<file::Limits>()),
        ("[addresses]", keys::<file::Addresses>()),
        ("[pools.NAME]", keys::<file::Pool>()),
        ("[[reservations]]", keys::<file::Reservation>()),
        ("[journal]", keys::<file::Journal>()),
        ("[ledger]", keys::<file::Ledger>()),
        ("[service]", keys::<file::Service>()),
        ("[service.follow]", keys::<file::Follow>()),
        ("[service.retention]", keys::<file::Retention>()),
    ];
    tables.into_iter().filter(|(_, keys)| keys.iter().any(|known| known == key)).map(|(table, _)| table).collect()
}

/// The keys of a table, as serde lists them when it meets one that there is not.
fn keys<T: DeserializeOwned>() -> Vec<String> {
    let error = toml::from_str::<T>("\"\" = 0").err();
    let message = error.as_ref().map_or("", |e| e.message());
    known(message.strip_prefix("unknown field ").unwrap_or_default()).into_iter().map(str::to_owned).collect()
}

fn wrong_type(rest: &str, span: Range<usize>, path: &[&str], text: &str) -> Mistake {
    let (found, expected) = rest.split_once(", expected ").unwrap_or((rest, "something else"));
    let (key, table) = (path.last().copied().unwrap_or_default(), path.len() == 2);
    if path.len() == 1
        && let Some(mistake) = single_bracket(text, key)
    {
        return mistake;
    }
    if table && let Some(mistake) = below_a_table(key, &span, text) {
        return mistake;
    }
    let written = text.get(span.clone()).unwrap_or_default();
    let help = match (key, expected) {
        ("user_sessions", _) => {
            let number = Some(written).filter(|text| text.parse::<u32>().is_ok()).unwrap_or("1");
            format!("write max_user_sessions = {number}, or user_sessions = {{ at_least = {number} }}")
        }
        ("group_sessions", _) => "write group_sessions = { group = \"staff\", at_least = 40 }".to_owned(),
        ("connect_time", _) => "write connect_time = { per = \"day\", at_least = \"8h\" }".to_owned(),
        ("octets", _) => "write octets = { per = \"month\", at_least = \"10 GB\" }".to_owned(),
        ("hours", _) => {
            "write hours = \"mon-fri 08:00-18:00\", or [{ days = [\"mon-fri\"], from = \"08:00\", to = \"18:00\" }]"
                .to_owned()
        }
        (name, "struct Group") => format!("write groups.{name}.users = [...]"),
        (name, "struct Follow" | "struct Retention") if found.starts_with("boolean") => {
            format!("write service.{name}.enabled = {written}")
        }
        (name, "struct Pool") => format!("write pools.{name}.addresses = [...]"),
        (key, "a sequence") if found.starts_with("string") => format!("expected a list: write {key} = [{written}]"),
        (_, "a sequence") => "expected a list: [\"...\", \"...\"]".to_owned(),
        (_, "a map") => "expected a table: { key = value }".to_owned(),
        (_, "a string") => "expected a text in quotes".to_owned(),
        (_, "u32") => "expected a whole number, 0 or more".to_owned(),
        (_, "a boolean") => "expected true or false".to_owned(),
        (_, other) => format!("expected {}", other.replace("struct ", "a table of ")),
    };
    let found = match found {
        "map" | "sequence" => "this".to_owned(),
        found => found.replace("string", "text"),
    };
    Mistake::at(header(text, span), format!("{found} is not valid here"), help)
}

/// The mistake of a list where a table belongs: `[[pools.staff]]`, or `groups.staff = ["alice"]`. serde would take the
/// list's entries for the values of the table's keys.
pub(super) fn list_for_table(table: &str, name: &str, key: &str, span: Range<usize>, text: &str) -> Mistake {
    let written = text.get(span.clone()).unwrap_or_default();
    if written.starts_with("[[") {
        let help = format!("write [{table}.{name}], with one bracket");
        return Mistake::at(header(text, span), format!("`{table}` is not a list"), help);
    }
    let help = format!("write {table}.{name}.{key} = {written}");
    let help = if written.len() > 80 { format!("write {table}.{name}.{key} = [...]") } else { help };
    Mistake::at(header(text, span), "a list is not valid here", help)
}

/// The mistake of a list's table with one bracket: `[rules]`.
fn single_bracket(text: &str, key: &str) -> Option<Mistake> {
    if !LISTS.contains(&key) {
        return None;
    }
    let table = format!("[{key}]");
    let mut begin = 0;
    let line = text.split_inclusive('\n').find(|line| {
        let found = line.split('#').next().unwrap_or_default().trim() == table;
        if !found {
            begin += line.len();
        }
        found
    })?;
    begin += line.find('[')?;
    let what = format!("`{table}` is a single table, and {key} are a list of tables");
    let help = format!("write [[{key}]] with two brackets above each of the {key}");
    Some(Mistake::at(begin..begin + table.len(), what, help))
}

/// Shortens the span of a table to its first line.
fn header(text: &str, span: Range<usize>) -> Range<usize> {
    let end = text.get(span.clone()).and_then(|inside| inside.find('\n')).map_or(span.end, |at| span.start + at);
    span.start..end
}
