//! Statements for cursors, and for what the ledger knows about itself.

use super::Query;

queries! {
    /// A value of the table `about`.
    ABOUT = "SELECT value FROM about WHERE key = :key";

    /// The values of a new ledger.
    ABOUT_ITSELF = "INSERT INTO about (key, value) VALUES ('platform', :platform), ('ledger', :ledger)";

    /// The cursor of a journal.
    CURSOR = "SELECT journal, segment, number, crc, server, instance FROM journals WHERE journal = :journal";

    /// The cursor of any journal at a record.
    CURSOR_AT = "SELECT journal, segment, number, crc, server, instance FROM journals
         WHERE number = :number AND crc = :crc";

    CURSOR_MOVED = "INSERT INTO journals (journal, server, instance, segment, number, crc, brought_at)
         VALUES (:journal, :server, :instance, :segment, :number, :crc, :now)
         ON CONFLICT (journal) DO UPDATE SET server = excluded.server, instance = excluded.instance,
             segment = excluded.segment, number = excluded.number, crc = excluded.crc, brought_at = excluded.brought_at";

    /// Notes when the journal was last read to its end. The row always changes, because SQLite does not sync a
    /// transaction that changes nothing, and this one makes earlier commits durable.
    UPDATE_TIME_NOTED = "UPDATE journals SET brought_at = CASE WHEN brought_at = :now THEN :now + 1 ELSE :now END
         WHERE journal = :journal";

    /// How far each journal was read.
    JOURNAL_CURSORS = "SELECT server, journal, segment, number, crc, brought_at FROM journals ORDER BY server, brought_at";
}
