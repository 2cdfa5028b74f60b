//! How far a journal was brought in: a row of the table `journals`.

use crate::sqlite::{Statements, signed};
use crate::{Error, ErrorKind};
use rasadmin_engine::{Id, Millis, Name};
use rasadmin_journal::Position;
use rusqlite::{Row, named_params, params};
use uuid::Uuid;

/// The place, and what must be known to go on from it.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    pub place: Position,
    pub server: Name,
    /// The instance that lives there.
    pub living: Option<Id>,
}

const COLUMNS: &str = "journal, segment, number, crc, server, instance";

fn cursor(row: &Row<'_>) -> rusqlite::Result<Option<Cursor>> {
    let id = |at| row.get::<_, String>(at).map(|text| Uuid::parse_str(&text).ok());
    let (Some(journal), Some(segment)) = (id(0)?, id(1)?) else { return Ok(None) };
    let place = Position { journal, segment, number: row.get::<_, i64>(2)?.cast_unsigned(), crc: row.get(3)? };
    let living = row.get::<_, Option<String>>(5)?.and_then(|text| text.parse().ok());
    Ok(Some(Cursor { place, server: Name::from_stored(row.get(4)?), living }))
}

/// The cursor of a journal.
pub(super) fn read(statements: &mut Statements<'_>, journal: Uuid) -> Result<Option<Cursor>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM journals WHERE journal = ?1");
    Ok(statements.one(&sql, params![journal.to_string()], cursor)?.flatten())
}

/// A cursor of any journal at this record.
pub(super) fn at(statements: &mut Statements<'_>, number: u64, crc: u32) -> Result<Option<Cursor>, Error> {
    if number == 0 {
        return Ok(None);
    }
    let sql = format!("SELECT {COLUMNS} FROM journals WHERE number = ?1 AND crc = ?2");
    Ok(statements.one(&sql, params![signed(number), crc], cursor)?.flatten())
}

/// Moves the cursor of a journal.
pub(super) fn keep(statements: &mut Statements<'_>, cursor: &Cursor, now: Millis) -> Result<(), Error> {
    let Cursor { place, server, living } = cursor;
    if i64::try_from(place.number).is_err() {
        return Err(Error { kind: ErrorKind::Corrupt, message: format!("the journal has a record {}", place.number) });
    }
    statements.run(
        "INSERT INTO journals (journal, server, instance, segment, number, crc, brought_at)
         VALUES (:journal, :server, :instance, :segment, :number, :crc, :now)
         ON CONFLICT (journal) DO UPDATE SET server = excluded.server, instance = excluded.instance,
             segment = excluded.segment, number = excluded.number, crc = excluded.crc, brought_at = excluded.brought_at",
        named_params! {
            ":journal": place.journal.to_string(), ":server": server.as_str(),
            ":instance": living.map(|id| id.to_string()), ":segment": place.segment.to_string(),
            ":number": signed(place.number), ":crc": place.crc, ":now": now,
        },
    )?;
    Ok(())
}

/// Everything that the journal had then was brought in.
pub(super) fn note_time(statements: &mut Statements<'_>, journal: Uuid, now: Millis) -> Result<(), Error> {
    let sql = "UPDATE journals SET brought_at = :now WHERE journal = :journal";
    statements.run(sql, named_params! { ":now": now, ":journal": journal.to_string() })?;
    Ok(())
}
