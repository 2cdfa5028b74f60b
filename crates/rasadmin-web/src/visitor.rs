//! Who looks at a page.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a visitor may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look: at everything but the text of the configuration.
    Viewer,
    /// Also let the rasadmin service do something: disconnect, block, unblock, release, close, and try other rules.
    Operator,
}

impl Role {
    /// As the users' file has it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// A visitor who has proved who they are. Every page but that of the login gets one.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The name, as the journal has it for a change.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The token that every form must send back.
    pub csrf: String,
}
