//! Warnings about valid configurations.

use super::Config;
use super::file::{Reconnect, WhenUnrecorded};
use std::fmt;

/// Something that an administrator should know about a valid configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// Rules count sessions, and a new session replaces an old one with the same computer name. But that name is only
    /// what the client claims.
    ComputerIsClaimed,
    /// Users whom the rules allow are denied while the journal cannot be written: all of them, or those of some rules.
    UnrecordedAreRefused {
        /// All users, except those of rules that say otherwise.
        by_default: bool,
    },
}

impl Config {
    /// The warnings about this configuration.
    pub fn warnings(&self) -> Vec<Warning> {
        let needs = self.rules.needs();
        let counts = needs.user_sessions || !needs.groups.is_empty();
        let claimed = counts && self.reconnect == Reconnect::SameComputer;
        let by_default = self.when_unrecorded == WhenUnrecorded::Deny;
        let unrecorded = self.rules.let_in().any(|own| own.unwrap_or(self.when_unrecorded) == WhenUnrecorded::Deny);
        let claimed = claimed.then_some(Warning::ComputerIsClaimed);
        claimed.into_iter().chain(unrecorded.then_some(Warning::UnrecordedAreRefused { by_default })).collect()
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ComputerIsClaimed => f.write_str(
                "limits.reconnect = \"same-computer\" trusts the computer name that a client sends: a user who gives two devices \
                 the same name can have a session on each; \"same-endpoint\" and \"strict\" do not rely on it",
            ),
            Self::UnrecordedAreRefused { by_default } => {
                let effect = if *by_default { "new connections are denied" } else { "the users of the rules that set it are denied" };
                write!(
                    f,
                    "when_unrecorded = \"deny\": while the journal cannot be written (a full disk is enough), {effect}; \
                     existing sessions continue"
                )
            }
        }
    }
}
