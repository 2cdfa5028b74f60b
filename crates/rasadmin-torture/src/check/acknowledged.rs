//! Checks that everything acknowledged is recorded.
//!
//! A process makes its calls one after the other, so its records are in the order of its calls. After the record of the
//! last call that answered there can be one more, whose call was killed before it answered.

use super::{Check, Journal};
use crate::call_log::{CallEntry, CallResult};
use crate::plan::Kill;
use crate::worker::POOL;
use mprapi::FunctionId as F;
use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::effect::{ClosedBy, EndedBy};
use rasadmin_engine::state::Lease;
use rasadmin_engine::{Answer, Effect, Event, Record, State};
use std::collections::{BTreeSet, VecDeque};

/// Who is connected and who holds which address, according to the answers.
#[derive(Default)]
pub(super) struct Truth {
    handles: BTreeSet<u64>,
    leases: BTreeSet<(Family, u64, String)>,
}

impl Check<'_> {
    /// Checks that the records of this round have everything that the calls acknowledged. Returns what the answers
    /// imply.
    pub(super) fn acknowledged(&mut self, records: &[Record]) -> Truth {
        let address = |function: F| {
            use F::{GetIpAddressForUser, GetIpv6AddressForUser, ReleaseIpAddress, ReleaseIpv6AddressForUser};
            let all = [GetIpAddressForUser, GetIpv6AddressForUser, ReleaseIpAddress, ReleaseIpv6AddressForUser];
            all.contains(&function)
        };
        let of_calls = || records.iter().filter(|record| record.event.is_notification() || is_address(&record.event));
        let mut truth = Truth::default();
        if self.round.two_processes {
            let (addresses, others) = self.round.calls.iter().partition(|entry| address(entry.function()));
            self.process(addresses, of_calls().filter(|r| is_address(&r.event)).collect(), &mut truth);
            self.process(others, of_calls().filter(|r| !is_address(&r.event)).collect(), &mut truth);
        } else {
            self.process(self.round.calls.iter().collect(), of_calls().collect(), &mut truth);
        }
        self.seen.late = records.iter().filter(|record| record.late).count();
        let mut processes: Vec<_> = records.iter().filter(|r| !of_command(&r.event)).map(|r| r.process).collect();
        processes.sort_unstable();
        processes.dedup();
        if processes.len() > 1 + usize::from(self.round.two_processes) {
            self.found.broken.push(format!("{} processes have written", processes.len()));
        }
        self.refusals();
        truth
    }

    /// Checks the calls of one process against its records.
    fn process(&mut self, calls: Vec<&CallEntry>, records: Vec<&Record>, truth: &mut Truth) {
        let mut records: VecDeque<&Record> = records.into();
        // What waited in memory is lost with its process.
        let may_lack = self.round.was == Journal::Unavailable && self.round.killed;
        let mut unanswered = Vec::new();
        for entry in calls {
            let (function, done) = match entry {
                CallEntry::Began(function) | CallEntry::NeverMade(function) => {
                    unanswered.push(*function);
                    continue;
                }
                CallEntry::Returned(function, done) => (*function, done),
            };
            if CallKind::of(function).is_none() {
                continue;
            }
            unanswered.clear();
            match records.front() {
                None if may_lack => continue,
                Some(record) if is_of(function, done, record) => {
                    self.changes(function, done, record);
                    truth.apply(record);
                    records.pop_front();
                }
                other => {
                    let event = other.map(|record| &record.event);
                    self.found.lost.push(format!("{} {done:?}: instead there is {event:?}", function.name()));
                    return;
                }
            }
        }
        let left: Vec<_> = records.iter().map(|record| &record.event).collect();
        if let [event] = left[..]
            && unanswered.iter().any(|&function| CallKind::of(function) == CallKind::of_event(event))
        {
            truth.apply(records[0]);
            self.seen.unanswered += 1;
        } else if !left.is_empty() {
            self.found.double.push(format!("{} records of no call, such as {:?}", left.len(), left[0]));
        }
    }

    /// Checks that the record has the effects of the call.
    fn changes(&mut self, function: F, done: &CallResult, record: &Record) {
        let any = |is: &dyn Fn(&Effect) -> bool| record.effects.iter().any(is);
        // Two processes that answered from memory did not know of each other.
        let alone = self.round.was == Journal::Unavailable && self.round.two_processes;
        let confused = alone || self.closed_by_command.contains(&done.handle);
        let mut lacks = Vec::new();
        match CallKind::of(function) {
            Some(CallKind::Address(family)) if done.result == 0 => {
                self.seen.addresses += 1;
                let address = Address { family, number: done.number };
                let began = any(&|effect| match effect {
                    Effect::LeaseBegan(lease) => {
                        lease.address == address
                            && lease.port.as_str() == done.port
                            && lease.user_name.as_str() == done.user
                    }
                    _ => false,
                });
                if !began {
                    lacks.push("its lease".to_owned());
                }
            }
            Some(CallKind::Release(_)) => {
                let ended = any(&|effect| match effect {
                    Effect::LeaseEnded { by, .. } => *by == EndedBy::Release,
                    Effect::LeaseReleaseSeen { .. } | Effect::LateRelease { .. } => true,
                    _ => false,
                });
                if !ended && !alone {
                    lacks.push("the lease's end".to_owned());
                }
            }
            Some(CallKind::Connection) => {
                self.seen.accepts += 1;
                if done.result == 0 {
                    self.found.broken.push(format!("a connection was rejected: {done:?}"));
                }
                let began = any(&|effect| matches!(effect, Effect::SessionBegan(s) if s.handle == done.handle));
                if !began {
                    lacks.push("its session".to_owned());
                }
            }
            Some(CallKind::Link) if !confused => {
                let began =
                    |effect: &Effect| matches!(effect, Effect::LinkBegan(link) if link.port.as_str() == done.port);
                if done.result == 0 {
                    self.found.broken.push(format!("a link was rejected: {done:?}"));
                } else if !any(&began) {
                    lacks.push("its link".to_owned());
                }
            }
            Some(CallKind::LinkHangup) if !confused => {
                let ended =
                    |effect: &Effect| matches!(effect, Effect::LinkEnded { port, .. } if port.as_str() == done.port);
                if !any(&ended) {
                    lacks.push("the link's end".to_owned());
                }
            }
            Some(CallKind::Hangup) => {
                self.seen.hangups += 1;
                self.hung_up(done, record, confused, &mut lacks);
            }
            Some(CallKind::Reauthentication | CallKind::EndpointChange) if done.result == 0 && !confused => {
                self.found.broken.push(format!("{} was rejected: {done:?}", function.name()));
            }
            _ => {}
        }
        for what in lacks {
            self.found.lost.push(format!("{} {done:?}: {what} is not among its effects", function.name()));
        }
    }

    /// What is billed must be what was reported, and no longer than the session lasted.
    fn hung_up(&mut self, done: &CallResult, record: &Record, confused: bool, lacks: &mut Vec<String>) {
        let Some(ended) = record.ended().find(|ended| ended.by == ClosedBy::Hangup) else {
            if !confused {
                lacks.push("its end".to_owned());
            }
            return;
        };
        let [seconds, received, sent] = done.used.map(u64::from);
        let usage = ended.usage;
        if (usage.input_octets, usage.output_octets) != (received, sent) || usage.seconds > seconds {
            lacks.push(format!("the reported use, but {usage:?}"));
        }
        let mut sums = [0; 3];
        for effect in &record.effects {
            if let Effect::Used { session, days, .. } = effect
                && *session == ended.session
            {
                for day in days {
                    sums = [sums[0] + day.seconds, sums[1] + day.input_octets, sums[2] + day.output_octets];
                }
            }
        }
        // A session that its client left behind counts until then.
        let may_be_less = self.left_behind.contains(&ended.session) && sums[0] <= usage.seconds;
        let seconds = if may_be_less { sums[0] } else { usage.seconds };
        if sums != [seconds, usage.input_octets, usage.output_octets] {
            self.found
                .double
                .push(format!("{usage:?} was reported for handle {}, and {sums:?} is counted", done.handle));
        }
    }

    /// Only a request for one more address than there are may be refused.
    fn refusals(&mut self) {
        let refused = |entry: &&CallEntry| match entry {
            CallEntry::Returned(F::GetIpAddressForUser | F::GetIpv6AddressForUser, done) => done.result != 0,
            _ => false,
        };
        let refused = self.round.calls.iter().filter(refused).count();
        let fills = self.round.kill == Kill::Fill;
        if refused != usize::from(fills) || (fills && self.seen.accepts != POOL) {
            let accepts = self.seen.accepts;
            self.found.leaked.push(format!("{refused} refused an address, {accepts} accepted: the pool was exhausted"));
        }
    }

    /// Exactly those who were accepted and not hung up must be connected; the same for addresses.
    pub(super) fn what_is_left(&mut self, truth: &Truth, state: &State) {
        let by_command = &self.closed_by_command;
        let live: BTreeSet<u64> =
            state.live().map(|session| session.handle).filter(|handle| !by_command.contains(handle)).collect();
        let expected: BTreeSet<u64> =
            truth.handles.iter().copied().filter(|handle| !by_command.contains(handle)).collect();
        let (leaked, lost) = (live.difference(&expected).count(), expected.difference(&live).count());
        if leaked > 0 {
            self.found.leaked.push(format!("{leaked} sessions live on that have ended"));
        }
        if lost > 0 {
            self.found.lost.push(format!("{lost} sessions that have not ended"));
        }
        let key = |lease: &Lease| (lease.address.family, lease.address.number, lease.port.as_str().to_owned());
        let held: BTreeSet<_> = state.leases().map(key).collect();
        let expected = truth.leases.iter().filter(|lease| !self.ended_by_command.contains(lease)).cloned().collect();
        let (leaked, lost) = (held.difference(&expected).count(), expected.difference(&held).count());
        if leaked > 0 {
            self.found.leaked.push(format!("{leaked} addresses are held that were released"));
        }
        if lost > 0 {
            self.found.lost.push(format!("the leases of {lost} addresses that were not released"));
        }
    }
}

impl Truth {
    fn apply(&mut self, record: &Record) {
        match (&record.event, &record.answer) {
            (Event::Connection(event), Answer::Accept) => drop(self.handles.insert(event.handle)),
            (Event::Hangup(event), _) => drop(self.handles.remove(&event.handle)),
            (Event::Address(event), Answer::Address(given)) => {
                self.leases.insert((event.family, given.number, event.port.as_str().to_owned()));
            }
            (Event::Release(event), _) => {
                if let Some(Address { family, number }) = event.address {
                    self.leases.remove(&(family, number, event.port.as_str().to_owned()));
                }
            }
            _ => {}
        }
    }
}

/// The kind of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CallKind {
    Address(Family),
    Release(Family),
    Connection,
    Link,
    LinkHangup,
    Hangup,
    Reauthentication,
    EndpointChange,
}

impl CallKind {
    const fn of(function: F) -> Option<Self> {
        Some(match function {
            F::GetIpAddressForUser => Self::Address(Family::Ipv4),
            F::GetIpv6AddressForUser => Self::Address(Family::Ipv6),
            F::ReleaseIpAddress => Self::Release(Family::Ipv4),
            F::ReleaseIpv6AddressForUser => Self::Release(Family::Ipv6),
            F::AcceptNewConnectionEx => Self::Connection,
            F::AcceptNewLink => Self::Link,
            F::LinkHangupNotification => Self::LinkHangup,
            F::ConnectionHangupNotificationEx => Self::Hangup,
            F::AcceptReauthenticationEx => Self::Reauthentication,
            F::AcceptTunnelEndpointChangeEx => Self::EndpointChange,
            _ => return None,
        })
    }

    fn of_event(event: &Event) -> Option<Self> {
        Some(match event {
            Event::Address(event) => Self::Address(event.family),
            Event::Release(event) => Self::Release(event.address?.family),
            Event::Connection(_) => Self::Connection,
            Event::Link(_) => Self::Link,
            Event::LinkHangup(_) => Self::LinkHangup,
            Event::Hangup(_) => Self::Hangup,
            Event::Reauthentication(_) => Self::Reauthentication,
            Event::EndpointChange(_) => Self::EndpointChange,
            _ => return None,
        })
    }
}

const fn is_address(event: &Event) -> bool {
    matches!(event, Event::Address(_) | Event::Release(_))
}

const fn of_command(event: &Event) -> bool {
    matches!(event, Event::BeginBlock(_) | Event::CloseSession { .. })
}

/// Is it the record of this call, with the answer that the call returned?
fn is_of(function: F, done: &CallResult, record: &Record) -> bool {
    let kind = CallKind::of_event(&record.event);
    if kind.is_none() || kind != CallKind::of(function) {
        return false;
    }
    let accepted = (done.result != 0) == (record.answer != Answer::Reject);
    match &record.event {
        Event::Address(event) => {
            let given = match &record.answer {
                Answer::Address(given) => done.result == 0 && given.number == done.number,
                Answer::Reject => done.result != 0,
                _ => false,
            };
            given && event.user.as_str() == done.user && event.port.as_str() == done.port
        }
        Event::Release(event) => {
            let number = event.address.map(|address| address.number);
            number == Some(done.number) && event.user.as_str() == done.user && event.port.as_str() == done.port
        }
        Event::Connection(event) | Event::Reauthentication(event) | Event::EndpointChange(event) => {
            accepted && event.handle == done.handle && event.user.as_str() == done.user
        }
        Event::Hangup(event) => {
            let usage = &event.usage;
            let reported = [usage.seconds, usage.input_octets, usage.output_octets];
            event.handle == done.handle && event.user.as_str() == done.user && reported == done.used.map(u64::from)
        }
        Event::Link(event) => accepted && event.handle == done.handle && event.port.as_str() == done.port,
        Event::LinkHangup(event) => event.handle == done.handle && event.port.as_str() == done.port,
        _ => false,
    }
}
