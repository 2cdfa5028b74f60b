//! How the ledger and its service are: for `status`.

use super::{Loaded, Reader};
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
    pub loaded: Option<Loaded>,
    /// Sessions that are open: live ones, or of a service that ended without closing them.
    pub open_sessions: u64,
    /// Events that were lost before they could be recorded, by all instances of this server.
    pub events_lost: u64,
}

/// How far a journal was brought into the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastBrought {
    /// Whose it is.
    pub server: Name,
    /// Its UUID.
    pub journal: String,
    /// The last record that came in.
    pub place: Option<Position>,
    /// When it was looked into last: the ledger is as old as that.
    pub brought_at: Millis,
}

impl Reader {
    /// For which platform it is: `windows` or `unix`.
    ///
    /// # Errors
    /// If it cannot be read, is no ledger, or is of another platform than this program's.
    pub fn platform(&self) -> Result<String, Error> {
        let sql = "SELECT value FROM about WHERE key = 'platform'";
        let platform: String = self.connection.query_row(sql, [], |row| row.get(0)).map_err(|e| self.failed(&e))?;
        match sqlite::foreign(sqlite::VERSION, &platform) {
            None => Ok(platform),
            Some(why) => Err(Error::new(ErrorKind::Foreign, &self.path, why)),
        }
    }

    /// The faults that a quick look at every page finds; none if all is well. Takes time as the file is long, and holds
    /// one read snapshot meanwhile.
    ///
    /// # Errors
    /// If it cannot be read at all.
    pub fn quick_check(&self) -> Result<Vec<String>, Error> {
        let read = || -> rusqlite::Result<Vec<String>> {
            let mut statement = self.connection.prepare("PRAGMA quick_check(10)")?;
            statement.query_map([], |row| row.get::<_, String>(0))?.collect()
        };
        let mut found = read().map_err(|e| self.failed(&e))?;
        found.retain(|line| line != "ok");
        Ok(found)
    }

    /// Every server's last instance, by name.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn instances(&self) -> Result<Vec<LastInstance>, Error> {
        let sql = "SELECT i.server, i.token, i.started, i.last_activity,
                          (SELECT count(*) FROM sessions s WHERE s.nas_identifier = i.server AND s.acct_stop_time IS NULL),
                          (SELECT coalesce(sum(o.lost), 0) FROM anomalies o WHERE o.server = i.server),
                          l.time, l.version, l.config, l.fault
                   FROM instances i LEFT JOIN loads l
                        ON l.id = (SELECT id FROM loads WHERE instance = i.id ORDER BY time DESC, id DESC LIMIT 1)
                   WHERE i.id IN (SELECT max(id) FROM instances GROUP BY server) ORDER BY i.server";
        let read = || -> rusqlite::Result<Vec<LastInstance>> {
            let mut statement = self.connection.prepare(sql)?;
            let rows = statement.query_map([], |row| {
                let count = |at| row.get::<_, i64>(at).map(|n| u64::try_from(n).unwrap_or(0));
                let loaded = match row.get::<_, Option<Millis>>(6)? {
                    Some(time) => Some(Loaded {
                        time,
                        server: Name::from_stored(row.get(0)?),
                        version: row.get(7)?,
                        config: row.get(8)?,
                        fault: row.get(9)?,
                    }),
                    None => None,
                };
                Ok(LastInstance {
                    server: Name::from_stored(row.get(0)?),
                    token: row.get(1)?,
                    started: row.get(2)?,
                    last_activity: row.get(3)?,
                    open_sessions: count(4)?,
                    events_lost: count(5)?,
                    loaded,
                })
            })?;
            rows.collect()
        };
        read().map_err(|e| self.failed(&e))
    }

    /// How far each journal was brought in, and when.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn brought(&self) -> Result<Vec<LastBrought>, Error> {
        let sql = "SELECT server, journal, segment, number, crc, brought_at FROM journals ORDER BY server, brought_at";
        self.rows(sql, &[], |row| {
            let journal: String = row.get(1)?;
            let id = |text: &str| Uuid::parse_str(text).ok();
            let ids = id(&journal).zip(id(&row.get::<_, String>(2)?));
            let (number, crc) = (row.get::<_, i64>(3)?.cast_unsigned(), row.get(4)?);
            Ok(LastBrought {
                server: Name::from_stored(row.get(0)?),
                place: ids.map(|(journal, segment)| Position { journal, segment, number, crc }),
                journal,
                brought_at: row.get(5)?,
            })
        })
    }
}
