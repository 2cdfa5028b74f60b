//! A name that nobody has ever used may be mistyped.

use crate::app::App;
use crate::fault::Fault;
use crate::parts;
use rasadmin_ledger::report::{Filter, UserFilter};
use rasadmin_policy::Identity;

/// The warning about a user of whom the ledger has no connection. None if it has one.
///
/// # Errors
/// If the ledger cannot be read.
pub fn of_user(app: &App, user: &Identity) -> Result<Option<String>, Fault> {
    let known = |domain| {
        let of = UserFilter { domain, name: user.name.clone() };
        let filter = Filter { user: Some(of), ..Filter::default() };
        app.source.ledger(|reader| reader.users(&filter))
    };
    // An index finds one user at once. To look for others takes longer.
    if !known(Some(user.domain.clone()))?.is_empty() {
        return Ok(None);
    }
    let known = known(None)?;
    let others: Vec<_> = known.iter().map(|of| parts::printable(&parts::whole_name(&of.domain, &of.name))).collect();
    Ok(Some(if others.is_empty() {
        "The ledger has no connection of this user, not even a refused one: check the name.".to_owned()
    } else {
        format!("The ledger has no connection of this user, but of {}: check the domain.", others.join(", "))
    }))
}
