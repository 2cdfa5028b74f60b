//! The contents of a ledger as text, because two ledgers of one journal must be equal.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use std::path::Path;

/// Every table with the columns that depend on the journal alone: not the time of the last update, not the ledger's name,
/// and not what only the rasadmin service saw.
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

/// Every row of a ledger, preceded by its table.
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

/// A row, with spaces between its columns.
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

/// The first difference of two ledgers, as text; None if they are equal.
pub fn first_difference(one: &[String], other: &[String]) -> Option<String> {
    let at = (0..one.len().max(other.len())).find(|&at| one.get(at) != other.get(at))?;
    let row = |all: &[String]| all.get(at).map_or_else(|| "nothing".to_owned(), |row| format!("`{row}`"));
    Some(format!("{} against {}", row(one), row(other)))
}
