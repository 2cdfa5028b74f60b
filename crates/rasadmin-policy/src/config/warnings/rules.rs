//! Rules that lock everybody out, or are never reached.

use super::Looking;
use super::always::{always, never_asks};
use super::wider::{Compared, is_wider};
use crate::config::file::{Action, At, IfAbsent, Rule, WhenExceeded};

impl Looking<'_> {
    pub(super) fn rules(&mut self) {
        let rules: Vec<&Rule> = self.file.rules.iter().map(At::get_ref).collect();
        let compared: Vec<_> = rules.iter().map(|rule| Compared::new(rule, &self.config.domains)).collect();
        let mut allowed = 0;
        for (at, rule) in rules.iter().enumerate() {
            let (above, name) = (&rules[..at], rule.name.get_ref());
            let wider =
                above.iter().zip(&compared).find(|(first, wide)| decides(first) && is_wider(wide, &compared[at]));
            if let Some(why) = self.never(rule, &compared[at]) {
                let what = format!("the rule `{name}` never matches: {why}");
                self.warn(rule.name.span(), what, "change its conditions, or remove it");
                continue;
            }
            allowed += usize::from(rule.action == Action::Allow);
            if let Some((first, _)) = wider {
                let what = format!(
                    "the rule `{name}` is never reached: the rule `{}` above it matches first",
                    first.name.get_ref()
                );
                self.warn(rule.name.span(), what, "move it up, change its conditions, or remove it");
            } else if never_asks(rule) {
                self.always(rule, above.iter().any(|rule| rule.action == Action::Allow), at + 1 < rules.len());
            } else {
                self.needless(rule);
            }
        }
        if allowed == 0 && self.file.default.action == Action::Deny {
            let span = self.read.position(&["default"]).unwrap_or(0..0);
            let any = rules.iter().any(|rule| rule.action == Action::Allow);
            let help = if any {
                "correct a rule with action = \"allow\", or write default.action = \"allow\""
            } else {
                "add a rule with action = \"allow\", or write default.action = \"allow\""
            };
            self.warn(span, "the default denies and no rule allows anyone: nobody can connect", help);
        }
    }

    /// Why a rule never matches, if that is certain.
    fn never(&self, rule: &Rule, compared: &Compared<'_>) -> Option<&'static str> {
        if self.is_over(rule) {
            return Some("its dates are over");
        }
        if rule.if_absent == IfAbsent::Match {
            return None;
        }
        let groups = rule.groups.as_ref().map(At::get_ref);
        if groups.is_some_and(|groups| groups.iter().all(|group| self.is_empty(group.get_ref()))) {
            return Some("nobody is in its groups");
        }
        if compared.excepts_all() {
            return Some("its exceptions leave none of its users");
        }
        let no_source = rule.source_networks.is_none() && self.has_nothing(rule.source_networks_file.as_ref());
        let no_computer = rule.remote_computers.is_none() && self.has_nothing(rule.computers_file.as_ref());
        (no_source || no_computer).then_some("its file has no entry")
    }

    /// A rule that matches every user who reaches it.
    fn always(&mut self, rule: &Rule, allowed_above: bool, more: bool) {
        let why = match (rule.users.is_some(), always(rule).is_empty()) {
            (true, true) => "matches every user",
            (false, true) => "has no condition",
            (_, false) => "has only conditions that always hold",
        };
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
