//! Who asks, and what they may ask for.

use crate::protocol::Right;
use rasadmin_rights::account::Account;
#[cfg(windows)]
use rasadmin_rights::dashboard;

/// The process on the other side of the pipe, as the operating system reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its account, as in `CORP\alice`.
    pub account: String,
    /// What it may ask for.
    pub class: Class,
}

/// Classes of callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// SYSTEM and administrators; on Unix root and the service's own user. They may do everything.
    Administrator,
    /// `NT SERVICE\rasadmin-net`: it may look. It may change something only for users of its dashboard, and only if the
    /// configuration lets it.
    Reader,
    /// Anybody else.
    Stranger,
}

impl Class {
    /// Does this class have a right?
    pub const fn has(self, right: Right) -> bool {
        match (self, right) {
            (Self::Administrator, Right::Read | Right::Change) | (Self::Reader, Right::Read) => true,
            (Self::Reader, Right::Change) | (Self::Stranger, _) => false,
        }
    }
}

impl From<Account> for Caller {
    fn from(account: Account) -> Self {
        let class = match account {
            Account { administrator: true, .. } => Class::Administrator,
            #[cfg(windows)]
            Account { ref id, .. } if id == dashboard::SID => Class::Reader,
            _ => Class::Stranger,
        };
        Self { account: account.name, class }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(id: &str, administrator: bool) -> Class {
        Caller::from(Account { id: id.to_owned(), name: "X".to_owned(), administrator }).class
    }

    #[test]
    fn a_reader_changes_nothing_and_a_stranger_sees_nothing() {
        let rights = |class: Class| [Right::Read, Right::Change].map(|right| class.has(right));
        assert_eq!(rights(Class::Administrator), [true, true]);
        assert_eq!(rights(Class::Reader), [true, false]);
        assert_eq!(rights(Class::Stranger), [false, false]);
    }

    #[test]
    fn the_account_decides() {
        assert_eq!(class("S-1-5-18", true), Class::Administrator);
        assert_eq!(class("S-1-5-21-1-2-3-1104", false), Class::Stranger);
        #[cfg(windows)]
        assert_eq!(class(dashboard::SID, false), Class::Reader);
    }
}
