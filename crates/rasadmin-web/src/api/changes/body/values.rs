//! The values that the fields of a request can have, and their schemas.

use crate::api::asked::{Kind, Value};
use rasadmin_pipe::LONGEST_REASON;
use rasadmin_policy::Millis;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::json;
use std::borrow::Cow;
use std::net::IpAddr;

/// The whole key of a session: a part of it could become another's.
const KEY: &str = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$";

/// One line that is not empty.
const LINE: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";

/// RRAS passes no longer computer name.
const LONGEST_COMPUTER: usize = 16;

/// A field that can be left out. A null means nothing, and is refused.
pub fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// A value that is read from what JSON has, and its schema. Each is described where it is used.
macro_rules! value {
    ($(#[$doc:meta])* $name:ident($of:ty), $read:expr, $schema:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(pub $of);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let json = serde_json::Value::deserialize(from)?;
                let read: fn(&serde_json::Value) -> Result<$of, String> = $read;
                read(&json).map(Self).map_err(D::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                Schema::try_from($schema).unwrap_or_default()
            }
        }
    };
}

value!(
    /// A session: its number, or its whole key.
    Session(String),
    |json| {
        let number = json.as_u64().map(|number| number.to_string()).filter(|text| Kind::Number.read(text).is_some());
        number
            .or_else(|| json.as_str().filter(|text| is_key(text)).map(str::to_owned))
            .ok_or_else(|| "`session` is neither the number of a session, without quotes, nor its whole key".to_owned())
    },
    json!({"anyOf": [Kind::Number.schema(), key()]})
);

value!(
    /// The whole key of a session, in lower case.
    SessionKey(String),
    |json| match json.as_str().filter(|text| is_key(text)) {
        Some(key) => Ok(key.to_ascii_lowercase()),
        None => Err("it is not the whole key of a session, its `acct_session_id`".to_owned()),
    },
    key()
);

value!(
    /// A user.
    User(String),
    |json| text(json, Kind::Text),
    Kind::Text.schema()
);

value!(
    /// A name that clients claim.
    Computer(String),
    |json| match json.as_str() {
        Some(name) if (1..=LONGEST_COMPUTER).contains(&name.chars().count()) => Ok(name.to_owned()),
        _ => Err(format!("a claimed computer name is a text of 1 to {LONGEST_COMPUTER} characters")),
    },
    json!({"type": "string", "minLength": 1, "maxLength": LONGEST_COMPUTER})
);

value!(
    /// A reason.
    Reason(String),
    // A line may end as lines of files do.
    |json| match json.as_str().map(|text| text.strip_suffix('\n').unwrap_or(text)) {
        Some(reason) if reason.contains(char::is_control) => {
            Err("the reason has a line break or another control character, and must be one line".to_owned())
        }
        Some(reason) if reason.chars().count() > LONGEST_REASON => {
            Err(format!("the reason has {} characters, and can have {LONGEST_REASON}", reason.chars().count()))
        }
        Some(reason) if !reason.trim().is_empty() => Ok(reason.trim().to_owned()),
        _ => Err("the reason is a text that is not empty".to_owned()),
    },
    json!({"type": "string", "minLength": 1, "maxLength": LONGEST_REASON, "pattern": LINE})
);

value!(
    /// The text of a configuration. Line ends with CR count for the longest request.
    CandidateText(String),
    |json| match json.as_str() {
        Some(text) if !text.trim().is_empty() => Ok(text.replace("\r\n", "\n")),
        _ => Err("`configuration` is the text of a configuration, and is not empty".to_owned()),
    },
    json!({"type": "string", "minLength": 1, "pattern": r"\S"})
);

value!(
    /// A time.
    Time(Millis),
    time,
    Kind::Time.schema()
);

value!(
    /// A time, or null.
    TimeOrNull(Option<Millis>),
    |json| if json.is_null() { Ok(None) } else { time(json).map(Some) },
    json!({"anyOf": [Kind::Time.schema(), {"type": "null"}]})
);

value!(
    /// An address.
    Address(IpAddr),
    |json| match json.as_str().and_then(|text| Kind::Address.read(text)) {
        Some(Value::Address(address)) => Ok(address),
        _ => Err(Kind::Address.help()),
    },
    Kind::Address.schema()
);

fn text(json: &serde_json::Value, kind: Kind) -> Result<String, String> {
    match json.as_str().and_then(|text| kind.read(text)) {
        Some(Value::Text(text)) => Ok(text),
        _ => Err(kind.help()),
    }
}

fn time(json: &serde_json::Value) -> Result<Millis, String> {
    match json.as_str().and_then(|text| Kind::Time.read(text)) {
        Some(Value::Time(time)) => Ok(time),
        _ => Err(Kind::Time.help()),
    }
}

fn key() -> serde_json::Value {
    json!({"type": "string", "pattern": KEY, "minLength": 36, "maxLength": 36})
}

fn is_key(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
