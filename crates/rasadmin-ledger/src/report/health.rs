//! The condition of the ledger and its service, for `status`.

use super::{ConfigLoad, Reader};
use crate::queries::{self, sqlite_only};
use crate::{Error, ErrorKind, sqlite};
use rasadmin_engine::Millis;
use rasadmin_engine::Name;
use rasadmin_journal::Position;
use uuid::Uuid;

/// The last service instance of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastInstance {
    /// The server.
    pub server: Name,
    /// The token that its processes share.
    pub token: String,
    /// When it started.
    pub started: Millis,
    /// When its last event in the ledger happened.
    pub last_activity: Millis,
    /// The last load of the configuration.
    pub loaded: Option<ConfigLoad>,
    /// The number of open sessions: live ones, or ones that a dead service left open.
    pub open_sessions: u64,
    /// The number of events that all instances of this server lost before they could be recorded.
    pub events_lost: u64,
}

/// How far the ledger has read a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalCursor {
    /// The journal's server.
    pub server: Name,
    /// The journal's UUID.
    pub journal: String,
    /// The last record that the ledger has.
    pub position: Option<Position>,
    /// When the ledger was last updated from the journal.
    pub brought_at: Millis,
}

impl Reader {
    /// The ledger's platform: `windows` or `unix`.
    ///
    /// # Errors
    /// If it cannot be read, is not a ledger, or is of another platform.
    pub fn platform(&self) -> Result<String, Error> {
        let platform = self.database.about("platform")?;
        match sqlite::foreign(sqlite::VERSION, &platform) {
            None => Ok(platform),
            Some(why) => Err(Error::new(ErrorKind::Foreign, self.database.path(), why)),
        }
    }

    /// Checks every page of the file quickly. Returns what is wrong; nothing if all is well. The check takes longer for
    /// a larger file, and holds a read snapshot meanwhile.
    ///
    /// # Errors
    /// If the ledger cannot be read at all.
    pub fn quick_check(&self) -> Result<Vec<String>, Error> {
        self.database.damage(sqlite_only::QUICK_CHECK)
    }

    /// The last instance of every server, by name.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn instances(&self) -> Result<Vec<LastInstance>, Error> {
        self.database.all(queries::LAST_INSTANCES, &[], |row| {
            let server: Name = row.get(0)?;
            let loaded = match row.get::<Option<Millis>>(6)? {
                Some(time) => Some(ConfigLoad {
                    time,
                    server: server.clone(),
                    version: row.get(7)?,
                    config: row.get(8)?,
                    fault: row.get(9)?,
                }),
                None => None,
            };
            Ok(LastInstance {
                server,
                token: row.get(1)?,
                started: row.get(2)?,
                last_activity: row.get(3)?,
                open_sessions: row.get(4)?,
                events_lost: row.get(5)?,
                loaded,
            })
        })
    }

    /// How far each journal was read, and when.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn journal_cursors(&self) -> Result<Vec<JournalCursor>, Error> {
        self.database.all(queries::JOURNAL_CURSORS, &[], |row| {
            let journal: String = row.get(1)?;
            let id = |text: &str| Uuid::parse_str(text).ok();
            let ids = id(&journal).zip(id(&row.get::<String>(2)?));
            let (number, crc) = (row.get(3)?, row.get(4)?);
            Ok(JournalCursor {
                server: row.get(0)?,
                position: ids.map(|(journal, segment)| Position { journal, segment, number, crc }),
                journal,
                brought_at: row.get(5)?,
            })
        })
    }
}
