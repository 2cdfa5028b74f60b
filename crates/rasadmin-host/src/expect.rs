//! What must have become of a scenario's sessions, and what did.

use crate::runner::{Day, Outcome};
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// What became of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Became {
    /// It was accepted, and nobody cut it.
    Accepted,
    /// It got its addresses, and was not asked about.
    Addressed,
    /// It got no address.
    Refused,
    /// Its connection or its first link was rejected.
    Rejected,
    /// Refused or rejected: expected where it does not matter at which call.
    Denied,
    /// It was accepted, and cut later.
    Cut,
}

impl Became {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Accepted, Self::Addressed, Self::Refused, Self::Rejected, Self::Denied, Self::Cut];

    /// Its name in a scenario.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Addressed => "addressed",
            Self::Refused => "refused",
            Self::Rejected => "rejected",
            Self::Denied => "denied",
            Self::Cut => "cut",
        }
    }

    /// Does an outcome meet it?
    pub fn is_met_by(self, outcome: &Outcome) -> bool {
        let became = Self::of(outcome);
        became == self || (self == Self::Denied && matches!(became, Self::Refused | Self::Rejected))
    }

    /// Of an outcome: never [`Denied`](Self::Denied), which says less.
    pub fn of(outcome: &Outcome) -> Self {
        match (outcome.refused, outcome.cut) {
            (Some(refused), _) if refused.at_address() => Self::Refused,
            (Some(_), _) => Self::Rejected,
            (None, Some(_)) => Self::Cut,
            (None, None) if outcome.connected => Self::Accepted,
            (None, None) => Self::Addressed,
        }
    }
}

/// What is expected of a session. What is None is not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The line that says it.
    pub line: usize,
    /// The session's label.
    pub session: String,
    /// What must have become of it.
    pub became: Became,
    /// Its IPv4 address.
    pub address: Option<Ipv4Addr>,
    /// A session whose IPv4 address must be another one.
    pub differs_from: Option<String>,
    /// Its IPv6 interface identifier.
    pub identifier: Option<[u8; 8]>,
    /// Its first port.
    pub port: Option<String>,
    /// The error with which it got no address.
    pub error: Option<u32>,
}

impl Expectation {
    /// None if it is met; else what was expected and what was found.
    pub fn unmet(&self, day: &Day) -> Option<String> {
        let of = |label: &str| day.outcomes.iter().find(|outcome| outcome.session == label);
        let outcome = of(&self.session);
        let other = self.differs_from.as_deref().and_then(of);
        let (mut expected, mut found) = (self.became.name().to_owned(), String::new());
        match outcome {
            None => found.push_str("not asked for: the run did not come so far"),
            Some(outcome) => {
                found.push_str(Became::of(outcome).name());
                if let Some(why) = outcome.refused.or(outcome.cut) {
                    let _ = write!(found, " ({why})"); // Writing to a String cannot fail.
                }
            }
        }
        let mut met = outcome.is_some_and(|outcome| self.became.is_met_by(outcome));
        let mut compare = |what: &str, wanted: Option<String>, got: Option<String>, not: bool| {
            if let Some(wanted) = wanted {
                met &= (got.as_ref() == Some(&wanted)) != not;
                let _ = write!(expected, ", {what} {}{wanted}", if not { "other than " } else { "" });
                let _ = write!(found, ", {what} {}", got.as_deref().unwrap_or("none"));
            }
        };
        let address = outcome.and_then(|outcome| outcome.ipv4).map(|address| address.to_string());
        compare("address", self.address.map(|address| address.to_string()), address.clone(), false);
        if let Some(label) = &self.differs_from {
            let others = other.and_then(|outcome| outcome.ipv4).map_or_else(|| format!("{label}'s"), |a| a.to_string());
            compare("address", Some(others), address, true);
        }
        let shown = |identifier: [u8; 8]| Ipv6Addr::from_bits(u64::from_be_bytes(identifier).into()).to_string();
        let identifier = outcome.and_then(|outcome| outcome.identifier).map(shown);
        compare("identifier", self.identifier.map(shown), identifier, false);
        compare("port", self.port.clone(), outcome.map(|outcome| outcome.port.clone()), false);
        let error = outcome.and_then(|outcome| outcome.refused).and_then(|refused| refused.code());
        compare("error", self.error.map(|code| code.to_string()), error.map(|code| code.to_string()), false);
        (!met).then(|| format!("{}: expected {expected}; found {found}", self.session))
    }
}
