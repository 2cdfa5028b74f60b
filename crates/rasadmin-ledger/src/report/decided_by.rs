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
    /// The DLL itself, instead of the rules: the user is blocked, or a pool was exhausted, for example.
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

/// What decided, for people, by the columns `rule` and `refusal` of a decision: the rule, or something else in brackets.
pub fn decided_by_in_words<'r>(rule: Option<&'r str>, refusal: Option<&str>) -> Cow<'r, str> {
    match (refusal, rule) {
        (Some(kind), _) => format!("({})", refusal_in_words(kind)).into(),
        (None, Some(rule)) => rule.into(),
        (None, None) => "(default)".into(),
    }
}

/// Why the DLL itself denies: a decision's `refusal`, and the same in a few words.
const REFUSALS: [(&str, &str); 6] = [
    ("exhausted", "pool exhausted"),
    ("reservation-held", "reservation already held"),
    ("offer", "RRAS's offer unusable"),
    ("anothers-address", "another user's address"),
    ("blocked", "blocked"),
    ("unrecorded", "cannot be recorded"),
];

/// Why the DLL itself denied, in a few words. `kind` is a decision's `refusal`.
pub fn refusal_in_words(kind: &str) -> &str {
    REFUSALS.iter().find(|(of, _)| *of == kind).map_or(kind, |(_, words)| *words)
}

/// The `refusal` of [`decided_by_in_words`], which brackets tell from a rule, in upper or lower case.
pub(super) fn refusal_of_words(words: &str) -> Option<&str> {
    let words = words.strip_prefix('(')?.strip_suffix(')')?;
    REFUSALS.iter().find(|(_, of)| of.eq_ignore_ascii_case(words)).map(|(kind, _)| *kind).or(Some(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lists_print_in_place_of_a_rule_leads_back_to_the_refusal() {
        for (kind, _) in REFUSALS {
            let printed = decided_by_in_words(None, Some(kind));
            assert_eq!(refusal_of_words(&printed), Some(kind));
            assert_eq!(refusal_of_words(&printed.to_uppercase()), Some(kind));
        }
        assert_eq!(refusal_of_words("(of a newer version)"), Some("of a newer version"));
        assert_eq!(refusal_of_words("blocked"), None, "a rule may have this name");
    }
}
