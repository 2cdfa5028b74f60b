//! How often, and why, users were denied in a period.

use super::{DecidedBy, Reader, rfc3339};
use crate::value::values;
use crate::{Error, queries};
use rasadmin_engine::{Decision, Millis, Refusal};
use schemars::JsonSchema;
use serde::Serialize;

/// The denials of a period with the same cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Refused {
    /// What denied.
    pub decided_by: DecidedBy,
    /// The rule. Null if no rule did.
    pub rule: Option<String>,
    /// Why the DLL itself did: `exhausted`, `blocked` and so on. Null if it did not.
    pub refusal: Option<String>,
    /// The reason, for people.
    pub reason: Option<String>,
    /// How often. A refusal that repeats within a minute counts once.
    pub times: u64,
    /// When it last happened: RFC 3339, UTC.
    #[serde(serialize_with = "rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub last: Millis,
}

impl Refused {
    fn new(rule: Option<String>, refusal: Option<String>, reason: Option<String>, times: u64, last: Millis) -> Self {
        let decided_by = DecidedBy::of(rule.as_deref(), refusal.as_deref());
        Self { decided_by, rule, refusal, reason, times, last }
    }

    /// Adds a denial to those that are known. A decision that allows is left out.
    pub fn add(all: &mut Vec<Self>, decision: &Decision) {
        if decision.allow {
            return;
        }
        let refusal = decision.refusal.as_ref().map(Refusal::name).map(str::to_owned);
        let rule = decision.rule.clone().filter(|_| refusal.is_none());
        let one = Self::new(rule, refusal, decision.why(), 1, decision.time);
        let same = |of: &&mut Self| of.rule == one.rule && of.refusal == one.refusal && of.reason == one.reason;
        match all.iter_mut().find(same) {
            Some(known) => {
                known.times += 1;
                known.last = known.last.max(one.last);
            }
            None => all.push(one),
        }
    }
}

impl Reader {
    /// Denials from `from` (included) to `to` (not included) by their cause, the most frequent first.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn refused(&self, from: Millis, to: Millis) -> Result<Vec<Refused>, Error> {
        self.database.all(queries::REFUSED, values! { from: from, to: to }, |row| {
            Ok(Refused::new(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })
    }
}
