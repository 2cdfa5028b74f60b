//! The report of a simulation.

use super::{Attempt, Change, Refused};
use rasadmin_engine::Refusal;
use rasadmin_engine::decision::OfferBecause;
use rasadmin_engine::simulate::Simulated;
use rasadmin_policy::Millis;
use rasadmin_policy::addresses::{Family, Pool};
use rasadmin_policy::config::Config;
use rasadmin_policy::{Identity, Name};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Why an attempt would be refused or accepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Because {
    /// Because of this rule.
    Rule(String),
    /// Because of the default.
    Default,
    /// Because the pool had no address left.
    PoolExhausted(String),
    /// Because there was no address for another reason.
    NoAddress(String),
}

impl Because {
    /// The reason of a result.
    pub fn of(simulated: &Simulated) -> Self {
        let decision = &simulated.decision;
        match (&decision.refusal, &decision.rule) {
            (
                Some(Refusal::Exhausted { pool } | Refusal::Offer { because: OfferBecause::Exhausted { pool }, .. }),
                _,
            ) => Self::PoolExhausted(pool.clone()),
            (Some(refusal), _) => Self::NoAddress(refusal.to_string()),
            (None, Some(rule)) => Self::Rule(rule.clone()),
            (None, None) => Self::Default,
        }
    }
}

/// What would change because of one rule.
#[derive(Clone, Debug, Serialize)]
pub struct ByRule {
    /// The rule or reason.
    pub because: Because,
    /// The rule's reason.
    pub reason: Option<String>,
    /// Attempts that were accepted, and would be refused.
    pub refused: u64,
    /// Attempts that were refused, and would be accepted.
    pub accepted: u64,
    /// How many users are concerned.
    pub users: u64,
    /// The first such attempt, in milliseconds since 1970.
    pub first: Millis,
    /// The last such attempt.
    pub last: Millis,
    #[serde(skip)]
    names: BTreeSet<String>,
}

/// What would change for one user.
#[derive(Clone, Debug, Serialize)]
pub struct ByUser {
    /// The user.
    pub user: String,
    /// Attempts that were accepted, and would be refused.
    pub refused: u64,
    /// Attempts that were refused, and would be accepted.
    pub accepted: u64,
    /// All attempts.
    pub attempts: u64,
}

/// How a pool would have been used on one server.
#[derive(Clone, Debug, Serialize)]
pub struct PoolUse {
    /// The pool's name.
    pub pool: String,
    /// The server.
    pub server: Name,
    /// 4 or 6.
    pub family: u8,
    /// How many addresses it has.
    pub size: u64,
    /// The most addresses that were held at the same time.
    pub peak: u64,
    /// When that was first reached.
    pub peak_at: Millis,
    /// When the pool was first found exhausted.
    pub exhausted_first: Option<Millis>,
    /// When it was last found exhausted.
    pub exhausted_last: Option<Millis>,
    /// How often it was found exhausted.
    pub exhausted_times: u64,
    #[serde(skip)]
    held: u64,
}

/// The report.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Attempts that were simulated.
    pub attempts: u64,
    /// Attempts that were accepted then.
    pub accepted_then: u64,
    /// Attempts that a DLL refused then.
    pub refused_then: u64,
    /// Attempts that NPS refused then, before a DLL was asked. They change with no configuration.
    pub refused_by_nps: u64,
    /// Of these, the attempts that the configuration would refuse too.
    pub refused_by_both: u64,
    /// Attempts that were accepted then, and would be refused.
    pub newly_refused: u64,
    /// Attempts that were refused then, and would be accepted. How long they would have lasted is unknown, so they end
    /// at once.
    pub newly_accepted: u64,
    /// Results that depend on facts which the source lacks.
    pub rest_on_lacking: u64,
    /// For each condition, how many results depend on its missing fact.
    pub lacking: BTreeMap<&'static str, u64>,
    /// Changes by rule, the most changes first.
    pub by_rule: Vec<ByRule>,
    /// Changes by user, the most changes first.
    pub by_user: Vec<ByUser>,
    /// The pools that were used.
    pub pools: Vec<PoolUse>,
    /// Rules that decided none of the attempts, in the order of the configuration. Rules that end live sessions, or replace
    /// the oldest one, are left out: they do more than decide.
    pub unused_rules: Vec<String>,
    #[serde(skip)]
    used_rules: HashSet<String>,
    #[serde(skip)]
    config: Arc<Config>,
    #[serde(skip)]
    users: HashMap<String, usize>,
    #[serde(skip)]
    taken: HashMap<u64, Vec<usize>>,
}

impl Report {
    pub(super) fn new(config: &Arc<Config>) -> Self {
        Self {
            attempts: 0,
            accepted_then: 0,
            refused_then: 0,
            refused_by_nps: 0,
            refused_by_both: 0,
            newly_refused: 0,
            newly_accepted: 0,
            rest_on_lacking: 0,
            lacking: BTreeMap::new(),
            by_rule: Vec::new(),
            by_user: Vec::new(),
            pools: Vec::new(),
            unused_rules: Vec::new(),
            used_rules: HashSet::new(),
            config: config.clone(),
            users: HashMap::new(),
            taken: HashMap::new(),
        }
    }

    /// Would anything change?
    pub fn changes(&self) -> bool {
        self.newly_refused + self.newly_accepted > 0
    }

    pub(super) fn add(&mut self, attempt: &Attempt, simulated: &Simulated, change: Change) {
        self.attempts += 1;
        match attempt.refused {
            None => self.accepted_then += 1,
            Some(Refused::ByDll(_)) => self.refused_then += 1,
            Some(Refused::ByNps(_)) => {
                self.refused_by_nps += 1;
                self.refused_by_both += u64::from(!simulated.accepted);
            }
        }
        match change {
            Change::Refused => self.newly_refused += 1,
            Change::Accepted => self.newly_accepted += 1,
            Change::None => {}
        }
        if !simulated.lacking.is_empty() && !attempt.is_refused_by_nps() {
            self.rest_on_lacking += 1;
            simulated.lacking.iter().for_each(|field| *self.lacking.entry(field).or_default() += 1);
        }
        if let Some(rule) = simulated.decision.rule.as_ref().filter(|rule| !self.used_rules.contains(*rule)) {
            self.used_rules.insert(rule.clone());
        }
        let user = simulated.decision.facts.user.known().map(Identity::to_string);
        let user = user.unwrap_or_else(|| attempt.session.user.to_string());
        self.add_user(&user, change);
        if change != Change::None {
            self.add_rule(attempt, simulated, change, user);
        }
        for pool in &simulated.exhausted {
            let time = attempt.session.start;
            if let Some(at) = self.pool(pool, &attempt.session.server) {
                let of = &mut self.pools[at];
                of.exhausted_first.get_or_insert(time);
                of.exhausted_last = Some(time);
                of.exhausted_times += 1;
            }
        }
    }

    fn add_user(&mut self, user: &str, change: Change) {
        let at = match self.users.get(user) {
            Some(&at) => at,
            None => {
                self.by_user.push(ByUser { user: user.to_owned(), refused: 0, accepted: 0, attempts: 0 });
                self.users.insert(user.to_owned(), self.by_user.len() - 1);
                self.by_user.len() - 1
            }
        };
        let row = &mut self.by_user[at];
        row.attempts += 1;
        row.refused += u64::from(change == Change::Refused);
        row.accepted += u64::from(change == Change::Accepted);
    }

    fn add_rule(&mut self, attempt: &Attempt, simulated: &Simulated, change: Change, user: String) {
        let (because, time) = (Because::of(simulated), attempt.session.start);
        let at = self.by_rule.iter().position(|row| row.because == because).unwrap_or_else(|| {
            let reason = simulated.decision.reason.clone();
            let (refused, accepted, users, names) = (0, 0, 0, BTreeSet::new());
            self.by_rule.push(ByRule { because, reason, refused, accepted, users, first: time, last: time, names });
            self.by_rule.len() - 1
        });
        let row = &mut self.by_rule[at];
        row.refused += u64::from(change == Change::Refused);
        row.accepted += u64::from(change == Change::Accepted);
        row.last = row.last.max(time);
        row.names.insert(user);
        row.users = row.names.len() as u64;
    }

    /// The row of a pool on a server; `None` if the configuration has no such pool.
    fn pool(&mut self, name: &str, server: &Name) -> Option<usize> {
        let at = self.pools.iter().position(|row| row.pool == name && row.server == *server);
        if at.is_some() {
            return at;
        }
        let pool: &Pool = self.config.addresses.pools.iter().find(|pool| pool.name == name)?;
        let family = if pool.family == Family::Ipv4 { 4 } else { 6 };
        let size = u64::try_from(pool.size()).unwrap_or(u64::MAX);
        let (pool, server) = (name.to_owned(), server.clone());
        let (exhausted_first, exhausted_last, exhausted_times) = (None, None, 0);
        self.pools.push(PoolUse {
            pool,
            server,
            family,
            size,
            peak: 0,
            peak_at: 0,
            exhausted_first,
            exhausted_last,
            exhausted_times,
            held: 0,
        });
        Some(self.pools.len() - 1)
    }

    pub(super) fn pools_taken(&mut self, attempt: &Attempt, handle: u64, simulated: &Simulated, counts: bool) {
        for name in simulated.given.iter().filter_map(|given| given.pool.as_deref()) {
            let Some(at) = self.pool(name, &attempt.session.server) else { continue };
            let row = &mut self.pools[at];
            row.held += 1;
            if counts && row.held > row.peak {
                (row.peak, row.peak_at) = (row.held, attempt.session.start);
            }
            self.taken.entry(handle).or_default().push(at);
        }
    }

    pub(super) fn pools_given_back(&mut self, handle: u64) {
        for at in self.taken.remove(&handle).unwrap_or_default() {
            if let Some(row) = self.pools.get_mut(at) {
                row.held = row.held.saturating_sub(1);
            }
        }
    }

    /// Sorts the rows for reading, and lists what was not used.
    pub(super) fn sort(&mut self) {
        let names = self.config.rules.deciding_names().filter(|name| !self.used_rules.contains(*name));
        self.unused_rules = names.map(str::to_owned).collect();
        self.by_rule.sort_by_key(|row| std::cmp::Reverse(row.refused + row.accepted));
        self.by_user.sort_by_key(|row| std::cmp::Reverse((row.refused + row.accepted, row.attempts)));
        self.pools.sort_by(|a, b| (&a.server, a.family, &a.pool).cmp(&(&b.server, b.family, &b.pool)));
    }
}
