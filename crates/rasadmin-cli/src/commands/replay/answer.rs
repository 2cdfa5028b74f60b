//! The answer of `rasadmin replay` for programs.

use super::Row;
use rasadmin_history::simulate::{self, Because, ByRule, ByUser, Report};
use rasadmin_policy::Millis;
use rasadmin_policy::config::Config;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// What the configuration would have made of the past.
#[derive(Serialize, JsonSchema)]
pub struct Answer {
    /// What was replayed: a ledger, a trace or logs.
    source: String,
    /// The hash of the candidate configuration.
    config: String,
    /// What would change.
    report: ReportAnswer,
    /// How many lines of the logs were invalid, and skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    malformed_lines: Option<u64>,
    /// With --each: the attempts whose answer would change.
    #[serde(skip_serializing_if = "Option::is_none")]
    each: Option<Vec<ChangedAttempt>>,
}

/// What would change, in numbers.
#[derive(Serialize, JsonSchema)]
struct ReportAnswer {
    /// How many attempts were replayed.
    attempts: u64,
    /// How many of them were accepted.
    accepted_then: u64,
    /// How many of them a DLL refused.
    refused_then: u64,
    /// How many of them NPS refused, before a DLL was asked: no configuration changes these.
    refused_by_nps: u64,
    /// How many of these the configuration would refuse too.
    refused_by_both: u64,
    /// How many were accepted, and would be refused.
    newly_refused: u64,
    /// How many were refused, and would be accepted.
    newly_accepted: u64,
    /// How many answers depend on facts that the source lacks.
    rest_on_lacking: u64,
    /// How many answers depend on each of these facts, by the name of the condition.
    lacking: BTreeMap<&'static str, u64>,
    /// What would change, by rule: the most changes first.
    by_rule: Vec<RuleAnswer>,
    /// What would change, by user: the most changes first.
    by_user: Vec<UserAnswer>,
    /// How the pools would have been used.
    pools: Vec<PoolAnswer>,
}

/// What would change by a rule.
#[derive(Serialize, JsonSchema)]
struct RuleAnswer {
    /// The rule, or the reason of the engine itself.
    because: BecauseAnswer,
    /// The rule's reason.
    reason: Option<String>,
    /// How many attempts were accepted, and would be refused.
    refused: u64,
    /// How many attempts were refused, and would be accepted.
    accepted: u64,
    /// How many users they are of.
    users: u64,
    /// When the first of them was: RFC 3339, UTC.
    first: String,
    /// When the last of them was: RFC 3339, UTC.
    last: String,
}

/// Why an attempt would be refused or accepted.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum BecauseAnswer {
    /// This rule decides.
    Rule(String),
    /// No rule decides, so the default does.
    Default,
    /// The pool has no free address.
    PoolExhausted(String),
    /// There is no address for another reason.
    NoAddress(String),
}

/// What would change for a user.
#[derive(Serialize, JsonSchema)]
struct UserAnswer {
    /// The user.
    user: String,
    /// How many attempts were accepted, and would be refused.
    refused: u64,
    /// How many attempts were refused, and would be accepted.
    accepted: u64,
    /// How many attempts there were.
    attempts: u64,
}

/// How a pool would have been used on a server.
#[derive(Serialize, JsonSchema)]
struct PoolAnswer {
    /// The pool's name.
    pool: String,
    /// The server.
    server: String,
    /// 4 or 6.
    family: u8,
    /// How many addresses it has.
    size: u64,
    /// How many of them were in use at once, at most.
    peak: u64,
    /// When they were, for the first time: RFC 3339, UTC.
    peak_at: String,
    /// When a user found no free address for the first time: RFC 3339, UTC.
    exhausted_first: Option<String>,
    /// When a user found no free address for the last time: RFC 3339, UTC.
    exhausted_last: Option<String>,
    /// How often a user found no free address.
    exhausted_times: u64,
}

/// An attempt whose answer would change.
#[derive(Serialize, JsonSchema)]
pub struct ChangedAttempt {
    /// When it was: RFC 3339, UTC.
    time: String,
    /// The user.
    user: String,
    /// `accepted` or `refused`.
    would_be: &'static str,
    /// The rule, or the reason in parentheses.
    by: String,
}

impl Answer {
    /// `each`: with --each.
    pub fn new(
        source: String,
        config: &Config,
        report: &Report,
        malformed_lines: Option<u64>,
        each: Option<Vec<ChangedAttempt>>,
    ) -> Self {
        Self { source, config: config.hash.clone(), report: report.into(), malformed_lines, each }
    }
}

impl From<&Report> for ReportAnswer {
    fn from(report: &Report) -> Self {
        Self {
            attempts: report.attempts,
            accepted_then: report.accepted_then,
            refused_then: report.refused_then,
            refused_by_nps: report.refused_by_nps,
            refused_by_both: report.refused_by_both,
            newly_refused: report.newly_refused,
            newly_accepted: report.newly_accepted,
            rest_on_lacking: report.rest_on_lacking,
            lacking: report.lacking.clone(),
            by_rule: report.by_rule.iter().map(Into::into).collect(),
            by_user: report.by_user.iter().map(Into::into).collect(),
            pools: report.pools.iter().map(Into::into).collect(),
        }
    }
}

impl From<&ByRule> for RuleAnswer {
    fn from(rule: &ByRule) -> Self {
        let because = match rule.because.clone() {
            Because::Rule(rule) => BecauseAnswer::Rule(rule),
            Because::Default => BecauseAnswer::Default,
            Because::PoolExhausted(pool) => BecauseAnswer::PoolExhausted(pool),
            Because::NoAddress(why) => BecauseAnswer::NoAddress(why),
        };
        Self {
            because,
            reason: rule.reason.clone(),
            refused: rule.refused,
            accepted: rule.accepted,
            users: rule.users,
            first: rfc3339(rule.first),
            last: rfc3339(rule.last),
        }
    }
}

impl From<&ByUser> for UserAnswer {
    fn from(user: &ByUser) -> Self {
        let ByUser { user, refused, accepted, attempts } = user.clone();
        Self { user, refused, accepted, attempts }
    }
}

impl From<&simulate::PoolUse> for PoolAnswer {
    fn from(pool: &simulate::PoolUse) -> Self {
        Self {
            pool: pool.pool.clone(),
            server: pool.server.to_string(),
            family: pool.family,
            size: pool.size,
            peak: pool.peak,
            peak_at: rfc3339(pool.peak_at),
            exhausted_first: pool.exhausted_first.map(rfc3339),
            exhausted_last: pool.exhausted_last.map(rfc3339),
            exhausted_times: pool.exhausted_times,
        }
    }
}

impl From<&Row> for ChangedAttempt {
    fn from(row: &Row) -> Self {
        Self { time: rfc3339(row.time), user: row.user.clone(), would_be: row.would_be, by: row.by.clone() }
    }
}

fn rfc3339(time: Millis) -> String {
    jiff::Timestamp::from_millisecond(time).unwrap_or_default().to_string()
}
