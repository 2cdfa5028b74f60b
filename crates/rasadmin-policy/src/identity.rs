//! Identities of users and computers: a domain and a name, as Windows compares them.

mod domains;
mod spelling;

pub use domains::Domains;
pub(crate) use spelling::Spelling;

use crate::Name;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A user or a computer. Both parts are already folded (see [`Domains`]), so identities compare as they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct Identity {
    /// The domain, folded; empty if there is none.
    pub domain: Name,
    /// The name, folded. A computer's ends in `$`.
    pub name: Name,
}

impl Identity {
    /// Is it a computer (`host/pc`, `PC$`)? Always On device tunnels connect as computers.
    pub fn is_computer(&self) -> bool {
        self.name.as_str().ends_with('$')
    }

    /// Is it certain where the domain ends and the name begins? Not in `a@b@c` and `CORP\a\b`, which belong to no
    /// domain: nobody knows which user they mean.
    pub fn is_placed(&self) -> bool {
        !self.domain.is_empty() || !matches!(Spelling::of(&self.name), Spelling::Whole(_))
    }
}

/// `DOMAIN\NAME`, or the bare name.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.domain.is_empty() { self.name.fmt(f) } else { write!(f, "{}\\{}", self.domain, self.name) }
    }
}
