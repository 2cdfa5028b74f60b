//! Reads all sessions for export, page by page, so that no read takes long. During a long read the write-ahead log
//! grows, and RRAS gets slower.

use super::{Reader, SessionRow};
use crate::coverage::Coverage;
use crate::imported::{ImportCounts, ImportedRefusal, ImportedSession};
use crate::value::values;
use crate::{Error, RowId, queries};
use rasadmin_engine::Identity;
use rasadmin_engine::Millis;

/// The sessions in a page.
const PAGE: i64 = 2_000;

/// Which sessions to export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportFilter {
    /// Sessions that began at this time or later.
    pub since: Option<Millis>,
    /// Sessions that began before this time.
    pub until: Option<Millis>,
    /// Sessions of this user.
    pub user: Option<Identity>,
    /// Only imported sessions (true), or only the ledger's own (false).
    pub imported: Option<bool>,
}

impl ExportFilter {
    fn has(&self, session: &SessionRow) -> bool {
        self.user.as_ref().is_none_or(|user| session.user().as_ref() == Some(user))
            && self.imported.is_none_or(|imported| session.imported.is_some() == imported)
    }
}

/// Reads sessions in the order in which they began, including imported ones.
#[derive(Debug)]
pub struct Pages<'r> {
    reader: &'r Reader,
    wanted: ExportFilter,
    /// The last session that was read.
    after: Option<(Millis, RowId)>,
    /// The last session when the export began: later ones are not included.
    last: RowId,
    page: std::vec::IntoIter<SessionRow>,
}

impl Reader {
    /// Every session that matches the filter.
    pub fn pages(&self, wanted: ExportFilter) -> Result<Pages<'_>, Error> {
        let last = self.database.one(queries::LAST_SESSION, &[], |row| row.get(0))?.unwrap_or(0);
        Ok(Pages { reader: self, wanted, after: None, last, page: Vec::new().into_iter() })
    }

    /// What an import of these sessions would do.
    pub fn compare(&self, sessions: &[ImportedSession]) -> Result<ImportCounts, Error> {
        let mut counts = ImportCounts::default();
        let coverage = Coverage::read(&self.database)?;
        for session in sessions.iter().filter(|session| !session.continued) {
            let usage = &session.usage;
            let values = values! {
                session: &session.key, stop: session.stop, seconds: session.seconds, estimated: session.estimated,
                input: usage.input_octets, output: usage.output_octets,
                cause: session.cause.as_ref(), closed_by: session.closed_by,
            };
            match self.database.one(queries::EXISTING_SESSION, values, |row| row.get(0))? {
                None => {
                    counts.new += 1;
                    counts.hidden += u64::from(coverage.has(&session.server, session.start));
                }
                Some(true) => counts.completed += 1,
                Some(false) => counts.already_there += 1,
            }
        }
        Ok(counts)
    }
}

impl Reader {
    /// What an import of these refused attempts would do.
    pub fn compare_refusals(&self, refusals: &[ImportedRefusal]) -> Result<ImportCounts, Error> {
        let mut counts = ImportCounts::default();
        for refusal in refusals {
            let known = values! { record: &refusal.key };
            match self.database.one(queries::EXISTING_REFUSAL, known, |row| row.get::<RowId>(0))? {
                None => counts.new += 1,
                Some(_) => counts.already_there += 1,
            }
        }
        Ok(counts)
    }
}

impl Pages<'_> {
    /// An upper limit of the number of sessions, for a progress bar.
    pub fn at_most(&self) -> u64 {
        u64::try_from(self.last).unwrap_or(0)
    }

    fn next_page(&mut self) -> Result<bool, Error> {
        let (start, id) = self.after.unwrap_or((self.wanted.since.unwrap_or(Millis::MIN), RowId::MIN));
        let until = self.wanted.until.unwrap_or(Millis::MAX);
        let next = values! { start: start, id: id, until: until, limit: PAGE };
        let mut page = self.reader.database.all(queries::SESSIONS_AFTER, next, SessionRow::read)?;
        let Some(last) = page.last() else { return Ok(false) };
        self.after = Some((last.acct_start_time, last.id));
        page.retain(|session| session.id <= self.last && self.wanted.has(session));
        self.page = page.into_iter();
        Ok(true)
    }
}

impl Iterator for Pages<'_> {
    type Item = Result<SessionRow, Error>;

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
