//! Rules that lock everybody out, or are never reached.

use super::Looking;
use super::wider::{is_wider, never_asks};
use crate::config::file::{Action, At, IfAbsent, Rule, WhenExceeded};

impl Looking<'_> {
    pub(super) fn rules(&mut self) {
        let rules: Vec<&Rule> = self.file.rules.iter().map(At::get_ref).collect();
        for (at, rule) in rules.iter().enumerate() {
            let (above, name) = (&rules[..at], rule.name.get_ref());
            if let Some(first) =
                above.iter().find(|first| decides(first) && is_wider(first, rule, &self.config.domains))
            {
                let what = format!(
                    "the rule `{name}` is never reached: the rule `{}` above it matches first",
                    first.name.get_ref()
                );
                self.warn(rule.name.span(), what, "move it up, change its conditions, or remove it");
            } else if never_asks(rule) {
                self.always(rule, above.iter().any(|rule| rule.action == Action::Allow), at + 1 < rules.len());
            }
        }
        let allows = rules.iter().any(|rule| rule.action == Action::Allow);
        if !allows && self.file.default.action == Action::Deny {
            let span = self.read.position(&["default"]).unwrap_or(0..0);
            let help = "add a rule with action = \"allow\", or write default.action = \"allow\"";
            self.warn(span, "the default denies and no rule allows: nobody can connect", help);
        }
    }

    /// A rule that matches every user who reaches it.
    fn always(&mut self, rule: &Rule, allowed_above: bool, more: bool) {
        let why = if rule.users.is_some() { "matches every user" } else { "has no condition" };
        let effect = match rule.action {
            Action::Deny if allowed_above => "it denies everyone whom no rule above allows",
            Action::Deny => "it locks everybody out",
            Action::Allow => "it allows everyone whom no rule above denies",
        };
        // A connection without a user's name goes on to the rules below.
        let everything = rule.users.is_none() || rule.if_absent == IfAbsent::Match;
        let rest = match (more, everything) {
            (false, _) => "",
            (true, true) => ", and no rule below it is reached",
            (true, false) => ", and rules below it are reached only without a user's name",
        };
        let what = format!("the rule `{}` {why}: {effect}{rest}", rule.name.get_ref());
        self.warn(rule.name.span(), what, "give it a condition, or put what it decides into [default]");
    }
}

/// Does a rule decide when it matches? One that replaces the oldest session leaves the decision to the next.
fn decides(rule: &Rule) -> bool {
    rule.when_exceeded.as_ref().is_none_or(|when| *when.get_ref() == WhenExceeded::Deny)
}
