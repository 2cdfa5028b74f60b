//! Rules as they were evaluated: up to the one that decides, and the others folded.

use crate::parts;
use maud::{Markup, html};
use rasadmin_answers::explain::{ReceivedRule, describe_rule};
use rasadmin_policy::rules::Explained;

/// A rule, and what became of it.
pub struct Evaluated {
    /// Its name. None is the default.
    pub rule: Option<String>,
    /// It decides.
    pub decides: bool,
    /// What it says, with the condition that settles it.
    pub says: String,
}

impl From<&Explained<'_>> for Evaluated {
    fn from(rule: &Explained<'_>) -> Self {
        Self { rule: rule.rule.map(str::to_owned), decides: rule.decides, says: describe_rule(rule) }
    }
}

impl From<&ReceivedRule> for Evaluated {
    fn from(rule: &ReceivedRule) -> Self {
        Self { rule: rule.rule.clone(), decides: rule.decides, says: rule.says() }
    }
}

/// The rules, top down.
pub fn list(rules: &[Evaluated]) -> Markup {
    let decides = rules.iter().position(|rule| rule.decides);
    let (evaluated, later) = rules.split_at(decides.map_or(rules.len(), |at| at + 1));
    html! {
        (lines(evaluated))
        @if !later.is_empty() {
            details.later {
                summary { (later.len()) " later rule" @if later.len() != 1 { "s" } ", not evaluated" }
                (lines(later))
            }
        }
    }
}

fn lines(rules: &[Evaluated]) -> Markup {
    html! {
        ol.rules { @for rule in rules {
            li aria-current=[rule.decides.then_some("true")] {
                span.name { @match &rule.rule { Some(name) => (parts::rule(name)), None => a href="/rules#default" { "(default)" } } }
                span { (parts::printable(&rule.says)) }
            }
        } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_below_the_one_that_decides_are_folded() {
        let rule = |rule: &str, decides| Evaluated { rule: Some(rule.to_owned()), decides, says: "denies".to_owned() };
        let below = |rules: &[Evaluated]| {
            let page = list(rules).into_string();
            let (before, below) = page.split_once("<details").unwrap_or((&page, ""));
            (
                before.matches("<li").count(),
                below.matches("<li").count(),
                below.contains("2 later rules, not evaluated"),
            )
        };
        assert_eq!(below(&[rule("a", false), rule("b", true), rule("c", false), rule("d", false)]), (2, 2, true));
        assert_eq!(below(&[rule("a", false), rule("b", true)]), (2, 0, false));
        assert_eq!(below(&[rule("a", false)]), (1, 0, false), "none decides");
    }
}
