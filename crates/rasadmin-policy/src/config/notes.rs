//! What is right, and still worth knowing before it is relied on.

use super::Config;
use super::file::{Reconnect, WhenUnrecorded};
use std::fmt;

/// Something that an administrator should know of a valid configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// Rules count sessions, and a new one from the same computer name takes an old one's place: but that name is what
    /// the client says of itself.
    ComputerIsClaimed,
    /// Users whom the rules let in are refused while the journal cannot be written: all of them, or those of some
    /// rules.
    UnrecordedAreRefused {
        /// All, except where a rule says otherwise.
        by_default: bool,
    },
}

impl Config {
    /// What is worth knowing of it.
    pub fn notes(&self) -> Vec<Note> {
        let needs = self.rules.needs();
        let counts = needs.user_sessions || !needs.groups.is_empty();
        let claimed = counts && self.reconnect == Reconnect::SameComputer;
        let by_default = self.when_unrecorded == WhenUnrecorded::Deny;
        let unrecorded = self.rules.let_in().any(|own| own.unwrap_or(self.when_unrecorded) == WhenUnrecorded::Deny);
        let claimed = claimed.then_some(Note::ComputerIsClaimed);
        claimed.into_iter().chain(unrecorded.then_some(Note::UnrecordedAreRefused { by_default })).collect()
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ComputerIsClaimed => f.write_str(
                "limits.reconnect = \"same-computer\" trusts the computer name that a client says of itself: whoever gives \
                 two devices one name can have a session on each; \"same-endpoint\" or \"strict\" do not rely on it",
            ),
            Self::UnrecordedAreRefused { by_default } => {
                let whom = if *by_default { "nobody new is let in" } else { "the users of the rules that set it are not let in" };
                write!(
                    f,
                    "when_unrecorded = \"deny\": while the journal cannot be written (a full disk is enough), {whom}; \
                     existing sessions continue"
                )
            }
        }
    }
}
