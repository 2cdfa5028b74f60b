//! What a request asks for: the parameters of its path and its query. The same table says what the document says of them.

mod kind;

use crate::fault::Fault;
pub use kind::Kind;
pub use kind::Value;
use rasadmin_ledger::RowId;
use rasadmin_ledger::report::{Filter, UserFilter};
use rasadmin_policy::config::Config;
use rasadmin_policy::{Millis, Name};
use rasadmin_text::printable;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// How many rows a page has at most.
pub const MOST: u32 = 1_000;

/// How many rows a page has without the parameter `limit`.
pub const USUAL: u32 = 100;

/// How many rows a list within an answer has without it, as `rasadmin top` shows them.
pub const FEW: u32 = 20;

/// A parameter.
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Whether it is a part of the path.
    pub in_path: bool,
    /// Whether it must be there.
    pub required: bool,
    /// What it may be.
    pub kind: Kind,
    /// What it is for.
    pub says: &'static str,
}

/// The part of the path with this name.
pub const fn path(name: &'static str, kind: Kind, says: &'static str) -> Parameter {
    Parameter { name, in_path: true, required: true, kind, says }
}

/// A parameter of the query that can be left out.
pub const fn query(name: &'static str, kind: Kind, says: &'static str) -> Parameter {
    Parameter { name, in_path: false, required: false, kind, says }
}

/// A parameter of the query that must be there.
pub const fn needed(name: &'static str, kind: Kind, says: &'static str) -> Parameter {
    Parameter { name, in_path: false, required: true, kind, says }
}

pub const LIMIT: Parameter = query("limit", Kind::Limit, "How many rows the page has at most.");
pub const USER: Parameter =
    query("user", Kind::Text, "Only rows of this user: `alice` (in any domain), `CORP\\alice`, `alice@corp.example`.");
pub const SINCE: Parameter = query("since", Kind::Time, "From this time on.");
pub const UNTIL: Parameter = query("until", Kind::Time, "Before this time.");
/// Where a list goes on whose rows have a time and a number.
pub const AFTER_ROW: Parameter =
    query("after", Kind::Row, "Continue after this row: the `next` of the page before, with the same parameters.");

/// What is asked for. Every value is valid.
#[derive(Debug, Default)]
pub struct Asked(BTreeMap<&'static str, Value>);

impl Asked {
    /// Reads the parameters that there are. One that the table does not have is an error, and so is one that comes twice:
    /// a misspelt filter must not give every row.
    pub fn read<'p>(
        known: &'static [Parameter],
        path: impl Iterator<Item = (&'p str, &'p str)>,
        query: &str,
    ) -> Result<Self, Fault> {
        let path = path.map(|(name, value)| (true, name.to_owned(), value.to_owned()));
        let query = pairs(query)?.into_iter().map(|(name, value)| (false, name, value));
        let mut asked = Self::default();
        for (in_path, name, value) in path.chain(query) {
            let Some(parameter) = known.iter().find(|of| of.in_path == in_path && of.name == name) else {
                return Err(unknown(known, &name));
            };
            let value = parameter.kind.read(&value).ok_or_else(|| not_valid(parameter, &value))?;
            if asked.0.insert(parameter.name, value).is_some() {
                let what = format!("the parameter `{}` comes twice", parameter.name);
                return Err(Fault::bad_request(what, "send it once"));
            }
        }
        match known.iter().find(|of| of.required && !asked.0.contains_key(of.name)) {
            None => Ok(asked),
            Some(missing) => {
                let what = format!("the parameter `{}` is missing", missing.name);
                Err(Fault::bad_request(what, missing.kind.help()))
            }
        }
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A text that must be there.
    pub fn needed(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    pub fn time(&self, name: &str) -> Option<Millis> {
        match self.0.get(name) {
            Some(Value::Time(time)) => Some(*time),
            _ => None,
        }
    }

    pub fn ip(&self, name: &str) -> Option<IpAddr> {
        match self.0.get(name) {
            Some(Value::Address(address)) => Some(*address),
            _ => None,
        }
    }

    pub fn number(&self, name: &str) -> Option<i64> {
        match self.0.get(name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    pub fn flag(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(Value::Flag(true)))
    }

    /// The row after which a page begins.
    pub fn after_row(&self) -> Option<(Millis, RowId)> {
        match self.0.get("after") {
            Some(Value::Row(time, id)) => Some((*time, *id)),
            _ => None,
        }
    }

    /// How many rows a page has.
    pub fn limit(&self) -> u32 {
        self.number("limit").and_then(|limit| u32::try_from(limit).ok()).unwrap_or(USUAL)
    }

    /// How many rows a list within an answer has.
    pub fn few(&self) -> u32 {
        self.number("limit").and_then(|limit| u32::try_from(limit).ok()).unwrap_or(FEW)
    }

    /// The user of the parameter `user`.
    pub fn user(&self, config: &Config) -> Result<Option<UserFilter>, Fault> {
        let user = self.text("user").map(|typed| {
            UserFilter::typed(typed, &config.domains).ok_or_else(|| {
                let what = format!("no user can have the name `{}`", printable(typed));
                Fault {
                    remedy: r"write `alice`, `CORP\alice` or `alice@corp.example`".into(),
                    ..Fault::not_found(what)
                }
            })
        });
        user.transpose()
    }

    /// The parameters that filter rows. It asks for one row more than a page has: that tells whether there are more.
    pub fn filter(&self, config: &Config) -> Result<Filter, Fault> {
        Ok(Filter {
            user: self.user(config)?,
            server: self.text("server").map(Name::new),
            since: self.time("since"),
            until: self.time("until"),
            limit: Some(self.limit() + 1),
        })
    }
}

fn unknown(known: &[Parameter], name: &str) -> Fault {
    let all: Vec<_> = known.iter().filter(|of| !of.in_path).map(|of| format!("`{}`", of.name)).collect();
    let remedy = if all.is_empty() { "leave it out".to_owned() } else { format!("use {}", all.join(", ")) };
    Fault::bad_request(format!("there is no parameter `{}`", printable(name)), remedy)
}

fn not_valid(parameter: &Parameter, value: &str) -> Fault {
    let shown: String = value.chars().take(64).collect();
    let what = format!("`{}` is not a valid `{}`", printable(&shown), parameter.name);
    let fault = Fault::bad_request(what, parameter.kind.help());
    // A path with a value that nothing can have leads nowhere.
    if parameter.in_path { Fault { status: axum::http::StatusCode::NOT_FOUND, ..fault } } else { fault }
}

/// The names and values of a query.
fn pairs(query: &str) -> Result<Vec<(String, String)>, Fault> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((decoded(name)?, decoded(value)?))
        })
        .collect()
}

/// A text without its percent signs.
fn decoded(text: &str) -> Result<String, Fault> {
    let not_valid = || Fault::bad_request("the query is not encoded as it should be", "use percent signs and UTF-8");
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                let (high, low) = (digit(), digit());
                let value = high.zip(low).map(|(high, low)| high * 16 + low);
                value.and_then(|value| u8::try_from(value).ok()).ok_or_else(not_valid)?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| not_valid())
}

#[cfg(test)]
mod tests;
