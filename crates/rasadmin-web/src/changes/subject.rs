//! Who is blocked.

use super::fields::Fields;
use crate::app::App;
use crate::fault::Fault;
use crate::pages::asked;
use crate::pages::user::find::{self, Found};
use crate::parts;
use axum::http::StatusCode;
use rasadmin_engine::effect::BlockSubject;
use rasadmin_ledger::report::SessionRow;
use rasadmin_pipe::Subject as Sent;
use rasadmin_policy::config::Config;
use rasadmin_policy::{Domains, Identity, Name};

/// RRAS passes no longer computer name, in UTF-16 units.
const LONGEST_CLAIMED: usize = 16;

/// Who is blocked, as the state, the service and people name them.
#[derive(Clone, Debug)]
pub struct Subject {
    /// As the state has it.
    pub of: BlockSubject,
    /// As the service is asked.
    pub sent: Sent,
}

impl Subject {
    /// Whom an address or a form names.
    ///
    /// # Errors
    /// If it names nobody, or several.
    pub fn find(app: &App, config: &Config, fields: &Fields) -> Result<Self, Fault> {
        if let Some(computer) = asked::given(&fields.computer) {
            return Self::computer(computer);
        }
        let nobody = || Fault::bad_request("the address names nobody", "begin at the page of a user or a session");
        let typed = asked::given(&fields.user).ok_or_else(nobody)?;
        match find::user(app, config, typed)? {
            Found::One(user) => Self::user(&config.domains, &user),
            Found::Several(all) => {
                let all =
                    all.iter().map(|of| format!("`{}`", parts::printable(&format!("{}\\{}", of.domain, of.name))));
                let what = format!("several users have this name: {}", all.collect::<Vec<_>>().join(", "));
                let remedy = r"write the domain too: `CORP\alice`".to_owned();
                Err(Fault { status: StatusCode::CONFLICT, what, remedy })
            }
        }
    }

    /// A user.
    ///
    /// # Errors
    /// If the service would understand the name as another user's, or refuse it.
    pub fn user(domains: &Domains, user: &Identity) -> Result<Self, Fault> {
        let whole = parts::whole_name(&user.domain, &user.name);
        let is_read_as = domains.identity(&Name::new(&whole), &Name::default());
        if is_read_as.as_ref() != Some(user) || !is_plain(&whole) {
            let what = format!("the name {} cannot be named to the service without doubt", parts::printable(&whole));
            return Err(Fault::bad_request(what, "write a rule that denies this user"));
        }
        Ok(Self { of: BlockSubject::User(user.clone()), sent: Sent::User(whole) })
    }

    /// A name that clients claim.
    ///
    /// # Errors
    /// If no client can claim it.
    pub fn computer(name: &str) -> Result<Self, Fault> {
        let length = name.encode_utf16().count();
        if length == 0 || length > LONGEST_CLAIMED || !is_plain(name) {
            let what = format!("no client claims the computer name `{}`", parts::printable(name));
            let remedy = format!("write one name of at most {LONGEST_CLAIMED} characters, without `*`");
            return Err(Fault::bad_request(what, remedy));
        }
        Ok(Self { of: BlockSubject::claimed_computer(&Name::new(name)), sent: Sent::ClaimedComputer(name.to_owned()) })
    }

    /// As people read it.
    pub fn shown(&self) -> String {
        shown(&self.of)
    }

    /// The page about it: its address, and its name.
    pub fn page(&self) -> (String, String) {
        match &self.sent {
            Sent::User(whole) => (format!("/users/{}", parts::encoded(whole)), self.shown()),
            Sent::ClaimedComputer(_) => ("/blocks".to_owned(), "Blocks".to_owned()),
        }
    }

    /// What a block cannot do.
    pub fn caution(&self) -> Option<&'static str> {
        match &self.of {
            BlockSubject::ClaimedComputer(_) => Some(
                "A client chooses the name that it claims: this does not stop one that claims another name or none. \
                 Whether IKEv2 clients send one is not known.",
            ),
            BlockSubject::User(user) if user.is_computer() => Some(
                "This concerns connections with the computer's own account (device tunnels). Its users can still connect.",
            ),
            BlockSubject::User(_) => None,
        }
    }
}

/// Whether the service takes it as a name.
fn is_plain(name: &str) -> bool {
    name.trim() == name && !name.contains(char::is_control) && !name.contains('*')
}

/// As people read it.
pub fn shown(subject: &BlockSubject) -> String {
    match subject {
        BlockSubject::User(user) => parts::printable(&user.to_string()),
        BlockSubject::ClaimedComputer(name) => format!("the claimed computer name {}", parts::printable(name.as_str())),
    }
}

/// The user of a session, as people read it.
pub fn user_of(row: &SessionRow) -> String {
    match row.user() {
        Some(user) => parts::printable(&user.to_string()),
        None if row.user_name.is_empty() => "(no name)".to_owned(),
        None => parts::printable(row.user_name.as_str()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_that_the_service_would_read_as_another_users_is_refused() {
        let domains = Domains::new([], Some("CORP"));
        let of = |domain: &str, name: &str| {
            Subject::user(&domains, &Identity { domain: Name::new(domain), name: Name::new(name) })
        };
        assert_eq!(of("CORP", "ALICE").unwrap().sent, Sent::User(r"CORP\ALICE".to_owned()));
        // Without a domain, it would get the default domain.
        assert!(of("", "ALICE").is_err());
        assert!(of("CORP", "ALI\u{7}CE").is_err());
    }

    #[test]
    fn a_computer_that_no_client_claims_is_refused() {
        assert_eq!(Subject::computer("laptop-7").unwrap().shown(), "the claimed computer name LAPTOP-7");
        for wrong in ["", " PC7", "ABCDEFGHIJKLMNOPQ", "LAPTOP-*", "A\u{1b}B"] {
            assert!(Subject::computer(wrong).is_err(), "{wrong}");
        }
    }
}
