//! Deletes or anonymises what ended before a time. Live data stays.

use crate::queries::{self, Query};
use crate::sqlite::{ColumnError, Database, Row};
use crate::value::{Value, Values, values};
use crate::{Error, RowId};
use rasadmin_engine::{Fact, Facts, Id, Identity, Millis, Name};
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Whose past data to remove: everyone's, or one user's. Live data is never affected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgetScope {
    /// Removes what ended before this time.
    pub before: Millis,
    /// The first day that stays, in the configured time zone: `2026-11-23`.
    pub first_day: String,
    /// Only this user's data.
    pub user: Option<Identity>,
    /// The time of the removal: what ended later was live then.
    pub now: Millis,
}

/// The numbers of rows that were purged or made anonymous.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ForgetCounts {
    /// Sessions.
    pub sessions: u64,
    /// Links. `anonymise` changes none, because a link names nobody.
    pub links: u64,
    /// Leases.
    pub leases: u64,
    /// Decisions.
    pub decisions: u64,
    /// Days of use: one row for a session and a day.
    pub usage_days: u64,
    /// Anomalies.
    pub anomalies: u64,
}

impl std::ops::AddAssign for ForgetCounts {
    fn add_assign(&mut self, more: Self) {
        self.sessions += more.sessions;
        self.links += more.links;
        self.leases += more.leases;
        self.decisions += more.decisions;
        self.usage_days += more.usage_days;
        self.anomalies += more.anomalies;
    }
}

/// The prefix of a pseudonym, which no directory uses for a user.
const MARK: &str = "ANON-";

/// The number of rows that are read at once.
const BATCH: i64 = 500;

/// Makes pseudonyms: keyed hashes, with the random bytes of the `anonymise` record as the key. So reading that record
/// again gives the same pseudonyms, and they cannot be traced back once its segment is deleted.
pub(crate) struct Pseudonyms {
    key: Id,
}

impl Pseudonyms {
    /// `record` is the record's random bytes. No table contains them.
    pub const fn of(record: Id) -> Self {
        Self { key: record }
    }

    fn name(&self, domain: &str, name: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(self.key.0.to_be_bytes());
        // Neither contains a NUL.
        hash.update([domain.as_bytes(), b"\0", name.as_bytes()].concat());
        let digits: String = hash.finalize()[..6].iter().map(|byte| format!("{byte:02X}")).collect();
        format!("{MARK}{digits}")
    }
}

impl ForgetScope {
    /// Selects the statement for everyone, or for one user.
    fn either(&self, all: Query, one: Query) -> Query {
        if self.user.is_some() { one } else { all }
    }

    fn domain(&self) -> Option<&Name> {
        self.user.as_ref().map(|user| &user.domain)
    }

    fn name(&self) -> Option<&Name> {
        self.user.as_ref().map(|user| &user.name)
    }
}

/// Deletes past sessions with their links, octets over time, leases, decisions, days of use and anomalies, and configurations that no
/// decision needs any more. Deleted data is overwritten.
pub(crate) fn purge(database: &Database, scope: &ForgetScope) -> Result<ForgetCounts, Error> {
    let delete = |query: Query, values: &Values<'_>| database.run(query, values).map(|n| n as u64);
    let ended = values! { before: scope.before, domain: scope.domain(), name: scope.name() };
    let days = values! { first_day: &scope.first_day, now: scope.now, domain: scope.domain(), name: scope.name() };
    // The order matters: days of use and decisions refer to sessions, and decisions also to leases.
    let usage_days = delete(scope.either(queries::USE_PURGED, queries::USE_OF_USER_PURGED), days)?;
    let links = delete(scope.either(queries::LINKS_PURGED, queries::LINKS_OF_USER_PURGED), ended)?;
    delete(scope.either(queries::OCTETS_PURGED, queries::OCTETS_OF_USER_PURGED), ended)?;
    let changed = ForgetCounts {
        usage_days,
        links,
        sessions: delete(scope.either(queries::SESSIONS_PURGED, queries::SESSIONS_OF_USER_PURGED), ended)?,
        leases: delete(queries::LEASES_PURGED, ended)?,
        decisions: delete(queries::DECISIONS_PURGED, ended)?,
        anomalies: delete(queries::ANOMALIES_PURGED, values! { before: scope.before, name: scope.name() })?,
    };
    if scope.user.is_none() {
        delete(queries::LOADS_PURGED, values! { before: scope.before })?;
        delete(queries::CONFIGS_PURGED, values! { before: scope.before })?;
    }
    Ok(changed)
}

/// Makes past data anonymous. Users become pseudonyms; computer names and public addresses are removed. Times, amounts,
/// tunnels, rules and VPN addresses stay for statistics.
pub(crate) fn anonymise(
    database: &Database,
    scope: &ForgetScope,
    pseudonyms: &Pseudonyms,
) -> Result<ForgetCounts, Error> {
    let anomalies = values! { before: scope.before, name: scope.name() };
    let past_sessions = scope.either(queries::PAST_SESSIONS, queries::PAST_SESSIONS_OF_USER);
    Ok(ForgetCounts {
        usage_days: days_of_use(database, scope, pseudonyms)?,
        sessions: named(database, scope, pseudonyms, past_sessions, queries::SESSION_ANONYMISED)?,
        leases: named(database, scope, pseudonyms, queries::PAST_LEASES, queries::LEASE_ANONYMISED)?,
        decisions: decisions(database, scope, pseudonyms)?,
        anomalies: database.run(queries::ANOMALIES_ANONYMISED, anomalies)? as u64,
        links: 0,
    })
}

/// Anonymises sessions or leases: rows with a user, and with the user's name as RRAS passed it.
fn named(
    database: &Database,
    scope: &ForgetScope,
    pseudonyms: &Pseudonyms,
    find: Query,
    change: Query,
) -> Result<u64, Error> {
    in_batches(|after| {
        let found = database.all(find, &next(scope, after), Named::read)?;
        for row in &found {
            let (domain, name, alias) = row.alias(pseudonyms);
            database.run(change, values! { id: row.id, domain: domain, name: name, alias: &alias })?;
        }
        Ok(found.into_iter().map(|row| row.id).collect())
    })
}

/// Anonymises decisions: removes the facts that identify somebody.
fn decisions(database: &Database, scope: &ForgetScope, pseudonyms: &Pseudonyms) -> Result<u64, Error> {
    in_batches(|after| {
        let found = database.all(queries::PAST_DECISIONS, &next(scope, after), |row| {
            let facts: Facts = serde_json::from_str(&row.get::<String>(4)?).map_err(|e| ColumnError::new(4, e))?;
            let nameless = Facts { user: Fact::Absent, computer: Fact::Absent, source: Fact::Absent, ..facts };
            let facts = serde_json::to_string(&nameless).map_err(|e| ColumnError::new(4, e))?;
            Ok((Named::read(row)?, facts))
        })?;
        for (row, facts) in &found {
            let (domain, name, alias) = row.alias(pseudonyms);
            database.run(
                queries::DECISION_ANONYMISED,
                values! { id: row.id, domain: domain, name: name, alias: &alias, facts: facts },
            )?;
        }
        Ok(found.into_iter().map(|(row, _)| row.id).collect())
    })
}

/// Calls `batch` with the number after which to continue until it returns no more rows. Returns the number of rows.
fn in_batches(mut batch: impl FnMut(RowId) -> Result<Vec<RowId>, Error>) -> Result<u64, Error> {
    let (mut after, mut changed) = (RowId::MIN, 0);
    loop {
        let rows = batch(after)?;
        let Some(last) = rows.last() else { return Ok(changed) };
        after = *last;
        changed += rows.len() as u64;
    }
}

fn next(scope: &ForgetScope, after: RowId) -> [(&'static str, Value<'_>); 5] {
    [
        (":before", scope.before.into()),
        (":domain", scope.domain().into()),
        (":name", scope.name().into()),
        (":after", after.into()),
        (":limit", BATCH.into()),
    ]
}

/// The columns of a row that identify a user.
struct Named {
    id: RowId,
    domain: Option<String>,
    name: Option<String>,
    user_name: String,
}

impl Named {
    fn read(row: &Row<'_>) -> Result<Self, ColumnError> {
        Ok(Self { id: row.get(0)?, domain: row.get(1)?, name: row.get(2)?, user_name: row.get(3)? })
    }

    /// The replacements for the domain, the name, and the name that RRAS passed.
    fn alias(&self, pseudonyms: &Pseudonyms) -> (Option<&'static str>, Option<String>, String) {
        let alias = match (&self.domain, &self.name) {
            (Some(domain), Some(name)) => pseudonyms.name(domain, name),
            _ => pseudonyms.name("", &self.user_name),
        };
        let (domain, name) = self.name.is_some().then(|| ("", alias.clone())).unzip();
        (domain, name, alias)
    }
}

/// Anonymises days of use. The sums stay.
fn days_of_use(database: &Database, scope: &ForgetScope, pseudonyms: &Pseudonyms) -> Result<u64, Error> {
    let users = match &scope.user {
        Some(user) => vec![user.clone()],
        None => database.all(queries::USERS_OF_PAST_DAYS, values! { first_day: &scope.first_day }, |row| {
            Ok(Identity { domain: row.get(0)?, name: row.get(1)? })
        })?,
    };
    let mut changed = 0;
    for Identity { domain, name } in &users {
        let alias = pseudonyms.name(domain.as_str(), name.as_str());
        changed += database.run(
            queries::USE_ANONYMISED,
            values! { first_day: &scope.first_day, now: scope.now, domain: domain, name: name, alias: alias },
        )? as u64;
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_depends_on_the_record_and_on_nothing_else() {
        let one = Pseudonyms::of(Id(7)).name("CORP", "ALICE");
        assert_eq!(one, Pseudonyms::of(Id(7)).name("CORP", "ALICE"));
        assert!(one.starts_with(MARK) && one.len() == MARK.len() + 12, "{one}");
        assert_ne!(one, Pseudonyms::of(Id(8)).name("CORP", "ALICE"));
        assert_ne!(one, Pseudonyms::of(Id(7)).name("CORP", "BOB"));
    }
}
