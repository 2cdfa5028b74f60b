//! The user whom an address names.

use crate::app::App;
use crate::fault::Fault;
use crate::parts;
use rasadmin_ledger::report::{Filter, KnownUser, UserFilter};
use rasadmin_policy::config::Config;
use rasadmin_policy::{Identity, Name};

/// Who it is.
pub enum Found {
    /// This user, whom the ledger need not know.
    One(Identity),
    /// Several users with this name, in different domains.
    Several(Vec<KnownUser>),
}

/// What the text can be exactly, as the addresses of pages write a user: with the domain, or without one.
fn exact(typed: &str) -> Vec<Identity> {
    let part = |text: &str| Name::from_stored(text.to_owned());
    let whole = Identity { domain: Name::default(), name: part(typed) };
    let split = typed.split_once('\\').filter(|(domain, _)| !domain.is_empty());
    let split = split.map(|(domain, name)| Identity { domain: part(domain), name: part(name) });
    split.into_iter().chain([whole]).collect()
}

/// Finds the user. Links of pages have the exact name; people also type `alice` or `alice@corp.example`.
pub fn user(app: &App, config: &Config, typed: &str) -> Result<Found, Fault> {
    let users = |user: UserFilter| {
        let filter = Filter { user: Some(user), ..Filter::default() };
        app.source.ledger(|reader| reader.users(&filter))
    };
    for of in exact(typed) {
        let known = users(UserFilter { domain: Some(of.domain.clone()), name: of.name.clone() })?;
        if !known.is_empty() || config.addresses.reservations.contains_key(&of) {
            return Ok(Found::One(of));
        }
    }
    let not_a_name = || {
        let what = format!("`{}` is not a valid user name", parts::printable(typed));
        Fault::bad_request(what, "write `alice`, `CORP\\alice`, `alice@corp.example` or `host/pc7`")
    };
    let typed_as = UserFilter::typed(typed, &config.domains).ok_or_else(not_a_name)?;
    if let Some(domain) = typed_as.domain {
        return Ok(Found::One(Identity { domain, name: typed_as.name }));
    }
    let mut known = users(typed_as)?;
    match known.len() {
        0 => config.domains.identity(&Name::new(typed), &Name::default()).map(Found::One).ok_or_else(not_a_name),
        1 => {
            Ok(Found::One(known.pop().map(|of| Identity { domain: of.domain, name: of.name }).ok_or_else(not_a_name)?))
        }
        _ => Ok(Found::Several(known)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_itself_have_a_backslash() {
        let all = |typed| exact(typed).into_iter().map(|of| format!("{}|{}", of.domain, of.name)).collect::<Vec<_>>();
        assert_eq!(all(r"CORP\ALICE"), ["CORP|ALICE", r"|CORP\ALICE"]);
        assert_eq!(all(r"A\B\C"), [r"A|B\C", r"|A\B\C"]);
        assert_eq!(all("HOST/PC7"), ["|HOST/PC7"]);
        assert_eq!(all(r"\X"), [r"|\X"]);
    }
}
