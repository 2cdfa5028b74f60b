//! Connections that are online: further links, changes, and their end.

use super::{Call, Subject, World};
use crate::people;
use crate::product::Engine;
use crate::rras::{Connection, Notification, Number, PORTS, Pending, Phase, Serial, port_name};
use rasadmin_engine::addresses::Address;
use rasadmin_engine::effect::Usage;
use rasadmin_engine::{Event, Quarantine};

impl<E: Engine + ?Sized> World<'_, E> {
    pub(super) fn drop_online(&mut self) {
        if let Some(of) = self.some_of(|c| c.phase == Phase::Online) {
            if self.falls_silent(of) {
                return;
            }
            self.log(|| format!("connection #{of} ends"));
            self.end(of);
        }
    }

    /// The client of an IKEv2 connection disappears, and RRAS does not notice it yet.
    fn falls_silent(&mut self, of: Number) -> bool {
        let c = &self.connections[of];
        let may = self.switches.looks && c.is_ikev2() && c.busy == 0 && c.silent.is_none();
        let Some(accepted) = c.accepted.filter(|_| may && self.chance.below(2) == 0) else { return false };
        self.connections[of].silent = Some((self.mono - accepted.0) / 1000);
        self.log(|| format!("the client of connection #{of} disappears"));
        true
    }

    pub(super) fn add_link(&mut self) {
        let Some(of) =
            self.some_of(|c| c.phase == Phase::Online && !c.is_ikev2() && c.busy == 0 && !c.links.is_empty())
        else {
            return;
        };
        if self.is_busy(Serial::Links) {
            return;
        }
        let (handle, tunnel) = (self.connections[of].handle, self.connections[of].port / PORTS);
        let ports = tunnel * PORTS..(tunnel + 1) * PORTS;
        let Some(port) = ports.into_iter().find(|&port| !self.ports[port] && !self.links_due(handle, port)) else {
            return;
        };
        self.ports[port] = true;
        self.connections[of].ports.push(port);
        self.ask_link(of, port);
    }

    pub(super) fn drop_link(&mut self) {
        let Some(of) = self.some_of(|c| c.phase == Phase::Online && c.links.len() > 1) else { return };
        let which = self.chance.below(self.connections[of].links.len());
        let port = self.connections[of].links[which];
        // A protocol that comes up on the link keeps the port in use, and its call names the port. If another
        // connection of the user then had the port, nothing would tell whose the address is.
        let names = |call: &Call| matches!(call.subject, Subject::Address(number, family, _) if number == of && self.connections[of].asked_on[family.index()] == port);
        if self.calls.iter().any(names) {
            return;
        }
        self.connections[of].links.remove(which);
        self.connections[of].ports.retain(|&other| other != port);
        self.ports[port] = false;
        self.pending.push(Pending { of, notification: Notification::LinkHangup(port), again: false });
        self.script_line(|_| format!("unlink c{of} port={} lose=link", port_name(port)));
        self.log(|| format!("connection #{of} loses its link on {}", port_name(port)));
    }

    pub(super) fn reauthenticate(&mut self) {
        let Some(of) = self.some_of(|c| c.phase == Phase::Online && c.busy == 0 && c.silent.is_none()) else { return };
        let quarantine = match self.chance.below(3) {
            0 => Quarantine::Quarantine,
            1 => Quarantine::Probation,
            _ => Quarantine::Normal,
        };
        if self.is_busy(Serial::Reauthentications) {
            return;
        }
        self.connections[of].quarantine = quarantine;
        self.script_line(|_| {
            let quarantine = format!("{quarantine:?}").to_lowercase();
            format!("reauthenticate c{of} quarantine={quarantine}")
        });
        let event = Event::Reauthentication(self.connection_event(of, Usage::default()));
        self.begin(of, Subject::Reauthenticate(of, quarantine), event, Serial::Reauthentications);
    }

    pub(super) fn move_endpoint(&mut self) {
        let moves = |c: &Connection| c.phase == Phase::Online && c.busy == 0 && c.is_ikev2() && c.silent.is_none();
        let Some(of) = self.some_of(moves) else { return };
        if self.is_busy(Serial::EndpointChanges) {
            return;
        }
        let source = people::source(self.connections[of].person, &mut self.chance);
        self.connections[of].device.source.clone_from(&source);
        self.script_line(|_| format!("move c{of} to={source}"));
        let event = Event::EndpointChange(self.connection_event(of, Usage::default()));
        self.begin(of, Subject::Move(of, source), event, Serial::EndpointChanges);
    }

    /// Ends a connection or an attempt in truth. If one of its calls is in progress, the end waits for that.
    pub(super) fn end(&mut self, of: Number) {
        let c = &mut self.connections[of];
        if c.phase == Phase::Gone {
            return;
        }
        if c.busy > 0 {
            c.dropped = true;
            return;
        }
        let began = c.accepted.is_some() || c.held.iter().any(Option::is_some);
        c.phase = Phase::Gone;
        if began {
            self.script_line(|_| format!("hangup c{of} lose=link,connection,release"));
        }
        let c = &mut self.connections[of];
        let due = |notification| Pending { of, notification, again: false };
        self.pending.extend(c.links.drain(..).map(|port| due(Notification::LinkHangup(port))));
        let seconds = c.accepted.map(|accepted| (self.mono - accepted.0) / 1000);
        self.pending.extend(seconds.map(|seconds| due(Notification::Hangup(seconds))));
        let hangup = |due: &Pending| due.of == of && matches!(due.notification, Notification::Hangup(_));
        let handle_is_due = self.pending.iter().any(hangup);
        for port in c.ports.drain(..) {
            self.ports[port] = false;
        }
        let handle = c.handle;
        for held in c.held.iter().flatten().copied().collect::<Vec<_>>() {
            self.pending.push(due(Notification::Release(held)));
            if !held.own || self.switches.early_pool {
                self.return_address(of, held.address);
            }
        }
        // Without a GUID, only the handle shows which connection a hangup belongs to.
        if self.switches.guids || !handle_is_due {
            self.free_handles.push(handle);
        }
    }

    /// Returns an address to RRAS's pool.
    pub(super) fn return_address(&mut self, of: Number, address: Address) {
        if self.taken.get(&address) == Some(&of) {
            self.taken.remove(&address);
        }
    }
}
