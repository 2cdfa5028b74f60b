//! The mistakes in a file's form, in words: what is wrong with what was written, and what to write instead. Neither
//! serde nor the parser knows what the writer wanted.

mod keys;
mod syntax;
mod tables;

use super::Mistake;
use crate::suggest;
use std::ops::Range;

pub(super) use keys::is_table_of_file;
pub(super) use syntax::{Syntax, of_syntax};
pub(super) use tables::{list_for_table, list_of_tables, single_bracket, single_table};

/// The lists of tables.
const LISTS: [&str; 2] = ["rules", "reservations"];

/// What an unknown key or value probably stands for.
pub(super) enum Meant {
    Key(String),
    Value(String),
}

/// What a mistake that serde found stands for, if that can be told.
pub(super) fn meant(message: &str) -> Option<Meant> {
    let of = |rest: &str| (quoted(rest).to_owned(), known(rest).into_iter().map(str::to_owned).collect::<Vec<_>>());
    if let Some((key, names)) = message.trim().strip_prefix("unknown field ").map(of) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        return keys::meant(&key, &names).map(|name| Meant::Key(name.to_owned()));
    }
    let (value, names) = message.trim().strip_prefix("unknown variant ").map(of)?;
    suggest::nearest(&value, names.iter().map(String::as_str)).map(|name| Meant::Value(name.to_owned()))
}

/// Words a mistake that serde found. `path` is the keys that lead to it.
pub(super) fn of_form(message: &str, span: Range<usize>, path: &[&str], text: &str) -> Mistake {
    let message = message.trim();
    if let Some(rest) = message.strip_prefix("unknown field ") {
        return keys::unknown(quoted(rest), &known(rest), span, path, text);
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        let (value, names) = (quoted(rest), known(rest));
        let otherwise = format!("it can be {}", names.join(", "));
        let help = suggest::help(value, names, otherwise);
        return Mistake::at(span, format!("`{}` is not a valid value", crate::shorten::shortened(value)), help);
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

fn wrong_type(rest: &str, span: Range<usize>, path: &[&str], text: &str) -> Mistake {
    let (found, expected) = rest.split_once(", expected ").unwrap_or((rest, "something else"));
    let (key, table) = (path.last().copied().unwrap_or_default(), path.len() == 2);
    if table && let Some(mistake) = keys::below_a_table(key, &span, text) {
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
        ("default", "struct Default") if ["allow", "deny"].contains(&written.trim_matches(['"', '\''])) => {
            format!("write default.action = {written}")
        }
        (_, "struct Default") => "write default.action = \"deny\" or \"allow\"".to_owned(),
        (name, "struct Group") => format!("write groups.{name}.users = [...]"),
        (name, "struct Follow" | "struct Monitor" | "struct Retention" | "struct Pipe" | "struct Metrics")
            if found.starts_with("boolean") =>
        {
            format!("write service.{name}.enabled = {written}")
        }
        (name, "struct Pool") => format!("write pools.{name}.addresses = [...]"),
        (key, "a sequence") if found.starts_with("string") => format!("expected a list: write {key} = [{written}]"),
        (_, "a sequence") => "expected a list: [\"...\", \"...\"]".to_owned(),
        (_, "a map") => "expected a table: { key = value }".to_owned(),
        (_, "a string") => "expected a text in quotes".to_owned(),
        (key, "u32") if found.starts_with("string") && written.trim_matches(['"', '\'']).parse::<u32>().is_ok() => {
            format!("write {key} = {}, without quotation marks", written.trim_matches(['"', '\'']))
        }
        (_, "u32") => "expected a whole number, 0 or more".to_owned(),
        (_, "a boolean") => "expected true or false".to_owned(),
        (_, other) if other.starts_with("struct ") => "expected a table: { key = value }".to_owned(),
        (_, other) => format!("expected {other}"),
    };
    let found = match found {
        "map" | "sequence" => "this".to_owned(),
        found => found.replace("string", "text"),
    };
    Mistake::at(header(text, span), format!("{found} is not valid here"), help)
}

/// Shortens the span of a table to its first line.
fn header(text: &str, span: Range<usize>) -> Range<usize> {
    let end = text.get(span.clone()).and_then(|inside| inside.find('\n')).map_or(span.end, |at| span.start + at);
    span.start..end
}
