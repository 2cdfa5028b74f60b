//! Parses a user's name: where its domain ends and the name begins.
//!
//! It is split on the UTF-16 units that RRAS passed, before anything is escaped. In `PARTNER\u{bob`, a legal name, the
//! backslash is a separator and not the beginning of an escape.

use crate::Name;
use std::ops::Range;

/// A parsed user name. Neither part is folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// `alice`, `PC7$`, `\alice`: no domain is named.
    Bare(Name),
    /// `CORP\alice`, `CORP/alice`.
    Domain(Name, Name),
    /// `alice@corp.example`: the name, then the suffix.
    Suffix(Name, Name),
    /// `host/pc7`, `host/pc7.corp.example`: the computer, then the suffix, which may be empty.
    Computer(Name, Name),
    /// A name with further separators (`a@b@c`, `CORP\a\b`, `alice@`). Its domain is not certain.
    Whole(Name),
    /// There is no name in it.
    Empty,
}

impl Spelling {
    /// Parses a name as RRAS passes it or as people write it.
    pub fn of(user: &Name) -> Self {
        if user.is_plain() {
            let text = user.as_str();
            return split(text.as_bytes(), user, |part| Name::from_stored(text[part].to_owned()));
        }
        let units = user.to_utf16();
        split(&units, user, |part| Name::from_utf16(&units[part]))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Separator {
    Backslash,
    Slash,
    At,
}

/// The at sign of full width counts too: Active Directory treats it like the other one in a user principal name.
fn separator<T: Into<u16>>(unit: T) -> Option<Separator> {
    match unit.into() {
        0x5c => Some(Separator::Backslash),
        0x2f => Some(Separator::Slash),
        0x40 | 0xff20 => Some(Separator::At),
        _ => None,
    }
}

fn split<T: Copy + Into<u16>>(units: &[T], user: &Name, part: impl Fn(Range<usize>) -> Name) -> Spelling {
    let end = units.len();
    let mut separators =
        units.iter().enumerate().filter_map(|(at, &unit)| separator(unit).map(|separator| (at, separator)));
    let Some((at, first)) = separators.next() else {
        return if end == 0 { Spelling::Empty } else { Spelling::Bare(user.clone()) };
    };
    if separators.next().is_some() {
        return Spelling::Whole(user.clone());
    }
    if first == Separator::At {
        let both = at > 0 && at + 1 < end;
        return if both { Spelling::Suffix(part(0..at), part(at + 1..end)) } else { Spelling::Whole(user.clone()) };
    }
    if first == Separator::Slash && is_host(&units[..at]) {
        let dot = units.iter().position(|&unit| unit.into() == u16::from(b'.')).unwrap_or(end);
        let computer = || Spelling::Computer(part(at + 1..dot), part((dot + 1).min(end)..end));
        return if dot == at + 1 { Spelling::Empty } else { computer() };
    }
    match (at, at + 1 == end) {
        (_, true) => Spelling::Empty,
        (0, false) => Spelling::Bare(part(1..end)),
        (_, false) => Spelling::Domain(part(0..at), part(at + 1..end)),
    }
}

fn is_host<T: Copy + Into<u16>>(units: &[T]) -> bool {
    let same = |(unit, letter): (&T, u8)| (*unit).into() | 0x20 == u16::from(letter);
    units.len() == 4 && units.iter().zip(*b"host").all(same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> Name {
        Name::new(text)
    }

    #[test]
    fn each_form_is_told_from_the_others() {
        for (text, expected) in [
            ("alice", Spelling::Bare(name("alice"))),
            (r"\alice", Spelling::Bare(name("alice"))),
            (r"CORP\alice", Spelling::Domain(name("CORP"), name("alice"))),
            ("CORP/alice", Spelling::Domain(name("CORP"), name("alice"))),
            (r"PARTNER\u{bob", Spelling::Domain(name("PARTNER"), name("u{bob"))),
            (r"PARTNER\ubob", Spelling::Domain(name("PARTNER"), name("ubob"))),
            ("alice@corp.example", Spelling::Suffix(name("alice"), name("corp.example"))),
            ("alice\u{ff20}corp.example", Spelling::Suffix(name("alice"), name("corp.example"))),
            ("HOST/pc7", Spelling::Computer(name("pc7"), name(""))),
            ("host/pc7.corp.example", Spelling::Computer(name("pc7"), name("corp.example"))),
            ("hosts/pc7", Spelling::Domain(name("hosts"), name("pc7"))),
            (r"host\pc7", Spelling::Domain(name("host"), name("pc7"))),
        ] {
            assert_eq!(Spelling::of(&name(text)), expected, "{text}");
        }
        for text in
            ["a@b@c", r"CORP\a\b", r"CORP\a@b", r"a@b\c", "corp.example/Users/alice", "alice@", "@corp", "host/a/b"]
        {
            assert_eq!(Spelling::of(&name(text)), Spelling::Whole(name(text)), "{text}");
        }
        for text in ["", r"CORP\", "CORP/", r"\", "host/", "host/.corp.example"] {
            assert_eq!(Spelling::of(&name(text)), Spelling::Empty, "{text}");
        }
    }

    proptest! {
        /// Names are split alike whether or not they need escapes.
        #[test]
        fn escapes_make_no_difference(text in r"([\\/@.a]|u\{|\}|host/){0,8}") {
            let units: Vec<u16> = text.encode_utf16().collect();
            let direct = split(&units, &name(&text), |part| Name::from_utf16(&units[part]));
            prop_assert_eq!(Spelling::of(&name(&text)), direct);
        }

        /// The parts make up the text again.
        #[test]
        fn nothing_is_lost(units: Vec<u16>) {
            let user = Name::from_utf16(&units);
            let joined = |one: Name, between: &[u16], other: Name| [&one.to_utf16()[..], between, &other.to_utf16()].concat();
            match Spelling::of(&user) {
                Spelling::Bare(whole) => prop_assert!(whole == user || units[1..] == whole.to_utf16()),
                Spelling::Whole(whole) => prop_assert_eq!(whole, user),
                Spelling::Domain(domain, name) => {
                    let at = domain.to_utf16().len();
                    prop_assert_eq!(joined(domain, &units[at..=at], name), units);
                }
                Spelling::Suffix(name, suffix) => {
                    let at = name.to_utf16().len();
                    prop_assert_eq!(joined(name, &units[at..=at], suffix), units);
                }
                Spelling::Computer(..) | Spelling::Empty => {}
            }
        }
    }
}
