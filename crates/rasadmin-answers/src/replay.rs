//! The answer of `rasadmin replay` for programs.

use rasadmin_history::simulate::{self, Because, ByRule, ByUser, Report};
use rasadmin_policy::Millis;
use rasadmin_policy::config::Config;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the configuration would have made of the past.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// What was replayed: a ledger, a trace or logs.
    pub source: String,
    /// The hash of the candidate configuration.
    pub config: String,
    /// What would change.
    pub report: ReportAnswer,
    /// How many lines of the logs were invalid, and skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub malformed_lines: Option<u64>,
    /// With --each: the attempts whose answer would change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub each: Option<Vec<ChangedAttempt>>,
}

/// What would change, in numbers.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReportAnswer {
    /// How many attempts were replayed.
    pub attempts: u64,
    /// How many of them were accepted.
    pub accepted_then: u64,
    /// How many of them a DLL refused.
    pub refused_then: u64,
    /// How many of them NPS refused, before a DLL was asked: no configuration changes these.
    pub refused_by_nps: u64,
    /// How many of these the configuration would refuse too.
    pub refused_by_both: u64,
    /// How many were accepted, and would be refused.
    pub newly_refused: u64,
    /// How many were refused, and would be accepted.
    pub newly_accepted: u64,
    /// How many answers depend on facts that the source lacks.
    pub rest_on_lacking: u64,
    /// How many answers depend on each of these facts, by the name of the condition.
    pub lacking: BTreeMap<String, u64>,
    /// What would change, by rule: the most changes first.
    pub by_rule: Vec<RuleAnswer>,
    /// What would change, by user: the most changes first.
    pub by_user: Vec<UserAnswer>,
    /// How the pools would have been used.
    pub pools: Vec<PoolAnswer>,
    /// Rules of the configuration that decided none of the attempts, in its order. Rules that end live sessions, or replace
    /// the oldest one, are left out.
    #[serde(default)]
    pub unused_rules: Vec<String>,
}

/// What would change by a rule.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct RuleAnswer {
    /// The rule, or the reason of the engine itself.
    pub because: BecauseAnswer,
    /// The rule's reason.
    pub reason: Option<String>,
    /// How many attempts were accepted, and would be refused.
    pub refused: u64,
    /// How many attempts were refused, and would be accepted.
    pub accepted: u64,
    /// How many users they are of.
    pub users: u64,
    /// When the first of them was: RFC 3339, UTC.
    pub first: String,
    /// When the last of them was: RFC 3339, UTC.
    pub last: String,
}

/// Why an attempt would be refused or accepted.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BecauseAnswer {
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
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct UserAnswer {
    /// The user.
    pub user: String,
    /// How many attempts were accepted, and would be refused.
    pub refused: u64,
    /// How many attempts were refused, and would be accepted.
    pub accepted: u64,
    /// How many attempts there were.
    pub attempts: u64,
}

/// How a pool would have been used on a server.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct PoolAnswer {
    /// The pool's name.
    pub pool: String,
    /// The server.
    pub server: String,
    /// 4 or 6.
    pub family: u8,
    /// How many addresses it has.
    pub size: u64,
    /// How many of them were in use at once, at most.
    pub peak: u64,
    /// When they were, for the first time: RFC 3339, UTC.
    pub peak_at: String,
    /// When a user found no free address for the first time: RFC 3339, UTC.
    pub exhausted_first: Option<String>,
    /// When a user found no free address for the last time: RFC 3339, UTC.
    pub exhausted_last: Option<String>,
    /// How often a user found no free address.
    pub exhausted_times: u64,
}

/// An attempt whose answer would change.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ChangedAttempt {
    /// When it was: RFC 3339, UTC.
    pub time: String,
    /// The user.
    pub user: String,
    /// `accepted` or `refused`.
    pub would_be: String,
    /// The rule, or the reason in parentheses.
    pub by: String,
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

    /// Keeps only the users for whom most would change. Returns how many it has left out.
    pub fn keep_users(&mut self, most: usize) -> usize {
        let left_out = self.report.by_user.len().saturating_sub(most);
        self.report.by_user.truncate(most);
        left_out
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
            lacking: report.lacking.iter().map(|(fact, count)| ((*fact).to_owned(), *count)).collect(),
            by_rule: report.by_rule.iter().map(Into::into).collect(),
            by_user: report.by_user.iter().map(Into::into).collect(),
            pools: report.pools.iter().map(Into::into).collect(),
            unused_rules: report.unused_rules.clone(),
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

impl ChangedAttempt {
    /// `time` is in milliseconds since 1970.
    pub fn new(time: Millis, user: String, would_be: &'static str, by: String) -> Self {
        Self { time: rfc3339(time), user, would_be: would_be.to_owned(), by }
    }
}

fn rfc3339(time: Millis) -> String {
    jiff::Timestamp::from_millisecond(time).unwrap_or_default().to_string()
}
