//! The keywords of rules in the configuration.

use serde::{Deserialize, Serialize};

/// Allow or deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The connection is accepted.
    Allow,
    /// The connection is rejected.
    Deny,
}

/// Is a connection accepted that cannot be recorded?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WhenUnrecorded {
    /// Yes. The rules decide as always, and the event is recorded as soon as possible.
    #[default]
    Allow,
    /// No. A user whom the rules allow is denied.
    Deny,
}

/// What a rule that denies does if its limit for the user's sessions is exceeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WhenExceeded {
    /// It denies the new session.
    #[default]
    Deny,
    /// It does not deny: the rules after it decide. If they allow the new session, the user's oldest session is marked
    /// to be disconnected.
    ReplaceOldest,
}

/// How a condition treats a fact that is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum IfAbsent {
    /// The condition does not hold.
    #[default]
    NoMatch,
    /// The condition holds.
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
    /// Its name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}
