//! Blocks: who is refused, whatever the rules say.

use crate::{Identity, Millis, Name};
use serde::{Deserialize, Serialize};

/// Who is blocked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlockSubject {
    /// A user, or the account of a computer: then the name ends in `$`.
    User(Identity),
    /// Every client that claims this computer name. It is folded.
    ClaimedComputer(Name),
}

impl BlockSubject {
    /// Every client that claims this computer name, however it is spelled.
    pub fn claimed_computer(name: &Name) -> Self {
        Self::ClaimedComputer(name.folded())
    }

    /// Its kind, as programs read it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::User(user) if user.is_computer() => "computer-account",
            Self::User(_) => "user",
            Self::ClaimedComputer(_) => "claimed-computer",
        }
    }
}

/// A block. It is in force until its end, or until it is lifted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Who is blocked.
    pub subject: BlockSubject,
    /// When it was recorded.
    pub since: Millis,
    /// When it ends, by the time of day; `None` if it stays until it is lifted.
    pub until: Option<Millis>,
    /// The reason, for people.
    pub reason: Option<String>,
    /// The account of the operating system that asked for it.
    pub by: Option<String>,
}

impl Block {
    /// Is it in force at this time?
    pub fn is_in_force(&self, time: Millis) -> bool {
        self.until.is_none_or(|until| time < until)
    }
}

/// A block of a user in the form that was recorded before there were blocks of computers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierBlock {
    /// The user.
    pub user: Identity,
    /// When it ends, by the time of day; `None` lifts the block.
    pub until: Option<Millis>,
    /// The reason, for people.
    pub reason: Option<String>,
}
