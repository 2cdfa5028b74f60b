//! The words of rules, as the configuration spells them.

use serde::{Deserialize, Serialize};

/// Allow or deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It may stand.
    Allow,
    /// It may not.
    Deny,
}

/// What a rule says while the ledger is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WhenLedgerUnavailable {
    /// Whoever meets its other conditions is allowed.
    Allow,
    /// Whoever meets its other conditions is denied.
    Deny,
    /// The rule is passed over.
    Skip,
}

/// What a condition says about a fact that is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
