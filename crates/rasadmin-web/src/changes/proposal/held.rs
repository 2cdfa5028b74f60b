//! Who holds an address.

use crate::parts;
use rasadmin_engine::state::{Holding, Lease};
use rasadmin_ledger::RowId;
use rasadmin_ledger::report::{LeaseRow, SessionRow};
use rasadmin_policy::{Identity, Millis, Name};

/// Who holds an address.
#[derive(Clone, Debug)]
pub struct Held {
    /// The user; `None` if RRAS passed no name that is one.
    pub user: Option<Identity>,
    /// The user's name as RRAS passed it.
    pub user_name: Name,
    /// Since when.
    pub began: Millis,
    /// The port that it was given on.
    pub port: Name,
    /// The pool, if the ledger has the lease already.
    pub pool: Option<String>,
    /// The live session that has it.
    pub live: Option<Live>,
}

/// A live session that has an address.
#[derive(Clone, Debug)]
pub struct Live {
    /// Its key.
    pub key: String,
    /// Its number, if the ledger has it already.
    pub number: Option<RowId>,
}

impl Held {
    /// As the journal has it: it is what the service looks at, and the ledger may be seconds behind.
    pub fn of_journal(lease: &Lease, row: Option<LeaseRow>) -> Self {
        let row = row
            .filter(|row| row.began == lease.began.time && row.user_name == lease.user_name && row.port == lease.port);
        let live = match lease.holding {
            Holding::Session(id) => Some(Live { key: id.to_string(), number: None }),
            Holding::Waiting(_) | Holding::Ended(..) => None,
        };
        Self {
            user: lease.user.clone(),
            user_name: lease.user_name.clone(),
            began: lease.began.time,
            port: lease.port.clone(),
            pool: row.and_then(|row| row.pool),
            live,
        }
    }

    /// As the ledger has it, if the journal cannot be read here.
    pub fn of_ledger(row: LeaseRow, live: Option<SessionRow>) -> Self {
        Self {
            user: row.domain.zip(row.name).map(|(domain, name)| Identity { domain, name }),
            user_name: row.user_name,
            began: row.began,
            port: row.port,
            pool: row.pool,
            live: live.map(|live| Live { key: live.acct_session_id, number: Some(live.id) }),
        }
    }

    /// The user, as people read it.
    pub fn who(&self) -> String {
        match &self.user {
            Some(user) => parts::printable(&user.to_string()),
            None if self.user_name.is_empty() => "(no name)".to_owned(),
            None => parts::printable(self.user_name.as_str()),
        }
    }
}
