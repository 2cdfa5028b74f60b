//! How the configuration spells users.

use super::Fault;
use crate::Name;
use crate::identity::{Domains, Identity, Spelling};
use crate::shorten::shortened;

/// The users that an entry of a list matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserPattern {
    /// `*`: everyone whose name is known.
    Anyone,
    /// `CORP\*`: everyone in a domain, including its computers.
    Domain(Name),
    /// `CORP\dev*`: everyone in a domain whose name begins like this, including computers.
    Prefix(Name, Name),
    /// `CORP\*$`: the computers of a domain.
    Computers(Name),
    /// `host/*`: every computer.
    AnyComputer,
    /// One user, or one computer.
    Exact(Identity),
}

const SPELLINGS: &str = "write `alice`, `CORP\\alice`, `alice@corp.example`, `host/pc7`, `CORP\\*` (everyone in a domain), \
     `CORP\\dev*` (names that begin like this), `CORP\\*$` (its computers), `host/*` (all computers) or `*` (anyone)";

/// Parses users: `alice` (of the default domain), `CORP\alice`, `alice@corp.example`, `host/pc7`, `CORP\PC7$`,
/// `CORP\*`, `CORP\dev*`, `CORP\*$`, `host/*`, `*`.
///
/// # Errors
///
/// What is wrong with the text, and how to correct it.
pub fn parse_user(text: &str, domains: &Domains) -> Result<UserPattern, Fault> {
    let fault = |what: String| (what, SPELLINGS.to_owned());
    if !text.contains('*') {
        return parse_exact(text, domains).map(UserPattern::Exact).map_err(|(what, _)| fault(what));
    }
    if text == "*" {
        return Ok(UserPattern::Anyone);
    }
    if text.eq_ignore_ascii_case("host/*") {
        return Ok(UserPattern::AnyComputer);
    }
    let shown = shortened(text);
    let misplaced =
        || fault(format!("`{shown}`: a `*` is allowed only alone, or at the end of a name with its domain"));
    // `host/pc*` is not a user of a domain `host`.
    let host = text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("host/"));
    let Some((domain, name)) = text.split_once(['\\', '/']).filter(|_| !host) else { return Err(misplaced()) };
    if domain.contains('*') || name.contains(['\\', '/', '@']) {
        return Err(misplaced());
    }
    if domain.is_empty() || domain.trim() != domain || domain.contains('@') {
        return Err(fault(format!("`{shown}` names no domain")));
    }
    if name.trim() != name || text.chars().any(char::is_control) {
        return Err(fault(format!("`{}` has blanks or control characters around the name", shown.escape_debug())));
    }
    let domain = domains.domain(Name::new(domain));
    match name.strip_suffix('*') {
        Some("") => Ok(UserPattern::Domain(domain)),
        Some(prefix) if !prefix.contains('*') => {
            let prefix = domains.fold(&domain, Name::new(prefix));
            // Only characters that the directory ignores: that would match everyone.
            if prefix.is_empty() { Err(misplaced()) } else { Ok(UserPattern::Prefix(domain, prefix)) }
        }
        None if name == "*$" => Ok(UserPattern::Computers(domain)),
        _ => Err(misplaced()),
    }
}

/// Parses a single user or computer: `alice` (of the default domain), `CORP\alice`, `alice@corp.example`, `host/pc7`,
/// `CORP\PC7$`.
///
/// # Errors
///
/// What is wrong with the text, and how to correct it.
pub fn parse_exact(text: &str, domains: &Domains) -> Result<Identity, Fault> {
    let fault = |what: String| {
        (what, "write `alice`, `CORP\\alice`, `alice@corp.example`, `host/pc7` or `CORP\\PC7$`".to_owned())
    };
    if text.is_empty() {
        return Err(fault("a user's name is empty".to_owned()));
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(fault(format!(
            "`{}` has blanks or control characters around the name",
            shortened(text).escape_debug()
        )));
    }
    if text.contains('*') {
        return Err(fault(format!("`{}` is a pattern: one user is expected here", shortened(text))));
    }
    let name = Name::new(text);
    match Spelling::of(&name) {
        // The usual cause: 'CORP\\alice' in single quotes, where a backslash must not be doubled.
        Spelling::Whole(_) if text.matches('\\').count() > 1 => {
            Err(fault(format!("`{}` has more than one backslash", shortened(text))))
        }
        Spelling::Whole(_) if text.starts_with('@') || text.ends_with('@') => {
            Err(fault(format!("`{}` lacks a name or a domain beside its `@`", shortened(text))))
        }
        Spelling::Whole(_) => Err(fault(format!("`{}` has more than one separator", shortened(text)))),
        Spelling::Empty => Err(fault(format!("`{}` lacks a name", shortened(text)))),
        spelling => {
            let identity = domains.spelled(spelling, &Name::default());
            identity.ok_or_else(|| fault(format!("`{}` lacks a name", shortened(text))))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn domains() -> Domains {
        let corp = ["corp.example".to_owned()];
        Domains::new([("CORP", &corp[..]), ("PARTNER", &[][..])], Some("CORP")).with_server(&"SRV1".into())
    }

    #[test]
    fn every_spelling_is_understood() {
        for text in ["alice", "CORP\\Alicé", "CORP/alice", "alice@corp.example", "corp.example.\\alice", "\\alice"] {
            assert_eq!(parse_exact(text, &domains()).unwrap().to_string(), "CORP\\ALICE", "{text}");
            assert_eq!(parse_user(text, &domains()), parse_exact(text, &domains()).map(UserPattern::Exact));
        }
        for text in ["host/pc7", "host/pc7.corp.example", "pc7.corp.example", "CORP\\PC7$", "pc7$"] {
            assert_eq!(parse_exact(text, &domains()).unwrap().to_string(), "CORP\\PC7$", "{text}");
        }
        for (text, pattern) in [
            ("*", UserPattern::Anyone),
            ("corp.example\\*", UserPattern::Domain("CORP".into())),
            ("corp/*", UserPattern::Domain("CORP".into())),
            ("corp\\dév*", UserPattern::Prefix("CORP".into(), "DEV".into())),
            ("SRV1\\dév*", UserPattern::Prefix("SRV1".into(), "DÉV".into())),
            ("corp\\*$", UserPattern::Computers("CORP".into())),
            ("HOST/*", UserPattern::AnyComputer),
        ] {
            assert_eq!(parse_user(text, &domains()), Ok(pattern), "{text}");
        }
        assert_ne!(parse_exact("PARTNER\\alice", &domains()), parse_exact("alice", &domains()));
    }

    #[test]
    fn what_names_nobody_or_too_many_is_a_fault() {
        for text in [
            "",
            " ",
            "alice ",
            "CORP\\",
            "\\",
            "host/",
            "@corp.example",
            "alice@",
            "CORP\\\\alice",
            "a@b@c",
            "CORP\\a/b",
            "a\tb",
            "CORP\\ *",
            "CORP\\\u{200b}",
        ] {
            assert!(parse_exact(text, &domains()).is_err(), "{text}");
            assert!(parse_user(text, &domains()).is_err(), "{text}");
        }
        for text in [
            "al*",
            "*\\alice",
            "CORP\\a*b",
            "CORP\\*a",
            "CORP\\a*$",
            "CORP\\\u{301}*",
            "\\*",
            "**",
            "CO*\\*",
            "host/pc*",
            "CORP\\\\*",
            "*@corp.example",
        ] {
            let (what, help) = parse_user(text, &domains()).unwrap_err();
            assert!(what.contains(text) && help.contains("CORP\\*"), "{what}; {help}");
        }
        assert!(parse_exact("*", &domains()).is_err());
        assert!(parse_exact("CORP\\*", &domains()).is_err());
    }

    #[test]
    fn a_long_text_is_not_repeated_whole() {
        let long = "x".repeat(1 << 20);
        for text in [format!("{long}*"), format!("{long}@"), format!(" {long}"), format!("CORP\\\\{long}")] {
            let (what, _) = parse_user(&text, &domains()).unwrap_err();
            assert!(what.len() < 200, "{} octets", what.len());
        }
    }
}
