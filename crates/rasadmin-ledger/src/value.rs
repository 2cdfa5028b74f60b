//! Values of a database: numbers, texts, or NULL.

use rasadmin_engine::{Id, Mono, Name};
use std::borrow::Cow;
use uuid::Uuid;

/// A value of a parameter, or of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value<'v> {
    Null,
    Integer(i64),
    Text(Cow<'v, str>),
}

/// The values of a statement's parameters, by name.
pub(crate) type Values<'v> = [(&'static str, Value<'v>)];

/// Parameters by name: `values! { server: server, at: time }` is for a statement with `:server` and `:at`.
macro_rules! values {
    ($($name:ident: $value:expr),* $(,)?) => {
        &[$((concat!(":", stringify!($name)), $crate::value::Value::from($value))),*]
    };
}
pub(crate) use values;

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

/// The integers of a database are signed, so this keeps the bits.
impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self::Integer(number.cast_signed())
    }
}

impl From<bool> for Value<'_> {
    fn from(truth: bool) -> Self {
        Self::Integer(truth.into())
    }
}

impl From<Mono> for Value<'_> {
    fn from(mono: Mono) -> Self {
        mono.0.into()
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(text.into())
    }
}

impl<'v> From<&'v String> for Value<'v> {
    fn from(text: &'v String) -> Self {
        text.as_str().into()
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl<'v> From<&'v Name> for Value<'v> {
    fn from(name: &'v Name) -> Self {
        name.as_str().into()
    }
}

impl From<Id> for Value<'_> {
    fn from(id: Id) -> Self {
        id.to_string().into()
    }
}

impl From<Uuid> for Value<'_> {
    fn from(id: Uuid) -> Self {
        id.to_string().into()
    }
}

impl<'v, T> From<Option<T>> for Value<'v>
where
    Value<'v>: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::from)
    }
}

/// A type that a column can be read as.
pub(crate) trait Column: Sized {
    /// None if the value has another type.
    fn of(value: Value<'_>) -> Option<Self>;
}

impl Column for i64 {
    fn of(value: Value<'_>) -> Option<Self> {
        if let Value::Integer(number) = value { Some(number) } else { None }
    }
}

impl Column for u64 {
    fn of(value: Value<'_>) -> Option<Self> {
        i64::of(value).map(i64::cast_unsigned)
    }
}

impl Column for u32 {
    fn of(value: Value<'_>) -> Option<Self> {
        i64::of(value)?.try_into().ok()
    }
}

impl Column for u8 {
    fn of(value: Value<'_>) -> Option<Self> {
        i64::of(value)?.try_into().ok()
    }
}

impl Column for bool {
    fn of(value: Value<'_>) -> Option<Self> {
        i64::of(value).map(|number| number != 0)
    }
}

impl Column for Mono {
    fn of(value: Value<'_>) -> Option<Self> {
        u64::of(value).map(Self)
    }
}

impl Column for String {
    fn of(value: Value<'_>) -> Option<Self> {
        if let Value::Text(text) = value { Some(text.into_owned()) } else { None }
    }
}

impl Column for Name {
    fn of(value: Value<'_>) -> Option<Self> {
        String::of(value).map(Self::from_stored)
    }
}

impl<T: Column> Column for Option<T> {
    fn of(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::of(value).map(Some),
        }
    }
}
