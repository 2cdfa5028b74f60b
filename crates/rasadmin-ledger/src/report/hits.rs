//! How often each rule has decided.

use super::Reader;
use crate::value::values;
use crate::{Error, RowId, queries};
use rasadmin_engine::Millis;

/// How often a rule, or the default, has decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// How many of its decisions allowed. RRAS asks several times for each connection, and each counts.
    pub allowed: u64,
    /// How many of its decisions denied. A refusal that repeats within a minute counts once.
    pub denied: u64,
    /// Its last decision, however old: the number and the time.
    pub last: Option<(RowId, Millis)>,
}

/// The active sessions that a rule was to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The rule.
    pub rule: String,
    /// How many sessions there were, whether they were disconnected or only reported.
    pub sessions: u64,
    /// When the last one was to end, however long ago.
    pub last: Millis,
}

impl Reader {
    /// How often a rule has decided since a time. None is the default.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn hits(&self, rule: Option<&str>, since: Millis) -> Result<Hits, Error> {
        let count = |row: &crate::sqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let last = |row: &crate::sqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let (counted, last): (Option<(u64, u64)>, _) = match rule {
            Some(rule) => (
                self.database.one(queries::HITS_OF_RULE, values! { rule: rule, since: since }, count)?,
                self.database.one(queries::LAST_HIT_OF_RULE, values! { rule: rule }, last)?,
            ),
            None => (
                self.database.one(queries::HITS_OF_DEFAULT, values! { since: since }, count)?,
                self.database.one(queries::LAST_HIT_OF_DEFAULT, values! {}, last)?,
            ),
        };
        let (allowed, denied) = counted.unwrap_or_default();
        Ok(Hits { allowed, denied, last })
    }

    /// How many active sessions each rule was to end since a time.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn cut_by_rules(&self, since: Millis) -> Result<Vec<Cut>, Error> {
        self.database.all(queries::CUT_BY_RULES, values! { since: since }, |row| {
            Ok(Cut { rule: row.get(0)?, sessions: row.get(1)?, last: row.get(2)? })
        })
    }
}
