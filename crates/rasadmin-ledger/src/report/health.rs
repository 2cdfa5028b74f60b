//! How the ledger and its service are: for `status`.

use super::{ConfigLoad, Reader};
use crate::queries::{self, sqlite_only};
use crate::{Error, ErrorKind, sqlite};
use rasadmin_engine::Millis;
use rasadmin_engine::Name;
use rasadmin_journal::Position;
use uuid::Uuid;

/// A server's last service instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastInstance {
    /// The server.
    pub server: Name,
    /// Its token.
    pub token: String,
    /// When it began.
    pub started: Millis,
    /// Its last event in the ledger.
    pub last_activity: Millis,
    /// The last load of the configuration.
    pub loaded: Option<ConfigLoad>,
    /// Sessions that are open: live ones, or of a service that ended without closing them.
    pub open_sessions: u64,
    /// Events that were lost before they could be recorded, by all instances of this server.
    pub events_lost: u64,
}

/// How far a journal was brought into the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalCursor {
    /// Whose it is.
    pub server: Name,
    /// Its UUID.
    pub journal: String,
    /// The last record that came in.
    pub position: Option<Position>,
    /// When it was looked into last: the ledger is as old as that.
    pub brought_at: Millis,
}

impl Reader {
    /// For which platform it is: `windows` or `unix`.
    ///
    /// # Errors
    /// If it cannot be read, is no ledger, or is of another platform than this program's.
    pub fn platform(&self) -> Result<String, Error> {
        let platform = self.database.about("platform")?;
        match sqlite::foreign(sqlite::VERSION, &platform) {
            None => Ok(platform),
            Some(why) => Err(Error::new(ErrorKind::Foreign, self.database.path(), why)),
        }
    }

    /// The faults that a quick look at every page finds; none if all is well. Takes time as the file is long, and holds
    /// one read snapshot meanwhile.
    ///
    /// # Errors
    /// If it cannot be read at all.
    pub fn quick_check(&self) -> Result<Vec<String>, Error> {
        self.database.damage(sqlite_only::QUICK_CHECK)
    }

    /// Every server's last instance, by name.
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

    /// How far each journal was brought in, and when.
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
