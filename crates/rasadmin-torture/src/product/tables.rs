//! Compares the ledger's tables, which administrators see, with the model's state: two folds of the same records.

use rasadmin_engine::{Identity, Name, State};
use rusqlite::Connection;
use rusqlite::types::Value;

// Without the start. A session that was closed and lives again keeps the start from which its end was reckoned, and
// that differs if the time of day was set.
const SESSIONS: &str = "SELECT acct_session_id, domain, name, nas_port_id, calling_station_id,
            (SELECT count(*) FROM links WHERE links.session = sessions.id AND links.stop IS NULL), established
     FROM sessions WHERE acct_stop_time IS NULL";

const LEASES: &str =
    "SELECT lease, domain, name, port, number, began, session IS NOT NULL FROM leases WHERE ended IS NULL";

/// A row, as values of SQLite.
type Row = Vec<Value>;

/// Do the tables and the state agree on live sessions and leases?
///
/// # Errors
///
/// What differs, or why the tables cannot be read.
pub fn compare(ledger: &Connection, state: &State) -> Result<(), String> {
    let sessions = state.live().map(|session| {
        let [domain, name] = names(session.user.as_ref());
        let links = i64::try_from(session.links.len()).unwrap_or(i64::MAX);
        let established = session.established.map(|at| at.time);
        vec![
            session.id.to_string().into(),
            domain,
            name,
            session.port.as_ref().map(|port| port.as_str().to_owned()).into(),
            session.source.clone().into(),
            links.into(),
            established.into(),
        ]
    });
    same(ledger, SESSIONS, sessions.collect())?;
    let leases = state.leases().map(|lease| {
        let [domain, name] = names(lease.user.as_ref());
        vec![
            lease.id.to_string().into(),
            domain,
            name,
            lease.port.as_str().to_owned().into(),
            lease.address.number.cast_signed().into(),
            lease.began.time.into(),
            lease.session().is_some().into(),
        ]
    });
    same(ledger, LEASES, leases.collect())
}

fn names(user: Option<&Identity>) -> [Value; 2] {
    let of = |part: fn(&Identity) -> &Name| user.map(|user| part(user).as_str().to_owned()).into();
    [of(|user| &user.domain), of(|user| &user.name)]
}

fn same(ledger: &Connection, sql: &str, of_state: Vec<Row>) -> Result<(), String> {
    let read = || -> rusqlite::Result<Vec<Row>> {
        let mut statement = ledger.prepare_cached(sql)?;
        let columns = statement.column_count();
        statement.query_map([], |row| (0..columns).map(|at| row.get(at)).collect())?.collect()
    };
    let of_tables = read().map_err(|e| format!("the tables cannot be read: {e}"))?;
    let only = |these: &[Row], others: &[Row]| -> Vec<Row> {
        these.iter().filter(|row| !others.contains(row)).cloned().collect()
    };
    let (state_alone, tables_alone) = (only(&of_state, &of_tables), only(&of_tables, &of_state));
    if state_alone.is_empty() && tables_alone.is_empty() {
        return Ok(());
    }
    Err(format!("only the state has {state_alone:?}, and only the ledger's tables have {tables_alone:?}: {sql}"))
}
