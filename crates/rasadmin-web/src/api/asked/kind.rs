//! What a parameter may be.

use super::{FEW, MOST, USUAL};
use jiff::Timestamp;
use rasadmin_policy::Millis;
use serde_json::{Value as Json, json};
use std::net::IpAddr;

/// The longest text.
const LONGEST: usize = 256;

/// What a parameter may be.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A text that is not empty.
    Text,
    /// A number of rows.
    Limit,
    /// The same; without it there are few.
    Few,
    /// The number of a row.
    Number,
    /// A time: RFC 3339.
    Time,
    /// A month: `2026-11`.
    Month,
    /// An IP address.
    Address,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A session's number, or at least eight characters of its key.
    Session,
    /// A row: its time and its number, as `next` has it.
    Row,
    /// A user, as `next` has it: domain and name.
    UserName,
    /// A user's row, as `next` has it.
    UserRow,
    /// A row of the use of a user, as `next` has it.
    UsageRow,
}

/// A value.
#[derive(Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Number(i64),
    Time(Millis),
    Address(IpAddr),
    Flag(bool),
    Row(Millis, i64),
}

impl Kind {
    /// The value of a text. None if it is not valid.
    pub fn read(self, text: &str) -> Option<Value> {
        let as_text = || Value::Text(text.to_owned());
        match self {
            Self::Text => (!text.is_empty() && text.chars().count() <= LONGEST).then(as_text),
            Self::Limit | Self::Few => {
                digits(text, 4).filter(|of| (1..=i64::from(MOST)).contains(of)).map(Value::Number)
            }
            Self::Number => digits(text, 18).filter(|of| *of > 0).map(Value::Number),
            Self::Time => moment(text).map(Value::Time),
            Self::Month => (is_month(text) && text.starts_with(['1', '2'])).then(as_text),
            Self::Address => text.parse().ok().map(Value::Address),
            Self::Flag => match text {
                "true" => Some(Value::Flag(true)),
                "false" => Some(Value::Flag(false)),
                _ => None,
            },
            Self::Word(words) => words.contains(&text).then(as_text),
            Self::Session => is_session(text).then(as_text),
            Self::Row => {
                let (time, id) = text.rsplit_once('-')?;
                Some(Value::Row(place(time)?, digits(id, 18)?))
            }
            Self::UserName => text.contains('\\').then(as_text),
            Self::UserRow => {
                let (amount, user) = text.split_once(':')?;
                digits(amount.strip_prefix('-').unwrap_or(amount), 15)?;
                user.contains('\\').then(as_text)
            }
            Self::UsageRow => {
                let (day, user) = text.split_at_checked(10).filter(|(day, _)| day.is_ascii())?;
                (is_month(&day[..7]) && day.as_bytes()[7] == b'-' && digits(&day[8..], 2).is_some())
                    .then_some(user.strip_prefix(':')?)?;
                user.contains('\\').then(as_text)
            }
        }
    }

    /// What is valid, in JSON Schema.
    pub fn schema(self) -> Json {
        match self {
            Self::Text => json!({"type": "string", "minLength": 1, "maxLength": LONGEST}),
            Self::Limit => json!({"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}),
            Self::Few => json!({"type": "integer", "minimum": 1, "maximum": MOST, "default": FEW}),
            Self::Number => json!({"type": "integer", "minimum": 1, "maximum": 999_999_999_999_999_999_i64}),
            Self::Time => json!({"type": "string", "format": "date-time", "pattern": TIME}),
            Self::Month => json!({"type": "string", "pattern": "^[12][0-9]{3}-(0[1-9]|1[0-2])$"}),
            Self::Address => json!({"anyOf": [
                {"type": "string", "format": "ipv4"},
                {"type": "string", "format": "ipv6"},
            ]}),
            Self::Flag => json!({"type": "boolean", "default": false}),
            Self::Word(words) => json!({"type": "string", "enum": words}),
            Self::Session => json!({"type": "string", "pattern": "^([0-9]{1,18}|[0-9A-Fa-f-]{8,36})$"}),
            Self::Row => json!({"type": "string", "pattern": "^-?[0-9]{1,19}-[0-9]{1,18}$"}),
            Self::UserName => json!({"type": "string", "pattern": r"^[^\\]*\\[\s\S]*$"}),
            Self::UserRow => json!({"type": "string", "pattern": r"^-?[0-9]{1,15}:[^\\]*\\[\s\S]*$"}),
            Self::UsageRow => {
                json!({"type": "string", "pattern": r"^[0-9]{4}-(0[1-9]|1[0-2])-[0-9]{2}:[^\\]*\\[\s\S]*$"})
            }
        }
    }

    /// How it is written.
    pub fn help(self) -> String {
        let help = match self {
            Self::Text => "write a text of at most 256 characters",
            Self::Limit | Self::Few => "write a number from 1 to 1000",
            Self::Number => "write the number of a row, such as 818",
            Self::Time => "write a time of RFC 3339 between the years 1970 and 3000, such as 2026-11-23T08:00:00Z",
            Self::Month => "write a month, such as 2026-11",
            Self::Address => "write an IP address, such as 10.20.16.9",
            Self::Flag => "write true or false",
            Self::Word(words) => return format!("write one of {}", words.join(", ")),
            Self::Session => "write a session's number, or at least eight characters of its key",
            Self::Row | Self::UserName | Self::UserRow | Self::UsageRow => {
                "write the `next` of the page before, as it is"
            }
        };
        help.to_owned()
    }
}

/// A time of RFC 3339, from 1970 on and before 3000.
const TIME: &str = "^(19[7-9][0-9]|2[0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$";

fn moment(text: &str) -> Option<Millis> {
    // Only what RFC 3339 has, in the years that a clock shows: jiff reads other forms too, such as a time zone in brackets.
    let is_allowed = |byte: u8| byte.is_ascii_digit() || b"Tt:.Zz+-".contains(&byte);
    let shape = text.is_ascii() && text.bytes().all(is_allowed) && text.len() >= 20;
    let fits = || text.as_bytes()[4] == b'-' && text.as_bytes()[13] == b':' && text.as_bytes()[16] == b':';
    let year = || text[..4].parse().is_ok_and(|year| (1970..3000).contains(&year));
    (shape && fits() && year()).then(|| text.parse::<Timestamp>().ok()).flatten().map(Timestamp::as_millisecond)
}

fn is_month(text: &str) -> bool {
    let month = text.split_once('-').filter(|_| text.len() == 7 && text.is_ascii());
    month.is_some_and(|(year, month)| {
        digits(year, 4).is_some() && year.len() == 4 && digits(month, 2).is_some_and(|month| (1..=12).contains(&month))
    })
}

fn is_session(text: &str) -> bool {
    let is_number = digits(text, 18).is_some();
    is_number || ((8..=36).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'))
}

/// A time or another value of a row, by which a list is sorted. A value that is not known is the least or the greatest number.
fn place(text: &str) -> Option<i64> {
    let amount = text.strip_prefix('-').unwrap_or(text);
    let fits = !amount.is_empty() && amount.len() <= 19 && amount.bytes().all(|byte| byte.is_ascii_digit());
    let beyond = if amount == text { i64::MAX } else { i64::MIN };
    fits.then(|| text.parse().unwrap_or(beyond))
}

/// A number of at most so many digits.
fn digits(text: &str, most: usize) -> Option<i64> {
    let fits = !text.is_empty() && text.len() <= most && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}
