//! Notifications: delivered, lost, or delivered twice.

use super::{GivenAddress, Subject, World};
use crate::product::Engine;
use crate::rras::{Connection, HeldAddress, Notification, Number, Pending, Phase, Serial, port_name};
use crate::traffic::Traffic;
use rasadmin_engine::Event;
use rasadmin_engine::event::ReleaseEvent;

impl<E: Engine + ?Sized> World<'_, E> {
    /// Delivers a notification that is due, or one that must come before it.
    pub(super) fn deliver(&mut self, which: usize) {
        let mut which = which;
        let of = self.pending[which].of;
        if !self.switches.disorder {
            which = self.pending.iter().position(|due| due.of == of).unwrap_or(which);
            if self.connections[of].busy > 0 {
                return;
            }
        }
        let due = self.pending[which];
        let serial = match due.notification {
            Notification::LinkHangup(_) => Serial::LinkHangups,
            Notification::Hangup(_) => Serial::Connections,
            Notification::Release(_) => Serial::Addresses,
        };
        if self.is_busy(serial) {
            return;
        }
        let ambiguous = self.is_ambiguous(due);
        if due.again || !ambiguous {
            self.pending.remove(which);
        }
        if ambiguous {
            return;
        }
        self.delivered.push(due);
        if self.delivered.len() > 8 {
            self.delivered.remove(0);
        }
        self.send(due, serial);
    }

    pub(super) fn send(&mut self, due: Pending, serial: Serial) {
        let of = due.of;
        self.script_line(|_| match due.notification {
            Notification::LinkHangup(port) => format!("deliver c{of} link port={}", port_name(port)),
            Notification::Hangup(_) => format!("deliver c{of} connection"),
            Notification::Release(_) => format!("deliver c{of} release"),
        });
        let (subject, event) = match due.notification {
            Notification::LinkHangup(port) => {
                (Subject::LinkHangup(of, port), Event::LinkHangup(self.link_event(of, port, 1)))
            }
            Notification::Hangup(seconds) => {
                let implausible = self.switches.implausible_durations && self.chance.below(4) == 0;
                let traffic = self.traffic(of, seconds);
                let usage = traffic.counters(if implausible { 0xffff_ffff } else { seconds });
                (Subject::Hangup(of, usage.seconds, traffic), Event::Hangup(self.connection_event(of, usage)))
            }
            Notification::Release(held) => {
                let c = &self.connections[of];
                let on = c.asked_on[held.address.family.index()];
                let (user, port) = (c.spelling.early.clone(), self.port_names[on].clone());
                let event = Event::Release(ReleaseEvent { user, port, address: Some(held.address) });
                (Subject::Release(of, held.address), event)
            }
        };
        self.sending_repeat = due.again;
        self.begin(of, subject, event, serial);
        self.sending_repeat = false;
    }

    /// What a connection has sent and received when it has lasted so many seconds.
    pub(super) fn traffic(&self, of: Number, seconds: u64) -> Traffic {
        let seconds = seconds.min(self.connections[of].silent.unwrap_or(u64::MAX));
        if self.switches.looks && of % 7 == 3 { Traffic::heavy_after(seconds) } else { Traffic::after(of, seconds) }
    }

    /// Would it be ambiguous whether it concerns this connection or a newer one? Then RRAS does not deliver it now.
    pub(super) fn is_ambiguous(&self, due: Pending) -> bool {
        let old = &self.connections[due.of];
        let others = || self.active.iter().filter(|&&of| of != due.of).map(|&of| &self.connections[of]);
        match due.notification {
            Notification::LinkHangup(port) => {
                let links = |c: &Connection| c.reported.links.iter().any(|(on, _)| *on == port);
                let newer =
                    |c: &Connection| c.handle == old.handle && (c.ports.contains(&port) || links(c) || due.again);
                (due.again && old.ports.contains(&port)) || others().any(newer)
            }
            Notification::Hangup(_) => {
                let lives = |c: &Connection| c.phase != Phase::Gone || c.reported.lives() != crate::reported::Lives::No;
                !self.switches.guids && (due.again || others().any(|c| c.handle == old.handle && lives(c)))
            }
            Notification::Release(HeldAddress { address, .. }) => {
                let at = address.family.index();
                let on = old.asked_on[at];
                let given = self.given_on.get(&(on, address.family)).map_or(&[][..], |all| &all[..]);
                let to = |of: Number| given.iter().rfind(|one| one.number == address.number && one.of == of);
                let Some(own) = to(due.of) else { return false };
                let others =
                    self.active.iter().filter(|&&of| of != due.of && self.connections[of].phase != Phase::Gone);
                let others = others.filter(|&&of| self.connections[of].asked_on[at] == on);
                let Some(newer) = others.filter_map(|&of| to(of)).next() else { return false };
                // It is not ambiguous if the product still waits for it: for the last missing release of a port.
                let between = |one: &GivenAddress| own.at < one.at && one.at < newer.at;
                // The release of an earlier lease of the same address may have counted for this one.
                let earlier = |one: &GivenAddress| one.number == own.number && one.at < own.at;
                let released = old.reported.leases[at].is_some_and(|lease| lease.released);
                due.again || released || given.iter().any(|one| between(one) || earlier(one))
            }
        }
    }

    /// Settles a notification: RRAS can use its handle or address again.
    pub(super) fn settle(&mut self, due: Pending) {
        if due.again {
            return;
        }
        match due.notification {
            Notification::LinkHangup(_) => {}
            Notification::Hangup(_) => {
                if !self.switches.guids {
                    self.free_handles.push(self.connections[due.of].handle);
                }
            }
            Notification::Release(held) => self.return_address(due.of, held.address),
        }
    }

    pub(super) fn lose(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let which = self.chance.below(self.pending.len());
        let due = self.pending.remove(which);
        if !due.again {
            self.connections[due.of].reported.lost = true;
        }
        self.settle(due);
        self.log(|| format!("lost: {:?} of #{}", due.notification, due.of));
    }

    pub(super) fn repeat(&mut self) {
        if !self.delivered.is_empty() {
            let which = self.chance.below(self.delivered.len());
            self.pending.push(Pending { again: true, ..self.delivered[which] });
        }
    }
}
