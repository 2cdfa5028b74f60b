//! Asks the rules, and counts only what they need.

use super::counts;
use super::draft::Draft;
use super::facts::groups_of;
use crate::config::Config;
use crate::decision::{Decision, Refusal};
use crate::effect::{Block, BlockSubject};
use crate::now::Id;
use crate::rules::{GroupSet, RecordedCounts, Ruling, WhenUnrecorded};
use crate::{Facts, Family, Stage};
use rasadmin_policy::addresses::PoolId;

/// The rules' decision, and what only the address stage needs.
pub(crate) struct Asked {
    pub(crate) decision: Decision,
    pub(crate) groups: GroupSet,
    pools: [Option<PoolId>; 2],
    /// How many other sessions the user keeps, if the oldest of the rest are replaced.
    keeps: Option<u64>,
}

impl Asked {
    /// Marks the user's sessions that are too many beside the new one, if it is allowed at its last stage: nothing is
    /// disconnected for a newcomer who is refused later. `own` is the new session, if it has begun.
    pub(crate) fn mark_replaced(&mut self, draft: &Draft<'_>, own: Option<Id>) {
        let Some(keeps) = self.keeps.filter(|_| self.decision.allow) else { return };
        self.decision.replaces = counts::oldest(draft, &self.decision.facts, own, keeps);
    }

    /// The pool of a family: that of the deciding rule, or of the first group that has one, or the default pool.
    pub(crate) fn pool(&self, draft: &Draft<'_>, family: Family) -> Option<PoolId> {
        pool_of(draft, self.pools, &self.groups, family)
    }

    /// Refuses, whatever the rules say.
    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        let decision = &mut self.decision;
        (decision.allow, decision.for_now, decision.reason) = (false, false, None);
        decision.refusal = Some(refusal);
    }
}

/// Asks the rules at a stage. `own` is the session of the event. A block comes before all rules: it is the
/// reason for the refusal even if a rule would refuse for another. The rules are still evaluated, so that the record
/// has what they counted.
pub(crate) fn ask(draft: &Draft<'_>, stage: Stage, facts: Facts, own: Option<Id>) -> Asked {
    let config = draft.context.config;
    let groups = groups_of(&draft.context, facts.user.known());
    let needs = config.rules.needs_for(stage, &facts, &groups);
    let known = counts::count(draft, &needs, stage, &facts, own);
    let ruling = config.rules.decide(stage, &facts, &groups, &known);
    let counted = RecordedCounts::new(&needs, &known, &config.groups);
    let mut asked = asked(draft, stage, facts, groups, &ruling, counted);
    if let Some(Block { subject, until, reason, .. }) = block(draft, &asked.decision.facts) {
        asked.decision.rule = None;
        asked.refuse(Refusal::Blocked { until: *until, reason: reason.clone(), subject: Some(subject.clone()) });
    }
    let refused = draft.context.unrecorded && when_unrecorded(config, stage, &ruling) == Some(WhenUnrecorded::Deny);
    if refused && asked.decision.allow {
        asked.refuse(Refusal::Unrecorded);
    }
    asked
}

/// The block that is in force for these facts: the user's, or else that of the computer name that the client claims.
pub(super) fn block<'a>(draft: &Draft<'a>, facts: &Facts) -> Option<&'a Block> {
    let in_force = |subject: BlockSubject| draft.state.block(&subject, draft.at().time);
    let user = facts.user.known().and_then(|user| in_force(BlockSubject::User(user.clone())));
    user.or_else(|| in_force(BlockSubject::claimed_computer(facts.computer.known()?)))
}

/// Is a connection accepted that the rules allow but that cannot be recorded? The deciding rule says so, or else the
/// configuration. `None` if it makes no difference: the rules deny, or the connection was let in at an earlier stage.
pub(crate) fn when_unrecorded(config: &Config, stage: Stage, ruling: &Ruling<'_>) -> Option<WhenUnrecorded> {
    let enters = match stage {
        Stage::Ipv4Address | Stage::Ipv6Address | Stage::Connection => true,
        Stage::Link | Stage::Reauthentication | Stage::EndpointChange => false,
    };
    (enters && ruling.allow).then(|| ruling.when_unrecorded.unwrap_or(config.when_unrecorded))
}

fn asked(
    draft: &Draft<'_>,
    stage: Stage,
    facts: Facts,
    groups: GroupSet,
    ruling: &Ruling<'_>,
    counted: RecordedCounts,
) -> Asked {
    let config = draft.context.config;
    let decision = Decision {
        time: draft.at().time,
        stage,
        allow: ruling.allow,
        for_now: ruling.for_now,
        rule: ruling.rule.map(str::to_owned),
        reason: ruling.reason.map(str::to_owned),
        refusal: None,
        exhausted: None,
        config: config.hash.clone(),
        replaces: Vec::new(),
        facts,
        groups: groups.iter().map(|group| config.groups.name(group).to_owned()).collect(),
        counted,
    };
    Asked { decision, groups, pools: [ruling.pool, ruling.ipv6_pool], keeps: ruling.keeps }
}

/// The pool that the user would get at the address stage, if the rules allow that.
pub(crate) fn pool_that_serves(draft: &Draft<'_>, stage: Stage, facts: &Facts, family: Family) -> Served {
    let config = draft.context.config;
    let groups = groups_of(&draft.context, facts.user.known());
    let needs = config.rules.needs_for(stage, facts, &groups);
    let known = counts::count(draft, &needs, stage, facts, None);
    let ruling = config.rules.decide(stage, facts, &groups, &known);
    if !ruling.allow {
        return Served::Denied;
    }
    Served::By(pool_of(draft, [ruling.pool, ruling.ipv6_pool], &groups, family))
}

/// What [`pool_that_serves`] found.
pub(crate) enum Served {
    /// The rules would deny the user at the address stage. What that means depends on the present stage.
    Denied,
    /// This pool, or none if no pool serves the user.
    By(Option<PoolId>),
}

const fn index(family: Family) -> usize {
    match family {
        Family::Ipv4 => 0,
        Family::Ipv6 => 1,
    }
}

fn pool_of(draft: &Draft<'_>, ruled: [Option<PoolId>; 2], groups: &GroupSet, family: Family) -> Option<PoolId> {
    let config = draft.context.config;
    let index = index(family);
    ruled[index]
        .or_else(|| groups.iter().find_map(|group| <[_; 2]>::from(config.groups.pools(group))[index]))
        .or(config.addresses.default_pools[index])
}
