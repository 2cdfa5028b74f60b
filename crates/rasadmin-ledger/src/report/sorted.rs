//! Sessions in other orders than that of their begin, the latest first.

use super::{Reader, SessionRow, SessionSearch};
use crate::sqlite::{ColumnError, Row};
use crate::value::{Value, values};
use crate::{Error, RowId, queries};
use rasadmin_engine::{Millis, Name};

/// Longer than any name, and after it.
const LAST_NAME_CHARS: usize = 300;

/// What a session can be sorted by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionKey {
    /// The session's number in this ledger.
    pub id: RowId,
    /// Its key, if it is live.
    pub live: Option<String>,
    /// The user's domain and name. None if RRAS passed no name.
    pub user: Option<(Name, Name)>,
    /// When it began.
    pub start: Millis,
    /// When it ended, or was last seen if its end is not known. None if it is live.
    pub stop: Option<Millis>,
    /// Octets from the user, and to the user, if they are known.
    pub octets: [Option<u64>; 2],
}

impl SessionKey {
    fn read(row: &Row<'_>) -> Result<Self, ColumnError> {
        let (domain, name): (Option<Name>, Option<Name>) = (row.get(2)?, row.get(3)?);
        Ok(Self {
            id: row.get(0)?,
            live: row.get(1)?,
            user: domain.zip(name),
            start: row.get(4)?,
            stop: row.get(5)?,
            octets: [row.get(6)?, row.get(7)?],
        })
    }
}

impl Reader {
    /// What sessions can be sorted by, of all that a search finds, in no order. None if there are more than `most`. The row
    /// after which the search continues does not matter.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn session_keys(&self, search: &SessionSearch, most: u32) -> Result<Option<Vec<SessionKey>>, Error> {
        let query = match search.live {
            true => queries::LIVE_KEYS,
            false if search.filter.is_of_one_user() => queries::SESSION_KEYS_OF_USER,
            false if search.filter.user.is_some() => queries::SESSION_KEYS_OF_NAME,
            false => queries::SESSION_KEYS,
        };
        // One more says that there are more.
        let mut search = search.clone();
        search.filter.limit = Some(most.saturating_add(1));
        let folded = search.folded();
        let keys = self.database.all(query, &search.values(folded.as_ref()), SessionKey::read)?;
        Ok((keys.len() <= most as usize).then_some(keys))
    }

    /// The sessions with these numbers, in their order. One that is not in the ledger any more is left out.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn sessions_numbered(&self, ids: impl Iterator<Item = RowId>) -> Result<Vec<SessionRow>, Error> {
        let mut all = Vec::new();
        for id in ids {
            all.extend(self.database.one(queries::SESSION, values! { id: id }, SessionRow::read)?);
        }
        Ok(all)
    }

    /// Past and live sessions of a search, the oldest first. A search of one user is not faster than one of all.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn sessions_from_oldest(&self, search: &SessionSearch) -> Result<Vec<SessionRow>, Error> {
        let first = (search.filter.since.unwrap_or(Millis::MIN), RowId::MIN);
        let (start, id) = search.after.unwrap_or(first).max(first);
        let folded = search.folded();
        let mut values = search.values(folded.as_ref());
        values.retain(|(name, _)| *name != ":since");
        values.extend([(":start", start.into()), (":id", id.into())]);
        self.database.all(queries::SESSIONS_FROM_OLDEST, &values, SessionRow::read)
    }

    /// Past and live sessions of a search in the order of the users, and of each in the order of their begin; all of it
    /// from the last to the first if `back`. Those without a name come last, the latest first. None if the search continues
    /// after a session that is not in the ledger any more.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn sessions_by_user(&self, search: &SessionSearch, back: bool) -> Result<Option<Vec<SessionRow>>, Error> {
        let at = match search.after {
            None => None,
            Some((_, id)) => match self.database.one(queries::SESSION, values! { id: id }, SessionRow::read)? {
                Some(row) => Some(row),
                None => return Ok(None),
            },
        };
        let folded = search.folded();
        let values = || search.values(folded.as_ref());
        let (mut rows, first_without) = match at {
            Some(row) if row.user().is_none() => (Vec::new(), (row.acct_start_time, row.id)),
            at => {
                let whole = at.as_ref().and_then(SessionRow::user).zip(at.as_ref());
                let (domain, name, start, id) = match whole {
                    Some((user, row)) => (user.domain, user.name, row.acct_start_time, row.id),
                    None if back => {
                        let last = Name::from_stored(char::MAX.to_string().repeat(LAST_NAME_CHARS));
                        (last.clone(), last, Millis::MAX, RowId::MAX)
                    }
                    None => (Name::default(), Name::default(), Millis::MIN, RowId::MIN),
                };
                let query = if back { queries::SESSIONS_BY_USER_BACK } else { queries::SESSIONS_BY_USER };
                let mut values = values();
                values.extend([(":last_domain", Value::from(&domain)), (":last_name", Value::from(&name))]);
                values.extend([(":start", start.into()), (":id", id.into())]);
                (self.database.all(query, &values, SessionRow::read)?, (Millis::MAX, RowId::MAX))
            }
        };
        let wanted = search.filter.limit.unwrap_or(u32::MAX);
        let rest = wanted.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        // No user has no name: the search is for others.
        if rest > 0 && search.filter.user.is_none() {
            let mut values = values();
            values.retain(|(name, _)| *name != ":limit");
            let (start, id) = first_without;
            values.extend([(":limit", rest.into()), (":start", start.into()), (":id", id.into())]);
            rows.extend(self.database.all(queries::SESSIONS_WITHOUT_USER, &values, SessionRow::read)?);
        }
        Ok(Some(rows))
    }
}
