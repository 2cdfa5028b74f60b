//! Forgetting what ended before a time: it is deleted or made anonymous. What is live stays.

use crate::Error;
use crate::sqlite::Statements;
use rasadmin_engine::{Id, Identity, Millis};
use rusqlite::{ToSql, named_params, params};
use sha2::{Digest, Sha256};

/// Whose data: of everybody before a time, or of one user; never what is still live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// What ended before.
    pub before: Millis,
    /// The first day that stays, of the configured time zone: `2026-11-23`.
    pub first_day: String,
    /// Only of this user.
    pub user: Option<Identity>,
    /// When it is forgotten: what ended later was live then.
    pub now: Millis,
}

/// What was purged, or made anonymous.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs)]
pub struct Changed {
    pub sessions: u64,
    pub links: u64,
    pub leases: u64,
    pub decisions: u64,
    pub usage_days: u64,
    pub anomalies: u64,
}

impl std::ops::AddAssign for Changed {
    fn add_assign(&mut self, more: Self) {
        self.sessions += more.sessions;
        self.links += more.links;
        self.leases += more.leases;
        self.decisions += more.decisions;
        self.usage_days += more.usage_days;
        self.anomalies += more.anomalies;
    }
}

/// How a pseudonym begins; no user of a directory has such a name.
const MARK: &str = "ANON-";

/// How many rows are read at once.
const BATCH: i64 = 500;

/// The pseudonyms. A pseudonym is a hash with a key: the random bytes of the record of `anonymise`. So reading that
/// record again gives the same pseudonyms, and once its segment is gone they cannot be traced back.
pub(crate) struct Pseudonyms {
    key: Id,
}

impl Pseudonyms {
    /// `record`: its random bytes. They are kept in no table.
    pub const fn of(record: Id) -> Self {
        Self { key: record }
    }

    fn name(&self, domain: &str, name: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(self.key.0.to_be_bytes());
        // Neither has a NUL.
        hash.update([domain.as_bytes(), b"\0", name.as_bytes()].concat());
        let digits: String = hash.finalize()[..6].iter().map(|byte| format!("{byte:02X}")).collect();
        format!("{MARK}{digits}")
    }
}

/// The conditions under which rows are forgotten.
struct Conditions {
    sessions: String,
    leases: String,
    decisions: String,
    days: String,
    anomalies: &'static str,
}

impl Conditions {
    /// All of them name `:before`, `:first_day`, `:now`, `:domain` and `:name`, or some of these.
    fn of(past: &Past) -> Self {
        let all = |condition: &str| match past.user {
            Some(_) => format!("{condition} AND domain = :domain AND name = :name"),
            None => condition.to_owned(),
        };
        Self {
            sessions: all("acct_stop_time < :before"),
            leases: all("ended < :before"),
            // Not those that a session, or a lease, of a later time rests on.
            decisions: all("time < :before AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.id = session
                     AND (acct_stop_time IS NULL OR acct_stop_time >= :before))
                 AND id NOT IN (SELECT decision FROM leases
                     WHERE decision IS NOT NULL AND (ended IS NULL OR ended >= :before))"),
            // A live session's days are written anew at its end.
            days: all("day < :first_day AND session NOT IN (SELECT acct_session_id FROM sessions
                     WHERE acct_stop_time IS NULL OR acct_stop_time >= :now)"),
            // They have no user of their own, but their details can name one.
            anomalies: match past.user {
                Some(_) => "time < :before AND instr(upper(details), :name) > 0",
                None => "time < :before",
            },
        }
    }
}

/// Runs a statement that names some of a past's values; how many rows it changed.
fn run(statements: &mut Statements<'_>, past: &Past, sql: &str) -> Result<u64, Error> {
    let (domain, name) = (past.user.as_ref().map(|u| u.domain.as_str()), past.user.as_ref().map(|u| u.name.as_str()));
    let values: [(&str, &dyn ToSql); 5] = [
        (":before", &past.before),
        (":first_day", &past.first_day),
        (":now", &past.now),
        (":domain", &domain),
        (":name", &name),
    ];
    let named: Vec<_> = values.into_iter().filter(|(name, _)| names(sql, name)).collect();
    statements.run(sql, &named).map(|n| n as u64)
}

/// Does a statement name a parameter?
fn names(sql: &str, parameter: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    sql.match_indices(parameter).any(|(at, _)| ends(&sql[at + parameter.len()..]))
}

/// Deletes it: sessions with their links, leases, decisions, days of use, anomalies; and configurations that explain no
/// decision any more. What is deleted is overwritten.
pub(crate) fn purge(statements: &mut Statements<'_>, past: &Past) -> Result<Changed, Error> {
    let of = Conditions::of(past);
    let links = format!("session IN (SELECT id FROM sessions WHERE {})", of.sessions);
    let mut delete =
        |table: &str, condition: &str| run(statements, past, &format!("DELETE FROM {table} WHERE {condition}"));
    // Days look at sessions, and so do decisions; decisions look at leases too.
    let usage_days = delete("use", &of.days)?;
    let links = delete("links", &links)?;
    let changed = Changed {
        usage_days,
        links,
        sessions: delete("sessions", &of.sessions)?,
        leases: delete("leases", &of.leases)?,
        decisions: delete("decisions", &of.decisions)?,
        anomalies: delete("anomalies", of.anomalies)?,
    };
    if past.user.is_none() {
        // The last load of a server is of the configuration in force.
        delete(
            "loads",
            "time < :before AND EXISTS (SELECT 1 FROM loads later WHERE later.server = loads.server
                 AND (later.time > loads.time OR (later.time = loads.time AND later.id > loads.id)))",
        )?;
        delete(
            "configs",
            "first_used < :before AND hash NOT IN (SELECT config FROM decisions) AND hash NOT IN (SELECT config FROM loads)",
        )?;
    }
    Ok(changed)
}

/// Makes it anonymous: users become pseudonyms, computers and public addresses are removed; times, amounts, tunnels,
/// rules and VPN addresses stay for statistics.
pub(crate) fn anonymise(
    statements: &mut Statements<'_>,
    past: &Past,
    pseudonyms: &Pseudonyms,
) -> Result<Changed, Error> {
    let of = Conditions::of(past);
    let usage_days = days_of_use(statements, past, &of.days, pseudonyms)?;
    Ok(Changed {
        usage_days,
        sessions: rows(
            statements,
            past,
            "sessions",
            &of.sessions,
            ", remote_computer = '', calling_station_id = '', guid = NULL",
            pseudonyms,
        )?,
        leases: rows(statements, past, "leases", &of.leases, "", pseudonyms)?,
        // Facts without those that name somebody.
        decisions: rows(
            statements,
            past,
            "decisions",
            &of.decisions,
            ", facts = json_set(facts, '$.user', 'absent', '$.computer', 'absent', '$.source', 'absent'), groups = '[]',
                 reason = CASE refusal WHEN 'anothers-address' THEN 'the address was given to another user' ELSE reason END",
            pseudonyms,
        )?,
        anomalies: run(
            statements,
            past,
            &format!("UPDATE anomalies SET details = '' WHERE details <> '' AND lost = 0 AND missing = 0 AND {}", of.anomalies),
        )?,
        links: 0,
    })
}

/// The rows of a table that has a user, and the user's name as RRAS passed it.
fn rows(
    statements: &mut Statements<'_>,
    past: &Past,
    table: &str,
    condition: &str,
    also: &str,
    pseudonyms: &Pseudonyms,
) -> Result<u64, Error> {
    let numbered = condition.replace(":before", "?1").replace(":domain", "?2").replace(":name", "?3");
    let select = format!(
        "SELECT id, domain, name, user_name FROM {table}
         WHERE {numbered} AND (?2 IS NULL OR ?3 IS NOT NULL) AND anonymous = 0 AND id > ?4 ORDER BY id LIMIT {BATCH}"
    );
    let update = format!(
        "UPDATE {table} SET domain = :domain, name = :name, user_name = :alias, anonymous = 1{also} WHERE id = :id"
    );
    let (domain, name) = (past.user.as_ref().map(|u| u.domain.as_str()), past.user.as_ref().map(|u| u.name.as_str()));
    let (mut after, mut changed) = (i64::MIN, 0);
    loop {
        let found = statements.all(&select, params![past.before, domain, name, after], |row| {
            let text = |at| row.get::<_, Option<String>>(at);
            Ok((row.get::<_, i64>(0)?, text(1)?, text(2)?, row.get::<_, String>(3)?))
        })?;
        let Some((last, ..)) = found.last() else { return Ok(changed) };
        after = *last;
        for (id, domain, name, user_name) in &found {
            let alias = match (domain, name) {
                (Some(domain), Some(name)) => pseudonyms.name(domain, name),
                _ => pseudonyms.name("", user_name),
            };
            let (domain, name) = name.is_some().then_some(("", alias.as_str())).unzip();
            statements.run(
                &update,
                named_params! { ":id": id, ":domain": domain, ":name": name, ":alias": alias.as_str() },
            )?;
        }
        changed += found.len() as u64;
    }
}

/// Days of use: the sums stay.
fn days_of_use(
    statements: &mut Statements<'_>,
    past: &Past,
    condition: &str,
    pseudonyms: &Pseudonyms,
) -> Result<u64, Error> {
    let users = match &past.user {
        Some(user) => vec![(user.domain.as_str().to_owned(), user.name.as_str().to_owned())],
        None => {
            let sql = "SELECT DISTINCT domain, name FROM use WHERE day < ?1 AND name NOT LIKE 'ANON-%'";
            statements.all(sql, params![past.first_day], |row| Ok((row.get(0)?, row.get(1)?)))?
        }
    };
    let whose = if past.user.is_some() { "" } else { " AND domain = :domain AND name = :name" };
    let sql = format!("UPDATE use SET domain = '', name = :alias WHERE {condition}{whose}");
    let mut changed = 0;
    for (domain, name) in users {
        let alias = pseudonyms.name(&domain, &name);
        changed += statements.run(
            &sql,
            named_params! {
                ":first_day": past.first_day, ":now": past.now, ":domain": domain, ":name": name, ":alias": alias,
            },
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

    #[test]
    fn a_parameter_is_told_from_a_longer_one() {
        assert!(names("a < :now)", ":now") && names(":now", ":now"));
        assert!(!names(":nowhere", ":now") && !names(":name", ":now"));
    }
}
