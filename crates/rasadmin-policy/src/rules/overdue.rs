//! Rules for sessions that are live.
//!
//! A rule that denies holds for them only if it says so. Rules that allow hold as always: a session that one of them
//! allows is never overdue. What is unknown ends no session.

use super::condition::{Kind, Seen};
use super::decide::{Rule, Rules};
use super::{Action, GroupSet, Needs, RuleCounts, Truth};
use crate::{Facts, Stage};

/// A live session that a rule denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overdue<'c> {
    /// The rule.
    pub rule: &'c str,
    /// Its reason.
    pub reason: Option<&'c str>,
    /// How long the rule must deny the session before it is disconnected, in seconds.
    pub grace: u64,
    /// Does the rule ask for the time, or for what was used?
    pub time_is_up: bool,
}

impl Rule {
    /// The conditions that hold for a live session. A limit for sessions is about newcomers.
    fn of_live(&self) -> impl Iterator<Item = &Kind> {
        self.conditions.iter().filter(|condition| !condition.counts_sessions())
    }

    fn holds_for_live(&self) -> bool {
        self.action == Action::Allow || self.active.is_some()
    }

    /// Does the rule hold, as far as `counts` tell? Without them, what counts is unknown.
    fn of_session(&self, seen: &Seen<'_>, counts: Option<&RuleCounts>) -> Truth {
        let truth = |condition: &Kind| match counts {
            _ if !condition.asks(seen) => condition.truth(self.if_absent, seen),
            Some(counts) => condition.counted(counts).unwrap_or(Truth::Unknown),
            None => Truth::Unknown,
        };
        self.of_live().map(truth).min().unwrap_or(Truth::True)
    }
}

impl Rules {
    /// Is there a rule that ends live sessions?
    pub fn end_live_sessions(&self) -> bool {
        self.rules.iter().any(|rule| rule.active.is_some())
    }

    /// Does the rule with this name hold for live sessions too? `None` if no rule has the name.
    pub fn holds_for_live_sessions(&self, name: &str) -> Option<bool> {
        self.rules.iter().find(|rule| rule.name == name).map(|rule| rule.active.is_some())
    }

    /// What must be counted for a live session. `facts` are the session's.
    pub fn needs_of_live(&self, facts: &Facts, groups: &GroupSet) -> Needs {
        let seen = self.seen(Stage::Ipv4Address, facts, groups);
        let mut needs = Needs::default();
        for rule in self.rules.iter().filter(|rule| rule.holds_for_live()) {
            if rule.of_session(&seen, None) != Truth::False {
                rule.of_live().filter(|condition| condition.asks(&seen)).for_each(|c| c.add_to(&mut needs));
            }
        }
        needs
    }

    /// The rule that denies a live session, if there is one. `counts` must have what
    /// [`needs_of_live`](Self::needs_of_live) asked for, with the session itself.
    pub fn overdue(&self, facts: &Facts, groups: &GroupSet, counts: &RuleCounts) -> Option<Overdue<'_>> {
        // At this stage no fact counts as missing for good: an adopted session has no tunnel, for example.
        let seen = self.seen(Stage::Ipv4Address, facts, groups);
        for rule in self.rules.iter().filter(|rule| rule.holds_for_live()) {
            match (rule.of_session(&seen, Some(counts)), rule.active) {
                (Truth::True, Some(grace)) => {
                    let time_is_up = rule.conditions.iter().any(Kind::is_about_time);
                    return Some(Overdue { rule: &rule.name, reason: rule.reason.as_deref(), grace, time_is_up });
                }
                (Truth::True | Truth::Unknown, None) => return None,
                (Truth::Unknown, Some(_)) | (Truth::False, _) => {}
            }
        }
        None
    }
}
