//! What the product's ledger tells of a run: which rule decided, which pool gave.

use crate::output::{numbers, texts};
use rasadmin_host::runner::Day;
use rasadmin_ledger::report::{Attempt, Given, Reader, Refusals};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Before the run: where the ledger stood. After it: what is new.
pub struct Told {
    path: PathBuf,
    last: (i64, i64),
    refusals: Vec<Refusals>,
    given: Vec<Given>,
    attempts: Vec<Attempt>,
}

impl Told {
    /// Of the ledger that the configuration names.
    pub fn before(config: &Path) -> Result<Self, String> {
        let config = rasadmin_policy::config::load(config).map_err(|e| e.to_string())?;
        let path = config.ledger;
        let last = if path.exists() { read(&path, Reader::last)? } else { (0, 0) };
        Ok(Self { path, last, refusals: Vec::new(), given: Vec::new(), attempts: Vec::new() })
    }

    /// What the run has added.
    pub fn after(mut self, _: &Day) -> Result<Self, String> {
        // A DLL that is not ours has no ledger.
        if self.path.exists() {
            let (decisions, leases) = self.last;
            self.refusals = read(&self.path, |reader| reader.refusals(decisions))?;
            self.given = read(&self.path, |reader| reader.given(leases))?;
            self.attempts = read(&self.path, |reader| reader.attempts(decisions))?;
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
    pub fn rules(&self, day: &Day) -> Vec<String> {
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

fn read<T>(path: &Path, what: impl FnOnce(&Reader) -> Result<T, rasadmin_ledger::Away>) -> Result<T, String> {
    Reader::open(path).and_then(|reader| what(&reader)).map_err(|away| format!("the ledger cannot be read: {away}"))
}
