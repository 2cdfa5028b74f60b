//! What the product's ledger says about a run: which rules decided, and which pools gave addresses.

use crate::bring_in::bring_in;
use crate::output::{numbers, texts};
use rasadmin_host::outcome::RunSummary;
use rasadmin_ledger::Error;
use rasadmin_ledger::report::{Attempt, Given, Reader, Refusals};
use rasadmin_policy::config::Config;
use rasadmin_system::places;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;

/// Before the run: where the ledger stood. After it: what is new.
pub struct Told {
    config: Config,
    last: (i64, i64),
    refusals: Vec<Refusals>,
    given: Vec<Given>,
    attempts: Vec<Attempt>,
}

impl Told {
    /// Of the ledger that the configuration names.
    pub fn before(config: &Path) -> Result<Self, String> {
        let config = rasadmin_policy::config::load(config).map_err(|e| e.to_string())?;
        let last = read(&config, Reader::last)?.unwrap_or_default();
        Ok(Self { config, last, refusals: Vec::new(), given: Vec::new(), attempts: Vec::new() })
    }

    /// What the run has added.
    pub fn after(mut self, _: &RunSummary) -> Result<Self, String> {
        let (decisions, leases) = self.last;
        let told = read(&self.config, |reader| {
            Ok((reader.refusals(decisions)?, reader.given(leases)?, reader.attempts(decisions)?))
        })?;
        if let Some((refusals, given, attempts)) = told {
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
                vec![rule(refusals.rule.as_deref()), refusals.users.len().to_string(), why]
            });
            out += &texts(&["denied by the rule", "times", "because"], rows);
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

    /// The deciding rule of each outcome: a user's attempts are in the same order on both sides.
    pub fn rules(&self, day: &RunSummary) -> Vec<String> {
        let mut of_user: HashMap<&str, Vec<&Attempt>> = HashMap::new();
        for attempt in self.attempts.iter().rev() {
            of_user.entry(attempt.user.as_str()).or_default().push(attempt);
        }
        let outcomes = day.outcomes.iter();
        let attempts = outcomes.map(|o| of_user.get_mut(o.user.as_str()).and_then(Vec::pop));
        attempts.map(|attempt| attempt.map_or_else(|| "-".to_owned(), |a| rule(a.rule.as_deref()))).collect()
    }

    /// The same for programs.
    pub fn add_to(&self, value: &mut Value) {
        let refusals = self.refusals.iter().map(|r| {
            let users: Vec<_> = r.users.iter().map(|user| user.as_str()).collect();
            json!({ "rule": r.rule, "reason": r.reason, "times": r.users.len(), "users": users })
        });
        value["denied"] = refusals.collect();
        let given = self.given.iter().map(|g| {
            json!({ "from": g.from, "family": g.family, "leases": g.leases, "addresses": g.addresses,
                    "sticky": g.sticky })
        });
        value["given"] = given.collect();
    }
}

fn rule(name: Option<&str>) -> String {
    name.map_or_else(|| "(default)".to_owned(), str::to_owned)
}

/// What the ledger says once every record is in it. Only our own DLL has one.
fn read<T>(config: &Config, what: impl FnOnce(&Reader) -> Result<T, Error>) -> Result<Option<T>, String> {
    let server = config.server.clone().unwrap_or_else(places::server_name);
    let told = || -> Result<Option<T>, Error> {
        bring_in(&config.journal, &config.ledger, &server, false, false)?;
        if !config.ledger.exists() {
            return Ok(None);
        }
        Reader::open(&config.ledger).and_then(|reader| what(&reader)).map(Some)
    };
    told().map_err(|e| format!("the ledger cannot be read: {e}"))
}
