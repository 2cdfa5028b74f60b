//! Sessions for other programs: page by page, so that no read lasts. A read that lasts lets the write-ahead log grow and
//! slows RRAS.

use super::sessions::COLUMNS;
use super::{Reader, Session};
use crate::history::{Counts, Imported};
use crate::{Error, RowId};
use rasadmin_engine::Identity;
use rasadmin_engine::Millis;
use rusqlite::params;

/// Sessions a page.
const PAGE: i64 = 2_000;

/// Which sessions are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// That began at this time or later.
    pub since: Option<Millis>,
    /// That began before this time.
    pub until: Option<Millis>,
    /// Of this user.
    pub user: Option<Identity>,
    /// Only imported ones (true), only the ledger's own (false).
    pub imported: Option<bool>,
}

impl Wanted {
    fn has(&self, session: &Session) -> bool {
        self.user.as_ref().is_none_or(|user| session.user().as_ref() == Some(user))
            && self.imported.is_none_or(|imported| session.imported.is_some() == imported)
    }
}

/// Reads sessions in the order in which they began, imported ones too.
#[derive(Debug)]
pub struct Pages<'r> {
    reader: &'r Reader,
    wanted: Wanted,
    /// The last one that was read.
    after: Option<(Millis, RowId)>,
    /// What is new since the reading began is not waited for.
    last: RowId,
    page: std::vec::IntoIter<Session>,
}

impl Reader {
    /// Every session that is wanted.
    pub fn pages(&self, wanted: Wanted) -> Result<Pages<'_>, Error> {
        let last = self.connection.query_row("SELECT coalesce(max(id), 0) FROM sessions", [], |row| row.get(0));
        let last = last.map_err(|e| self.failed(&e))?;
        Ok(Pages { reader: self, wanted, after: None, last, page: Vec::new().into_iter() })
    }

    /// What an import of these would do.
    pub fn compare(&self, sessions: &[Imported]) -> Result<Counts, Error> {
        let sql =
            "SELECT acct_stop_time, imported IS NOT NULL AND estimated = 1 FROM sessions WHERE acct_session_id = ?1";
        let compare = || -> rusqlite::Result<Counts> {
            let mut counts = Counts::default();
            let mut statement = self.connection.prepare(sql)?;
            for session in sessions {
                let mut rows = statement.query([&session.key])?;
                let known = match rows.next()? {
                    Some(row) => Some((row.get::<_, Option<Millis>>(0)?, row.get::<_, Option<bool>>(1)?)),
                    None => None,
                };
                match known {
                    None => counts.new += 1,
                    Some((Some(stop), Some(true))) if !session.estimated || session.stop > stop => {
                        counts.completed += 1;
                    }
                    Some(_) => counts.already_there += 1,
                }
            }
            Ok(counts)
        };
        compare().map_err(|e| self.failed(&e))
    }
}

impl Pages<'_> {
    /// How many the ledger has at most: for a progress bar.
    pub fn at_most(&self) -> u64 {
        u64::try_from(self.last).unwrap_or(0)
    }

    fn next_page(&mut self) -> Result<bool, Error> {
        let (start, id) = self.after.unwrap_or((self.wanted.since.unwrap_or(i64::MIN), i64::MIN));
        let until = self.wanted.until.unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT {COLUMNS} FROM sessions INDEXED BY sessions_start
             WHERE (acct_start_time, id) > (?1, ?2) AND acct_start_time < ?3
             ORDER BY acct_start_time, id LIMIT {PAGE}"
        );
        let mut page = self.reader.rows(&sql, params![start, id, until], Session::read)?;
        let Some(last) = page.last() else { return Ok(false) };
        self.after = Some((last.acct_start_time, last.id));
        page.retain(|session| session.id <= self.last && self.wanted.has(session));
        self.page = page.into_iter();
        Ok(true)
    }
}

impl Iterator for Pages<'_> {
    type Item = Result<Session, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(session) = self.page.next() {
                return Some(Ok(session));
            }
            match self.next_page() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
