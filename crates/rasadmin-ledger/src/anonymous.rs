//! Making rows nobody's.

use super::desk::{Changed, Past};
use rusqlite::{Connection, params};
use std::collections::HashMap;

/// A table, and where its rows are counted.
type Table = (&'static str, fn(&mut Changed) -> &mut u64);

/// What holds names.
pub(super) const TABLES: [Table; 5] = [
    ("sessions", |c| &mut c.sessions),
    ("leases", |c| &mut c.leases),
    ("decisions", |c| &mut c.decisions),
    ("use", |c| &mut c.usage_days),
    ("anomalies", |c| &mut c.anomalies),
];

/// How a pseudonym begins; no user of a directory is called so, and it is not made anonymous again.
const MARK: &str = "ANON-";

/// Who is called what, while this lasts. The names are random and kept nowhere: nothing leads back.
#[derive(Debug, Default)]
pub(super) struct Pseudonyms(HashMap<(String, String), String>);

impl Pseudonyms {
    fn of(&mut self, domain: &str, name: &str) -> String {
        self.0
            .entry((domain.to_owned(), name.to_owned()))
            .or_insert_with(|| {
                let random = crate::random().unwrap_or_default();
                let digits: String = random[..6].iter().map(|byte| format!("{byte:02X}")).collect();
                format!("{MARK}{digits}")
            })
            .clone()
    }
}

/// The decisions that no session, and no lease, of a later time rests on.
pub(super) fn decisions_before(before: &str) -> String {
    format!(
        "time < {before} AND id NOT IN (SELECT id FROM temp.kept) AND NOT EXISTS (SELECT 1 FROM sessions
             WHERE sessions.id = session AND (acct_stop_time IS NULL OR acct_stop_time >= {before}))"
    )
}

/// A batch of a table, of the rows after `after`; how many it changed.
pub(super) fn batch(
    connection: &Connection,
    table: &str,
    past: &Past,
    most: i64,
    after: &mut i64,
    users: &mut Pseudonyms,
) -> rusqlite::Result<u64> {
    let of_user =
        if past.user.is_some() { " AND domain IS ?3 AND name IS ?4" } else { " AND ?3 IS NULL AND ?4 IS NULL" };
    let (domain, name) = past.user.as_ref().map_or((None, None), |u| (Some(u.domain.as_str()), Some(u.name.as_str())));
    let old = |ended: &str| {
        format!(
            "{ended} AND id > ?5 AND (name IS NULL OR name NOT LIKE '{MARK}%') AND user_name NOT LIKE '{MARK}%'{of_user}"
        )
    };
    let conditions = match table {
        "sessions" => old("acct_stop_time < ?1"),
        "leases" => old("ended < ?1"),
        "decisions" => old(&decisions_before("?1")),
        "use" => return days_of_use(connection, past, most, users),
        _ => {
            // Their text can name a user.
            let of_user = if past.user.is_some() { "instr(upper(details), ?3) > 0" } else { "?3 IS NULL" };
            let sql = format!(
                "UPDATE anomalies SET details = '' WHERE id IN
                     (SELECT id FROM anomalies WHERE time < ?1 AND details <> '' AND lost = 0 AND {of_user} LIMIT ?2)"
            );
            return connection.execute(&sql, params![past.before, most, name]).map(|n| n as u64);
        }
    };
    let select = format!("SELECT id, domain, name, user_name FROM {table} WHERE {conditions} ORDER BY id LIMIT ?2");
    let mut statement = connection.prepare_cached(&select)?;
    let rows = statement.query_map(params![past.before, most, domain, name, *after], |row| {
        let text = |at| row.get::<_, Option<String>>(at);
        Ok((row.get::<_, i64>(0)?, text(1)?, text(2)?, row.get::<_, String>(3)?))
    })?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    for (id, domain, name, user_name) in &rows {
        let alias = match (domain, name) {
            (Some(domain), Some(name)) => users.of(domain, name),
            _ => users.of("", user_name),
        };
        let identity = name.is_some().then(|| (String::new(), alias.clone())).unzip();
        match table {
            "sessions" => connection.prepare_cached(
                "UPDATE sessions SET domain = ?2, name = ?3, user_name = ?4, remote_computer = '',
                     calling_station_id = '', guid = NULL WHERE id = ?1",
            )?,
            "leases" => {
                connection.prepare_cached("UPDATE leases SET domain = ?2, name = ?3, user_name = ?4 WHERE id = ?1")?
            }
            // Facts without those that name somebody.
            _ => connection.prepare_cached(
                "UPDATE decisions SET domain = ?2, name = ?3, user_name = ?4, facts = json_set(facts, '$.user', 'absent',
                     '$.computer', 'absent', '$.source', 'absent'), groups = '[]', reason = CASE refusal
                     WHEN 'anothers-address' THEN 'the address was given to another user' ELSE reason END WHERE id = ?1",
            )?,
        }
        .execute(params![id, identity.0, identity.1, alias])?;
        *after = *id;
    }
    Ok(rows.len() as u64)
}

/// Days of use: the sums stay. Those of a live session are written anew at its end, and are found by its user then.
fn days_of_use(connection: &Connection, past: &Past, most: i64, users: &mut Pseudonyms) -> rusqlite::Result<u64> {
    let (domain, name) = past.user.as_ref().map_or((None, None), |u| (Some(u.domain.as_str()), Some(u.name.as_str())));
    let sql = format!(
        "SELECT domain, name, day, session FROM use WHERE day < ?1 AND name NOT LIKE '{MARK}%'
             AND session NOT IN (SELECT acct_session_id FROM sessions WHERE acct_stop_time IS NULL)
             AND (?3 IS NULL OR (domain = ?3 AND name = ?4)) LIMIT ?2"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![past.first_day, most, domain, name], |row| {
        let text = |at| row.get::<_, String>(at);
        Ok((text(0)?, text(1)?, text(2)?, text(3)?))
    })?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    for (domain, name, day, session) in &rows {
        let alias = users.of(domain, name);
        connection
            .prepare_cached(
                "UPDATE use SET domain = '', name = ?5 WHERE domain = ?1 AND name = ?2 AND day = ?3 AND session = ?4",
            )?
            .execute(params![domain, name, day, session, alias])?;
    }
    Ok(rows.len() as u64)
}
