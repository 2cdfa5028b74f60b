//! Decisions, and what explains them.

use super::filter::Filter;
use super::{Reader, rfc3339, rfc3339_or_null};
use crate::sqlite::{Row, Unfit};
use crate::value::values;
use crate::{Error, RowId, queries};
use rasadmin_engine::Millis;
use rasadmin_engine::config::Bundle;
use rasadmin_engine::rules::RecordedCounts;
use rasadmin_engine::{Facts, Name, Stage};
use serde::Serialize;

/// A decision, as its row has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Decided {
    pub id: RowId,
    #[serde(serialize_with = "rfc3339")]
    pub time: Millis,
    pub server: Name,
    pub session: Option<RowId>,
    pub stage: Stage,
    pub domain: Option<Name>,
    pub name: Option<Name>,
    pub user_name: Name,
    pub outcome: String,
    pub rule: Option<String>,
    pub reason: Option<String>,
    /// What the engine refused for, though the rules allowed it: `exhausted` and so on.
    pub refusal: Option<String>,
    pub config: String,
    pub facts: Facts,
    /// The user's groups then.
    pub groups: Vec<String>,
    /// What was counted, as far as the rules asked.
    pub counted: RecordedCounts,
    /// How often the same was refused again within a minute.
    pub repeated: u64,
    /// When for the last time; None if it was not.
    #[serde(serialize_with = "rfc3339_or_null")]
    pub last: Option<Millis>,
}

impl Decided {
    /// Was it to deny?
    pub fn is_denied(&self) -> bool {
        self.outcome == "deny"
    }
}

/// A column that has JSON.
fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, at: usize) -> Result<T, Unfit> {
    serde_json::from_str(&row.get::<String>(at)?).map_err(|e| Unfit::new(at, e))
}

fn decided(row: &Row<'_>) -> Result<Decided, Unfit> {
    Ok(Decided {
        id: row.get(0)?,
        time: row.get(1)?,
        server: row.get(2)?,
        session: row.get(3)?,
        stage: serde_json::from_value(row.get::<String>(4)?.into()).map_err(|e| Unfit::new(4, e))?,
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
    })
}

impl Reader {
    /// Decisions, the latest first; `denied`: only those.
    pub fn decisions(&self, filter: &Filter, denied: bool, rule: Option<&str>) -> Result<Vec<Decided>, Error> {
        let mut values = filter.limited();
        values.push((":rule", rule.into()));
        if denied && (filter.since.is_some() || filter.until.is_some()) {
            return self.database.all(queries::DENIALS, &values, decided);
        }
        values.push((":outcome", denied.then_some("deny").into()));
        self.database.all(queries::DECISIONS, &values, decided)
    }

    /// The decisions of a session, in the order of time: also those for its addresses, which came before it.
    pub fn decisions_of(&self, session: RowId) -> Result<Vec<Decided>, Error> {
        self.database.all(queries::DECISIONS_OF_SESSION, values! { session: session }, decided)
    }

    /// One decision.
    pub fn decision(&self, id: RowId) -> Result<Option<Decided>, Error> {
        self.database.one(queries::DECISION, values! { id: id }, decided)
    }

    /// The texts of a configuration that was in force, by its hash.
    pub fn config(&self, hash: &str) -> Result<Option<Bundle>, Error> {
        let texts = self.database.one(queries::CONFIG, values! { hash: hash }, |row| row.get::<String>(0))?;
        Ok(texts.and_then(|texts| serde_json::from_str(&texts).ok()))
    }
}
