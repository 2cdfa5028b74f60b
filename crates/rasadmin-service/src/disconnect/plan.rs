//! Which live sessions are to be disconnected now. Pure: it asks nobody, and writes nothing.

use crate::state::StoppedRule;
use rasadmin_engine::decide::{Overdue, is_blocked, is_replaced, overdue};
use rasadmin_engine::effect::{Disconnecting, Enforcement};
use rasadmin_engine::state::Session;
use rasadmin_engine::{Context, Id, Identity, InterfaceType, Mono, Stamp, State};
use rasadmin_policy::config::DisconnectMode;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

/// A changed configuration ends sessions only after it has stood for this long, in milliseconds.
const STANDS: u64 = 60_000;

/// The period of a rule's limit, in milliseconds.
const MINUTE: u64 = 60_000;

/// A rule disconnects at most this many sessions a minute, or one in [`SHARE`] of the live ones if that is more.
const AT_ONCE: usize = 10;
const SHARE: usize = 20;

/// At most so many are reported at once, so that orders do not wait for them.
const REPORTED_AT_ONCE: usize = 50;

/// Stands for the rule of sessions that newer ones replace. No rule has such a name.
const REPLACED: &str = "(replaced)";

/// A session to disconnect, or to report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The session.
    pub session: Id,
    /// The reason.
    pub why: Disconnecting,
    /// What is done about it.
    pub how: Enforcement,
}

/// The rule that stops, waits and is limited for this reason.
fn key(why: &Disconnecting) -> String {
    match why {
        Disconnecting::Rule { rule, .. } => rule.clone(),
        Disconnecting::Replaced => REPLACED.to_owned(),
        Disconnecting::Blocked | Disconnecting::Asked { .. } => String::new(),
    }
}

/// What decisions depend on.
#[derive(Clone, Copy)]
pub struct Situation<'a> {
    /// The state.
    pub state: &'a State,
    /// The configuration, among others.
    pub context: Context<'a>,
    /// What happens to sessions that rules deny.
    pub mode: DisconnectMode,
    /// The present time.
    pub at: Stamp,
    /// The octets of a user that no record has yet.
    pub more: &'a dyn Fn(&Identity) -> u64,
}

impl Situation<'_> {
    fn overdue(&self, session: &Session) -> Option<Overdue> {
        let rules_end_sessions = self.context.config.rules.end_live_sessions();
        let more = || session.user.as_ref().map_or(0, self.more);
        if rules_end_sessions { overdue(self.state, &self.context, session, self.at, more()) } else { None }
    }

    fn is_blocked(&self, session: &Session) -> bool {
        is_blocked(self.state, &self.context, session, self.at)
    }

    fn is_replaced(&self, session: &Session) -> bool {
        is_replaced(self.state, &self.context, session, self.at)
    }
}

/// A live session that a rule denies.
struct Denied {
    session: Id,
    since: Mono,
    why: Disconnecting,
    /// In milliseconds.
    grace: u64,
}

/// What the service does now.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// These are due.
    pub decided: Vec<Decided>,
    /// So many are held back: by a rule's limit, or until the configuration has stood for a minute.
    pub waiting: usize,
    /// Rules that end nothing until somebody resumes them, as of now.
    pub stopped: Vec<StoppedRule>,
}

/// What was seen before.
#[derive(Debug, Default)]
pub struct Planner {
    /// Since when a rule has denied a session.
    since: HashMap<(Id, String), Mono>,
    /// When each rule has disconnected sessions within the last minute.
    acted: HashMap<String, VecDeque<Mono>>,
    /// Sessions that RRAS was asked to disconnect, and that have not ended yet.
    cut: HashSet<Id>,
    /// The hash of the configuration in force, and since when.
    config: Option<(String, Mono)>,
    /// The hash of the configuration that was looked at for rules that would end too much.
    judged: Option<String>,
    stopped: BTreeMap<String, StoppedRule>,
}

impl Planner {
    /// Goes on where another one ended.
    pub fn resumed(judged: Option<String>, stopped: Vec<StoppedRule>) -> Self {
        let stopped = stopped.into_iter().map(|rule| (rule.rule.clone(), rule)).collect();
        Self { judged, stopped, ..Self::default() }
    }

    /// The hash of the configuration that was judged.
    pub const fn judged(&self) -> Option<&String> {
        self.judged.as_ref()
    }

    /// The rules that are stopped.
    pub fn stopped(&self) -> impl Iterator<Item = &StoppedRule> {
        self.stopped.values()
    }

    /// Lets a rule end sessions again. Returns false if it was not stopped.
    pub fn resume(&mut self, rule: &str) -> bool {
        self.stopped.remove(rule).is_some()
    }

    /// RRAS was asked to disconnect a session.
    pub fn has_cut(&mut self, session: Id, why: &Disconnecting, at: Mono) {
        if self.cut.insert(session) {
            self.acted.entry(key(why)).or_default().push_back(at);
        }
    }

    /// What is due.
    pub fn plan(&mut self, now: &Situation<'_>) -> Plan {
        let Situation { state, context, mode, at, .. } = *now;
        let stands = self.stands(&context.config.hash, at.mono);
        let mut plan = Plan::default();
        let mut denied: BTreeMap<String, Vec<Denied>> = BTreeMap::new();
        // Orders of each rule that RRAS has not heard yet.
        let mut pending: HashMap<String, usize> = HashMap::new();
        let somebody_is_blocked = state.blocks(at.time).next().is_some();
        let mut sessions: Vec<&Session> = state.live().filter(|s| s.interface == InterfaceType::Client).collect();
        sessions.sort_unstable_by_key(|session| (session.began.mono, session.id));
        for session in sessions {
            let before = state.to_disconnect(session.id);
            if let Some(order) = before.filter(|before| before.how == Enforcement::Enforced)
                && self.holds(&order.why, session, now)
            {
                if !self.cut.contains(&session.id) {
                    *pending.entry(key(&order.why)).or_default() += 1;
                }
                continue;
            }
            if somebody_is_blocked && now.is_blocked(session) {
                let (why, how) = (Disconnecting::Blocked, Enforcement::Enforced);
                plan.decided.push(Decided { session: session.id, why, how });
                continue;
            }
            let is_marked = before.is_some_and(|before| before.why == Disconnecting::Replaced);
            let overdue = if is_marked && now.is_replaced(session) {
                Some(Overdue { why: Disconnecting::Replaced, grace: 0 })
            } else {
                now.overdue(session)
            };
            if let Some(Overdue { why, grace }) = overdue {
                let rule = key(&why);
                let since = *self.since.entry((session.id, rule.clone())).or_insert(at.mono);
                denied.entry(rule).or_default().push(Denied { session: session.id, since, why, grace });
            }
        }
        self.forget(state, &denied);
        if stands && self.judged.as_ref() != Some(&context.config.hash) {
            self.judged = Some(context.config.hash.clone());
            if mode == DisconnectMode::Enforce {
                plan.stopped = self.judge(&denied, state.live_count(), at);
            }
        }
        for (rule, mut all) in denied {
            if mode == DisconnectMode::Report {
                all.retain(|one| at.mono.since(one.since) >= one.grace);
                let how = Enforcement::Reported;
                all.retain(|one| {
                    let before = state.to_disconnect(one.session);
                    before.is_none_or(|before| before.how < how || before.why != one.why)
                });
                plan.decided.extend(all.into_iter().map(|Denied { session, why, .. }| Decided { session, why, how }));
                continue;
            }
            if self.stopped.contains_key(&rule) || !stands {
                plan.waiting += all.len();
                continue;
            }
            all.retain(|one| at.mono.since(one.since) >= one.grace);
            let room = self.room(&rule, state.live_count(), at.mono);
            let room = room.saturating_sub(pending.get(&rule).copied().unwrap_or(0));
            // Those that were denied first go first.
            all.sort_by_key(|one| one.since);
            plan.waiting += all.len().saturating_sub(room);
            all.truncate(room);
            let how = Enforcement::Enforced;
            plan.decided.extend(all.into_iter().map(|Denied { session, why, .. }| Decided { session, why, how }));
        }
        let mut reports = 0;
        plan.decided.retain(|decided| {
            reports += usize::from(decided.how == Enforcement::Reported);
            decided.how != Enforcement::Reported || reports <= REPORTED_AT_ONCE
        });
        plan
    }

    /// Is a session still to be disconnected for this reason, now?
    pub fn holds(&self, why: &Disconnecting, session: &Session, now: &Situation<'_>) -> bool {
        let may_end = now.mode == DisconnectMode::Enforce && !self.stopped.contains_key(&key(why));
        match why {
            Disconnecting::Rule { .. } => may_end && now.overdue(session).is_some_and(|overdue| overdue.why == *why),
            Disconnecting::Replaced => may_end && now.is_replaced(session),
            Disconnecting::Blocked => now.is_blocked(session),
            Disconnecting::Asked { .. } => session.interface == InterfaceType::Client,
        }
    }

    /// Has the configuration been in force for long enough to end sessions?
    fn stands(&mut self, hash: &str, now: Mono) -> bool {
        let since = match &self.config {
            Some((known, since)) if known == hash => *since,
            _ => {
                self.config = Some((hash.to_owned(), now));
                if self.judged.as_deref() != Some(hash) {
                    // What another configuration would have ended says nothing about this one.
                    (self.judged, self.stopped) = Default::default();
                }
                now
            }
        };
        now.since(since) >= STANDS
    }

    /// Forgets sessions that are no longer denied: if they are denied again, their time of grace begins anew.
    fn forget(&mut self, state: &State, denied: &BTreeMap<String, Vec<Denied>>) {
        let pairs = |(rule, all): (&String, &Vec<Denied>)| {
            all.iter().map(|one| (one.session, rule.clone())).collect::<Vec<_>>()
        };
        let still: HashSet<(Id, String)> = denied.iter().flat_map(pairs).collect();
        self.since.retain(|pair, _| still.contains(pair));
        self.cut.retain(|session| state.session(*session).is_some());
    }

    /// Stops the rules if together they would end most sessions because the configuration has changed: it may be a mistake.
    /// What they denied before is none of its doing.
    fn judge(&mut self, denied: &BTreeMap<String, Vec<Denied>>, live: usize, at: Stamp) -> Vec<StoppedRule> {
        let changed = self.config.as_ref().map_or(at.mono, |(_, since)| *since);
        let new = |all: &[Denied]| all.iter().filter(|one| one.since >= changed).count();
        let total: usize = denied.values().map(|all| new(all)).sum();
        if total <= AT_ONCE || total * 2 <= live {
            return Vec::new();
        }
        let rules = denied.iter().map(|(rule, all)| (rule, new(all))).filter(|(_, sessions)| *sessions > 0);
        let stopped: Vec<StoppedRule> =
            rules.map(|(rule, sessions)| StoppedRule { rule: rule.clone(), sessions, live, since: at.time }).collect();
        self.stopped.extend(stopped.iter().map(|rule| (rule.rule.clone(), rule.clone())));
        stopped
    }

    /// How many sessions a rule may disconnect now.
    fn room(&mut self, rule: &str, live: usize, now: Mono) -> usize {
        let Some(acted) = self.acted.get_mut(rule) else { return AT_ONCE.max(live / SHARE) };
        acted.retain(|at| now.since(*at) < MINUTE);
        AT_ONCE.max(live / SHARE).saturating_sub(acted.len())
    }
}
