//! The ledger's cursor in a journal: a row of the table `journals`.

use crate::sqlite::{ColumnError, Database, Row};
use crate::value::values;
use crate::{Error, ErrorKind, queries};
use rasadmin_engine::{Id, Millis, Name};
use rasadmin_journal::Position;
use uuid::Uuid;

/// A position, and what is needed to continue from it.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    pub position: Position,
    pub server: Name,
    /// The instance that is live at this position.
    pub live_instance: Option<Id>,
}

fn cursor(row: &Row<'_>) -> Result<Option<Cursor>, ColumnError> {
    let id = |at| row.get::<String>(at).map(|text| Uuid::parse_str(&text).ok());
    let (Some(journal), Some(segment)) = (id(0)?, id(1)?) else { return Ok(None) };
    let position = Position { journal, segment, number: row.get(2)?, crc: row.get(3)? };
    let live_instance = row.get::<Option<String>>(5)?.and_then(|text| text.parse().ok());
    Ok(Some(Cursor { position, server: row.get(4)?, live_instance }))
}

/// Reads the cursor of a journal.
pub(super) fn read(database: &Database, journal: Uuid) -> Result<Option<Cursor>, Error> {
    Ok(database.one(queries::CURSOR, values! { journal: journal }, cursor)?.flatten())
}

/// Finds a cursor of any journal at this record.
pub(super) fn at(database: &Database, number: u64, crc: u32) -> Result<Option<Cursor>, Error> {
    if number == 0 {
        return Ok(None);
    }
    Ok(database.one(queries::CURSOR_AT, values! { number: number, crc: crc }, cursor)?.flatten())
}

/// Moves the cursor of a journal.
pub(super) fn keep(database: &Database, cursor: &Cursor, now: Millis) -> Result<(), Error> {
    let Cursor { position, server, live_instance } = cursor;
    if i64::try_from(position.number).is_err() {
        return Err(Error {
            kind: ErrorKind::Corrupt,
            message: format!("the journal has a record {}", position.number),
        });
    }
    database.run(
        queries::CURSOR_MOVED,
        values! {
            journal: position.journal, server: server, instance: *live_instance, segment: position.segment, number: position.number,
            crc: position.crc, now: now,
        },
    )?;
    Ok(())
}

/// Notes when the journal was last read to its end.
pub(super) fn note_time(database: &Database, journal: Uuid, now: Millis) -> Result<(), Error> {
    database.run(queries::UPDATE_TIME_NOTED, values! { now: now, journal: journal })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::sqlite::{Create, Sqlite};
    use std::time::{Duration, Instant};

    /// On a fast machine both can happen in the same millisecond. A transaction that changes nothing is not synced, and
    /// then the journal could delete segments whose rows a power cut can still take.
    #[test]
    fn the_time_that_is_noted_differs_from_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let soon = || Instant::now() + Duration::from_secs(5);
        let mut ledger = Sqlite::open(&folder.path().join("ledger.db"), Create::Yes, true, soon()).unwrap();
        let position = Position { journal: Uuid::from_u128(1), segment: Uuid::from_u128(2), number: 3, crc: 4 };
        let cursor = Cursor { position, server: Name::new("VPN1"), live_instance: None };
        ledger.transact(soon(), false, |database| keep(database, &cursor, 1000)).unwrap();
        ledger.transact(soon(), true, |database| note_time(database, position.journal, 1000)).unwrap();
        let brought = |ledger: &Sqlite| {
            ledger.database().one(queries::JOURNAL_CURSORS, values! {}, |row| row.get::<i64>(5)).unwrap()
        };
        assert_eq!(brought(&ledger), Some(1001));
        ledger.transact(soon(), true, |database| note_time(database, position.journal, 900)).unwrap();
        assert_eq!(brought(&ledger), Some(900));
    }
}
