//! What happens now, on one screen.

use super::{DecisionRow, Filter, PoolUse, Reader, SessionRow, rfc3339};
use crate::Error;
use rasadmin_engine::Millis;
use rasadmin_policy::addresses::Plan;
use schemars::JsonSchema;
use serde::Serialize;

/// What happens now: who is connected, and what has happened lately.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Overview {
    /// Now: RFC 3339, UTC.
    #[serde(serialize_with = "rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub time: Millis,
    /// From when on something has happened lately: RFC 3339, UTC.
    #[serde(serialize_with = "rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub since: Millis,
    /// The number of sessions that are connected now.
    pub live_sessions: u64,
    /// The number of sessions that began lately.
    pub began: u64,
    /// The number of sessions that ended lately.
    pub ended: u64,
    /// The number of denials lately.
    pub denied: u64,
    /// Octets from the users, of the sessions that ended lately.
    #[serde(rename = "acct_input_octets")]
    pub input_octets: u64,
    /// Octets to the users, of the sessions that ended lately.
    #[serde(rename = "acct_output_octets")]
    pub output_octets: u64,
    /// How full the pools are.
    pub pools: Vec<PoolUse>,
    /// The latest sessions that are connected now, the latest first.
    pub live: Vec<SessionRow>,
    /// The latest denials, the latest first.
    pub denials: Vec<DecisionRow>,
}

impl Reader {
    /// What happens now, and has happened since a time. `limit`: at most so many sessions, and so many denials.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn overview(&self, plan: &Plan, since: Millis, now: Millis, limit: u32) -> Result<Overview, Error> {
        let latest = Filter { limit: Some(limit), ..Filter::default() };
        let lately = Filter { since: Some(since), ..latest.clone() };
        let mut overview = Overview {
            time: now,
            since,
            live_sessions: 0,
            began: 0,
            ended: 0,
            denied: self.refused(since, Millis::MAX)?.iter().map(|refused| refused.times).sum(),
            input_octets: 0,
            output_octets: 0,
            pools: PoolUse::of(&plan.pools, &self.pool_use()?),
            live: self.sessions(&latest, true)?,
            denials: self.decisions(&lately, true, None)?,
        };
        self.each_summed_in(since, Millis::MAX, &mut |_, _| {}, &mut |session| {
            overview.began += u64::from(session.acct_start_time >= since);
            if session.is_live() {
                overview.live_sessions += 1;
            } else {
                overview.ended += 1;
                overview.input_octets += session.acct_input_octets.unwrap_or(0);
                overview.output_octets += session.acct_output_octets.unwrap_or(0);
            }
        })?;
        Ok(overview)
    }
}
