//! What is in force for one user now, for a process that may not read the journal.

use rasadmin_ledger::report::UserInForce;
use serde::{Deserialize, Serialize};

/// The limits and the block of a user, as the journal has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfUser {
    /// What is in force.
    pub in_force: UserInForce,
    /// Whether a part of the journal cannot be read, so that the limits may be counted wrong.
    pub in_part: bool,
}
