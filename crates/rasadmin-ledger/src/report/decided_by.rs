//! What decided about a connection.

use schemars::JsonSchema;
use serde::Serialize;
use std::borrow::Cow;

/// What decided about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DecidedBy {
    /// A rule of the configuration.
    Rule,
    /// The configuration's default.
    Default,
    /// The DLL itself, in place of the rules: the user is blocked, or a pool was exhausted, for example.
    Dll,
    /// NPS, according to an imported log: it refused before RRAS asked rasadmin.
    Nps,
    /// Nothing that the ledger knows: the session was imported from a log.
    Import,
    /// Nothing that the ledger knows: the DLL found the session when it started, or its decision was purged.
    Unknown,
}

impl DecidedBy {
    /// What decided, by the columns `rule` and `refusal` of a decision.
    pub fn of(rule: Option<&str>, refusal: Option<&str>) -> Self {
        match (refusal, rule) {
            (Some(_), _) => Self::Dll,
            (None, Some(_)) => Self::Rule,
            (None, None) => Self::Default,
        }
    }
}

/// What decided, for people, by the columns `rule` and `refusal` of a decision: the rule, or in brackets what is no rule.
pub fn decided_by_in_words<'r>(rule: Option<&'r str>, refusal: Option<&str>) -> Cow<'r, str> {
    match (refusal, rule) {
        (Some(kind), _) => format!("({})", refusal_in_words(kind)).into(),
        (None, Some(rule)) => rule.into(),
        (None, None) => "(default)".into(),
    }
}

/// Why the DLL itself denied, in a few words. `kind` is a decision's `refusal`.
pub fn refusal_in_words(kind: &str) -> &str {
    match kind {
        "exhausted" => "pool exhausted",
        "reservation-held" => "reservation already held",
        "offer" => "RRAS's offer unusable",
        "anothers-address" => "another user's address",
        "blocked" => "blocked",
        "unrecorded" => "cannot be recorded",
        newer => newer,
    }
}
