//! What the product's ledger adds to a run's report: what denied users, and where addresses came from.

use crate::bring_in::bring_in;
use crate::error::{Result, WithContext};
use crate::format::{numbers, texts};
use rasadmin_host::outcome::RunSummary;
use rasadmin_ledger::Error;
use rasadmin_ledger::report::{Attempt, DecidedBy, LeaseTotals, Reader, Refusals, decided_by_in_words};
use rasadmin_policy::config::Config;
use rasadmin_system::places;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::HashMap;
use std::path::Path;

/// Before the run: the last rows of the ledger. After it: what the run has added.
pub struct Summary {
    config: Config,
    last: (i64, i64),
    refusals: Vec<Refusals>,
    given: Vec<LeaseTotals>,
    attempts: Vec<Attempt>,
}

/// What denied users during the run.
#[derive(Serialize, JsonSchema)]
pub struct Denied {
    /// What denied them.
    decided_by: DecidedBy,
    /// The rule's name; null if no rule denied them.
    rule: Option<String>,
    /// Why the DLL itself did: `exhausted`, `blocked` and so on. Null if it did not.
    refusal: Option<String>,
    /// The reason that was recorded.
    reason: Option<String>,
    /// How often it denied somebody.
    times: usize,
    /// The users in the order of time, each as often as they were denied.
    users: Vec<String>,
}

/// Where addresses came from during the run.
#[derive(Serialize, JsonSchema)]
pub struct AddressesFrom {
    /// The pool's name, `reservations`, or `RRAS's offer`.
    from: String,
    /// The IP version: 4 or 6.
    family: u8,
    /// How many leases were given.
    leases: u64,
    /// How many different addresses were given.
    addresses: u64,
    /// How many of the leases gave users an address that they had had before.
    sticky: u64,
}

impl Summary {
    /// Before the run, of the ledger that the configuration names.
    pub fn before(config: &Path) -> Result<Self> {
        let config = rasadmin_policy::config::load(config)?;
        let last = read(&config, Reader::last)?.unwrap_or_default();
        Ok(Self { config, last, refusals: Vec::new(), given: Vec::new(), attempts: Vec::new() })
    }

    /// After the run.
    pub fn after(mut self) -> Result<Self> {
        let (decisions, leases) = self.last;
        let added = read(&self.config, |reader| {
            Ok((reader.refusals(decisions)?, reader.lease_totals(leases)?, reader.attempts(decisions)?))
        })?;
        if let Some((refusals, given, attempts)) = added {
            (self.refusals, self.given, self.attempts) = (refusals, given, attempts);
        }
        Ok(self)
    }

    /// Refusals by rule, and addresses by pool.
    pub fn tables(&self) -> String {
        let mut out = String::new();
        if !self.refusals.is_empty() {
            let rows = self.refusals.iter().map(|refusals| {
                let why = refusals.reason.clone().unwrap_or_default();
                let by = decided_by_in_words(refusals.rule.as_deref(), refusals.refusal.as_deref());
                vec![by.into_owned(), refusals.users.len().to_string(), why]
            });
            out += &texts(&["denied by", "times", "because"], rows);
            out += "\n\n";
        }
        if !self.given.is_empty() {
            let rows = self.given.iter().map(|given| {
                let from = format!("{} (IPv{})", given.from, given.family);
                vec![from, given.leases.to_string(), given.addresses.to_string(), given.sticky.to_string()]
            });
            out += &numbers(&["addresses from", "given", "different ones", "to the user who had it last"], rows);
            out += "\n";
        }
        out
    }

    /// What decided about each outcome: a user's attempts are in the same order on both sides.
    pub fn rules(&self, day: &RunSummary) -> Vec<String> {
        let mut of_user: HashMap<&str, Vec<&Attempt>> = HashMap::new();
        for attempt in self.attempts.iter().rev() {
            of_user.entry(attempt.user.as_str()).or_default().push(attempt);
        }
        let outcomes = day.outcomes.iter();
        let attempts = outcomes.map(|o| of_user.get_mut(o.user.as_str()).and_then(Vec::pop));
        attempts.map(|attempt| attempt.map_or_else(|| "-".to_owned(), |a| a.decided_by().into_owned())).collect()
    }

    /// Refusals by rule, for programs.
    pub fn denied(&self) -> Vec<Denied> {
        let denied = self.refusals.iter().map(|refusals| Denied {
            decided_by: DecidedBy::of(refusals.rule.as_deref(), refusals.refusal.as_deref()),
            rule: refusals.rule.clone(),
            refusal: refusals.refusal.clone(),
            reason: refusals.reason.clone(),
            times: refusals.users.len(),
            users: refusals.users.iter().map(|user| user.as_str().to_owned()).collect(),
        });
        denied.collect()
    }

    /// Addresses by pool, for programs.
    pub fn given(&self) -> Vec<AddressesFrom> {
        let given = self.given.iter().map(|given| AddressesFrom {
            from: given.from.clone(),
            family: given.family,
            leases: given.leases,
            addresses: given.addresses,
            sticky: given.sticky,
        });
        given.collect()
    }
}

/// Queries the ledger after every record was brought into it. `None`: there is no ledger, because only rasadmin.dll
/// writes one.
fn read<T>(config: &Config, query: impl FnOnce(&Reader) -> std::result::Result<T, Error>) -> Result<Option<T>> {
    let server = config.server.clone().unwrap_or_else(places::server_name);
    let answer = || -> std::result::Result<Option<T>, Error> {
        bring_in(&config.journal, &config.ledger, &server, false, false)?;
        if !config.ledger.exists() {
            return Ok(None);
        }
        Reader::open(&config.ledger).and_then(|reader| query(&reader)).map(Some)
    };
    answer().context("the ledger cannot be read")
}
