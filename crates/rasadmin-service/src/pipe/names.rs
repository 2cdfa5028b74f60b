//! Names and keys that clients send.

use rasadmin_engine::Id;
use rasadmin_pipe::{Refusal, Why};

/// How many characters a name has at most: UNLEN, a domain, and what separates them.
const LONGEST: usize = 600;

/// Refuses a name that nothing has. `what` says which name it is.
pub(super) fn check(what: &str, name: &str) -> Result<(), Refusal> {
    if name.trim() == name && !name.contains(char::is_control) && name.chars().count() <= LONGEST {
        return Ok(());
    }
    let wrong = format_args!("the {what} has blanks around it, a control character, or more than {LONGEST} characters");
    Err(Refusal::new(Why::Invalid, wrong))
}

/// The key of a session.
pub(super) fn key(typed: &str) -> Result<Id, Refusal> {
    typed.parse().map_err(|_| Refusal::new(Why::Invalid, "a session's key is not a UUID"))
}
