//! Queries for decisions, and for what explains them.

use super::filter::Filter;
use super::{Reader, decided_by::refusal_of_words, decided_by_in_words, rfc3339, rfc3339_or_null};
use crate::sqlite::{ColumnError, Row};
use crate::value::{Value, values};
use crate::{Error, RowId, queries};
use rasadmin_engine::Millis;
use rasadmin_engine::config::Bundle;
use rasadmin_engine::rules::RecordedCounts;
use rasadmin_engine::{Facts, Name, Stage};
use schemars::JsonSchema;
use serde::Serialize;
use std::borrow::Cow;
use std::cmp::Reverse;

/// A decision: what the DLL answered, and what it was based on.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct DecisionRow {
    /// The decision's number in this ledger.
    pub id: RowId,
    /// When it was made: RFC 3339, UTC.
    #[serde(rename = "event_timestamp", serialize_with = "rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub time: Millis,
    /// The RRAS server.
    #[serde(rename = "nas_identifier")]
    pub server: Name,
    /// The number of the session. Null if there was none yet.
    pub session: Option<RowId>,
    /// The event that RRAS asked about.
    pub stage: Stage,
    /// The user's domain in upper case, as `[domains]` maps it. Null if RRAS passed no name.
    pub domain: Option<Name>,
    /// The user's name in upper case, without the domain. Null if RRAS passed no name.
    pub name: Option<Name>,
    /// The user, exactly as RRAS passed it.
    pub user_name: Name,
    /// `allow`, `allow for now` (a condition needs a fact that is not yet known) or `deny`.
    pub outcome: String,
    /// The rule that decided. Null is the configuration's default.
    pub rule: Option<String>,
    /// Why, for people: the rule's reason, or the meaning of `refusal`.
    pub reason: Option<String>,
    /// Why the DLL refused what the rules allowed: `exhausted`, `blocked` and so on. Null if it did not.
    pub refusal: Option<String>,
    /// The digest of the configuration that was in force.
    pub config: String,
    /// What was known about the connection.
    pub facts: Facts,
    /// The user's groups at that time.
    pub groups: Vec<String>,
    /// What was counted because a rule needed it.
    pub counted: RecordedCounts,
    /// How often the same rule refused the same user again within a minute.
    pub repeated: u64,
    /// When it last did: RFC 3339, UTC. Null if it did not.
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub last: Option<Millis>,
    /// The log that it was imported from: `odbc`, `dts` or `ias`. NPS refused this attempt before it asked RRAS to let
    /// the user in, so rasadmin decided nothing, and `config` is empty. Null if it is a decision of the DLL.
    pub imported: Option<String>,
    /// Reason-Code: why NPS refused. Null if the log does not say, and for decisions of the DLL.
    pub reason_code: Option<u32>,
}

/// Stands for the rule of imported decisions where rules are listed.
pub const DECIDED_BY_NPS: &str = "(NPS)";

impl DecisionRow {
    /// Did it deny?
    pub fn is_denied(&self) -> bool {
        self.outcome == "deny"
    }

    /// Was it a block that denied, before any rule?
    pub fn is_blocked(&self) -> bool {
        self.refusal.as_deref() == Some("blocked")
    }

    /// What decided, for people: the rule, or something else in brackets.
    pub fn decided_by(&self) -> Cow<'_, str> {
        match self.imported {
            Some(_) => DECIDED_BY_NPS.into(),
            None => decided_by_in_words(self.rule.as_deref(), self.refusal.as_deref()),
        }
    }
}

/// Reads a column with JSON.
fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, at: usize) -> Result<T, ColumnError> {
    serde_json::from_str(&row.get::<String>(at)?).map_err(|e| ColumnError::new(at, e))
}

pub(super) fn decision_row(row: &Row<'_>) -> Result<DecisionRow, ColumnError> {
    Ok(DecisionRow {
        id: row.get(0)?,
        time: row.get(1)?,
        server: row.get(2)?,
        session: row.get(3)?,
        stage: serde_json::from_value(row.get::<String>(4)?.into()).map_err(|e| ColumnError::new(4, e))?,
        domain: row.get(5)?,
        name: row.get(6)?,
        user_name: row.get(7)?,
        outcome: row.get(8)?,
        rule: row.get(9)?,
        reason: row.get(10)?,
        config: row.get(11)?,
        facts: json(row, 12)?,
        counted: json(row, 13)?,
        refusal: row.get(14)?,
        groups: json(row, 15)?,
        repeated: row.get(16)?,
        last: row.get(17)?,
        imported: row.get(18)?,
        reason_code: row.get(19)?,
    })
}

/// The values of a filter and a rule.
pub(super) fn values_of<'v>(filter: &'v Filter, rule: Option<&'v str>) -> Vec<(&'static str, Value<'v>)> {
    let of_user = filter.user.is_some();
    let mut values = filter.limited();
    // Statements for everyone have no condition on the user.
    values.retain(|(name, _)| of_user || !matches!(*name, ":name" | ":domain"));
    values.push((":rule", rule.into()));
    values.push((":refusal", rule.and_then(refusal_of_words).into()));
    values
}

impl Reader {
    /// Decisions, the latest first, also imported ones. If `denied`, only denials. `rule`: only what this decided, as
    /// [`DecisionRow::decided_by`] says it, in upper or lower case.
    pub fn decisions(&self, filter: &Filter, denied: bool, rule: Option<&str>) -> Result<Vec<DecisionRow>, Error> {
        let of_user = filter.user.is_some();
        let values = values_of(filter, rule);
        let one = match (denied, of_user) {
            (true, true) => Some(queries::DENIALS_OF_USER),
            (true, false) => Some(queries::DENIALS),
            (false, true) => Some(queries::DECISIONS_OF_USER),
            (false, false) => None,
        };
        if let Some(query) = one {
            return self.database.all(query, &values, decision_row);
        }
        let mut all = self.database.all(queries::DECISIONS, &values, decision_row)?;
        let imported = self.database.all(queries::DECISIONS_OF_LOGS, &values, decision_row)?;
        if !imported.is_empty() {
            all.extend(imported);
            // A stable sort: the ledger's own stay in the order in which they were made.
            all.sort_by_key(|decision| Reverse(decision.time));
            all.truncate(filter.limit.map_or(usize::MAX, |limit| limit as usize));
        }
        Ok(all)
    }

    /// Calls `each` for every denial of a period, also imported ones, the latest first.
    pub fn each_denial_in(&self, from: Millis, to: Millis, each: &mut dyn FnMut(DecisionRow)) -> Result<(), Error> {
        let filter = Filter { since: Some(from), until: Some(to), ..Filter::default() };
        self.database.each(queries::DENIALS, &values_of(&filter, None), |row| decision_row(row).map(&mut *each))
    }

    /// The decisions of a session in the order of time, including earlier ones for its addresses.
    pub fn decisions_of(&self, session: RowId) -> Result<Vec<DecisionRow>, Error> {
        self.database.all(queries::DECISIONS_OF_SESSION, values! { session: session }, decision_row)
    }

    /// One decision.
    pub fn decision(&self, id: RowId) -> Result<Option<DecisionRow>, Error> {
        self.database.one(queries::DECISION, values! { id: id }, decision_row)
    }

    /// The texts of a configuration by its hash.
    pub fn config(&self, hash: &str) -> Result<Option<Bundle>, Error> {
        let texts = self.database.one(queries::CONFIG, values! { hash: hash }, |row| row.get::<String>(0))?;
        Ok(texts.and_then(|texts| serde_json::from_str(&texts).ok()))
    }
}
