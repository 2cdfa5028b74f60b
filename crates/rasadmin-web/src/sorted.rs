//! Sessions in the order that a visitor chooses, a page at a time.
//!
//! A ledger may have millions of them. Two orders have an index: that of the begin, and that of the users. For the others,
//! and for a search that finds few, what they are sorted by is read of all sessions that the search finds, if there are not
//! too many. No page is found by counting the rows before it.

mod rank;

use crate::app::App;
use crate::attempts::shown;
use crate::fault::Fault;
use crate::pages::asked::given;
use rasadmin_ledger::RowId;
use rasadmin_ledger::report::{Filter, SessionKey, SessionRow, SessionSearch};
use rasadmin_policy::Millis;
use rasadmin_service::live_table::LiveSession;
use std::collections::HashMap;

/// How many sessions a search may find in an order that has no index: all that a server can have at once.
pub const MOST: u32 = 20_000;

/// What sessions are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// When they began: the latest first.
    #[default]
    Began,
    /// The user: from A to Z, and by their begin.
    User,
    /// When they ended: the latest first. Those that are connected have not ended, so they come before.
    Ended,
    /// How long they have been connected: the longest first.
    Duration,
    /// Octets from the user: the most first.
    Received,
    /// Octets to the user: the most first.
    Sent,
    /// When octets last came from a user who is connected: the longest ago first, because they may have left.
    Heard,
}

/// The words.
const WORDS: [(&str, By); 7] = [
    ("began", By::Began),
    ("user", By::User),
    ("ended", By::Ended),
    ("duration", By::Duration),
    ("received", By::Received),
    ("sent", By::Sent),
    ("heard", By::Heard),
];

/// An order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order {
    pub by: By,
    /// The other way round.
    pub is_turned: bool,
}

impl Order {
    /// The order of a word: `duration` is the longest first, `-duration` the shortest.
    ///
    /// # Errors
    /// If there is no such order.
    pub fn of(text: &str) -> Result<Self, Fault> {
        let Some(asked) = given(text) else { return Ok(Self::default()) };
        let (word, is_turned) = asked.strip_prefix('-').map_or((asked, false), |word| (word, true));
        let found = WORDS.iter().find(|(known, _)| *known == word);
        found.map(|(_, by)| Self { by: *by, is_turned }).ok_or_else(|| {
            let all: Vec<_> = WORDS.iter().map(|(word, _)| format!("`{word}`")).collect();
            let remedy = format!("choose one of {}; a hyphen before it turns the order round", all.join(", "));
            Fault::bad_request(format_args!("there is no order `{}`", shown(asked)), remedy)
        })
    }

    /// Its word. That of the usual order is empty.
    pub fn word(self) -> String {
        let word = WORDS.iter().find(|(_, by)| *by == self.by).map_or("", |(word, _)| *word);
        match self.is_turned {
            true => format!("-{word}"),
            false if self.by == By::Began => String::new(),
            false => word.to_owned(),
        }
    }

    /// The order by this word, if it is one: turned round if the list has it already.
    pub fn next(self, word: &str) -> Option<Self> {
        let (_, by) = WORDS.iter().find(|(known, _)| *known == word)?;
        Some(Self { by: *by, is_turned: self.by == *by && !self.is_turned })
    }

    /// Whether the least, the earliest or the first of the alphabet comes first.
    pub const fn is_ascending(self) -> bool {
        matches!(self.by, By::User | By::Heard) != self.is_turned
    }
}

/// What the service has seen of sessions that are connected now, by their keys.
pub type Seen = HashMap<String, LiveSession>;

/// A page of a list.
#[derive(Debug, Default)]
pub struct Page {
    pub rows: Vec<SessionRow>,
    /// Where the next page begins: a value of the order, and the number of the last row. None if this is the last page.
    pub next: Option<(i64, RowId)>,
    /// How many sessions the list has, if that is known.
    pub all: Option<usize>,
    /// Whether nothing is shown because there are too many to sort them.
    pub is_too_long: bool,
}

/// A page of `count` sessions of a search.
///
/// # Errors
/// If the ledger cannot be read, or does not have the session after which the page begins.
pub fn page(app: &App, search: SessionSearch, order: Order, count: u32, seen: &Seen) -> Result<Page, Fault> {
    let now = app.source.now();
    // One more than are shown says whether there are more.
    let limit = Some(count.saturating_add(1));
    let search = SessionSearch { filter: Filter { limit, ..search.filter }, ..search };
    if order == Order::default() {
        let rows = app.source.ledger(|reader| reader.search_sessions(&search))?;
        return Ok(Page::cut(rows, count));
    }
    if has_index(&search, order) {
        return by_index(app, &search, order, count);
    }
    match app.source.ledger(|reader| reader.session_keys(&search, MOST))? {
        Some(keys) => sorted(app, keys, &search, order, count, seen, now),
        None if !search.live && matches!(order.by, By::Began | By::User) => by_index(app, &search, order, count),
        None => Ok(Page { is_too_long: true, ..Page::default() }),
    }
}

/// Whether the order's index is a good way to find a page, however many sessions the search finds.
fn has_index(search: &SessionSearch, order: Order) -> bool {
    match order.by {
        _ if search.live => false,
        // The index of the begin has nothing of users.
        By::Began => search.filter.user.is_none() && search.name.is_none(),
        // That of the users has nothing else.
        By::User => {
            let all = Filter { limit: search.filter.limit, ..Filter::default() };
            *search == SessionSearch { filter: all, after: search.after, ..SessionSearch::default() }
        }
        _ => false,
    }
}

fn by_index(app: &App, search: &SessionSearch, order: Order, count: u32) -> Result<Page, Fault> {
    let rows = app.source.ledger(|reader| match order.by {
        By::User => reader.sessions_by_user(search, order.is_turned),
        _ => reader.sessions_from_oldest(search).map(Some),
    })?;
    rows.map(|rows| Page::cut(rows, count)).ok_or_else(lost)
}

/// The session after which a page begins was deleted or made anonymous.
fn lost() -> Fault {
    Fault::bad_request("the ledger no longer has the session after which this page begins", "begin with the first page")
}

/// A page of sessions that are sorted here.
fn sorted(
    app: &App,
    mut keys: Vec<SessionKey>,
    search: &SessionSearch,
    order: Order,
    count: u32,
    seen: &Seen,
    now: Millis,
) -> Result<Page, Fault> {
    let rank = rank::Ranks { order, seen, now };
    keys.sort_by_cached_key(|key| rank.of(key));
    let first = match search.after {
        None => 0,
        Some((cursor, id)) => match rank.after(&keys, cursor, id) {
            Some(first) => first,
            // It does not belong to the list any more, as when it has ended, but the ledger knows whose it was.
            None if order.by == By::User => {
                let gone = app.source.ledger(|reader| reader.sessions_numbered([id].into_iter()))?;
                let gone = rank.of(&key_of(gone.first().ok_or_else(lost)?));
                keys.partition_point(|key| rank.of(key) <= gone)
            }
            None => return Err(lost()),
        },
    };
    let (all, rest) = (keys.len(), &keys[first.min(keys.len())..]);
    let shown = &rest[..rest.len().min(count as usize)];
    let next = shown.last().filter(|_| shown.len() < rest.len()).map(|key| (rank.cursor(key), key.id));
    let rows = app.source.ledger(|reader| reader.sessions_numbered(shown.iter().map(|key| key.id)))?;
    Ok(Page { rows, next, all: Some(all), is_too_long: false })
}

/// What the order of the users needs.
fn key_of(row: &SessionRow) -> SessionKey {
    let user = row.user().map(|user| (user.domain, user.name));
    SessionKey { id: row.id, user, start: row.acct_start_time, ..SessionKey::default() }
}

impl Page {
    /// From rows of which there may be one more than are shown, in an order that is that of the begin within a user.
    fn cut(mut rows: Vec<SessionRow>, count: u32) -> Self {
        let is_cut = rows.len() > count as usize;
        rows.truncate(count as usize);
        let next = rows.last().filter(|_| is_cut).map(|row| (row.acct_start_time, row.id));
        Self { rows, next, ..Self::default() }
    }
}

#[cfg(test)]
mod tests;
