//! How much of a limit is used, as numbers: for bars. People read [`ExplainedCondition`](super::ExplainedCondition).

use super::condition::Kind;
use super::decide::Rules;
use super::truth::Limit;
use super::{Count, RuleCounts};

impl Rules {
    /// What counts towards the limit of a rule's condition, and the limit: sessions, seconds or octets. A count that is only
    /// known to lie between two bounds is the upper one. None if the rule has no such condition, or if it was not counted.
    pub fn part_used(&self, rule: &str, field: &str, counts: &RuleCounts) -> Option<(u64, u64)> {
        let rule = self.rules.iter().find(|of| of.name == rule)?;
        let most = |count: Count| u64::from(count.max);
        let (used, limit) = match *rule.conditions.iter().find(|condition| condition.field() == field)? {
            Kind::UserSessions(limit) => (most(counts.user_sessions?), limit),
            Kind::GroupSessions(group, limit) => (most(counts.group(group)?), limit),
            Kind::ConnectTime(period, limit) => (counts.period(period)?.seconds, limit),
            Kind::Octets(period, limit) => (counts.period(period)?.octets, limit),
            Kind::SessionTime(limit) => (counts.session_time, limit),
            _ => return None,
        };
        let (Limit::AtLeast(of) | Limit::Below(of)) = limit;
        Some((used, of))
    }
}
