//! How far a journal was brought in: a row of the table `journals`.

use crate::sqlite::{Database, Row, Unfit};
use crate::value::values;
use crate::{Error, ErrorKind, queries};
use rasadmin_engine::{Id, Millis, Name};
use rasadmin_journal::Position;
use uuid::Uuid;

/// The place, and what must be known to go on from it.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    pub place: Position,
    pub server: Name,
    /// The instance that lives there.
    pub living: Option<Id>,
}

fn cursor(row: &Row<'_>) -> Result<Option<Cursor>, Unfit> {
    let id = |at| row.get::<String>(at).map(|text| Uuid::parse_str(&text).ok());
    let (Some(journal), Some(segment)) = (id(0)?, id(1)?) else { return Ok(None) };
    let place = Position { journal, segment, number: row.get(2)?, crc: row.get(3)? };
    let living = row.get::<Option<String>>(5)?.and_then(|text| text.parse().ok());
    Ok(Some(Cursor { place, server: row.get(4)?, living }))
}

/// The cursor of a journal.
pub(super) fn read(database: &Database, journal: Uuid) -> Result<Option<Cursor>, Error> {
    Ok(database.one(queries::CURSOR, values! { journal: journal }, cursor)?.flatten())
}

/// A cursor of any journal at this record.
pub(super) fn at(database: &Database, number: u64, crc: u32) -> Result<Option<Cursor>, Error> {
    if number == 0 {
        return Ok(None);
    }
    Ok(database.one(queries::CURSOR_AT, values! { number: number, crc: crc }, cursor)?.flatten())
}

/// Moves the cursor of a journal.
pub(super) fn keep(database: &Database, cursor: &Cursor, now: Millis) -> Result<(), Error> {
    let Cursor { place, server, living } = cursor;
    if i64::try_from(place.number).is_err() {
        return Err(Error { kind: ErrorKind::Corrupt, message: format!("the journal has a record {}", place.number) });
    }
    database.run(
        queries::CURSOR_MOVED,
        values! {
            journal: place.journal, server: server, instance: *living, segment: place.segment, number: place.number,
            crc: place.crc, now: now,
        },
    )?;
    Ok(())
}

/// Everything that the journal had then was brought in.
pub(super) fn note_time(database: &Database, journal: Uuid, now: Millis) -> Result<(), Error> {
    database.run(queries::BROUGHT_NOTED, values! { now: now, journal: journal })?;
    Ok(())
}
