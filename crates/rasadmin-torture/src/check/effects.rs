//! Checks the effects of the records, one after the other.

use super::{Before, Check, Journal};
use rasadmin_engine::addresses::Address;
use rasadmin_engine::config::file::Period;
use rasadmin_engine::effect::{ClosedBy, EndedBy};
use rasadmin_engine::state::{Sums, period_label};
use rasadmin_engine::{Effect, Event, Id, Identity, Record, State};
use std::collections::{HashMap, HashSet};

impl Check<'_> {
    /// Applies the records and checks each step. Returns the number of instances that began.
    pub(super) fn carry_out(&mut self, records: &[Record], before: &mut Before) -> usize {
        let (mut begin, mut ids) = (0, HashSet::new());
        for record in records {
            if !ids.insert(record.id) {
                self.found.double.push(format!("a record stands there twice: {:?}", record.event));
            }
            let Before { state, held, .. } = before;
            for effect in &record.effects {
                self.effect(effect, state, held);
            }
            self.leases(record, state);
            let used = Used::of(record, state);
            self.left_behind.extend(record.ended().map(|ended| ended.session).filter(|id| {
                let closed = state.closed_session(*id).map(|closed| &closed.session);
                state.session(*id).or(closed).is_some_and(|session| session.replaced.is_some())
            }));
            let live = state.live_count();
            state.apply(record);
            if let Some(used) = used {
                self.used(&used, state);
            }
            match &record.event {
                Event::InstanceStarted { instance } => {
                    begin += 1;
                    self.seen.closed += live;
                    self.begun(state, *instance);
                }
                Event::Lost { events } => self.found.lost.push(format!("{events} events, as the journal says")),
                _ if record.late && self.round.was == Journal::Available => {
                    self.found.broken.push(format!("it had to wait: {:?}", record.event));
                }
                _ => {}
            }
        }
        begin
    }

    /// The new instance must have closed what the last one left open.
    fn begun(&mut self, state: &State, instance: Id) {
        let (sessions, leases) = (state.live_count(), state.leases().count());
        if sessions + leases > 0 {
            self.found.leaked.push(format!("{sessions} sessions and {leases} leases of a dead service are open"));
        }
        if state.instance() != Some(instance) {
            self.found.broken.push(format!("instance {instance} began, and {:?} lives", state.instance()));
        }
    }

    fn effect(&mut self, effect: &Effect, state: &State, held: &mut HashMap<Address, Id>) {
        match effect {
            Effect::InstanceBegan(_) => held.clear(),
            Effect::LeaseBegan(began) => {
                let Address { family, number } = began.address;
                self.ended_by_command.remove(&(family, number, began.port.as_str().to_owned()));
                if held.insert(began.address, began.lease).is_some() {
                    self.found.double.push(format!("{number} was given to {} while it was held", began.port));
                }
            }
            Effect::LeaseEnded { lease, by, .. } => {
                held.retain(|_, holds| holds != lease);
                if let Some(lease) = state.lease(*lease).filter(|_| *by == EndedBy::Administrator) {
                    let Address { family, number } = lease.address;
                    self.ended_by_command.insert((family, number, lease.port.as_str().to_owned()));
                }
            }
            Effect::SessionEnded(ended) if ended.by == ClosedBy::Administrator => {
                self.closed_by_command.extend(state.session(ended.session).map(|session| session.handle));
            }
            // RRAS still reports about what a command closed.
            Effect::Anomaly(anomaly) if self.closed_by_command.is_empty() && self.round.was == Journal::Available => {
                self.found.broken.push(format!("an anomaly: {} {}", anomaly.what(), anomaly.details()));
            }
            _ => {}
        }
    }

    /// A connection must have the leases of its addresses.
    fn leases(&mut self, record: &Record, state: &State) {
        let Event::Connection(event) = &record.event else { return };
        let waiting = event.addresses.iter().filter_map(|address| state.lease_at(*address));
        let waiting: Vec<Id> = waiting.filter(|lease| lease.waits()).map(|lease| lease.id).collect();
        let taken = |id: &Id| {
            record.effects.iter().any(|effect| matches!(effect, Effect::LeaseTaken { lease, .. } if lease == id))
        };
        let lacking = waiting.iter().filter(|id| !taken(id)).count();
        // Both families are requested.
        if lacking > 0 || (self.round.was == Journal::Available && waiting.len() != 2) {
            let (handle, all) = (event.handle, waiting.len());
            self.found.lost.push(format!("of {all} leases of handle {handle} {lacking} are not taken by its session"));
        }
    }

    /// A session's use must be counted for its user, once.
    fn used(&mut self, used: &Used, state: &State) {
        let now = state.used(&used.user, Period::Month, used.month);
        let expected = (used.before.seconds + used.more.seconds, used.before.octets + used.more.octets);
        if (now.seconds, now.octets) != expected {
            let user = used.user.name.as_str();
            self.found.double.push(format!("{user} has used {now:?}, of {:?} and {:?}", used.before, used.more));
        }
    }
}

/// The use that a hangup reported.
struct Used {
    user: Identity,
    month: i32,
    /// The user's use before it.
    before: Sums,
    more: Sums,
}

impl Used {
    /// For the hangup of a live session whose use is reported for the first time.
    fn of(record: &Record, state: &State) -> Option<Self> {
        let [ended] = record.ended().collect::<Vec<_>>()[..] else { return None };
        let session = state.session(ended.session).filter(|session| session.used.is_empty())?;
        let days = record.effects.iter().flat_map(|effect| match effect {
            Effect::Used { days, .. } => &days[..],
            _ => &[],
        });
        let mut months: Vec<_> = days.map(|day| period_label(Period::Month, day.labels)).collect();
        months.dedup();
        // At the end of a month the use is split, which is not checked here.
        let [month] = months[..] else { return None };
        let user = session.user.clone()?;
        let octets = ended.usage.input_octets + ended.usage.output_octets;
        // The time of one that its client left behind counts only until then.
        let most = session.replaced.map_or(u64::MAX, |replaced| replaced.at.seconds_since(session.began));
        let more = Sums { seconds: ended.usage.seconds.min(most), octets };
        Some(Self { before: state.used(&user, Period::Month, month), user, month, more })
    }
}
