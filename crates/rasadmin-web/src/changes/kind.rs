//! The kinds of changes.

use crate::fault::Fault;

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Disconnect a session, or all of a user.
    Disconnect,
    /// Refuse a user or a claimed computer name.
    Block,
    /// Lift a block.
    Unblock,
    /// Release an address.
    Release,
    /// Close a session that RRAS no longer has.
    Close,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Disconnect, Self::Block, Self::Unblock, Self::Release, Self::Close];

    /// Its word in addresses, which is that of the command too.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disconnect => "disconnect",
            Self::Block => "block",
            Self::Unblock => "unblock",
            Self::Release => "release",
            Self::Close => "close",
        }
    }

    /// The kind with this word.
    ///
    /// # Errors
    /// If there is none.
    pub fn named(word: &str) -> Result<Self, Fault> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == word);
        found.ok_or_else(|| Fault::not_found("there is no such page"))
    }
}
