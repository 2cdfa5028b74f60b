//! What is in force for a user: the rules that name the user, the limits, the block.

use rasadmin_engine::config::Config;
use rasadmin_engine::effect::{Block, BlockSubject};
use rasadmin_engine::explain::{Question, explain};
use rasadmin_engine::rules::{Explained, ExplainedCondition, Outcome, Truth};
use rasadmin_engine::{Identity, InterfaceType, Name, Quarantine, Stamp, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Conditions about who connects.
const WHO: [&str; 4] = ["users", "groups", "not_users", "not_groups"];
/// Conditions that count.
const LIMITS: [&str; 4] = ["user_sessions", "group_sessions", "connect_time", "octets"];

/// A limit of a rule, and what counts towards it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LimitUse {
    /// The rule.
    pub rule: String,
    /// The condition: `user_sessions`, `group_sessions`, `connect_time` or `octets`.
    pub field: String,
    /// What the condition asks for, as text.
    pub limit: String,
    /// What counts towards it, as text.
    pub used: String,
    /// What counts towards it, as a number: sessions, seconds or octets. Null if it was not counted.
    pub used_number: Option<u64>,
    /// The limit, as a number: sessions, seconds or octets. Null if nothing was counted.
    pub limit_number: Option<u64>,
    /// Whether the condition holds now. Null if that depends on the connection: a client that returns replaces its
    /// session, for example.
    pub reached: Option<bool>,
    /// Whether a new session is accepted when the limit is exceeded, and marks the user's oldest one to be disconnected
    /// (`when_exceeded = "replace-oldest"`).
    pub replaces_oldest: bool,
}

/// What is in force, as the journal has it.
#[derive(Debug)]
pub struct InForce<'a> {
    /// The configuration.
    pub config: &'a Arc<Config>,
    /// The state according to the journal; an empty one if there is none.
    pub state: &'a State,
    /// The server.
    pub server: &'a Name,
    /// Now, on the clocks of the journal's records.
    pub at: Stamp,
}

/// What is in force for one user. It is known from the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserInForce {
    /// The rules that name the user or one of the user's groups, in order.
    pub rules: Vec<String>,
    /// The limits that concern the user, in the order of the rules, as they would count if the user connected now.
    pub limits: Vec<LimitUse>,
    /// The user's block.
    pub block: Option<Block>,
}

impl UserInForce {
    /// What is in force for this user.
    pub fn of(user: &Identity, in_force: &InForce<'_>) -> Self {
        let (rules, limits) = rules(user, in_force);
        let block = in_force.state.block(&BlockSubject::User(user.clone()), in_force.at.time).cloned();
        Self { rules, limits, block }
    }
}

/// The rules that name a user, and the limits that concern the user.
fn rules(user: &Identity, in_force: &InForce<'_>) -> (Vec<String>, Vec<LimitUse>) {
    let question = Question {
        user: Name::new(&user.to_string()),
        domain: Name::default(),
        at: in_force.at,
        server: in_force.server.clone(),
        port: None,
        tunnel: None,
        source: None,
        computer: None,
        quarantine: Some(Quarantine::Normal),
        interface: Some(InterfaceType::Client),
        offer: None,
        ipv6: false,
    };
    let stages = explain(in_force.config, in_force.state, &question);
    let all = stages.first().map(|stage| stage.rules.as_slice()).unwrap_or_default();
    let counts = stages.first().map(|stage| stage.counted.counts(&in_force.config.groups)).unwrap_or_default();
    let is_about = |condition: &&ExplainedCondition<'_>| WHO.contains(&condition.field);
    let concerns = |rule: &&Explained<'_>| rule.conditions.iter().filter(is_about).all(|c| c.truth != Truth::False);
    let names = all.iter().filter(concerns).filter(|rule| rule.conditions.iter().any(|c| is_about(&c)));
    let names = names.filter_map(|rule| rule.rule).map(str::to_owned).collect();
    let limits = all.iter().filter(concerns).flat_map(|rule| {
        let counting = rule.conditions.iter().filter(|condition| LIMITS.contains(&condition.field));
        counting.map(|condition| {
            let name = rule.rule.unwrap_or_default();
            let (used_number, limit_number) = in_force.config.rules.part_used(name, condition.field, &counts).unzip();
            LimitUse {
                rule: name.to_owned(),
                field: condition.field.to_owned(),
                limit: condition.asked.to_owned(),
                used: condition.found.clone(),
                used_number,
                limit_number,
                reached: match condition.truth {
                    Truth::True => Some(true),
                    Truth::False => Some(false),
                    Truth::Unknown => None,
                },
                replaces_oldest: rule.outcome == Outcome::Replaces && condition.field == "user_sessions",
            }
        })
    });
    (names, limits.collect())
}
