//! The users and computers that connect, and how RRAS spells their names.

use crate::random::Random;
use rasadmin_engine::{Identity, Name};

/// A user or computer, by domain and name in Active Directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    /// The domain's NetBIOS name.
    pub domain: &'static str,
    /// The account's name; a computer's ends in `$`.
    pub name: &'static str,
}

/// All users and computers in the simulation, by number.
pub const PEOPLE: [Person; 12] = [
    person("CORP", "ALICE"),
    person("CORP", "BOB"),
    person("CORP", "ОЛЬГА"),
    person("CORP", "DAVE"),
    person("CORP", "MALLORY"),
    person("CORP", "PC7$"),
    person("CORP", "PC8$"),
    person("PARTNER", "ALICE"),
    person("PARTNER", "BOB"),
    person("PARTNER", "FRANK"),
    person("LAB", "ERIN"),
    person("LAB", "ALICE"),
];

/// The domain of a name that comes without one.
pub const DEFAULT_DOMAIN: &str = "CORP";

/// The domains that the configuration lists, with their suffix. LAB is not listed.
pub const LISTED: [(&str, &str); 2] = [("CORP", "corp.example"), ("PARTNER", "partner.example")];

/// The domain of names in certificates, which no configuration lists.
const CERTIFICATES: &str = "PKI.EXAMPLE";

const fn person(domain: &'static str, name: &'static str) -> Person {
    Person { domain, name }
}

impl Person {
    /// The identity in the engine.
    pub fn identity(self) -> Identity {
        identity(self.domain, self.name)
    }

    const fn is_computer(self) -> bool {
        matches!(self.name.as_bytes(), [.., b'$'])
    }
}

/// Makes an identity from parts that are already folded.
pub fn identity(domain: &str, name: &str) -> Identity {
    Identity { domain: Name::new(domain), name: Name::new(name) }
}

/// How a name is spelled in the address calls and in the connection's calls, and whom the former means by itself.
#[derive(Clone, Debug)]
pub struct Spelling {
    /// In the address calls.
    pub early: Name,
    /// The user that it means, while the logon domain is not known.
    pub asker: Identity,
    /// In the connection's calls.
    pub late: Name,
    /// The logon domain in the connection's calls.
    pub logon_domain: Name,
}

/// Draws a spelling. If `forms_differ`, the connection may spell the name differently.
pub fn spell(person: Person, forms_differ: bool, random: &mut Random) -> Spelling {
    let (early, asker) = early(person, random);
    let full = format!(r"{}\{}", person.domain, person.name.to_lowercase());
    let late = if forms_differ && random.below(2) == 0 { full } else { early.clone() };
    // A user with a bare name or an unlisted suffix is known by the logon domain alone.
    let must_tell = !late.contains('\\');
    let logon_domain = if must_tell || random.below(2) == 0 { person.domain } else { "" };
    Spelling { early: Name::new(&early), asker, late: Name::new(&late), logon_domain: Name::new(logon_domain) }
}

/// Changes a spelling so that the address calls pass the name in a certificate.
pub fn spell_certificate(person: usize, spelling: Spelling) -> Spelling {
    let asker = identity(CERTIFICATES, &format!("DEVICE-{person}"));
    let early = Name::new(&format!("device-{person}@{}", CERTIFICATES.to_lowercase()));
    Spelling { early, asker, ..spelling }
}

fn early(person: Person, random: &mut Random) -> (String, Identity) {
    let lower = person.name.to_lowercase();
    let suffix = LISTED.iter().find(|(domain, _)| *domain == person.domain).map(|(_, suffix)| *suffix);
    match random.below(5) {
        0 => (format!(r"{}\{lower}", person.domain.to_lowercase()), person.identity()),
        1 if person.is_computer() => {
            let host = lower.trim_end_matches('$');
            (format!("host/{host}.{}", suffix.unwrap_or("corp.example")), person.identity())
        }
        1 => match suffix {
            Some(suffix) => (format!("{lower}@{suffix}"), person.identity()),
            None => {
                let unlisted = format!("{}.example", person.domain.to_lowercase());
                (format!("{lower}@{unlisted}"), identity(&unlisted.to_uppercase(), person.name))
            }
        },
        2 | 3 => (lower, identity(DEFAULT_DOMAIN, person.name)),
        _ => (format!(r"{}\{}", person.domain, person.name), person.identity()),
    }
}

/// A client's device.
#[derive(Clone, Debug)]
pub struct Device {
    /// The computer name that it claims. Phones have none.
    pub computer: Name,
    /// Its public address.
    pub source: String,
}

/// Draws one of a person's devices: a laptop, a tablet or two phones. Some share a network.
pub fn device(person: usize, random: &mut Random) -> Device {
    let which = random.below(5);
    let computer = match which {
        0 | 1 => format!("LAPTOP-{person}"),
        2 => format!("TABLET-{person}"),
        _ => String::new(),
    };
    Device { computer: Name::new(&computer), source: source(person, random) }
}

/// Draws a public address: at home, in a hotel that all share, or in a network that is denied.
pub fn source(person: usize, random: &mut Random) -> String {
    match random.below(12) {
        0..=6 => format!("203.0.113.{}", 10 + person),
        7 | 8 => "192.0.2.77".to_owned(),
        9 | 10 => format!("192.0.2.{}", 100 + person),
        _ => format!("198.51.100.{}", 1 + random.below(20)),
    }
}

/// The network that a configuration may deny, and its first part.
pub const DENIED_NETWORK: (&str, &str) = ("198.51.100.0/24", "198.51.100.");
