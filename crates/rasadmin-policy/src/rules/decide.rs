//! Which rule decides.

use super::condition::{Kind, Seen};
use super::index::UserIndex;
use super::{Action, GroupSet, IfAbsent, LedgerFacts, Needs, Ruling, Truth, WhenLedgerUnavailable};
use crate::addresses::PoolId;
use crate::{Facts, Stage};
use jiff::tz::TimeZone;
use serde::Serialize;

/// The compiled rules. Without any ([`Rules::default`]), everyone is denied.
#[derive(Debug)]
pub struct Rules {
    pub(super) rules: Box<[Rule]>,
    pub(super) default: Default,
    /// The rules whose `users` name somebody.
    pub(super) users: UserIndex,
    /// By group, the rules whose `groups` name it.
    pub(super) by_group: Box<[Box<[u32]>]>,
    pub(super) group_names: Box<[String]>,
    pub(super) zone: TimeZone,
    pub(super) needs: Needs,
}

#[derive(Debug)]
pub(super) struct Rule {
    pub name: String,
    pub reason: Option<String>,
    pub action: Action,
    pub when_away: Option<WhenLedgerUnavailable>,
    pub if_absent: IfAbsent,
    /// The cheap ones first, those that count last.
    pub conditions: Box<[Kind]>,
    /// From here on they count.
    pub counting: usize,
    /// What each condition asks for, as text.
    pub asked: Box<[String]>,
    pub pools: [Option<PoolId>; 2],
}

#[derive(Debug)]
pub(super) struct Default {
    pub action: Action,
    pub reason: Option<String>,
    pub when_away: Option<WhenLedgerUnavailable>,
}

/// What becomes of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It does not match: the next one.
    NoMatch,
    /// It is unknown, and denies: it waits for a later stage.
    Waits,
    /// It is unknown at the last stage, and allows: the next one.
    Fails,
    /// The ledger is away, and the rule is passed over then.
    PassedOver,
    /// It matches, or is unknown at the last stage and denies.
    Decides,
    /// It is unknown, and allows: for now.
    DecidesForNow,
}

impl Outcome {
    /// What becomes of a rule that acts so and is so true?
    pub(super) fn of(action: Action, truth: Truth, last: bool) -> Self {
        match (truth, action, last) {
            (Truth::True, _, _) | (Truth::Unknown, Action::Deny, true) => Self::Decides,
            (Truth::Unknown, Action::Allow, false) => Self::DecidesForNow,
            (Truth::Unknown, Action::Allow, true) => Self::Fails,
            (Truth::Unknown, Action::Deny, false) => Self::Waits,
            (Truth::False, _, _) => Self::NoMatch,
        }
    }

    /// Does the rule decide?
    pub fn decides(self) -> bool {
        matches!(self, Self::Decides | Self::DecidesForNow)
    }
}

/// How a rule acts, and whether it is its policy for a ledger that is away. None: it is passed over.
pub(super) fn stance(
    action: Action,
    when_away: Option<WhenLedgerUnavailable>,
    ledger: Option<&LedgerFacts>,
) -> Option<(Action, bool)> {
    match when_away.filter(|_| ledger.is_none()) {
        None => Some((action, false)),
        Some(WhenLedgerUnavailable::Allow) => Some((Action::Allow, true)),
        Some(WhenLedgerUnavailable::Deny) => Some((Action::Deny, true)),
        Some(WhenLedgerUnavailable::Skip) => None,
    }
}

impl Rule {
    pub(super) fn stance(&self, ledger: Option<&LedgerFacts>) -> Option<(Action, bool)> {
        stance(self.action, self.when_away, ledger)
    }

    /// What the rule says, those that count left out.
    fn uncounted(&self, at: usize, seen: &Seen<'_>) -> Truth {
        let mut truth = Truth::True;
        for condition in &self.conditions[..self.counting] {
            truth = truth.min(condition.truth(at, self.if_absent, seen));
            if truth == Truth::False {
                break;
            }
        }
        truth
    }

    /// What those that count say without the ledger.
    fn unasked(&self, at: usize, seen: &Seen<'_>) -> Truth {
        let counting = self.conditions[self.counting..].iter().filter(|condition| !condition.asks(seen));
        counting.map(|condition| condition.truth(at, self.if_absent, seen)).min().unwrap_or(Truth::True)
    }

    /// What the ledger's numbers say.
    fn counted(&self, seen: &Seen<'_>, ledger: &LedgerFacts) -> Truth {
        let mut truth = Truth::True;
        for condition in self.conditions[self.counting..].iter().filter(|condition| condition.asks(seen)) {
            let counted = condition.counted(ledger);
            debug_assert!(counted.is_some(), "rule {}: the ledger was not asked for {condition:?}", self.name);
            truth = truth.min(counted.unwrap_or(Truth::Unknown));
            if truth == Truth::False {
                break;
            }
        }
        truth
    }

    fn asks(&self, seen: &Seen<'_>) -> bool {
        self.conditions[self.counting..].iter().any(|condition| condition.asks(seen))
    }

    /// What becomes of the rule; `count` says what the ledger's numbers say, if they matter.
    fn outcome(&self, at: usize, seen: &Seen<'_>, action: Action, count: impl FnOnce() -> Truth) -> Outcome {
        let truth = self.uncounted(at, seen).min(self.unasked(at, seen));
        let outcome = Outcome::of(action, truth, seen.last);
        // Whatever the numbers are, "and" makes nothing more true.
        if !outcome.decides() || !self.asks(seen) {
            return outcome;
        }
        Outcome::of(action, truth.min(count()), seen.last)
    }
}

impl Rules {
    /// Decides. `groups` are the user's, `ledger` what it said, as far as [`Rules::needs_for`] asked; None while it is
    /// away.
    pub fn decide(&self, stage: Stage, facts: &Facts, groups: &GroupSet, ledger: Option<&LedgerFacts>) -> Ruling<'_> {
        let seen = Seen::new(self, facts, groups, facts.is_last(stage));
        for (at, rule) in self.rules.iter().enumerate() {
            let Some((action, ledger_away)) = rule.stance(ledger) else { continue };
            let outcome = match ledger {
                Some(ledger) => rule.outcome(at, &seen, action, || rule.counted(&seen, ledger)),
                None => Outcome::of(action, rule.uncounted(at, &seen), seen.last),
            };
            if outcome.decides() {
                let [pool, ipv6_pool] = if action == Action::Allow { rule.pools } else { [None; 2] };
                return Ruling {
                    allow: action == Action::Allow,
                    rule: Some(&rule.name),
                    reason: rule.reason.as_deref(),
                    for_now: outcome == Outcome::DecidesForNow,
                    ledger_away,
                    pool,
                    ipv6_pool,
                };
            }
        }
        let (action, ledger_away) = self.default.stance(ledger);
        Ruling {
            allow: action == Action::Allow,
            rule: None,
            reason: self.default.reason.as_deref(),
            for_now: false,
            ledger_away,
            pool: None,
            ipv6_pool: None,
        }
    }

    /// The fields of the conditions that are unknown at the last stage, and on which the decision therefore rests: of the
    /// rule that decides because of them, and of those before it that fail or are passed because of them. In a rehearsal
    /// these are the facts that its source lacks. `counts_lack`: what would tell whether a session takes another one's
    /// place is lacking, so that a count of sessions rests on it too.
    pub fn rests_on(
        &self,
        stage: Stage,
        facts: &Facts,
        groups: &GroupSet,
        ledger: &LedgerFacts,
        counts_lack: Option<&'static str>,
    ) -> Vec<&'static str> {
        let seen = Seen::new(self, facts, groups, facts.is_last(stage));
        let mut fields = Vec::new();
        let mut add = |field| {
            if !fields.contains(&field) {
                fields.push(field);
            }
        };
        for (at, rule) in self.rules.iter().enumerate() {
            let Some((action, _)) = rule.stance(Some(ledger)) else { continue };
            let outcome = rule.outcome(at, &seen, action, || rule.counted(&seen, ledger));
            let unknown = rule.uncounted(at, &seen).min(rule.unasked(at, &seen)) == Truth::Unknown;
            if unknown && seen.last && outcome != Outcome::NoMatch {
                let conditions = rule.conditions[..rule.counting].iter();
                conditions
                    .filter(|c| c.truth(at, rule.if_absent, &seen) == Truth::Unknown)
                    .for_each(|c| add(c.field()));
            }
            if outcome.decides() {
                let counts = |c: &Kind| matches!(c, Kind::UserSessions(_) | Kind::GroupSessions(..));
                if let Some(lacking) = counts_lack.filter(|_| rule.conditions.iter().any(counts)) {
                    add(lacking);
                }
                break;
            }
        }
        fields
    }

    /// How many rules there are, the default aside.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Is there only the default?
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules' names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.name.as_str())
    }

    /// What decides if no rule does, and why.
    pub fn default_action(&self) -> (Action, Option<&str>) {
        (self.default.action, self.default.reason.as_deref())
    }

    /// Everything that any rule could want to know of the ledger.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// What the ledger must be asked to decide this: only what can still matter. A user whom no rule that counts
    /// concerns costs no question.
    pub fn needs_for(&self, stage: Stage, facts: &Facts, groups: &GroupSet) -> Needs {
        let mut needs = Needs::default();
        if self.needs.is_empty() {
            return needs;
        }
        let seen = Seen::new(self, facts, groups, facts.is_last(stage));
        for (at, rule) in self.rules.iter().enumerate() {
            let mut asked = false;
            let outcome = rule.outcome(at, &seen, rule.action, || {
                asked = true;
                Truth::Unknown
            });
            if asked {
                let counting = rule.conditions[rule.counting..].iter().filter(|condition| condition.asks(&seen));
                counting.for_each(|condition| condition.add_to(&mut needs));
            } else if outcome.decides() {
                break;
            }
        }
        needs
    }
}

impl Default {
    /// How it acts, and whether that is its policy for a ledger that is away.
    pub(super) fn stance(&self, ledger: Option<&LedgerFacts>) -> (Action, bool) {
        // `skip` is no policy of a default: the configuration is refused.
        stance(self.action, self.when_away, ledger).unwrap_or((self.action, false))
    }
}

impl std::default::Default for Rules {
    fn default() -> Self {
        Self {
            rules: Box::default(),
            default: Default { action: Action::Deny, reason: None, when_away: None },
            users: UserIndex::default(),
            by_group: Box::default(),
            group_names: Box::default(),
            zone: TimeZone::UTC,
            needs: Needs::default(),
        }
    }
}
