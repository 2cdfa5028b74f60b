//! Decisions, and what explains them.

use super::which::{Conditions, Which};
use super::{Reader, rfc3339, rfc3339_or_null};
use crate::{Error, RowId};
use rasadmin_engine::Millis;
use rasadmin_engine::config::Bundle;
use rasadmin_engine::rules::Counted;
use rasadmin_engine::{Facts, Name, Stage};
use rusqlite::Row;
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
    pub counted: Counted,
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

const COLUMNS: &str = "id, time, server, session, stage, domain, name, user_name, outcome, rule, reason, config,
    facts, counted, refusal, groups, repeated, last";

fn decided(row: &Row<'_>) -> rusqlite::Result<Decided> {
    let name = |at: usize| row.get::<_, Option<String>>(at).map(|text| text.map(Name::from_stored));
    let broken = |at: usize| {
        move |e: serde_json::Error| {
            rusqlite::Error::FromSqlConversionFailure(at, rusqlite::types::Type::Text, Box::new(e))
        }
    };
    let stage = format!("\"{}\"", row.get::<_, String>(4)?);
    Ok(Decided {
        id: row.get(0)?,
        time: row.get(1)?,
        server: Name::from_stored(row.get(2)?),
        session: row.get(3)?,
        stage: serde_json::from_str(&stage).map_err(broken(4))?,
        domain: name(5)?,
        name: name(6)?,
        user_name: Name::from_stored(row.get(7)?),
        outcome: row.get(8)?,
        rule: row.get(9)?,
        reason: row.get(10)?,
        config: row.get(11)?,
        facts: serde_json::from_str(&row.get::<_, String>(12)?).map_err(broken(12))?,
        counted: serde_json::from_str(&row.get::<_, String>(13)?).map_err(broken(13))?,
        refusal: row.get(14)?,
        groups: serde_json::from_str(&row.get::<_, String>(15)?).map_err(broken(15))?,
        repeated: row.get::<_, i64>(16)?.cast_unsigned(),
        last: row.get(17)?,
    })
}

impl Reader {
    /// Decisions, the latest first; `denied`: only those.
    pub fn decisions(&self, which: &Which, denied: bool, rule: Option<&str>) -> Result<Vec<Decided>, Error> {
        let mut conditions = Conditions::of(which, "server", "time");
        if denied {
            conditions.add("outcome = 'deny'");
        }
        if let Some(rule) = rule {
            conditions.with("rule = ? COLLATE NOCASE", rule.to_owned());
        }
        let limit = which.limit.map_or(-1, i64::from);
        let sql = format!("SELECT {COLUMNS} FROM decisions {} ORDER BY id DESC LIMIT {limit}", conditions.sql());
        self.rows(&sql, &conditions.values(), decided)
    }

    /// The decisions of a session, in the order of time: also those for its addresses, which came before it.
    pub fn decisions_of(&self, session: RowId) -> Result<Vec<Decided>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM decisions WHERE session = ?1
             UNION SELECT {COLUMNS} FROM decisions WHERE id IN (SELECT decision FROM leases WHERE session = ?1)
             ORDER BY id"
        );
        self.rows(&sql, &[&session], decided)
    }

    /// One decision.
    pub fn decision(&self, id: RowId) -> Result<Option<Decided>, Error> {
        Ok(self.rows(&format!("SELECT {COLUMNS} FROM decisions WHERE id = ?1"), &[&id], decided)?.pop())
    }

    /// The texts of a configuration that was in force, by its hash.
    pub fn config(&self, hash: &str) -> Result<Option<Bundle>, Error> {
        let texts = self.rows("SELECT texts FROM configs WHERE hash = ?1", &[&hash], |row| row.get::<_, String>(0))?;
        Ok(texts.first().and_then(|texts| serde_json::from_str(texts).ok()))
    }
}
