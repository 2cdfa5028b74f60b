//! Calls, kills and starts the product's processes, and changes their configuration.

use super::{Subject, World, compile, identifier, processes};
use crate::product::Engine;
use crate::random::Random;
use crate::rras::Phase;
use rasadmin_engine::{Answer, Event, Id, Mono};

impl<E: Engine + ?Sized> World<'_, E> {
    /// The process that is called for an event.
    pub(super) fn member_for(&self, event: &Event) -> usize {
        if matches!(event, Event::Address(_) | Event::Release(_)) { 0 } else { self.product.members.len() - 1 }
    }

    /// Makes a call into the product.
    pub fn call_product(&mut self, subject: Subject, event: Event) -> Answer {
        let member = self.member_for(&event);
        self.events += 1;
        // No two events have the same time, because it identifies leases and sessions.
        self.mono += 1;
        if self.product.members[member].unavailable {
            let now = self.now();
            let answer = self.product.answer_unrecorded(member, subject.clone(), &event, &now);
            self.log_event(&subject, &event, &answer, "waits");
            self.check_blocks(&subject, &answer, now.at.time);
            if let (&Subject::Link(of, _), Answer::Accept) = (&subject, &answer) {
                self.connections[of].reported.links_waited.push((now.at.mono, Mono(u64::MAX)));
            }
            let enters = matches!(event, Event::Address(_) | Event::Connection(_));
            if enters && self.settings.refuses_unrecorded && answer != Answer::Reject {
                self.found("always: no one is let in unrecorded if that is denied", format!("{subject:?}: {answer:?}"));
            }
            return answer;
        }
        self.write_waiting(member);
        let now = self.now();
        self.time_passes(now.at, false);
        let expected = self.expect(member, &subject, &event, now.at);
        let answer = match self.product.record(member, &event, &now) {
            Ok(answer) => answer,
            Err(what) => {
                self.log(|| format!("{:>9} {subject:?} {event:?}", now.at.mono.0));
                self.found("always: every event is recorded and answered", what);
                return Answer::Nothing;
            }
        };
        self.log_event(&subject, &event, &answer, "");
        self.check_blocks(&subject, &answer, now.at.time);
        self.after_record(&subject, &answer, now.at, false);
        self.compare(member, &subject, &expected, &answer);
        self.check_every_record(now.at);
        answer
    }

    pub(super) fn write_waiting(&mut self, member: usize) {
        self.product.settle(member);
        while let Some((subject, record)) = self.product.write_waiting(member) {
            let how = if record.late { "is decided again, and written" } else { "is written" };
            self.log_event(&subject, &record.event, &record.answer, how);
            if let Subject::Link(of, _) = subject {
                let waited = self.connections[of].reported.links_waited.iter_mut();
                waited.filter(|(since, _)| *since == record.at.mono).for_each(|(_, until)| *until = Mono(self.mono));
            }
            self.after_record(&subject, &record.answer, record.at, record.late);
            self.check_every_record(record.at);
        }
    }

    pub(super) fn log_event(&mut self, subject: &Subject, event: &Event, answer: &Answer, how: &str) {
        if self.trace.is_none() {
            return;
        }
        let at = self.stamp();
        let product = &self.product;
        let waiting = product.members.iter().filter_map(|member| Some(&member.waiting.back()?.1));
        let mut last = product.journal.last().into_iter().chain(waiting);
        let effects = last.find(|record| record.event == *event).map(|record| &record.effects);
        let text = format!("{:>9} {} {subject:?} {event:?} -> {answer:?} {how} {effects:?}", at.mono.0, at.time);
        self.log(|| text);
    }

    pub(super) fn make_available(&mut self, member: usize) {
        if self.product.members[member].unavailable {
            self.log(|| format!("process {member} can write again"));
            self.product.members[member].unavailable = false;
            self.script_line(|_| "unlock-journal".to_owned());
            self.write_waiting(member);
        }
    }

    pub(super) fn start_instance(&mut self) {
        let event = Event::InstanceStarted { instance: self.product.instance };
        self.call_product(Subject::Other, event);
    }

    /// Kills RRAS's processes. What they had pending is never reported.
    pub(super) fn restart(&mut self) {
        self.script_line(|_| "kill".to_owned());
        self.script_line(|_| "restart".to_owned());
        self.log(|| "the service is killed, and starts".to_owned());
        let at = self.stamp();
        let power_cut = self.switches.reboots && self.switches.power_cuts && self.chance.below(2) == 0;
        let lost = if power_cut { self.chance.below(6) } else { 0 };
        for of in std::mem::take(&mut self.active) {
            let c = &mut self.connections[of];
            c.phase = Phase::Gone;
            // The record that refused its first link may be lost.
            c.reported.refused &= lost == 0;
            self.count_estimate(of, at);
            self.connections[of].reported.over = true;
        }
        self.calls.clear();
        self.pending.clear();
        self.delivered.clear();
        self.taken.clear();
        self.given_on.clear();
        self.last_had.clear();
        self.known = Default::default();
        self.looks = Default::default();
        if lost > 0 {
            self.looks_may_be_lost();
        }
        self.free_handles.clear();
        self.handles = 0x10;
        self.ports.fill(false);
        if self.switches.reboots {
            let time = at.time + 30_000;
            self.mono = 2_000 + self.chance.below(60_000) as u64;
            self.offset = time - i64::try_from(self.mono).unwrap_or(0);
        } else {
            self.mono += 1_000 + self.chance.below(100_000) as u64;
        }
        let processes = processes(&self.switches, &mut self.chance);
        let instance = Id(identifier(&mut self.chance));
        self.product.restart(&self.config, &processes, instance, lost);
        self.start_instance();
        self.check_nothing_left("a new instance");
    }

    pub(super) fn reload(&mut self) {
        self.script.cannot("a configuration that changes");
        let mut random = Random::new(self.chance.any());
        let settings = self.settings.reshape(&self.switches, &mut random);
        match compile(&settings) {
            Ok(config) => {
                self.settings = settings;
                self.config = config.clone();
                for member in 0..self.product.members.len() {
                    self.product.reload(member, &config);
                }
                let text = self.settings.text();
                self.log(|| format!("another configuration is read:\n{text}"));
            }
            Err(finding) => self.finding = Some(finding),
        }
    }
}
