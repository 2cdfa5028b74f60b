//! How a user is spelled in the configuration.

use super::Fault;
use crate::{Domains, Identity, Name};

/// Which users an entry of a list means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserPattern {
    /// `*`: anyone whose name is known.
    Anyone,
    /// `CORP\*`: everyone of a domain, its computers included.
    Domain(Name),
    /// One user, or one computer.
    Exact(Identity),
}

const SPELLINGS: &str =
    "write `alice`, `CORP\\alice`, `alice@corp.example`, `host/pc7`, `CORP\\*` (everyone of a domain) or `*` (anyone)";

/// The users that a text means: `alice` (of the default domain), `CORP\alice`, `alice@corp.example`, `host/pc7`,
/// `CORP\PC7$`, `CORP\*`, `*`.
///
/// # Errors
///
/// What is wrong with the text, and what would be right.
pub fn parse_user(text: &str, domains: &Domains) -> Result<UserPattern, Fault> {
    let fault = |what: String| (what, SPELLINGS.to_owned());
    if text == "*" {
        return Ok(UserPattern::Anyone);
    }
    if let Some(domain) = text.strip_suffix("\\*").filter(|domain| !domain.contains(['\\', '*'])) {
        if domain.is_empty() || domain.trim() != domain {
            return Err(fault(format!("`{text}` names no domain")));
        }
        return Ok(UserPattern::Domain(domains.domain(Name::new(domain).as_str())));
    }
    if text.contains('*') {
        return Err(fault(format!("`{text}`: a `*` stands alone or for all names of a domain")));
    }
    parse_exact(text, domains).map(UserPattern::Exact).map_err(|(what, _)| fault(what))
}

/// The one user, or computer, that a text means: `alice` (of the default domain), `CORP\alice`, `alice@corp.example`,
/// `host/pc7`, `CORP\PC7$`.
///
/// # Errors
///
/// What is wrong with the text, and what would be right.
pub fn parse_exact(text: &str, domains: &Domains) -> Result<Identity, Fault> {
    let fault = |what: String| {
        (what, "write `alice`, `CORP\\alice`, `alice@corp.example`, `host/pc7` or `CORP\\PC7$`".to_owned())
    };
    if text.is_empty() {
        return Err(fault("a user's name is empty".to_owned()));
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(fault(format!("`{}` has blanks or control characters about the name", text.escape_debug())));
    }
    if text.contains('*') {
        return Err(fault(format!("`{text}` is a pattern: one user is expected here")));
    }
    let (domain, name) = text.split_once('\\').map_or((None, text), |(domain, name)| (Some(domain), name));
    if name.contains('\\') {
        // The usual cause: 'CORP\\alice' in single quotes, where a backslash needs no second one.
        return Err(fault(format!("`{text}` has more than one backslash")));
    }
    if domain.is_none() && (text.starts_with('@') || text.ends_with('@')) {
        return Err(fault(format!("`{text}` lacks a name or a domain beside its `@`")));
    }
    domains.identity(&Name::new(text), &Name::default()).ok_or_else(|| fault(format!("`{text}` lacks a name")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn domains() -> Domains {
        let corp = ["corp.example".to_owned()];
        Domains::new([("CORP", &corp[..]), ("PARTNER", &[][..])], Some("CORP"))
    }

    #[test]
    fn every_spelling_is_understood() {
        for text in ["alice", "CORP\\Alice", "alice@corp.example", "corp.example\\alice", "\\alice"] {
            assert_eq!(parse_exact(text, &domains()).unwrap().to_string(), "CORP\\ALICE", "{text}");
            assert_eq!(parse_user(text, &domains()), parse_exact(text, &domains()).map(UserPattern::Exact));
        }
        for text in ["host/pc7", "host/pc7.corp.example", "CORP\\PC7$", "pc7$"] {
            assert_eq!(parse_exact(text, &domains()).unwrap().to_string(), "CORP\\PC7$", "{text}");
        }
        assert_eq!(parse_user("*", &domains()), Ok(UserPattern::Anyone));
        assert_eq!(parse_user("corp.example\\*", &domains()), Ok(UserPattern::Domain("CORP".into())));
        assert_ne!(parse_exact("PARTNER\\alice", &domains()), parse_exact("alice", &domains()));
    }

    #[test]
    fn what_names_nobody_or_too_many_is_a_fault() {
        for text in ["", " ", "alice ", "CORP\\", "\\", "host/", "@corp.example", "alice@", "CORP\\\\alice", "a\tb"] {
            assert!(parse_exact(text, &domains()).is_err(), "{text}");
            assert!(parse_user(text, &domains()).is_err(), "{text}");
        }
        for text in ["al*", "*\\alice", "CORP\\a*", "\\*", "**", "CO*\\*", "host/*", "CORP\\\\*", "*@corp.example"] {
            let (what, help) = parse_user(text, &domains()).unwrap_err();
            assert!(what.contains(text) && help.contains("CORP\\*"), "{what}; {help}");
        }
        assert!(parse_exact("*", &domains()).is_err());
        assert!(parse_exact("CORP\\*", &domains()).is_err());
    }
}
