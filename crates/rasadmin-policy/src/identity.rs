//! Who a user is: a domain and a name, both without case.

use crate::Name;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;

/// A user or a computer. Compared as it stands: both parts are folded when it is made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The domain, folded; empty if there is none.
    pub domain: Name,
    /// The name, folded. A computer's ends in `$`.
    pub name: Name,
}

impl Identity {
    /// Is it a computer (`host/pc`, `PC$`), as an Always On device tunnel has?
    pub fn is_computer(&self) -> bool {
        self.name.as_str().ends_with('$')
    }
}

/// `DOMAIN\NAME`, or the bare name.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.domain.is_empty() { self.name.fmt(f) } else { write!(f, "{}\\{}", self.domain, self.name) }
    }
}

/// Which names mean which domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domains {
    /// Folded name (NetBIOS, DNS, UPN suffix) to the domain's folded name.
    aliases: HashMap<Name, Name>,
    default: Name,
}

impl Domains {
    /// From `[domains]` (each domain with its other names) and `default_domain`.
    pub fn new<'a>(domains: impl IntoIterator<Item = (&'a str, &'a [String])>, default: Option<&str>) -> Self {
        let mut aliases = HashMap::new();
        for (domain, others) in domains {
            let domain = Name::new(domain).folded();
            aliases.extend(others.iter().map(|other| (Name::new(other).folded(), domain.clone())));
            aliases.insert(domain.clone(), domain);
        }
        let mut domains = Self { aliases, default: Name::default() };
        domains.default = default.map(|name| domains.domain(name)).unwrap_or_default();
        domains
    }

    /// The domain that a NetBIOS name, DNS name or UPN suffix means; itself if it is not listed.
    pub fn domain(&self, name: &str) -> Name {
        let folded = Name::from_stored(name.to_owned()).folded();
        self.aliases.get(&folded).cloned().unwrap_or(folded)
    }

    /// Is it listed?
    pub fn knows(&self, name: &str) -> bool {
        self.aliases.contains_key(&Name::from_stored(name.to_owned()).folded())
    }

    /// Who is meant by a user's name as RRAS passes it: `user`, `DOMAIN\user`, `user@suffix`, `host/pc.suffix` or `PC$`.
    ///
    /// The logon domain (empty at address time, when nobody knows it) counts for a bare name, and for a suffix that is
    /// not listed. None if the name is empty.
    pub fn identity(&self, user: &Name, logon_domain: &Name) -> Option<Identity> {
        let user = user.as_str();
        let named = |domain: Name, name: &str| Identity { domain, name: Name::from_stored(name.to_owned()).folded() };
        let bare = || {
            if logon_domain.is_empty() { self.default.clone() } else { self.domain(logon_domain.as_str()) }
        };
        // Our own escape for an unpaired surrogate begins with a backslash too, and is none.
        let separator = user.match_indices('\\').map(|(at, _)| at).find(|&at| !user[at..].starts_with("\\u{"));
        if let Some(at) = separator {
            let (domain, name) = (&user[..at], &user[at + 1..]);
            return (!name.is_empty())
                .then(|| named(if domain.is_empty() { bare() } else { self.domain(domain) }, name));
        }
        if let Some(host) = strip_prefix_ignore_case(user, "host/") {
            let (pc, suffix) = host.split_once('.').unwrap_or((host, ""));
            let domain = if suffix.is_empty() { bare() } else { self.domain(suffix) };
            return (!pc.is_empty()).then(|| named(domain, &format!("{pc}$")));
        }
        if let Some((name, suffix)) =
            user.rsplit_once('@').filter(|(name, suffix)| !name.is_empty() && !suffix.is_empty())
        {
            let domain = if self.knows(suffix) || logon_domain.is_empty() { self.domain(suffix) } else { bare() };
            return Some(named(domain, name));
        }
        (!user.is_empty()).then(|| named(bare(), user))
    }
}

fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, tail) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn domains() -> Domains {
        let corp = ["corp.example".to_owned(), "corp.local".to_owned()];
        let partner = ["partner.example".to_owned()];
        Domains::new([("CORP", &corp[..]), ("PARTNER", &partner[..])], Some("corp"))
    }

    fn who(user: &str, logon_domain: &str) -> String {
        domains().identity(&user.into(), &logon_domain.into()).map_or("nobody".to_owned(), |id| id.to_string())
    }

    #[test]
    fn every_spelling_of_a_user_is_one_user() {
        for user in [
            "alice",
            "Alice",
            r"CORP\alice",
            r"corp\ALICE",
            "alice@corp.example",
            "alice@CORP.LOCAL",
            r"corp.local\alice",
            r"\alice",
        ] {
            assert_eq!(who(user, ""), r"CORP\ALICE", "{user}");
            assert_eq!(who(user, "corp.local"), r"CORP\ALICE", "{user}");
        }
        assert_eq!(who("alice", "PARTNER"), r"PARTNER\ALICE");
        assert_eq!(who("alice@partner.example", "CORP"), r"PARTNER\ALICE");
        assert_eq!(who(r"PARTNER\alice", "CORP"), r"PARTNER\ALICE");
    }

    #[test]
    fn a_suffix_that_is_not_listed_yields_to_the_logon_domain() {
        assert_eq!(who("alice@mail.example", ""), r"MAIL.EXAMPLE\ALICE");
        assert_eq!(who("alice@mail.example", "CORP"), r"CORP\ALICE");
        assert_eq!(who(r"OTHER\alice", "CORP"), r"OTHER\ALICE");
    }

    #[test]
    fn computers_are_named_as_such() {
        for user in ["host/pc7", "HOST/PC7.corp.example", "PC7$", r"CORP\pc7$"] {
            assert_eq!(who(user, ""), r"CORP\PC7$", "{user}");
            assert!(domains().identity(&user.into(), &Name::default()).unwrap().is_computer());
        }
        assert_eq!(who("host/pc7.partner.example", ""), r"PARTNER\PC7$");
    }

    #[test]
    fn odd_names_are_somebody_or_nobody_but_never_somebody_else() {
        assert_eq!(who("", ""), "nobody");
        assert_eq!(who(r"CORP\", ""), "nobody");
        assert_eq!(who("host/", ""), "nobody");
        assert_eq!(who("@corp.example", ""), r"CORP\@CORP.EXAMPLE");
        assert_eq!(who("alice@", ""), r"CORP\ALICE@");
        assert_eq!(who("a@b@corp.example", ""), r"CORP\A@B");
        let lone = Name::from_utf16(&[0xd800, 0x61]);
        assert_eq!(domains().identity(&lone, &Name::default()).unwrap().domain.as_str(), "CORP");
    }
}
