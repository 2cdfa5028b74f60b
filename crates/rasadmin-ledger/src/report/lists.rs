//! Long lists, a page at a time.

use super::filter::{Filter, UserFilter};
use super::leases::lease_row;
use super::{KnownUser, LeaseRow, Reader};
use crate::value::values;
use crate::{Error, RowId, queries};
use rasadmin_engine::Name;
use std::cmp::Reverse;

/// What a list of users is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UserOrder {
    /// The domain and the name. This is cheap however long the ledger is; the others count all sessions first.
    #[default]
    Name,
    /// Sessions that are connected now, the most first.
    Live,
    /// All sessions, the most first.
    Sessions,
    /// When the last session ended, or began if it is live: the latest first.
    Last,
    /// When the user was last denied, the latest first.
    LastDenied,
}

impl UserOrder {
    /// What comes before the name in this order: 0 is never.
    fn amount(self, user: &KnownUser) -> i64 {
        match self {
            Self::Name => 0,
            Self::Live => user.live_sessions.cast_signed(),
            Self::Sessions => user.sessions.cast_signed(),
            Self::Last => user.last.unwrap_or(0),
            Self::LastDenied => user.last_denied.unwrap_or(0),
        }
    }

    /// A page of all users in this order, the most or the latest first, as [`Reader::user_page`] reads one.
    pub fn page(
        self,
        all: &[KnownUser],
        part: Option<&str>,
        after: Option<&UserPlace>,
        limit: u32,
    ) -> ListPage<KnownUser, UserPlace> {
        let part = part.map(|part| Name::new(part).into_directory_folded());
        let has_part = |user: &&KnownUser| {
            part.as_ref().is_none_or(|part| {
                let whole = format!("{}\\{}", user.domain.as_str(), user.name.as_str());
                whole.contains(part.as_str()) && !part.is_empty()
            })
        };
        let rank = |user: &KnownUser| (Reverse(self.amount(user)), user.domain.clone(), user.name.clone());
        let start = after.map(|place| (Reverse(place.amount), place.domain.clone(), place.name.clone()));
        let mut found: Vec<_> = all.iter().filter(has_part).map(|user| (rank(user), user)).collect();
        found.retain(|(rank, _)| start.as_ref().is_none_or(|start| rank > start));
        found.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        found.truncate((limit as usize).saturating_add(1));
        ListPage::cut(found.into_iter().map(|(_, user)| user.clone()).collect(), limit as usize, |user| UserPlace {
            amount: self.amount(user),
            domain: user.domain.clone(),
            name: user.name.clone(),
        })
    }
}

/// A place in a list of users: after this one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserPlace {
    /// The number or time that the list is sorted by. It does not matter in the order of names.
    pub amount: i64,
    /// The user's domain.
    pub domain: Name,
    /// The user's name.
    pub name: Name,
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPage<T, P> {
    /// Its rows.
    pub rows: Vec<T>,
    /// Where the next page begins. None if this is the last one.
    pub next: Option<P>,
}

impl Reader {
    /// Users that the ledger knows: at most `limit`, after a place. `part`: only those whose name has it, in upper or lower
    /// case, with or without accents; the domain and a backslash belong to the name.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn user_page(
        &self,
        order: UserOrder,
        part: Option<&str>,
        after: Option<&UserPlace>,
        limit: u32,
    ) -> Result<ListPage<KnownUser, UserPlace>, Error> {
        if order != UserOrder::Name {
            return Ok(order.page(&self.every_user(&mut |_, _| {})?, part, after, limit));
        }
        let part = part.map(|part| Name::new(part).into_directory_folded());
        let start = (Name::default(), Name::default());
        let (domain, name) = after.map_or((&start.0, &start.1), |place| (&place.domain, &place.name));
        let asked = values! { domain: domain, name: name, part: part.as_ref(), limit: limit.saturating_add(1) };
        let mut names: Vec<(Name, Name)> =
            self.database.all(queries::USER_NAMES_AFTER, asked, |row| Ok((row.get(0)?, row.get(1)?)))?;
        let is_cut = names.len() > limit as usize;
        names.truncate(limit as usize);
        let last = names.last().filter(|_| is_cut).cloned();
        let mut rows = Vec::new();
        for (domain, name) in names {
            let user = Some(UserFilter { domain: Some(domain), name });
            rows.extend(self.users(&Filter { user, ..Filter::default() })?);
        }
        let next = last.map(|(domain, name)| UserPlace { amount: 0, domain, name });
        Ok(ListPage { rows, next })
    }

    /// Leases that hold now, by address: at most `limit`, after the one with this number; only those of one pool if `pool`
    /// is given.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn lease_page(
        &self,
        pool: Option<&str>,
        after: Option<RowId>,
        limit: u32,
    ) -> Result<ListPage<LeaseRow, RowId>, Error> {
        let asked = values! { pool: pool, after: after, limit: limit.saturating_add(1) };
        let rows = self.database.all(queries::LIVE_LEASES_AFTER, asked, lease_row)?;
        Ok(ListPage::cut(rows, limit as usize, |lease| lease.id))
    }
}

impl<T, P> ListPage<T, P> {
    /// From rows of which there may be more than are wanted.
    fn cut(mut rows: Vec<T>, wanted: usize, place: impl FnOnce(&T) -> P) -> Self {
        let is_cut = rows.len() > wanted;
        rows.truncate(wanted);
        let next = rows.last().filter(|_| is_cut).map(place);
        Self { rows, next }
    }
}
