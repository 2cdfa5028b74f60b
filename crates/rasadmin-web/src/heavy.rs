//! Answers that take seconds of a large ledger, such as the sums of a month: they are kept for a while. If there is none yet,
//! a page says how far it is.

mod making;
mod warm;

use crate::fault::Fault;
use crate::source::Source;
pub use making::{Answer, Share};
use making::{Heavy, One};
use rasadmin_ledger::report::{GroupBy, KnownUser, ListPage, Total, UserOrder, UserPlace};
use rasadmin_policy::Millis;
use std::sync::Arc;
use std::time::Duration;
pub use warm::warm;

/// How many users a page of the list has.
pub const USERS: u32 = 100;

/// How long a page waits before it says that an answer is being made.
pub const PAGE: Duration = Duration::from_millis(700);

/// How long a program or a file waits. It is less than a request may take.
pub const PROGRAM: Duration = Duration::from_secs(25);

/// All that are kept.
#[derive(Debug, Default)]
pub struct AllHeavy {
    sums: Heavy<AskedSums, Sums>,
    names: Heavy<AskedNames, Users>,
    users: Heavy<(), UserList>,
    one: One,
    /// Pages of names are cheap, so they do not wait for sums.
    one_of_names: One,
}

/// Sums that were asked for, and the configuration whose groups and rules they have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct AskedSums {
    by: GroupBy,
    from: Millis,
    to: Millis,
    config: String,
}

/// The sums of a period.
#[derive(Debug)]
pub struct Sums {
    /// When they were made: live sessions count until then.
    pub made: Millis,
    /// One for each user, group, and so on.
    pub totals: Vec<Total>,
}

/// A page of the list of users in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct AskedNames {
    part: Option<String>,
    after: Option<UserPlace>,
}

/// All users. Every other order is made from them.
#[derive(Debug)]
struct UserList {
    made: Millis,
    all: Vec<KnownUser>,
}

/// A page of the list of users.
#[derive(Debug)]
pub struct Users {
    /// When it was made.
    pub made: Millis,
    /// Itself.
    pub page: ListPage<KnownUser, UserPlace>,
}

/// A page of the list of users that was asked for.
#[derive(Clone, Debug)]
pub struct AskedUsers {
    /// How it is sorted.
    pub order: UserOrder,
    /// What the names must have.
    pub part: Option<String>,
    /// Where the page begins.
    pub after: Option<UserPlace>,
    /// How many users it has at most.
    pub limit: u32,
}

impl Source {
    /// The sums of a period. If they take long to make, they may be some minutes old. This waits for as long as `patience`.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn sums(&self, by: GroupBy, from: Millis, to: Millis, patience: Duration) -> Result<Answer<Sums>, Fault> {
        let (config, made, readers) = (self.config(), self.now(), self.readers());
        let asked = AskedSums { by, from, to, config: config.hash.clone() };
        self.heavy.sums.answer(&self.heavy.one, asked, patience, move |share| {
            let mut progress = |done, all| share.set(done, all);
            let totals = readers.ask(&config.ledger, |reader| {
                reader.totals_with(by, from, to, made, &config, &config.zone, &mut progress)
            })?;
            Ok(Sums { made, totals })
        })
    }

    /// A page of the list of users, in the same way.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn users(&self, asked: AskedUsers, patience: Duration) -> Result<Answer<Users>, Fault> {
        let (config, made, readers) = (self.config(), self.now(), self.readers());
        let AskedUsers { order, part, after, limit } = asked;
        if order == UserOrder::Name && limit == USERS {
            let asked = AskedNames { part: part.clone(), after: after.clone() };
            return self.heavy.names.answer(&self.heavy.one_of_names, asked, patience, move |_| {
                let page = readers
                    .ask(&config.ledger, |reader| reader.user_page(order, part.as_deref(), after.as_ref(), limit))?;
                Ok(Users { made, page })
            });
        }
        if order == UserOrder::Name {
            let page = self.ledger(|reader| reader.user_page(order, part.as_deref(), after.as_ref(), limit))?;
            return Ok(Answer::Ready(Arc::new(Users { made, page })));
        }
        let list = self.heavy.users.answer(&self.heavy.one, (), patience, move |share| {
            let mut progress = |done, all| share.set(done, all);
            let all = readers.ask(&config.ledger, |reader| reader.every_user(&mut progress))?;
            Ok(UserList { made, all })
        })?;
        Ok(match list {
            Answer::Ready(list) => {
                let page = order.page(&list.all, part.as_deref(), after.as_ref(), limit);
                Answer::Ready(Arc::new(Users { made: list.made, page }))
            }
            Answer::Being(share) => Answer::Being(share),
        })
    }
}

impl<V> Answer<V> {
    /// The answer for a program, which has waited long enough.
    ///
    /// # Errors
    /// If it is still being made.
    pub fn ready(self) -> Result<Arc<V>, Fault> {
        match self {
            Self::Ready(answer) => Ok(answer),
            Self::Being(share) => {
                let what = format!("the figures are being made: {}", share.words());
                Err(Fault::unavailable(what, "send the same request again in some seconds"))
            }
        }
    }
}

#[cfg(test)]
mod tests;
