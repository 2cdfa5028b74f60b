//! What a ledger says, as text: two ledgers of one journal must say the same.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use std::path::Path;

/// Every table with the columns that depend on the journal alone: not when it was brought in, and not what the ledger is
/// called.
const TABLES: [&str; 10] = [
    "instances",
    "sessions",
    "links",
    "leases",
    "use",
    "decisions",
    "anomalies",
    "configs",
    "loads",
    "(SELECT journal, server, instance, number, crc FROM journals)",
];

/// Every row of a ledger, with its table in front.
pub fn rows(path: &Path) -> rusqlite::Result<Vec<String>> {
    let ledger = Connection::open(path)?;
    let mut all = Vec::new();
    for table in TABLES {
        let mut statement = ledger.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2"))?;
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| Ok(format!("{table}: {}", text(row, columns)?)))?;
        for row in rows {
            all.push(row?);
        }
    }
    Ok(all)
}

/// A row, its columns with a space between.
pub fn text(row: &Row<'_>, columns: usize) -> rusqlite::Result<String> {
    let cell = |at| {
        Ok(match row.get_ref(at)? {
            ValueRef::Null => "-".to_owned(),
            ValueRef::Integer(n) => n.to_string(),
            ValueRef::Real(n) => n.to_string(),
            ValueRef::Text(t) | ValueRef::Blob(t) => String::from_utf8_lossy(t).into_owned(),
        })
    };
    Ok((0..columns).map(cell).collect::<rusqlite::Result<Vec<_>>>()?.join(" "))
}

/// Where two ledgers differ first, as people read it; None: they do not.
pub fn first_difference(one: &[String], other: &[String]) -> Option<String> {
    let at = (0..one.len().max(other.len())).find(|&at| one.get(at) != other.get(at))?;
    let row = |all: &[String]| all.get(at).map_or_else(|| "nothing".to_owned(), |row| format!("`{row}`"));
    Some(format!("{} against {}", row(one), row(other)))
}
