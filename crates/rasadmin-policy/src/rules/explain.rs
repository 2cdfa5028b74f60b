//! Why a decision is what it is: every rule with every condition, by the code that decides.

use super::amounts::{write_duration, write_octets};
use super::condition::{Kind, Seen};
use super::decide::{Outcome, Rule, Rules};
use super::{Action, Count, GroupSet, LedgerFacts, Truth, lists};
use crate::{Fact, Facts, Stage};
use serde::Serialize;

/// What became of a rule. The last one is the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained<'c> {
    /// The rule's name; None is the default.
    pub rule: Option<&'c str>,
    /// How it acts; while the ledger is away, by its policy for that.
    pub action: Action,
    /// Its policy for a ledger that is away is in force.
    pub ledger_away: bool,
    /// All its conditions together, those that are left out aside.
    pub truth: Truth,
    /// What becomes of it when its turn comes.
    pub outcome: Outcome,
    /// It is the one that decides: the first whose outcome is to decide.
    pub decides: bool,
    /// Each of its conditions.
    pub conditions: Vec<ExplainedCondition<'c>>,
}

/// A condition and what it found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedCondition<'c> {
    /// Its name in the configuration.
    pub field: &'static str,
    /// What it asks for.
    pub asked: &'c str,
    /// What the fact was.
    pub found: String,
    /// Does it hold? None: it is left out, since the ledger is away.
    pub truth: Option<Truth>,
}

impl Rules {
    /// Every rule in order and the default, with every condition, also of the rules after the one that decides. Ask
    /// the ledger for all that [`Rules::needs`] names: what it was not asked for is shown as unknown.
    pub fn explain(
        &self,
        stage: Stage,
        facts: &Facts,
        groups: &GroupSet,
        ledger: Option<&LedgerFacts>,
    ) -> Vec<Explained<'_>> {
        let seen = Seen::new(self, facts, groups, facts.is_last(stage));
        let mut all: Vec<_> =
            self.rules.iter().enumerate().map(|(at, rule)| self.explain_rule(at, rule, &seen, ledger)).collect();
        let (action, ledger_away) = self.default.stance(ledger);
        all.push(Explained {
            rule: None,
            action,
            ledger_away,
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

    fn explain_rule<'c>(
        &'c self,
        at: usize,
        rule: &'c Rule,
        seen: &Seen<'_>,
        ledger: Option<&LedgerFacts>,
    ) -> Explained<'c> {
        let conditions: Vec<_> = rule
            .conditions
            .iter()
            .zip(&rule.asked)
            .map(|(condition, asked)| ExplainedCondition {
                field: condition.field(),
                asked,
                found: self.found(condition, seen, ledger),
                truth: match ledger {
                    None if condition.counts() => None,
                    Some(ledger) if condition.asks(seen) => Some(condition.counted(ledger).unwrap_or(Truth::Unknown)),
                    _ => Some(condition.truth(at, rule.if_absent, seen)),
                },
            })
            .collect();
        let truth = conditions.iter().filter_map(|condition| condition.truth).min().unwrap_or(Truth::True);
        let (action, ledger_away, outcome) = match rule.stance(ledger) {
            Some((action, away)) => (action, away, Outcome::of(action, truth, seen.last)),
            None => (rule.action, true, Outcome::PassedOver),
        };
        Explained { rule: Some(&rule.name), action, ledger_away, truth, outcome, decides: false, conditions }
    }

    /// The fact that a condition asks for, as text.
    fn found(&self, condition: &Kind, seen: &Seen<'_>, ledger: Option<&LedgerFacts>) -> String {
        let facts = seen.facts;
        let counted = |count: &dyn Fn(&LedgerFacts) -> Option<String>| match ledger {
            None => "the ledger is away".to_owned(),
            Some(_) if !condition.asks(seen) => write_fact(&facts.user, ToString::to_string),
            Some(ledger) => count(ledger).unwrap_or_else(|| "the ledger was not asked".to_owned()),
        };
        match *condition {
            Kind::Users => write_fact(&facts.user, ToString::to_string),
            Kind::Groups => write_fact(&facts.user, |user| {
                if seen.groups.is_empty() {
                    return format!("{user} is in no group");
                }
                let names = seen.groups.iter().filter_map(|group| self.group_names.get(group.0 as usize));
                format!("{user} is in {}", lists::write(names.map(String::as_str)))
            }),
            Kind::Tunnels(_) => write_fact(&facts.tunnel, |tunnel| tunnel.name().to_owned()),
            Kind::Quarantine(_) => write_fact(&facts.quarantine, |state| state.name().to_owned()),
            Kind::Interfaces(_) => write_fact(&facts.interface, |kind| kind.name().to_owned()),
            Kind::Hours(_) => {
                let clock = self.zone.to_datetime(facts.time);
                let day = &format!("{:?}", clock.weekday())[..3].to_lowercase();
                format!("{day} {} {:02}:{:02}", clock.date(), clock.hour(), clock.minute())
            }
            Kind::Sources(_) => write_fact(&seen.source, ToString::to_string),
            Kind::Ports(_) => write_fact(&facts.port, ToString::to_string),
            Kind::Servers(_) => facts.server.to_string(),
            Kind::Computers(_) => write_fact(&facts.computer, ToString::to_string),
            Kind::UserSessions(_) => counted(&|ledger| Some(write_count(ledger.user_sessions))),
            Kind::GroupSessions(group, _) => counted(&|ledger| ledger.group(group).map(write_count)),
            Kind::ConnectTime(per, _) => counted(&|ledger| {
                ledger.period(per).map(|used| format!("{} this {}", write_duration(used.seconds), per.name()))
            }),
            Kind::Octets(per, _) => counted(&|ledger| {
                ledger.period(per).map(|used| format!("{} this {}", write_octets(used.octets), per.name()))
            }),
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
