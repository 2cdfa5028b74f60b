//! The words of rules, as the configuration spells them.

use serde::{Deserialize, Serialize};

/// Allow or deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It may stand.
    Allow,
    /// It may not.
    Deny,
}

/// May a connection stand that cannot be recorded?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WhenUnrecorded {
    /// Yes: the rules decide as always, and the event is recorded as soon as that is possible.
    #[default]
    Allow,
    /// No: a user whom the rules would let in is refused.
    Deny,
}

/// What a condition says about a fact that is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum IfAbsent {
    /// It does not hold.
    #[default]
    NoMatch,
    /// It holds.
    Match,
}

/// A day, a week (from Monday) or a month in the time zone of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Period {
    Day,
    Week,
    Month,
}

impl Period {
    /// As the configuration writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}
