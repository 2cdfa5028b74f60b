//! Calls from their start to their answer.

use super::{Call, GivenAddress, Subject, World};
use crate::product::Engine;
use crate::rras::{HeldAddress, Notification, Number, Pending, Phase, Serial};
use crate::settings::SERVER_ADDRESS;
use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::{Answer, Event, Mono};

impl<E: Engine + ?Sized> World<'_, E> {
    pub(super) fn is_busy(&self, serial: Serial) -> bool {
        self.calls.iter().any(|call| call.serial == serial)
    }

    pub(super) fn begin(&mut self, of: Number, subject: Subject, event: Event, serial: Serial) {
        if self.is_busy(serial) {
            return;
        }
        self.connections[of].busy += 1;
        self.calls.push(Call {
            of,
            subject,
            event,
            serial,
            begun: self.mono,
            again: self.sending_repeat,
            answer: None,
        });
        if !self.switches.overlap {
            let which = self.calls.len() - 1;
            self.advance_call(which);
            self.advance_call(which);
        }
    }

    /// Advances a call: it is decided, or its answer reaches RRAS.
    pub(super) fn advance_call(&mut self, which: usize) {
        if self.calls[which].answer.is_none() {
            let (subject, event) = (self.calls[which].subject.clone(), self.calls[which].event.clone());
            let lost = matches!(subject, Subject::Accept(of) if self.loses_accept(of));
            let answer = if lost {
                self.log(|| format!("the accept is lost: {subject:?}"));
                Answer::Accept
            } else {
                self.call_product(subject.clone(), event)
            };
            if let (Subject::Address(of, family, _), Answer::Address(given)) = (subject, &answer) {
                let (at, port) = (Mono(self.mono), self.connections[of].asked_on[family.index()]);
                self.given_on.entry((port, family)).or_default().push(GivenAddress { at, number: given.number, of });
            }
            self.calls[which].answer = Some(answer);
            return;
        }
        let call = self.calls.remove(which);
        self.connections[call.of].busy -= 1;
        self.answered(call);
    }

    /// Is the record of its accept lost? While an earlier connection with its handle is remembered, its links would be that
    /// connection's, as far as the product can know.
    fn loses_accept(&mut self, of: Number) -> bool {
        let (handle, state) = (self.connections[of].handle, &self.product.recorded);
        let remembered = state.by_handle(handle).is_some() || state.closed_by_handle(handle).next().is_some();
        self.switches.lost_accepts && !remembered && self.chance.below(8) == 0
    }

    pub(super) fn answered(&mut self, call: Call) {
        let of = call.of;
        let answer = call.answer.unwrap_or(Answer::Nothing);
        let accepted = answer == Answer::Accept;
        let another = self.switches.another_dll && self.chance.below(10) == 0;
        match call.subject {
            Subject::Address(_, family, offered) => self.address_answered(of, family, offered, &answer),
            Subject::Accept(_) if accepted && !another => {
                let linked = !self.connections[of].is_ikev2() || self.switches.ikev2_links;
                let c = &mut self.connections[of];
                c.accepted = Some(Mono(self.mono));
                c.phase = if linked { Phase::Linking } else { Phase::Online };
                self.established_count += u64::from(!linked);
            }
            Subject::Accept(_) => {
                let hangup = self.switches.hangup_of_rejected;
                if hangup {
                    self.pending.push(Pending { of, notification: Notification::Hangup(0), again: false });
                } else if accepted {
                    self.connections[of].reported.lost = true;
                }
                self.end(of);
            }
            Subject::Link(_, port) if accepted && !another => {
                let c = &mut self.connections[of];
                c.links.push(port);
                if c.phase == Phase::Linking {
                    c.phase = Phase::Online;
                    self.established_count += 1;
                }
            }
            Subject::Link(_, port) => {
                if accepted {
                    self.pending.push(Pending { of, notification: Notification::LinkHangup(port), again: false });
                }
                if self.connections[of].phase == Phase::Linking {
                    self.end(of);
                } else {
                    self.connections[of].ports.retain(|&other| other != port);
                    self.ports[port] = false;
                }
            }
            Subject::Reauthenticate(..) | Subject::Move(..) => {
                if !accepted {
                    self.end(of);
                }
            }
            Subject::LinkHangup(..) | Subject::Other => {}
            Subject::Hangup(..) => {
                self.settle(Pending { of, notification: Notification::Hangup(0), again: call.again })
            }
            Subject::Release(_, address) => self.return_address(of, address),
        }
        if self.connections[of].dropped && self.connections[of].busy == 0 {
            self.end(of);
        }
    }

    pub(super) fn address_answered(&mut self, of: Number, family: Family, offered: Option<u64>, answer: &Answer) {
        self.connections[of].wants.retain(|&wanted| wanted != family);
        let own = offered.map(|number| Address { family, number });
        let number = match answer {
            Answer::Address(given) => Some(given.number),
            Answer::AsOffered => offered,
            _ => None,
        };
        if *answer == Answer::Reject || *answer == Answer::Accept || *answer == Answer::Nothing {
            if let Some(own) = own {
                self.return_address(of, own);
            }
            return self.end(of);
        }
        if let Some(number) = number {
            let address = Address { family, number };
            let kept = offered == Some(number);
            if let Some(own) = own.filter(|_| !kept) {
                self.return_address(of, own);
            }
            let held = HeldAddress { address, own: kept };
            let server = family == Family::Ipv4 && (number == 0 || number == SERVER_ADDRESS);
            let another = self.taken.get(&address).is_some_and(|&other| other != of);
            if server || another {
                // Errors 1168 and 735: notify_release was set, so what was written is released.
                self.log(|| format!("RRAS refuses {number:#x} to #{of}"));
                self.pending.push(Pending {
                    of,
                    notification: Notification::Release(HeldAddress { own: false, ..held }),
                    again: false,
                });
                return self.end(of);
            }
            self.taken.insert(address, of);
            self.connections[of].held[family.index()] = Some(held);
        }
        let c = &mut self.connections[of];
        let later = self.switches.late_ipv6 && c.wants == [Family::Ipv6];
        if c.phase == Phase::Addressing && (c.wants.is_empty() || later) {
            c.phase = Phase::Connecting;
        }
    }
}
