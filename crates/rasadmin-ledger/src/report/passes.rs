//! Passes over many sessions, which say how far they are.

use super::{KnownUser, Reader, SessionRow};
use crate::imported::NO_END;
use crate::sqlite::{ColumnError, Row};
use crate::value::values;
use crate::{Error, queries};
use rasadmin_engine::{Millis, Name};
use std::collections::HashMap;

/// A day, in milliseconds.
const DAY: Millis = 86_400_000;

/// After so many rows, a pass says how far it is.
const ROWS: u64 = 1_000;

/// Is called with the number of rows that were read, and the number that there are, as far as it is known.
pub type Progress<'p> = &'p mut dyn FnMut(u64, u64);

/// How far a pass is.
pub(super) struct Pass<'p> {
    progress: Progress<'p>,
    done: u64,
    all: u64,
}

impl<'p> Pass<'p> {
    fn of(all: u64, progress: Progress<'p>) -> Self {
        progress(0, all);
        Self { progress, done: 0, all }
    }

    fn row(&mut self) {
        self.done += 1;
        if self.done.is_multiple_of(ROWS) {
            // More may have come meanwhile.
            (self.progress)(self.done, self.all.max(self.done));
        }
    }
}

impl SessionRow {
    /// Only what sums need; the rest is empty.
    fn read_summed(row: &Row<'_>) -> Result<Self, ColumnError> {
        let (stop, closed_by): (_, Option<String>) = (row.get(6)?, row.get(11)?);
        let no_end = closed_by.as_deref() == Some(NO_END);
        let (acct_stop_time, last_seen) = if no_end { (None, stop) } else { (stop, None) };
        Ok(Self {
            id: row.get(0)?,
            domain: row.get(1)?,
            name: row.get(2)?,
            user_name: row.get(3)?,
            tunnel_type: row.get(4)?,
            acct_start_time: row.get(5)?,
            acct_stop_time,
            last_seen,
            acct_session_time: row.get::<Option<u64>>(7)?.filter(|_| !no_end),
            acct_input_octets: row.get(8)?,
            acct_output_octets: row.get(9)?,
            octets_are: row.get(10)?,
            closed_by,
            estimated: row.get::<Option<bool>>(12)?.unwrap_or(false),
            imported: row.get(13)?,
            ..Self::default()
        })
    }
}

impl Reader {
    /// The sessions of [`each_session_in`](Self::each_session_in), of which each has only its number, its user, its tunnel,
    /// its times, its octets, and what is known of its end. This costs a third.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn each_summed_in(
        &self,
        from: Millis,
        to: Millis,
        progress: Progress<'_>,
        each: &mut dyn FnMut(SessionRow),
    ) -> Result<(), Error> {
        let day_before = from.saturating_sub(DAY);
        let begun = values! { day_before: day_before, to: to };
        let count = self.database.one(queries::BEGUN_IN_PERIOD, begun, |row| row.get(0))?;
        let mut pass = Pass::of(count.unwrap_or(0), progress);
        let period = values! { from: from, to: to, day_before: day_before };
        self.database.each(queries::SUMMED_IN_PERIOD, period, |row| {
            pass.row();
            SessionRow::read_summed(row).map(&mut *each)
        })
    }

    /// All users that the ledger knows, as [`users`](Self::users) has them, in the order of their names. This reads all
    /// sessions.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn every_user(&self, progress: Progress<'_>) -> Result<Vec<KnownUser>, Error> {
        let mut all = HashMap::<(Name, Name), KnownUser>::new();
        let count = self.database.one(queries::LAST_SESSION, &[], |row| row.get(0))?;
        let mut pass = Pass::of(count.unwrap_or(0), progress);
        let blank = |(domain, name): &(Name, Name)| KnownUser {
            domain: domain.clone(),
            name: name.clone(),
            live_sessions: 0,
            sessions: 0,
            first: None,
            last: None,
            last_denied: None,
        };
        self.database.each(queries::USER_SESSIONS, &[], |row| {
            pass.row();
            let key = (row.get(0)?, row.get(1)?);
            let user = match all.get_mut(&key) {
                Some(user) => user,
                None => all.entry(key.clone()).or_insert_with(|| blank(&key)),
            };
            user.live_sessions += row.get::<u64>(2)?;
            if let Some(start) = row.get::<Option<Millis>>(3)? {
                user.sessions += 1;
                user.first = Some(user.first.map_or(start, |first| first.min(start)));
                user.last = user.last.max(row.get(4)?);
            }
            Ok(())
        })?;
        self.database.each(queries::USERS_DENIED, &[], |row| {
            let key = (row.get(0)?, row.get(1)?);
            all.entry(key.clone()).or_insert_with(|| blank(&key)).last_denied = row.get(2)?;
            Ok(())
        })?;
        let mut users: Vec<_> = all.into_values().collect();
        users.sort_unstable_by(|one, other| (&one.domain, &one.name).cmp(&(&other.domain, &other.name)));
        Ok(users)
    }
}
