//! Who connects: users and computers, and how RRAS spells them.

use crate::random::Random;
use rasadmin_engine::{Identity, Name};

/// Somebody, by domain and name as Active Directory has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    /// The domain's NetBIOS name.
    pub domain: &'static str,
    /// The account's name; a computer's ends in `$`.
    pub name: &'static str,
}

/// Whoever connects in the simulation, by number.
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
    /// As the engine names them.
    pub fn identity(self) -> Identity {
        identity(self.domain, self.name)
    }

    const fn is_computer(self) -> bool {
        matches!(self.name.as_bytes(), [.., b'$'])
    }
}

/// An identity of parts that are folded already.
pub fn identity(domain: &str, name: &str) -> Identity {
    Identity { domain: Name::new(domain), name: Name::new(name) }
}

/// How somebody is spelled at the address calls and at the connection's, and who is meant by the former alone.
#[derive(Clone, Debug)]
pub struct Spelling {
    /// At the address calls.
    pub early: Name,
    /// Who that is, while the logon domain is not known.
    pub asker: Identity,
    /// At the connection's calls.
    pub late: Name,
    /// The logon domain there.
    pub logon_domain: Name,
}

/// Draws a spelling. `forms_differ`: it may be another one at the connection.
pub fn spell(person: Person, forms_differ: bool, random: &mut Random) -> Spelling {
    let (early, asker) = early(person, random);
    let full = format!(r"{}\{}", person.domain, person.name.to_lowercase());
    let late = if forms_differ && random.below(2) == 0 { full } else { early.clone() };
    // Whoever arrives by a bare name or an unlisted suffix is known by the logon domain alone.
    let must_tell = !late.contains('\\');
    let logon_domain = if must_tell || random.below(2) == 0 { person.domain } else { "" };
    Spelling { early: Name::new(&early), asker, late: Name::new(&late), logon_domain: Name::new(logon_domain) }
}

/// The address calls pass the name of somebody's certificate.
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

/// What somebody connects with.
#[derive(Clone, Debug)]
pub struct Device {
    /// The name that it claims; a telephone has none.
    pub computer: Name,
    /// Its public address.
    pub source: String,
}

/// One of a person's devices: a laptop, a tablet, two telephones; some share a network.
pub fn device(person: usize, random: &mut Random) -> Device {
    let which = random.below(5);
    let computer = match which {
        0 | 1 => format!("LAPTOP-{person}"),
        2 => format!("TABLET-{person}"),
        _ => String::new(),
    };
    Device { computer: Name::new(&computer), source: source(person, random) }
}

/// A public address that somebody connects from: at home, in a hotel that all share, or from a network that is denied.
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
