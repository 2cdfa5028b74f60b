//! Maps the names of domains, and the names that RRAS passes, to identities.

use super::Identity;
use super::spelling::Spelling;
use crate::{Fact, Name};
use std::collections::HashMap;

/// The names of each domain.
///
/// Active Directory compares the names of a domain, and domains themselves, without case, diacritics, width and kana.
/// The server's own accounts compare by their upper case alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domains {
    /// Folded name (NetBIOS, DNS, UPN suffix) to the domain's folded name.
    aliases: HashMap<Name, Name>,
    default: Name,
    /// The domains of the server's own local accounts.
    local: Vec<Name>,
}

impl Domains {
    /// Builds the table from `[domains]` (each domain with its other names) and `default_domain`.
    pub fn new<'a>(domains: impl IntoIterator<Item = (&'a str, &'a [String])>, default: Option<&str>) -> Self {
        let mut aliases = HashMap::new();
        for (domain, others) in domains {
            let domain = Self::folded(Name::new(domain));
            aliases.extend(others.iter().map(|other| (Self::folded(Name::new(other)), domain.clone())));
            aliases.insert(domain.clone(), domain);
        }
        let mut domains = Self { aliases, default: Name::default(), local: Vec::new() };
        domains.default = default.map(|name| domains.domain(Name::new(name))).unwrap_or_default();
        domains
    }

    /// Adds a name of the server. The domain with that name is the domain of its local accounts, unless it is listed
    /// as another domain's name. An empty name is ignored.
    pub fn with_server(mut self, name: &Name) -> Self {
        let domain = Self::folded(name.clone());
        if !domain.is_empty() && !self.aliases.contains_key(&domain) && !self.local.contains(&domain) {
            self.local.push(domain);
        }
        self
    }

    /// Folds a domain's name for comparison. A final dot only says that a DNS name is complete.
    pub(crate) fn folded(name: Name) -> Name {
        let name = match name.as_str().strip_suffix('.') {
            Some(without) if !without.is_empty() => Name::from_stored(without.to_owned()),
            _ => name,
        };
        name.into_directory_folded()
    }

    /// The domain that a NetBIOS name, DNS name or UPN suffix means; the name itself if it is not listed. `.` is the
    /// server.
    pub fn domain(&self, name: Name) -> Name {
        let folded = Self::folded(name);
        if folded.as_str() == "." {
            return self.local.first().cloned().unwrap_or(folded);
        }
        self.aliases.get(&folded).cloned().unwrap_or(folded)
    }

    /// The domain, if the name is listed.
    fn listed(&self, name: Name) -> Result<Name, Name> {
        let folded = Self::folded(name);
        self.aliases.get(&folded).cloned().ok_or(folded)
    }

    /// Folds a name of this domain for comparison.
    pub(crate) fn fold(&self, domain: &Name, name: Name) -> Name {
        if self.local.contains(domain) { name.into_folded() } else { name.into_directory_folded() }
    }

    /// The identity that a user's name means, as RRAS passes it: `user`, `DOMAIN\user`, `DOMAIN/user`, `user@suffix`,
    /// `host/pc.suffix`, `pc.suffix` or `PC$`.
    ///
    /// The logon domain (empty if unknown) applies to a bare name, and to a DNS name or suffix that is not listed. A
    /// name with further separators belongs to no domain. `None` if there is no name.
    pub fn identity(&self, user: &Name, logon_domain: &Name) -> Option<Identity> {
        self.spelled(Spelling::of(user), logon_domain)
    }

    /// The identity that a parsed name means.
    pub(crate) fn spelled(&self, user: Spelling, logon_domain: &Name) -> Option<Identity> {
        self.meant(user, logon_domain).map(|(identity, _)| identity)
    }

    /// The identity that a name means, as far as an event can tell. `logon_domain` is `None` if the event does not
    /// carry it; address calls do not. Then a DNS name or suffix that is not listed leaves the domain open, and the
    /// user is not yet known: a rule that denies the user waits for the connection, which carries the logon domain,
    /// and does not mistake the user for another.
    pub fn identity_fact(&self, user: &Name, logon_domain: Option<&Name>) -> Fact<Identity> {
        let has_domain = logon_domain.is_some();
        match self.meant(Spelling::of(user), logon_domain.unwrap_or(&Name::default())) {
            Some((_, Certain::No)) if !has_domain => Fact::NotYetKnown,
            meant => Fact::arrived(meant.map(|(identity, _)| identity)),
        }
    }

    fn meant(&self, spelling: Spelling, logon_domain: &Name) -> Option<(Identity, Certain)> {
        let named = |domain: Name, name: Name, certain| {
            let name = self.fold(&domain, name);
            // The directory ignores some characters. A name that has no others is not a name.
            (!name.is_empty()).then_some((Identity { domain, name }, certain))
        };
        let bare = || if logon_domain.is_empty() { self.default.clone() } else { self.domain(logon_domain.clone()) };
        // Only the logon domain tells which domain a suffix means that is not listed.
        let suffixed = |suffix: Name| match self.listed(suffix) {
            Ok(domain) => (domain, Certain::Yes),
            Err(_) if !logon_domain.is_empty() => (bare(), Certain::Yes),
            Err(suffix) => (suffix, Certain::No),
        };
        match spelling {
            Spelling::Empty => None,
            Spelling::Whole(name) => named(Name::default(), name, Certain::Yes),
            // A DNS name before the name is no more certain than one behind it.
            Spelling::Domain(domain, name) if is_dns(&domain) => {
                let (domain, certain) = suffixed(domain);
                named(domain, name, certain)
            }
            Spelling::Domain(domain, name) => named(self.domain(domain), name, Certain::Yes),
            Spelling::Suffix(name, suffix) => {
                let (domain, certain) = suffixed(suffix);
                named(domain, name, certain)
            }
            Spelling::Computer(pc, suffix) if suffix.is_empty() => named(bare(), computer(pc), Certain::Yes),
            Spelling::Computer(pc, suffix) => {
                let (domain, certain) = suffixed(suffix);
                named(domain, computer(pc), certain)
            }
            Spelling::Bare(name) => match self.dns_named(&name) {
                Some((pc, domain)) => named(domain, computer(pc), Certain::Yes),
                None => named(bare(), name, Certain::Yes),
            },
        }
    }

    /// `pc7.corp.example` is a computer if the suffix is the DNS name of a domain that is listed: `john.smith` is not.
    fn dns_named(&self, name: &Name) -> Option<(Name, Name)> {
        let (pc, suffix) = name.as_str().split_once('.')?;
        let suffix = Name::from_stored(suffix.to_owned());
        if pc.is_empty() || !is_dns(&suffix) {
            return None;
        }
        Some((Name::from_stored(pc.to_owned()), self.listed(suffix).ok()?))
    }
}

/// Is it a DNS name? NetBIOS names have no dot within them, and `.` itself is the server.
fn is_dns(name: &Name) -> bool {
    name.as_str().trim_end_matches('.').contains('.')
}

/// Is the domain certain without the logon domain?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Certain {
    Yes,
    No,
}

/// The account of a computer.
fn computer(pc: Name) -> Name {
    if pc.as_str().ends_with('$') { pc } else { Name::from_stored(format!("{}$", pc.as_str())) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn domains() -> Domains {
        let corp = ["corp.example".to_owned(), "corp.local.".to_owned(), "smith".to_owned()];
        let partner = ["partner.example".to_owned()];
        Domains::new([("CORP", &corp[..]), ("PARTNER", &partner[..])], Some("corp")).with_server(&"SRV1".into())
    }

    fn who(user: &str, logon_domain: &str) -> String {
        domains().identity(&user.into(), &logon_domain.into()).map_or("nobody".to_owned(), |id| id.to_string())
    }

    #[test]
    fn every_spelling_of_a_user_is_one_user() {
        for user in [
            "alice",
            "Alice",
            "alicé",
            "ａｌｉｃｅ",
            r"CORP\alice",
            r"corp\ALICE",
            "CORP/alice",
            r"CORP.\alice",
            r"ＣÓRP\alice",
            "alice@corp.example",
            "alice@corp.example.",
            "alice\u{ff20}corp.example",
            "alice@CORP.LOCAL",
            r"corp.local\alice",
            "corp.example./alice",
            r"\alice",
        ] {
            assert_eq!(who(user, ""), r"CORP\ALICE", "{user}");
            assert_eq!(who(user, "corp.local"), r"CORP\ALICE", "{user}");
        }
        assert_eq!(who("alice", "PARTNER"), r"PARTNER\ALICE");
        assert_eq!(who("alice@partner.example", "CORP"), r"PARTNER\ALICE");
        assert_eq!(who(r"PARTNER\alice", "CORP"), r"PARTNER\ALICE");
        assert_eq!(who(r"PARTNER\u{bob", "CORP"), r"PARTNER\U{BOB");
    }

    #[test]
    fn a_name_that_is_not_listed_yields_to_the_logon_domain() {
        assert_eq!(who("alice@mail.example", ""), r"MAIL.EXAMPLE\ALICE");
        assert_eq!(who("alice@mail.example", "CORP"), r"CORP\ALICE");
        assert_eq!(who(r"ad.example\alice", ""), r"AD.EXAMPLE\ALICE");
        assert_eq!(who(r"ad.example\alice", "CORP"), r"CORP\ALICE");
        assert_eq!(who("host/pc7.ad.example", "CORP"), r"CORP\PC7$");
        assert_eq!(who(r"OTHER\alice", "CORP"), r"OTHER\ALICE");
    }

    #[test]
    fn without_a_logon_domain_such_a_user_is_not_yet_known() {
        let who =
            |user: &str, logon: Option<&str>| domains().identity_fact(&user.into(), logon.map(Name::new).as_ref());
        let corp = |name: &str| Fact::Known(Identity { domain: "CORP".into(), name: name.into() });
        for user in ["alice@mail.example", r"ad.example\alice", "ad.example/alice"] {
            assert_eq!(who(user, None), Fact::NotYetKnown, "{user}");
            assert_eq!(who(user, Some("CORP")), corp("ALICE"), "{user}");
            assert!(who(user, Some("")).known().is_some(), "{user}: its event came, and told no domain");
        }
        assert_eq!(who("host/pc7.ad.example", None), Fact::NotYetKnown);
        for user in ["alice", "alice@corp.example", r"CORP\alice", r"corp.example\alice", "CORP/alice"] {
            assert_eq!(who(user, None), corp("ALICE"), "{user}");
        }
        assert_eq!(who("", None), Fact::Absent);
    }

    #[test]
    fn computers_are_named_as_such() {
        for user in [
            "host/pc7",
            "HOST/PC7.corp.example",
            "host/pc7$",
            "PC7$",
            r"CORP\pc7$",
            "pc7$@corp.example",
            "pc7.corp.example",
            "PC7.corp.local.",
        ] {
            assert_eq!(who(user, ""), r"CORP\PC7$", "{user}");
            assert!(domains().identity(&user.into(), &Name::default()).unwrap().is_computer());
        }
        assert_eq!(who("host/pc7.partner.example", ""), r"PARTNER\PC7$");
        for user in ["john.smith", "pc7.mail.example", ".corp.example"] {
            assert!(!domains().identity(&user.into(), &Name::default()).unwrap().is_computer(), "{user}");
        }
    }

    #[test]
    fn local_accounts_compare_by_upper_case_alone() {
        assert_eq!(who(r"SRV1\josé", ""), r"SRV1\JOSÉ");
        assert_eq!(who(r".\josé", ""), r"SRV1\JOSÉ");
        assert_eq!(who("josé", "srv1"), r"SRV1\JOSÉ");
        assert_ne!(who(r"SRV1\jose", ""), who(r"SRV1\josé", ""));
        assert_ne!(who(r"SRV1\straße", ""), who(r"SRV1\strasse", ""));
        assert_eq!(who(r"CORP\josé", ""), r"CORP\JOSE");
        // A server of the name of a domain is that domain's controller: it has no accounts of its own.
        let controller = domains().with_server(&"corp".into());
        let jose = controller.identity(&r"CORP\josé".into(), &Name::default()).unwrap();
        assert_eq!(jose.name.as_str(), "JOSE");
    }

    #[test]
    fn odd_names_are_somebody_or_nobody_but_never_somebody_else() {
        for user in ["", r"CORP\", "CORP/", "host/", r"\"] {
            assert_eq!(who(user, ""), "nobody", "{user}");
        }
        for user in
            ["@corp.example", "alice@", "a@b@corp.example", r"CORP\a\b", r"CORP\a@corp.example", "corp.example/x/a"]
        {
            let identity = domains().identity(&user.into(), &"CORP".into()).unwrap();
            assert_eq!(identity.domain, Name::default(), "{user}");
        }
        let lone = Name::from_utf16(&[0xd800, 0x61]);
        assert_eq!(domains().identity(&lone, &Name::default()).unwrap().domain.as_str(), "CORP");
    }
}
