//! Explains decisions: every rule with every condition, evaluated by the code that decides.

use super::amounts::{write_duration, write_octets};
use super::condition::{Kind, Seen};
use super::decide::{Outcome, Rule, Rules};
use super::{Action, Count, GroupSet, RuleCounts, Truth, WhenUnrecorded, lists};
use crate::{Fact, Facts, Stage};
use serde::Serialize;

/// A rule and what became of it. The last one is the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct Explained<'c> {
    /// The rule's name; `None` is the default.
    pub rule: Option<&'c str>,
    /// Whether it allows or denies.
    pub action: Action,
    /// Is a connection accepted that it allows but that cannot be recorded? `None` if the configuration decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when_unrecorded: Option<WhenUnrecorded>,
    /// Whether all its conditions hold.
    pub truth: Truth,
    /// What becomes of the rule in its turn.
    pub outcome: Outcome,
    /// This rule decides: it is the first whose outcome is to decide.
    pub decides: bool,
    /// Its conditions.
    pub conditions: Vec<ExplainedCondition<'c>>,
}

/// A condition and what it found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct ExplainedCondition<'c> {
    /// Its name in the configuration.
    pub field: &'static str,
    /// What it asks for, as text.
    pub asked: &'c str,
    /// The fact, as text.
    pub found: String,
    /// Does it hold?
    pub truth: Truth,
}

/// What a condition found if its count is missing: a decision counts only what the rules up to the one that decides ask
/// for.
pub const NOT_COUNTED: &str = "it was not counted";

impl Rules {
    /// Explains every rule in order and the default, with every condition, including the rules after the one that
    /// decides. Count everything that [`Rules::needs`] names: what was not counted is shown as unknown.
    pub fn explain(&self, stage: Stage, facts: &Facts, groups: &GroupSet, counts: &RuleCounts) -> Vec<Explained<'_>> {
        let seen = self.seen(stage, facts, groups);
        let mut all: Vec<_> = self.rules.iter().map(|rule| self.explain_rule(rule, &seen, counts)).collect();
        all.push(Explained {
            rule: None,
            action: self.default.action,
            when_unrecorded: None,
            truth: Truth::True,
            outcome: Outcome::Decides,
            decides: false,
            conditions: Vec::new(),
        });
        if let Some(first) = all.iter_mut().find(|explained| explained.outcome.decides()) {
            first.decides = true;
        }
        all
    }

    fn explain_rule<'c>(&'c self, rule: &'c Rule, seen: &Seen<'_>, counts: &RuleCounts) -> Explained<'c> {
        let conditions: Vec<_> = rule
            .conditions
            .iter()
            .zip(&rule.asked)
            .map(|(condition, asked)| ExplainedCondition {
                field: condition.field(),
                asked,
                found: self.found(condition, seen, counts),
                truth: if condition.asks(seen) {
                    condition.counted(counts).unwrap_or(Truth::Unknown)
                } else {
                    condition.truth(rule.if_absent, seen)
                },
            })
            .collect();
        let least = |conditions: &mut dyn Iterator<Item = &ExplainedCondition<'_>>| {
            conditions.map(|condition| condition.truth).min()
        };
        let (asks, rest): (Vec<_>, Vec<_>) =
            conditions.iter().zip(&rule.conditions).partition(|(_, condition)| condition.asks(seen));
        let counted = least(&mut asks.into_iter().map(|(condition, _)| condition));
        let uncounted = least(&mut rest.into_iter().map(|(condition, _)| condition)).unwrap_or(Truth::True);
        let truth = uncounted.min(counted.unwrap_or(uncounted));
        Explained {
            rule: Some(&rule.name),
            action: rule.action,
            when_unrecorded: rule.when_unrecorded,
            truth,
            outcome: rule.settle(uncounted, counted, seen),
            decides: false,
            conditions,
        }
    }

    /// The fact that a condition asks for, as text.
    fn found(&self, condition: &Kind, seen: &Seen<'_>, counts: &RuleCounts) -> String {
        let facts = seen.facts;
        let counted = |text: &dyn Fn() -> Option<String>| {
            if !condition.asks(seen) {
                return write_fact(&facts.user, ToString::to_string);
            }
            text().unwrap_or_else(|| NOT_COUNTED.to_owned())
        };
        match *condition {
            Kind::NotUsers(_) | Kind::NotGroups(_) if facts.user.known().is_some_and(|user| !user.is_placed()) => {
                write_fact(&facts.user, |user| format!("{user}, which may be any user: it has a separator too many"))
            }
            Kind::Users(_) | Kind::NotUsers(_) => write_fact(&facts.user, ToString::to_string),
            Kind::Groups(_) | Kind::NotGroups(_) => write_fact(&facts.user, |user| {
                if seen.groups.is_empty() {
                    return format!("{user} is in no group");
                }
                let names = seen.groups.iter().filter_map(|group| self.group_names.get(group.0 as usize));
                format!("{user} is in {}", lists::write(names.map(String::as_str)))
            }),
            Kind::Tunnels(_) => write_fact(&facts.tunnel, |tunnel| tunnel.name().to_owned()),
            Kind::Quarantine(_) => write_fact(&facts.quarantine, |state| state.name().to_owned()),
            Kind::Interfaces(_) => write_fact(&facts.interface, |kind| kind.name().to_owned()),
            Kind::Hours(_) | Kind::Dates(_) => {
                let clock = self.zone.to_datetime(facts.time);
                let day = &format!("{:?}", clock.weekday())[..3].to_lowercase();
                format!("{day} {} {:02}:{:02}", clock.date(), clock.hour(), clock.minute())
            }
            Kind::Sources(_) => write_fact(&seen.source, ToString::to_string),
            Kind::Ports(_) => write_fact(&facts.port, ToString::to_string),
            Kind::Servers(_) => facts.server.to_string(),
            Kind::Computers(_) => write_fact(&facts.computer, ToString::to_string),
            Kind::UserSessions(_) => counted(&|| counts.user_sessions.map(write_count)),
            Kind::GroupSessions(group, _) => counted(&|| counts.group(group).map(write_count)),
            Kind::ConnectTime(per, _) => counted(&|| {
                counts.period(per).map(|used| format!("{} this {}", write_duration(used.seconds), per.name()))
            }),
            Kind::Octets(per, _) => {
                counted(&|| counts.period(per).map(|used| format!("{} this {}", write_octets(used.octets), per.name())))
            }
            Kind::SessionTime(_) => write_duration(counts.session_time),
        }
    }
}

fn write_fact<T>(fact: &Fact<T>, write: impl FnOnce(&T) -> String) -> String {
    match fact {
        Fact::Known(value) => write(value),
        Fact::NotYetKnown => "not yet known".to_owned(),
        Fact::Absent => "absent".to_owned(),
    }
}

fn write_count(count: Count) -> String {
    if count.min == count.max { count.min.to_string() } else { format!("{} to {}", count.min, count.max) }
}
