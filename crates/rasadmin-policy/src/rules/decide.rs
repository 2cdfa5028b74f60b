//! Finds the rule that decides.

use super::condition::{Kind, Seen};
use super::index::{Bits, UserIndex};
use super::{Action, GroupSet, IfAbsent, Needs, RuleCounts, Ruling, Truth, WhenUnrecorded};
use crate::addresses::PoolId;
use crate::{Facts, Stage};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// The compiled rules. Without rules ([`Rules::default`]), everyone is denied.
#[derive(Debug)]
pub struct Rules {
    pub(super) rules: Box<[Rule]>,
    pub(super) default: Default,
    /// The rules' lists of users and of groups: how many there are, and by the users whom they name.
    pub(super) lists: usize,
    pub(super) users: UserIndex,
    /// For each group, the lists that name it.
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
    pub when_unrecorded: Option<WhenUnrecorded>,
    /// How many other sessions the user keeps, if the oldest are replaced instead of denying.
    pub keeps: Option<u64>,
    /// A rule that denies: does it hold for live sessions too, and after how many seconds?
    pub active: Option<u64>,
    pub if_absent: IfAbsent,
    /// The cheap ones first, those that count last.
    pub conditions: Box<[Kind]>,
    /// The index of the first condition that counts.
    pub counting: usize,
    /// What each condition asks for, as text.
    pub asked: Box<[String]>,
    pub pools: [Option<PoolId>; 2],
}

#[derive(Debug)]
pub(super) struct Default {
    pub action: Action,
    pub reason: Option<String>,
}

/// What becomes of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The rule does not match; the next one is tried.
    NoMatch,
    /// The rule is unknown and denies. It waits for a later stage.
    Waits,
    /// The rule is unknown at the last stage and allows. The next one is tried.
    Fails,
    /// The rule matches, or is unknown at the last stage and denies.
    Decides,
    /// The rule is unknown and allows, for now.
    DecidesForNow,
    /// The rule matches and would deny, but replaces the user's oldest session instead. The next one is tried.
    Replaces,
}

impl Outcome {
    /// The outcome of a rule with this action and truth.
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

impl Rule {
    /// What the conditions say that do not count.
    fn uncounted(&self, seen: &Seen<'_>) -> Truth {
        let mut truth = Truth::True;
        for condition in &self.conditions[..self.counting] {
            truth = truth.min(condition.truth(self.if_absent, seen));
            if truth == Truth::False {
                break;
            }
        }
        truth
    }

    /// What the conditions that count say without the numbers.
    fn unasked(&self, seen: &Seen<'_>) -> Truth {
        let counting = self.conditions[self.counting..].iter().filter(|condition| !condition.asks(seen));
        counting.map(|condition| condition.truth(self.if_absent, seen)).min().unwrap_or(Truth::True)
    }

    /// What the counts say.
    fn counted(&self, seen: &Seen<'_>, counts: &RuleCounts) -> Truth {
        let mut truth = Truth::True;
        for condition in self.conditions[self.counting..].iter().filter(|condition| condition.asks(seen)) {
            let counted = condition.counted(counts);
            debug_assert!(counted.is_some(), "rule {}: no count for {condition:?}", self.name);
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

    /// The outcome of the rule. `count` evaluates the counts, if they matter.
    fn outcome(&self, seen: &Seen<'_>, count: impl FnOnce() -> Truth) -> Outcome {
        let truth = self.uncounted(seen).min(self.unasked(seen));
        // The counts cannot make the rule more true.
        if !Outcome::of(self.action, truth, seen.last).decides() || !self.asks(seen) {
            return self.settle(truth, None, seen);
        }
        self.settle(truth, Some(count()), seen)
    }

    /// The outcome of the rule: `truth` is that of the conditions that need no number, `counted` that of the numbers, if
    /// they were asked for. A limit that is exceeded never denies if it replaces, not even if another condition is
    /// still unknown at the last stage; a user without a name has no session that could be replaced.
    pub(super) fn settle(&self, truth: Truth, counted: Option<Truth>, seen: &Seen<'_>) -> Outcome {
        let outcome = Outcome::of(self.action, truth.min(counted.unwrap_or(truth)), seen.last);
        let exceeded = counted == Some(Truth::True) && seen.facts.user.known().is_some();
        if self.keeps.is_some() && exceeded && outcome.decides() { Outcome::Replaces } else { outcome }
    }
}

impl Rules {
    /// Prepares the facts for all rules.
    pub(super) fn seen<'a>(&self, stage: Stage, facts: &'a Facts, groups: &'a GroupSet) -> Seen<'a> {
        let by_user = facts.user.known().into_iter().flat_map(|user| self.users.of(user));
        let by_group = groups.iter().filter_map(|group| self.by_group.get(group.0 as usize)).map(|list| &list[..]);
        let lists = Bits::of(self.lists, by_user.chain(by_group));
        Seen::new(facts, groups, facts.is_last(stage), self.zone.to_datetime(facts.time), lists)
    }

    /// Decides. `groups` are the user's groups. `counts` must have what [`Rules::needs_for`] asked for.
    pub fn decide(&self, stage: Stage, facts: &Facts, groups: &GroupSet, counts: &RuleCounts) -> Ruling<'_> {
        let seen = self.seen(stage, facts, groups);
        let mut keeps = None;
        for rule in &self.rules {
            let outcome = rule.outcome(&seen, || rule.counted(&seen, counts));
            if outcome == Outcome::Replaces {
                keeps = keeps.into_iter().chain(rule.keeps).min();
            }
            if outcome.decides() {
                let [pool, ipv6_pool] = if rule.action == Action::Allow { rule.pools } else { [None; 2] };
                return Ruling {
                    allow: rule.action == Action::Allow,
                    rule: Some(&rule.name),
                    reason: rule.reason.as_deref(),
                    for_now: outcome == Outcome::DecidesForNow,
                    keeps,
                    when_unrecorded: rule.when_unrecorded,
                    pool,
                    ipv6_pool,
                };
            }
        }
        Ruling {
            allow: self.default.action == Action::Allow,
            rule: None,
            reason: self.default.reason.as_deref(),
            for_now: false,
            keeps,
            when_unrecorded: None,
            pool: None,
            ipv6_pool: None,
        }
    }

    /// The fields of the conditions that are unknown at the last stage and that the decision therefore depends on: of
    /// the deciding rule, and of earlier rules that fail or do not match because of them. In a simulation these are
    /// the facts that its source lacks. `counts_lack` names the missing fact that would tell whether a session
    /// replaces another, so that a count of sessions depends on it too.
    pub fn rests_on(
        &self,
        stage: Stage,
        facts: &Facts,
        groups: &GroupSet,
        counts: &RuleCounts,
        counts_lack: Option<&'static str>,
    ) -> Vec<&'static str> {
        let seen = self.seen(stage, facts, groups);
        let mut fields = Vec::new();
        let mut add = |field| {
            if !fields.contains(&field) {
                fields.push(field);
            }
        };
        for rule in &self.rules {
            let outcome = rule.outcome(&seen, || rule.counted(&seen, counts));
            let unknown = rule.uncounted(&seen).min(rule.unasked(&seen)) == Truth::Unknown;
            if unknown && seen.last && outcome != Outcome::NoMatch {
                let conditions = rule.conditions[..rule.counting].iter();
                conditions.filter(|c| c.truth(rule.if_absent, &seen) == Truth::Unknown).for_each(|c| add(c.field()));
            }
            if outcome.decides() {
                let of_sessions = |c: &Kind| matches!(c, Kind::UserSessions(_) | Kind::GroupSessions(..));
                if let Some(lacking) = counts_lack.filter(|_| rule.conditions.iter().any(of_sessions)) {
                    add(lacking);
                }
                break;
            }
        }
        fields
    }

    /// The number of rules, without the default.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Is there nothing but the default?
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules' names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.name.as_str())
    }

    /// The names of the rules that do nothing but decide about newcomers: not those that end live sessions, or that
    /// replace the oldest one.
    pub fn deciding_names(&self) -> impl Iterator<Item = &str> {
        let only_decides = |rule: &&Rule| rule.keeps.is_none() && rule.active.is_none();
        self.rules.iter().filter(only_decides).map(|rule| rule.name.as_str())
    }

    /// What decides if no rule does, and its reason.
    pub fn default_action(&self) -> (Action, Option<&str>) {
        (self.default.action, self.default.reason.as_deref())
    }

    /// For each rule that allows, and for the default if it does: are connections accepted that cannot be recorded?
    /// `None` if the configuration decides.
    pub fn let_in(&self) -> impl Iterator<Item = Option<WhenUnrecorded>> {
        let rules = self.rules.iter().filter(|rule| rule.action == Action::Allow).map(|rule| rule.when_unrecorded);
        rules.chain((self.default.action == Action::Allow).then_some(None))
    }

    /// Everything that any rule may need counted.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// What must be counted for this decision: only what can still matter. Nothing is counted for a user whom no
    /// counting rule concerns.
    pub fn needs_for(&self, stage: Stage, facts: &Facts, groups: &GroupSet) -> Needs {
        let mut needs = Needs::default();
        if self.needs.is_empty() {
            return needs;
        }
        let seen = self.seen(stage, facts, groups);
        for rule in &self.rules {
            let mut asked = false;
            let outcome = rule.outcome(&seen, || {
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

impl std::default::Default for Rules {
    fn default() -> Self {
        Self {
            rules: Box::default(),
            default: Default { action: Action::Deny, reason: None },
            lists: 0,
            users: UserIndex::default(),
            by_group: Box::default(),
            group_names: Box::default(),
            zone: TimeZone::UTC,
            needs: Needs::default(),
        }
    }
}
