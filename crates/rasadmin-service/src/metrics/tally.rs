//! What is counted from records, one after another. It only grows.

use super::histogram::Histogram;
use rasadmin_engine::callback::{Callback, Took};
use rasadmin_engine::effect::{DayUse, Repeated};
use rasadmin_engine::{Decision, Effect, Id, Mono, Record, State};
use rasadmin_ledger::report::DecidedBy;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// How long a refusal is remembered, in milliseconds. It is repeated within a minute, or recorded anew; the rest is a
/// margin.
const REMEMBERED: u64 = 5 * 60 * 1000;

/// No more refusals are remembered, whatever happens.
const MOST_REMEMBERED: usize = 10_000;

/// By which decisions are counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DecisionKey {
    /// At which stage of a connection.
    pub stage: &'static str,
    /// What decided.
    pub by: DecidedBy,
    /// The rule; empty if none decided.
    pub rule: String,
    /// Why the DLL itself refused; empty if it did not.
    pub refusal: &'static str,
    /// Allowed or denied.
    pub outcome: &'static str,
}

/// By which decisions to disconnect a session are counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DisconnectKey {
    /// What is done about it.
    pub how: &'static str,
    /// The reason.
    pub why: &'static str,
    /// The rule; empty if it is for another reason.
    pub rule: String,
}

/// The counters.
#[derive(Debug, Default)]
pub struct Tally {
    /// Decisions.
    pub decisions: BTreeMap<DecisionKey, u64>,
    /// Decisions to disconnect a session.
    pub disconnects: BTreeMap<DisconnectKey, u64>,
    /// How long RRAS's calls took.
    pub calls: BTreeMap<Callback, Histogram>,
    /// Octets from clients, and to clients.
    pub octets: [u64; 2],
    /// The octets of each session that are counted already, as long as more may come.
    counted: HashMap<Id, [u64; 2]>,
    /// The latest refusals, because repetitions name only their records.
    refusals: VecDeque<(Mono, Id, DecisionKey)>,
}

impl Tally {
    /// Counts a record. `state` is the state before this record.
    pub fn record(&mut self, record: &Record, state: &State) {
        if let Some(decision) = &record.decision {
            self.decision(decision, record);
        }
        for Took(callback, micros) in &record.took {
            self.calls.entry(*callback).or_default().add(*micros);
        }
        for effect in &record.effects {
            match effect {
                Effect::RefusalRepeated(repeated) => self.repeated(repeated),
                Effect::DisconnectDecided(decided) => {
                    let (how, why) = (decided.how.name(), decided.why.name());
                    let rule = decided.why.rule().unwrap_or_default().to_owned();
                    *self.disconnects.entry(DisconnectKey { how, why, rule }).or_default() += 1;
                }
                Effect::SessionEnded(ended) => {
                    self.octets(ended.session, [ended.usage.input_octets, ended.usage.output_octets], state);
                }
                Effect::Counted(counted) => {
                    counted.sessions.iter().for_each(|one| self.octets(one.session, one.octets, state));
                }
                Effect::InterimUse { session, days, .. } => self.octets(*session, DayUse::octets(days), state),
                _ => {}
            }
        }
        if self.counted.len() > 1_000 && self.counted.len() > 4 * state.live_count() {
            self.counted.retain(|id, _| state.session(*id).is_some() || state.closed_session(*id).is_some());
        }
    }

    fn decision(&mut self, decision: &Decision, record: &Record) {
        let refusal = decision.refusal.as_ref().map(rasadmin_engine::Refusal::name);
        let key = DecisionKey {
            stage: decision.stage.name(),
            by: DecidedBy::of(decision.rule.as_deref(), refusal),
            rule: decision.rule.clone().filter(|_| refusal.is_none()).unwrap_or_default(),
            refusal: refusal.unwrap_or_default(),
            outcome: decision.outcome(),
        };
        if !decision.allow {
            let old = |(at, _, _): &(Mono, Id, DecisionKey)| record.at.mono.since(*at) > REMEMBERED;
            while self.refusals.len() >= MOST_REMEMBERED || self.refusals.front().is_some_and(old) {
                self.refusals.pop_front();
            }
            self.refusals.push_back((record.at.mono, record.id, key.clone()));
        }
        *self.decisions.entry(key).or_default() += 1;
    }

    fn repeated(&mut self, repeated: &Repeated) {
        let first = self.refusals.iter().rev().find(|(_, id, _)| *id == repeated.of);
        // It happened before the counting began.
        let unknown = || {
            let (by, rule) = (DecidedBy::Unknown, String::new());
            DecisionKey { stage: "", by, rule, refusal: "", outcome: "deny" }
        };
        let key = first.map_or_else(unknown, |(_, _, key)| key.clone());
        *self.decisions.entry(key).or_default() += repeated.times;
    }

    /// The sum of a session's octets is known. A hangup may come after a session was closed, and a sum of a live session
    /// before its end, so only what is new counts.
    fn octets(&mut self, session: Id, sum: [u64; 2], state: &State) {
        let before = || {
            let closed = || state.closed_session(session).map(|closed| &closed.session);
            let used = state.session(session).or_else(closed).map_or([0; 2], |session| DayUse::octets(&session.used));
            // A session without a user has no use by days.
            state.counted(session).map_or(used, |counted| counted.octets)
        };
        let counted = self.counted.entry(session).or_insert_with(before);
        for ((total, counted), sum) in self.octets.iter_mut().zip(counted).zip(sum) {
            *total = total.saturating_add(sum.saturating_sub(*counted));
            *counted = sum.max(*counted);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rasadmin_engine::effect::{
        ClosedBy, CountedSession, CountedSessions, Labels, SessionBegan, SessionEnded, Usage,
    };
    use rasadmin_engine::{Answer, Event, Identity, Name, Process, Stamp};

    fn octets_after(tally: &mut Tally, effect: Effect) -> [u64; 2] {
        let record = Record {
            at: Stamp::default(),
            id: Id(1),
            instance: Id(2),
            process: Process(3),
            late: false,
            event: Event::Look(Default::default()),
            decision: None,
            answer: Answer::Nothing,
            session: None,
            effects: vec![effect],
            took: Vec::new(),
        };
        tally.record(&record, &State::new());
        tally.octets
    }

    fn interim(days: &[[u64; 2]]) -> Effect {
        let labels = Labels { day: 1, week: 1, month: 1 };
        let day =
            |&[input_octets, output_octets]: &[u64; 2]| DayUse { labels, seconds: 0, input_octets, output_octets };
        let user = Identity { domain: Name::new("CORP"), name: Name::new("ALICE") };
        Effect::InterimUse { session: Id(7), user, at: Stamp::default(), days: days.iter().map(day).collect() }
    }

    fn ended([input_octets, output_octets]: [u64; 2]) -> Effect {
        let usage = Usage { input_octets, output_octets, ..Usage::default() };
        let (at, by) = (Stamp::default(), ClosedBy::Hangup);
        Effect::SessionEnded(SessionEnded { session: Id(7), start: 0, at, by, usage, octets_exact: None, cause: None })
    }

    /// Each of them is the whole sum until then.
    #[test]
    fn what_was_counted_of_a_live_session_is_not_counted_again_at_its_end() {
        let tally = &mut Tally::default();
        assert_eq!(octets_after(tally, interim(&[[100, 10]])), [100, 10]);
        assert_eq!(octets_after(tally, interim(&[[100, 10], [50, 5]])), [150, 15]);
        let look = CountedSession { session: Id(7), octets: [160, 15], frames: [9, 9], exact: true, counters: None };
        let (at, labels, sessions) = (Stamp::default(), Labels { day: 1, week: 1, month: 1 }, vec![look]);
        assert_eq!(octets_after(tally, Effect::Counted(CountedSessions { at, labels, sessions })), [160, 15]);
        assert_eq!(octets_after(tally, ended([170, 15])), [170, 15]);
        assert_eq!(octets_after(tally, ended([3, 400])), [170, 400], "a counter never falls");
        assert_eq!(octets_after(tally, ended([170, 400])), [170, 400]);
    }

    #[test]
    fn what_a_session_had_sent_before_the_counting_is_not_counted() {
        let mut state = State::new();
        let record = |effect| Record {
            at: Stamp::default(),
            id: Id(1),
            instance: Id(2),
            process: Process(3),
            late: false,
            event: Event::Look(Default::default()),
            decision: None,
            answer: Answer::Nothing,
            session: None,
            effects: vec![effect],
            took: Vec::new(),
        };
        let began = SessionBegan {
            session: Id(7),
            user: None,
            user_name: Name::new("alice"),
            handle: 1,
            guid: None,
            computer: Name::default(),
            source: String::new(),
            interface: rasadmin_engine::InterfaceType::Client,
            quarantine: None,
            tunnel: None,
            port: None,
            projected: Vec::new(),
            at: Stamp::default(),
            process: Process(3),
            adopted: false,
        };
        state.apply(&record(Effect::SessionBegan(Box::new(began))));
        let counted =
            CountedSession { session: Id(7), octets: [1000, 10], frames: [9, 9], exact: true, counters: None };
        let labels = Labels { day: 1, week: 1, month: 1 };
        let sessions = vec![counted];
        state.apply(&record(Effect::Counted(CountedSessions { at: Stamp::default(), labels, sessions })));
        let mut tally = Tally::default();
        tally.record(&record(ended([1500, 15])), &state);
        assert_eq!(tally.octets, [500, 5]);
    }

    #[test]
    fn a_refusal_from_before_the_counting_is_repeated_by_nobody_knows_what() {
        let mut tally = Tally::default();
        let repeated = Repeated { of: Id(99), first: Stamp::default(), times: 3, last: Stamp::default() };
        octets_after(&mut tally, Effect::RefusalRepeated(repeated));
        let (key, count) = tally.decisions.first_key_value().unwrap();
        assert_eq!((&key.by, key.outcome, *count), (&DecidedBy::Unknown, "deny", 3));
    }
}
