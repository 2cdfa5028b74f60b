//! A fact: known, not yet known, or absent.

use serde::{Deserialize, Serialize};

/// What is known about something that a rule can ask for. Rules, ledger and output all use this type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[cfg_attr(any(test, feature = "schema"), schemars(rename = "{T}Fact"))]
#[serde(rename_all = "kebab-case")]
pub enum Fact<T> {
    /// It is known.
    Known(T),
    /// The event does not carry it; a later one will.
    #[default]
    NotYetKnown,
    /// The event that carries it has come, and it was empty: phones, for example, send no computer name.
    Absent,
}

impl<T> Fact<T> {
    /// The value, if it is known.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::NotYetKnown | Self::Absent => None,
        }
    }

    /// A fact whose event has come: known, or absent if it was empty.
    pub fn arrived(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Known)
    }

    /// The fact with its value changed.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::Known(value) => Fact::Known(change(value)),
            Self::NotYetKnown => Fact::NotYetKnown,
            Self::Absent => Fact::Absent,
        }
    }
}
