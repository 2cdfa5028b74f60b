//! Rules as they were evaluated: up to the one that decides, and the others folded.

use crate::parts;
use maud::{Markup, html};
use rasadmin_answers::explain::{ReceivedStage, describe_rules};
use rasadmin_policy::rules::Explained;

/// A rule, and what became of it.
pub struct Evaluated {
    /// Its name. None is the default.
    rule: Option<String>,
    /// It decides.
    decides: bool,
    /// What it says, with the condition that settles it.
    says: String,
}

impl Evaluated {
    /// The rules of an explanation.
    pub fn all(rules: &[Explained<'_>]) -> Vec<Self> {
        let says = describe_rules(rules);
        let one = |(rule, says): (&Explained<'_>, _)| Self {
            rule: rule.rule.map(str::to_owned),
            decides: rule.decides,
            says,
        };
        rules.iter().zip(says).map(one).collect()
    }

    /// The rules of an explanation that the service has made.
    pub fn received(stage: &ReceivedStage) -> Vec<Self> {
        let rules = stage.rules.iter().zip(stage.says());
        rules.map(|(rule, says)| Self { rule: rule.rule.clone(), decides: rule.decides, says }).collect()
    }
}

/// The rules, top down.
pub fn list(rules: &[Evaluated]) -> Markup {
    let decides = rules.iter().position(|rule| rule.decides);
    let (evaluated, later) = rules.split_at(decides.map_or(rules.len(), |at| at + 1));
    html! {
        (lines(evaluated))
        @if !later.is_empty() { (folded(&format!("{}, not evaluated", counted(later)), later)) }
    }
}

/// The rules of a decision that a block made before any of them.
pub fn without_the_block(rules: &[Evaluated]) -> Markup {
    folded("What the rules say without the block", rules)
}

fn folded(summary: &str, rules: &[Evaluated]) -> Markup {
    html! { details.later { summary { (summary) } (lines(rules)) } }
}

/// `2 later rules and the default`.
fn counted(later: &[Evaluated]) -> String {
    let rules = later.iter().filter(|rule| rule.rule.is_some()).count();
    let words = parts::count(rules as u64, "later rule");
    match (rules, rules < later.len()) {
        (0, _) => "the default".to_owned(),
        (_, true) => format!("{words} and the default"),
        (_, false) => words,
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

    fn rules(of: &str) -> Vec<Evaluated> {
        let rule = |name: &str, decides| Evaluated {
            rule: (name != "default").then(|| name.to_owned()),
            decides,
            says: "denies".to_owned(),
        };
        of.split(' ').map(|name| rule(name.trim_start_matches('>'), name.starts_with('>'))).collect()
    }

    #[test]
    fn rules_below_the_one_that_decides_are_folded() {
        let folds = |of: &str| {
            let page = list(&rules(of)).into_string();
            let (above, below) = page.split_once("<summary>").unwrap_or((&page, ""));
            let summary = below.split("</summary>").next().unwrap_or_default().to_owned();
            (above.matches("<li").count(), below.matches("<li").count(), summary)
        };
        let texts = |above, below, summary: &str| (above, below, summary.to_owned());
        assert_eq!(folds("a >b c d default"), texts(2, 3, "2 later rules and the default, not evaluated"));
        assert_eq!(folds(">a b"), texts(1, 1, "1 later rule, not evaluated"));
        assert_eq!(folds(">a default"), texts(1, 1, "the default, not evaluated"));
        assert_eq!(folds("a >default"), texts(2, 0, ""));
        assert_eq!(folds("a"), texts(1, 0, ""), "none decides");
    }
}
