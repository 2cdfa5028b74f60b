//! Who is blocked: the arguments that name it, and how it is shown.

use crate::error::{CommandError, Result};
use clap::Args;
use rasadmin_engine::effect::BlockSubject;
use rasadmin_engine::{Domains, Fact, Identity, Name};

/// RRAS passes no longer computer name (R-STRUCT-20), in UTF-16 units.
const LONGEST_CLAIMED: usize = 16;

/// One of three.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
pub struct SubjectArguments {
    /// The user: `alice` (of the default domain), `CORP\alice`, `alice@corp.example`
    #[arg(value_name = "USER")]
    user: Option<String>,
    /// A computer that connects with its own account, as device tunnels do: `host/pc7`, `host/pc7.corp.example`,
    /// `PC7$`, `CORP\PC7$`
    #[arg(long, value_name = "NAME")]
    computer_account: Option<String>,
    /// Every client that claims this computer name, at most 16 characters. Anyone can claim another name, or none;
    /// whether IKEv2 clients send one is not known
    #[arg(long, value_name = "NAME")]
    claimed_computer: Option<String>,
}

impl SubjectArguments {
    /// Whom they name.
    pub fn subject(&self, domains: &Domains) -> Result<BlockSubject> {
        match (&self.user, &self.computer_account, &self.claimed_computer) {
            (_, Some(account), _) => computer_account(account, domains),
            (_, _, Some(claimed)) => claimed_computer(claimed),
            (user, ..) => user_or_account(user.as_deref().unwrap_or_default(), domains).map(BlockSubject::User),
        }
    }

    /// If the domain depends on what RRAS passes: what to write instead.
    pub fn uncertain_domain(&self, domains: &Domains) -> Option<String> {
        let typed = self.user.as_ref().or(self.computer_account.as_ref())?;
        let name = Name::new(typed);
        let identity = domains.identity(&name, &Name::default())?;
        let suffix = domains.identity_fact(&name, None) == Fact::NotYetKnown;
        if suffix {
            return Some(format!(
                "[domains] does not list `{}`: if RRAS passes a logon domain with such a name, the user is of that \
                 domain and is not blocked; write `DOMAIN\\{}`",
                identity.domain, identity.name
            ));
        }
        if !identity.domain.is_empty() {
            return None;
        }
        // The default domain is for names without a separator.
        let separators = &['\\', '/', '@', '\u{ff20}'][..];
        Some(if identity.name.as_str().contains(separators) {
            format!(
                "`{typed}` has separators left over, and does not say where its domain ends: it counts as a name \
                 without a domain, and only a client that gives exactly this name is refused; write `DOMAIN\\NAME`"
            )
        } else {
            format!(
                "`{typed}` has no domain, and the configuration has no `default_domain`: if RRAS passes a logon \
                 domain, the user belongs to that domain and is not blocked; write `DOMAIN\\{}`",
                identity.name
            )
        })
    }
}

/// A user or a computer's own account, as typed.
pub fn user_or_account(typed: &str, domains: &Domains) -> Result<Identity> {
    no_blanks_around(typed)?;
    if typed.contains('*') {
        let what = format!("`{typed}` is a pattern: name one user; for several, write a rule");
        return Err(CommandError::usage(what));
    }
    domains.identity(&Name::new(typed), &Name::default()).ok_or_else(|| {
        CommandError::usage(format!(
            "`{typed}` is not a valid user name: write `alice`, `CORP\\alice`, `alice@corp.example` or `host/pc7`"
        ))
    })
}

fn computer_account(typed: &str, domains: &Domains) -> Result<BlockSubject> {
    let account = user_or_account(typed, domains)?;
    if account.is_computer() {
        return Ok(BlockSubject::User(account));
    }
    let what = format!("`{typed}` is not the account of a computer");
    Err(CommandError::usage(what).hint("write `host/pc7`, `host/pc7.corp.example`, `PC7$` or `CORP\\PC7$`"))
}

/// A claimed computer name, as typed.
pub fn claimed_computer(typed: &str) -> Result<BlockSubject> {
    no_blanks_around(typed)?;
    let name = Name::new(typed);
    let length = name.to_utf16().len();
    let wrong = match length {
        0 => "a computer name cannot be empty".to_owned(),
        _ if typed.contains(char::is_control) => {
            format!("`{typed}` has a line break or another control character: a computer name has none")
        }
        _ if typed.contains('*') => {
            format!("`{typed}` is a pattern: name one computer; for several, write a rule")
        }
        _ if length > LONGEST_CLAIMED => {
            format!("`{typed}` has {length} characters: RRAS passes at most {LONGEST_CLAIMED}, so it would never match")
        }
        _ => return Ok(BlockSubject::claimed_computer(&name)),
    };
    Err(CommandError::usage(wrong))
}

/// Blanks around a name were copied with it. RRAS passes none, so it would never match.
fn no_blanks_around(typed: &str) -> Result<()> {
    if typed.trim() == typed {
        return Ok(());
    }
    Err(CommandError::usage(format!("`{typed}` has blanks around the name: remove them")))
}

/// As people read it.
pub fn shown(subject: &BlockSubject) -> String {
    match subject {
        BlockSubject::User(user) => user.to_string(),
        BlockSubject::ClaimedComputer(name) => format!("the claimed computer name {name}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn domains() -> Domains {
        Domains::new([("CORP", &["corp.example".to_owned()][..])], Some("CORP"))
    }

    fn named(user: Option<&str>, account: Option<&str>, claimed: Option<&str>) -> Result<String> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let (user, computer_account, claimed_computer) = (owned(user), owned(account), owned(claimed));
        let arguments = SubjectArguments { user, computer_account, claimed_computer };
        arguments.subject(&domains()).map(|subject| format!("{} {}", subject.kind(), shown(&subject)))
    }

    #[test]
    fn each_way_of_naming_somebody_is_understood() {
        for user in ["alice", "ALICÉ", r"corp\alice", "alice@corp.example"] {
            assert_eq!(named(Some(user), None, None).unwrap(), r"user CORP\ALICE", "{user}");
        }
        for pc in ["host/pc7", "host/PC7.corp.example", "pc7$", r"CORP\PC7$"] {
            assert_eq!(named(None, Some(pc), None).unwrap(), r"computer-account CORP\PC7$", "{pc}");
            assert_eq!(named(Some(pc), None, None).unwrap(), r"computer-account CORP\PC7$", "{pc}");
        }
        let claimed = named(None, None, Some("laptop-7")).unwrap();
        assert_eq!(claimed, "claimed-computer the claimed computer name LAPTOP-7");
    }

    #[test]
    fn what_would_never_match_is_refused() {
        for (wrong, says) in [
            (named(Some(""), None, None), "not a valid user name"),
            (named(Some(r"CORP\*"), None, None), "is a pattern"),
            (named(None, Some("pc7"), None), "not the account of a computer"),
            (named(None, None, Some("")), "cannot be empty"),
            (named(None, None, Some(" PC7")), "blanks around"),
            (named(None, None, Some(" ")), "blanks around"),
            (named(Some(" philip "), None, None), "blanks around"),
            (named(Some(" "), None, None), "blanks around"),
            (named(None, Some("host/pc7 "), None), "blanks around"),
            (named(None, None, Some("PC\u{1b}7")), "control character"),
            (named(None, None, Some("PC\n7")), "control character"),
            (named(None, None, Some("LAPTOP-*")), "is a pattern"),
            (named(None, None, Some("ABCDEFGHIJKLMNOPQ")), "17 characters: RRAS passes at most 16"),
        ] {
            let wrong = wrong.unwrap_err().to_string();
            assert!(wrong.contains(says), "{says}: {wrong}");
        }
        assert!(named(None, None, Some("ABCDEFGHIJKLMNOP")).is_ok());
    }

    #[test]
    fn a_domain_that_depends_on_rras_is_pointed_out() {
        let of = |user: &str, domains: &Domains| {
            let user = Some(user.to_owned());
            SubjectArguments { user, computer_account: None, claimed_computer: None }.uncertain_domain(domains)
        };
        assert!(of("alice@mail.example", &domains()).unwrap().contains("does not list `MAIL.EXAMPLE`"));
        assert!(of("alice", &Domains::default()).unwrap().contains("no `default_domain`"));
        for several in ["a@b@c", r"CORP\a\b", "alice@"] {
            let says = of(several, &domains()).unwrap();
            assert!(says.contains("separators left over") && !says.contains("default_domain"), "{several}: {says}");
        }
        for certain in ["alice", r"OTHER\alice", "alice@corp.example", "host/pc7"] {
            assert_eq!(of(certain, &domains()), None, "{certain}");
        }
    }
}
