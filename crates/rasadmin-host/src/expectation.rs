//! The result that a session of a scenario must have.

use crate::outcome::{OutcomeKind, RunSummary};
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The result that a session must have. Fields without a value are not compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The line of the scenario that says so.
    pub line: usize,
    /// The session's label.
    pub session: String,
    /// The outcome.
    pub kind: OutcomeKind,
    /// The IPv4 address.
    pub address: Option<Ipv4Addr>,
    /// A session that must have another IPv4 address.
    pub differs_from: Option<String>,
    /// The IPv6 interface identifier.
    pub identifier: Option<[u8; 8]>,
    /// The first port.
    pub port: Option<String>,
    /// The error with which its address was refused.
    pub error: Option<u32>,
}

impl Expectation {
    /// What was expected and what was found, if the two differ.
    pub fn unmet(&self, summary: &RunSummary) -> Option<String> {
        let of = |label: &str| summary.outcomes.iter().find(|outcome| outcome.session == label);
        let outcome = of(&self.session);
        let other = self.differs_from.as_deref().and_then(of);
        let (mut expected, mut found) = (self.kind.name().to_owned(), String::new());
        match outcome {
            None => found.push_str("no outcome: the run ended before this session"),
            Some(outcome) => {
                found.push_str(OutcomeKind::of(outcome).name());
                if let Some(why) = outcome.refused.or(outcome.cut) {
                    let _ = write!(found, " ({why})"); // Writing to a String cannot fail.
                }
            }
        }
        let mut met = outcome.is_some_and(|outcome| self.kind.is_met_by(outcome));
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
