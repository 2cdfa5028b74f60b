//! What was counted for a decision, as recorded with it: groups by name, so that people can read it.

use super::{Count, Groups, Needs, Period, RuleCounts, Used};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The numbers that a decision was based on. It has only what the rules asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct RecordedCounts {
    /// The user's other live sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_sessions: Option<Count>,
    /// Live sessions of groups.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub group_sessions: BTreeMap<String, Count>,
    /// The user's use in periods.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub used: BTreeMap<Period, Used>,
    /// How long the session had lasted, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_time: Option<u64>,
}

impl RecordedCounts {
    /// Records what was counted.
    pub fn new(needs: &Needs, counts: &RuleCounts, groups: &Groups) -> Self {
        let name = |id: super::GroupId| groups.names().nth(id.0 as usize).unwrap_or_default().to_owned();
        Self {
            user_sessions: counts.user_sessions.filter(|_| needs.user_sessions),
            group_sessions: counts.groups.iter().map(|&(id, count)| (name(id), count)).collect(),
            used: counts.used.iter().copied().collect(),
            session_time: needs.session_time.then_some(counts.session_time),
        }
    }

    /// The counts as the rules need them, under the same configuration.
    pub fn counts(&self, groups: &Groups) -> RuleCounts {
        let id = |name: &str| (0..).map(super::GroupId).zip(groups.names()).find(|(_, known)| *known == name);
        RuleCounts {
            user_sessions: self.user_sessions,
            groups: self.group_sessions.iter().filter_map(|(name, count)| Some((id(name)?.0, *count))).collect(),
            used: self.used.iter().map(|(&period, &used)| (period, used)).collect(),
            session_time: self.session_time.unwrap_or_default(),
        }
    }
}
