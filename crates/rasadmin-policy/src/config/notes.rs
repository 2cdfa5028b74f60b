//! What is right, and still worth knowing before it is relied on.

use super::Config;
use super::file::Reconnect;
use std::fmt;

/// Something that an administrator should know of a valid configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// Rules count sessions, and a new one from the same computer name takes an old one's place: but that name is what
    /// the client says of itself.
    ComputerIsClaimed,
}

impl Config {
    /// What is worth knowing of it.
    pub fn notes(&self) -> Vec<Note> {
        let needs = self.rules.needs();
        let counts = needs.user_sessions || !needs.groups.is_empty();
        let claimed = counts && self.reconnect == Reconnect::SameComputer;
        claimed.then_some(Note::ComputerIsClaimed).into_iter().collect()
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ComputerIsClaimed => f.write_str(
                "limits.reconnect = \"same-computer\" trusts the computer name that a client says of itself: whoever gives \
                 two devices one name can have a session on each; \"same-endpoint\" or \"strict\" do not rely on it",
            ),
        }
    }
}
